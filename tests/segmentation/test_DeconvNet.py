"""The DeconvNet: unpooling with the encoder's indices and transposed convolutions, coarsest first."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from assignment2 import segmentation
from coursekit.checks.network_laws import assert_network_behaves, assert_parameters, delta
from coursekit.checks.small_networks import numbers, pictures, seeded


def deconvnet(in_channels=3, widths=(4, 5, 3), num_classes=4, *, tied=False):
    network = segmentation.DeconvNet(in_channels, list(widths), num_classes, tied=tied)
    steps = list(pairwise(widths))
    shapes = {"stem.weight": (widths[0], in_channels, 3, 3), "stem.bias": (widths[0],)}
    shapes |= {"head.weight": (num_classes, widths[0], 1, 1), "head.bias": (num_classes,)}
    for i, (fine, coarse) in enumerate(steps):
        shapes |= {f"encoder.{i}.weight": (coarse, fine, 3, 3), f"encoder.{i}.bias": (coarse,)}
        if not tied:
            j = len(steps) - 1 - i
            shapes |= {f"decoder.{j}.weight": (coarse, fine, 3, 3), f"decoder.{j}.bias": (fine,)}
    assert_parameters(network, shapes)
    return seeded(network)


@pytest.mark.points(1, "DeconvNet")
def test_a_deconvnet_that_copies_keeps_the_largest_pixel_of_each_window(expect):
    """If all kernels copy their input, each window's maximum stays at its position, all else is 0."""
    for depth, size in ((1, (7, 10)), (2, (9, 14))):
        network = deconvnet(1, (1,) * (depth + 1), 2)
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                delta(module)
        images = pictures(2, size=size)[:, :1]

        logits = network(images)

        side = 2**depth
        kept = torch.zeros_like(images)
        for top in range(0, size[0] - side + 1, side):
            for left in range(0, size[1] - side + 1, side):
                here = (..., slice(top, top + side), slice(left, left + side))
                window = images[here]
                kept[here] = window.where(window == window.amax((2, 3), keepdim=True), 0)
        expect(
            logits.detach(),
            kept.expand(-1, 2, -1, -1),
            f"the maxima of {side} x {side} windows in their places, else 0",
        )


@pytest.mark.points(1, "DeconvNet")
def test_deconvnet_decodes_with_transposed_convolutions_coarsest_first(expect):
    """Each level of the decoder: unpool, transposed convolution, ReLU, coarsest level first; then head."""
    for images in (pictures(3, size=(9, 14)), pictures(1, size=(8, 12))):
        logits = deconvnet()(images)
        expect.reference(logits.detach(), f"{len(images)}", "unpool, transposed convolution, ReLU at each level; head")


@pytest.mark.points(1, "DeconvNet")
def test_a_tied_decoder_is_the_encoders_own_kernels_and_learns_at_both_ends(expect):
    """tied: the decoder uses encoder[i].weight itself, and gradients reach it from both ends."""
    network = deconvnet(tied=True)
    assert network.decoder is None, f"decoder is {type(network.decoder).__name__}, expected None"
    images = pictures(3, size=(9, 14))

    logits = network(images)

    expect.reference(logits.detach(), "logits", "encoder[i].weight itself, stamped, without bias")
    upstream = numbers(*logits.shape, seed=31)
    for i, conv in enumerate(network.encoder):
        (gradient,) = torch.autograd.grad((logits * upstream).sum(), conv.weight, retain_graph=True)
        expect.reference(
            gradient, f"gradient {i}", "the kernel receives gradients from the encoder and from the decoder"
        )


@pytest.mark.points(1, "DeconvNet")
def test_deconvnet_behaves_as_a_module_does(expect):
    """The network can be called twice, copied, run in float32 and trained; it has no side effects."""
    for tied in (False, True):
        network = deconvnet(tied=tied)
        with torch.no_grad():
            for conv in (network.stem, *network.encoder, *(network.decoder or ())):
                conv.bias.add_(0.5)  # so that every level is alive
        assert_network_behaves(expect, network, pictures(2, size=(9, 14)))
