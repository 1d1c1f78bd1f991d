"""Hidden checks of convolutionalize: fresh inputs. Staff only."""

import pytest
from torch import nn

from assignment2 import segmentation
from coursekit.checks.small_networks import pictures
from coursekit.vision import load_model


def right_conv(linear, in_channels, size):
    size = (size, size) if isinstance(size, int) else tuple(size)
    conv = nn.Conv2d(in_channels, linear.out_features, size, dtype=linear.weight.dtype)
    conv.weight.data = linear.weight.detach().reshape(-1, in_channels, *size).clone()
    conv.bias.data = linear.bias.detach().clone()
    return conv


@pytest.fixture(autouse=True)
def right_sibling(monkeypatch):
    """Put a right linear_to_conv in the module, so that a mistake loses points in one exercise only."""
    monkeypatch.setattr(segmentation, "linear_to_conv", right_conv)


@pytest.mark.points(1, "convolutionalize")
def test_the_zoos_classifiers_slide(expect):
    """tiny_alexnet and tiny_vgg give their own logits at 96 x 96 and a map on a larger image."""
    for name in ("tiny_alexnet", "tiny_vgg"):
        model = load_model(name)
        images = pictures(1, seed=5, size=(96, 96)).float()
        sliding = segmentation.convolutionalize(model)
        right = model(images).detach()[:, :, None, None]
        expect(sliding(images).detach(), right, f"{name} on its own size", tolerance=1e-4)
    larger = sliding(pictures(1, seed=6, size=(112, 144)).float())
    assert tuple(larger.shape) == (1, 24, 2, 4), f"112 x 144 pixels give {tuple(larger.shape)}, expected (1, 24, 2, 4)"
