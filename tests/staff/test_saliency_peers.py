"""Part 1 against the field's libraries, in float64 on random-weight networks, to the last digits."""

import pytest
import torch
from captum.attr import Deconvolution as CaptumDeconvolution
from captum.attr import GuidedBackprop, GuidedGradCam, LayerGradCam, Saliency
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from assignment2 import saliency
from coursekit.checks.small_networks import OneHidden, ReluEverywhere, SmallConvNet, pictures, seeded

pytestmark = pytest.mark.filterwarnings("ignore:Setting backward hooks")
IMAGES, LABELS = pictures(3), torch.tensor([4, 0, 2])
EXACT = {"rtol": 1e-10, "atol": 1e-12}


@pytest.fixture
def model():
    """A network that captum can handle: every ReLU a module, none in place."""
    return seeded(SmallConvNet(inplace=False), seed=26)


def test_saliency_is_captums_summed_over_channels(model):
    ours = saliency.saliency_map(model, IMAGES, LABELS)

    theirs = Saliency(model).attribute(IMAGES.clone().requires_grad_(), target=LABELS).sum(1)
    torch.testing.assert_close(ours, theirs, **EXACT)


def test_guided_backprop_is_captums_where_every_relu_is_a_module(model):
    ours = saliency.guided_backprop(model, IMAGES, LABELS)

    theirs = GuidedBackprop(model).attribute(IMAGES.clone().requires_grad_(), target=LABELS)
    torch.testing.assert_close(ours, theirs, **EXACT)


def test_the_deconvnet_rule_gives_captums_deconvolution(model):
    images = IMAGES.clone().requires_grad_()
    with saliency.relu_rule(saliency.deconvnet_relu_gradient):
        scores = model(images).gather(1, LABELS[:, None])
    (ours,) = torch.autograd.grad(scores.sum(), images)

    theirs = CaptumDeconvolution(model).attribute(IMAGES.clone().requires_grad_(), target=LABELS)
    torch.testing.assert_close(ours, theirs, **EXACT)


def test_deconvnet_of_a_logit_is_captums_deconvolution(model):
    ours = saliency.deconvnet(model, IMAGES, "classifier.3", 2)

    theirs = CaptumDeconvolution(model).attribute(IMAGES.clone().requires_grad_(), target=2)
    torch.testing.assert_close(ours, theirs, **EXACT)


@pytest.mark.parametrize("layer", ["features.6", "features.3", "features.0"])
def test_grad_cam_is_captums_and_grad_cams(model, layer):
    ours = saliency.grad_cam(model, IMAGES, LABELS, layer)

    cam = LayerGradCam(model, model.get_submodule(layer)).attribute(IMAGES, target=LABELS, relu_attributions=True)
    cam = nn.functional.interpolate(cam, IMAGES.shape[-2:], mode="bilinear", align_corners=False)[:, 0].detach()
    peak = cam.amax((1, 2), keepdim=True)
    torch.testing.assert_close(ours, cam / torch.where(peak > 0, peak, 1), **EXACT)
    targets = [ClassifierOutputTarget(int(k)) for k in LABELS]
    with GradCAM(model, [model.get_submodule(layer)]) as library:
        theirs = torch.from_numpy(library(IMAGES.clone(), targets))
    # grad-cam scales the small map to [0, 1], enlarges it in float32 with OpenCV and scales again: alike, not equal.
    torch.testing.assert_close(ours, theirs.double(), rtol=0, atol=0.02 if layer == "features.6" else 1e-3)


def test_guided_grad_cam_is_captums_but_for_the_scale(model):
    ours = saliency.guided_grad_cam(model, IMAGES, LABELS, "features.6")

    library = GuidedGradCam(model, model.features[6])
    theirs = library.attribute(IMAGES.clone().requires_grad_(), target=LABELS, interpolate_mode="bilinear").detach()
    for mine, other in zip(ours, theirs, strict=True):  # captum does not divide the map by its maximum
        torch.testing.assert_close(mine / mine.abs().max(), other / other.abs().max(), **EXACT)


def test_captum_gives_the_plain_gradient_for_functional_relus_and_we_do_not():
    """A known disagreement: captum hooks modules, the lecture speaks of every ReLU."""
    model = seeded(ReluEverywhere(), seed=3)
    model.relu.inplace = False  # captum raises on in-place ReLUs

    ours = saliency.guided_backprop(model, IMAGES, LABELS)

    theirs = GuidedBackprop(model).attribute(IMAGES.clone().requires_grad_(), target=LABELS)
    assert not torch.allclose(ours, theirs), "if captum has learnt functional ReLUs, this test can go"


def test_one_hidden_layer_agrees_with_captum_too():
    model = seeded(OneHidden())

    theirs = GuidedBackprop(model).attribute(IMAGES.clone().requires_grad_(), target=LABELS)
    torch.testing.assert_close(saliency.guided_backprop(model, IMAGES, LABELS), theirs, **EXACT)
