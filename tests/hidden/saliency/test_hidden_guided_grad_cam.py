"""Hidden checks of guided_grad_cam: fresh inputs. Staff only."""

import pytest
import torch
import torch.nn.functional as F

from assignment2 import saliency
from coursekit.checks.small_networks import SmallConvNet, pictures, seeded
from coursekit.vision import record_outputs, relu_rule


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
def right_siblings(monkeypatch):
    """Put right siblings in the module, so that a mistake loses points in one exercise only."""
    monkeypatch.setattr(saliency, "guided_backprop", right_guided)
    monkeypatch.setattr(saliency, "grad_cam", right_cam)
    monkeypatch.setattr(
        saliency, "guided_relu_gradient", lambda upstream, relu_input: upstream.clamp(min=0) * (relu_input > 0)
    )


@pytest.mark.points(1, "guided_grad_cam")
def test_guided_grad_cam_on_fresh_pictures(expect, formula, labels):
    """Guided Grad-CAM is guided_backprop * grad_cam, on other images and another network."""
    model = seeded(SmallConvNet(), seed=21)
    images = pictures(4, seed=78)
    expect.reference(saliency.guided_grad_cam(model, images, labels, "features.3"), "product", formula)
