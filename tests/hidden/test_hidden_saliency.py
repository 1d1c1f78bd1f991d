"""Part 1, hidden: fresh pictures and other networks for the same functions. Staff only."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignment2 import saliency
from coursekit.checks.small_networks import ReluEverywhere, SmallConvNet, pictures, seeded
from coursekit.vision import record_outputs, relu_rule

SIZE = (11, 14)
LABELS = torch.tensor([1, 3, 0, 3])
FORMULA = "the docstring's definition, on other pictures and another network"


class Wide(nn.Module):
    """Another shape of network: strides, a dilation, a concatenation, average pooling."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 5, (3, 5), stride=(1, 2), padding=(1, 2)), nn.ReLU(inplace=True))
        self.left = nn.Conv2d(5, 3, 3, padding=2, dilation=2)
        self.right = nn.Conv2d(5, 2, 1)
        self.mix = nn.Conv2d(5, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.AvgPool2d(2)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 4 * 2, 4))

    def forward(self, images):
        stem = self.stem(images)
        both = torch.cat([self.relu(self.left(stem)), torch.relu(self.right(stem))], dim=1)
        return self.head(self.pool(self.relu(self.mix(both))))


def right_guided(model, images, labels):
    images = images.detach().requires_grad_()
    with relu_rule(lambda up, x: up * ((up > 0) & (x > 0))):
        scores = model(images)[torch.arange(len(images)), labels]
    return torch.autograd.grad(scores.sum(), images)[0]


def right_cam(model, images, labels, layer):
    with record_outputs(model, [layer]) as outputs:
        scores = model(images.detach().requires_grad_())[torch.arange(len(images)), labels]
    (slope,) = torch.autograd.grad(scores.sum(), outputs[layer])
    small = torch.einsum("nchw,nc->nhw", outputs[layer], slope.mean((2, 3))).clamp(min=0).detach()
    cam = F.interpolate(small[:, None], images.shape[2:], mode="bilinear")[:, 0]
    peak = cam.amax((1, 2), keepdim=True)
    return cam / peak.where(peak > 0, 1)


@pytest.fixture(autouse=True)
def right_siblings(request, monkeypatch):
    """Where one exercise is built from another, put a right one in its place, so that nobody pays twice."""
    function = request.node.get_closest_marker("points").args[1]
    if function == "guided_grad_cam":
        monkeypatch.setattr(saliency, "guided_backprop", right_guided)
        monkeypatch.setattr(saliency, "grad_cam", right_cam)
    if function in ("guided_backprop", "guided_grad_cam"):
        monkeypatch.setattr(
            saliency, "guided_relu_gradient", lambda upstream, relu_input: upstream.clamp(min=0) * (relu_input > 0)
        )
    if function == "deconvnet":
        monkeypatch.setattr(saliency, "deconvnet_relu_gradient", lambda upstream, relu_input: upstream.clamp(min=0))
    if function == "top_patches":  # the whole picture: only which images, and how strongly, is compared here
        monkeypatch.setattr(saliency, "receptive_field", lambda model, layer, unit, image_size: (0, 0, *image_size))


@pytest.fixture
def model():
    return seeded(Wide(), seed=41)


@pytest.fixture
def images():
    return pictures(4, seed=77, size=SIZE)


@pytest.mark.points(2, "saliency_map")
def test_saliency_on_fresh_pictures(expect, model, images):
    expect.reference(saliency.saliency_map(model, images, LABELS), "four", FORMULA)
    expect.reference(saliency.saliency_map(model, images[2:3], LABELS[2:3]), "one", FORMULA)


@pytest.mark.points(1, "activation_gradient")
def test_activation_gradient_on_fresh_units(expect, model, images):
    for unit in (0, 2, 3), (3, 8, 1):
        expect.reference(saliency.activation_gradient(model, images, "mix", unit), f"mix {unit}", FORMULA)


@pytest.mark.points(1, "deconvnet_relu_gradient")
def test_deconvnet_rule_on_fresh_numbers(expect):
    upstream, relu_input = pictures(2, seed=5) - 0.5, pictures(2, seed=6) - 0.5
    expect.reference(saliency.deconvnet_relu_gradient(upstream, relu_input), "rule", FORMULA)


@pytest.mark.points(1, "guided_relu_gradient")
def test_guided_rule_on_fresh_numbers(expect):
    upstream, relu_input = pictures(2, seed=7) - 0.5, pictures(2, seed=8) - 0.5
    expect.reference(saliency.guided_relu_gradient(upstream, relu_input), "rule", FORMULA)


@pytest.mark.points(2, "guided_backprop")
def test_guided_backprop_on_fresh_pictures(expect, model, images):
    expect.reference(saliency.guided_backprop(model, images, LABELS), "wide", FORMULA)
    other = seeded(ReluEverywhere(), seed=9)
    expect.reference(saliency.guided_backprop(other, images, LABELS), "every relu", FORMULA)


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_on_fresh_pictures(expect, model, images):
    for layer, channel in ("mix", 1), ("left", 2):
        expect.reference(saliency.deconvnet(model, images, layer, channel), layer, FORMULA)


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_in_another_network(expect, model):
    for layer, unit, box in ("left", (1, 5, 3), (2, 0, 9, 13)), ("pool", (0, 1, 1), (0, 0, 9, 14)):
        expect(saliency.receptive_field(model, layer, unit, SIZE), box, FORMULA)


@pytest.mark.points(1, "top_patches")
def test_top_patches_of_fresh_pictures(expect, model, images):
    result = saliency.top_patches(model, images, "mix", 2, 3)

    expect.reference(result.indices, "indices", FORMULA)
    expect.reference(result.values, "values", FORMULA)


@pytest.mark.points(2, "grad_cam")
def test_grad_cam_on_fresh_pictures(expect, model, images):
    for layer in ("mix", "left", "stem.0"):
        expect.reference(saliency.grad_cam(model, images, LABELS, layer), layer, FORMULA)


@pytest.mark.points(1, "guided_grad_cam")
def test_guided_grad_cam_on_fresh_pictures(expect, images):
    model = seeded(SmallConvNet(), seed=21)
    images = pictures(4, seed=78)
    expect.reference(saliency.guided_grad_cam(model, images, LABELS, "features.3"), "product", FORMULA)
