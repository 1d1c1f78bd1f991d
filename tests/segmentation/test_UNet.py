"""The U-Net, as drawn in the paper, with and without padding."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignment2 import segmentation
from coursekit.checks.network_laws import assert_network_behaves, assert_parameters, delta
from coursekit.checks.small_networks import pictures, seeded


def unet(in_channels=3, num_classes=4, widths=(4, 3, 5), *, padding=1):
    network = segmentation.UNet(in_channels, num_classes, list(widths), padding=padding)
    shapes = {"head.weight": (num_classes, widths[0], 1, 1), "head.bias": (num_classes,)}

    def block(name, read, channels):
        return {f"{name}.0.weight": (channels, read, 3, 3), f"{name}.0.bias": (channels,)} | {
            f"{name}.2.weight": (channels, channels, 3, 3), f"{name}.2.bias": (channels,)
        }  # fmt: skip

    depth = len(widths) - 1
    for i in range(depth):
        j = depth - 1 - i
        shapes |= block(f"down.{i}", (in_channels, *widths)[i], widths[i])
        shapes |= {f"up.{j}.weight": (widths[i + 1], widths[i], 2, 2), f"up.{j}.bias": (widths[i],)}
        shapes |= block(f"merge.{j}", 2 * widths[i], widths[i])
    shapes |= block("bottom", widths[-2], widths[-1])
    assert_parameters(network, shapes)
    return seeded(network)


def copying_unet(depth, *, padding, source):
    """A U-Net of one channel whose blocks copy; its last merge copies the skip, or what came up, each up repeats pixels."""
    network = unet(1, 2, (1,) * (depth + 1), padding=padding)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            delta(module)
        elif isinstance(module, nn.ConvTranspose2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if source == "up":
        for merge in network.merge:
            with torch.no_grad():
                merge[0].weight.copy_(merge[0].weight.flip(1))
    return network


@pytest.mark.points(1, "UNet")
def test_a_unet_that_copies_its_skip_returns_the_picture(expect):
    """cat([skip, up]): the skip's channels come first, taken before the pooling."""
    for depth, size in ((1, (7, 10)), (2, (9, 14))):
        images = pictures(2, size=size)[:, :1]

        logits = copying_unet(depth, padding=1, source="skip")(images)

        expect(logits.detach(), images.expand(-1, 2, -1, -1), "cat([skip, up]): the first channels are the skip's own")


@pytest.mark.points(1, "UNet")
def test_a_valid_unet_that_copies_its_skip_returns_the_middle_of_the_picture(expect):
    """padding = 0: the skip is cropped at its centre to the size of up."""
    for depth, size, left in (
        (1, (20, 27), (4, 10)),
        (2, (44, 52), (4, 12)),
        (2, (47, 50), (4, 8)),
        (2, (44, 51), (4, 8)),
    ):
        images = pictures(2, size=size)[:, :1]

        logits = copying_unet(depth, padding=0, source="skip")(images)

        assert isinstance(logits, torch.Tensor), f"the result is a {type(logits).__name__}, expected a torch tensor"
        assert tuple(logits.shape[-2:]) == left, f"{size} pixels give {tuple(logits.shape[-2:])}, expected {left}"
        top, side = ((a - 4 - (b + 4)) // 2 + 4 for a, b in zip(size, left, strict=True))
        middle = images[:, :, top : top + left[0], side : side + left[1]]
        expect(
            logits.detach(),
            middle.expand(-1, 2, -1, -1),
            "the skip cropped at its centre, two pixels off at each block's side",
        )


@pytest.mark.points(1, "UNet")
def test_a_unet_that_copies_what_comes_up_repeats_the_maxima_and_fills_with_zeros(expect):
    """padding = 1: up is zero-padded below and on the right to the skip's size."""
    for depth, size in ((1, (7, 10)), (2, (10, 13))):
        images = pictures(2, size=size)[:, :1]

        logits = copying_unet(depth, padding=1, source="up")(images)

        side = 2**depth
        pooled = images.unfold(2, side, side).unfold(3, side, side).amax((-1, -2))
        right = pooled.repeat_interleave(side, 2).repeat_interleave(side, 3)
        right = F.pad(right, (0, size[1] - right.shape[3], 0, size[0] - right.shape[2]))
        expect(
            logits.detach(), right.expand(-1, 2, -1, -1), "the bottom's maxima, repeated; zeros below and on the right"
        )


@pytest.mark.points(1, "UNet")
def test_unet_is_its_drawing(expect):
    """With padding = 1 the network is figure 1 of the paper, and the logits have the images' size."""
    for images in (pictures(3, size=(13, 18)), pictures(1, size=(12, 16))):
        logits = unet()(images)
        expect.reference(logits.detach(), f"same {len(images)}", "figure 1 of the paper, with padding")


@pytest.mark.points(1, "UNet")
def test_a_valid_unet_is_the_papers_and_572_pixels_give_388(expect):
    """With padding = 0 the network is figure 1 of the paper: 572 x 572 pixels give 388 x 388."""
    logits = unet(padding=0)(pictures(2, size=(44, 51)))
    expect.reference(logits.detach(), "valid", "figure 1 of the paper, without padding")
    deep = unet(1, 2, (1, 1, 1, 1, 1), padding=0).float()
    with torch.no_grad():
        shape = tuple(deep(torch.zeros(1, 1, 572, 572)).shape)
    assert shape == (1, 2, 388, 388), f"572 x 572 pixels give {shape}, the paper (1, 2, 388, 388)"


@pytest.mark.points(1, "UNet")
def test_unet_behaves_as_a_module_does(expect):
    """The network can be called twice, copied, run in float32 and trained; it has no side effects."""
    assert_network_behaves(expect, unet(), pictures(2, size=(13, 18)))
