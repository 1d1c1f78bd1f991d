"""A linear layer as a convolution: the same outputs, and it slides over larger maps."""

import pytest
import torch
from torch import nn

from assignment2 import segmentation
from coursekit.checks.small_networks import numbers, seeded


def made(linear, in_channels, size):
    with torch.random.fork_rng():
        conv = segmentation.linear_to_conv(linear, in_channels, size)
    assert isinstance(conv, nn.Conv2d), f"the result is a {type(conv).__name__}, expected an nn.Conv2d"
    types = conv.weight.dtype, linear.weight.dtype
    assert types[0] == types[1], f"the convolution's weight has dtype {types[0]}, the layer's {types[1]}"
    return conv


@pytest.mark.points(1, "linear_to_conv")
def test_the_convolution_answers_what_the_layer_answers(expect):
    """On a map of the layer's size, the convolution returns W x + b, shape (N, out_features, 1, 1)."""
    for num_images, channels, size in ((3, 4, (3, 5)), (1, 2, 3)):
        h, w = [size] * 2 if isinstance(size, int) else size
        linear = seeded(nn.Linear(channels * h * w, 6))
        maps = numbers(num_images, channels, h, w, seed=1)

        conv = made(linear, channels, size)

        answer = linear(maps.flatten(1)).detach()[:, :, None, None]
        expect(conv(maps).detach(), answer, "W x + b, as a map of one pixel: (N, out_features, 1, 1)")


@pytest.mark.points(1, "linear_to_conv")
def test_on_a_larger_map_the_layer_slides(expect):
    """On a larger map, each output is the layer's answer to the patch there, with stride 1."""
    linear = seeded(nn.Linear(2 * 3 * 4, 5, bias=False))
    maps = numbers(2, 2, 6, 6, seed=2)

    conv = made(linear, 2, (3, 4))

    assert conv.bias is None, "the layer has no bias, so the convolution has none"
    patches = maps.unfold(2, 3, 1).unfold(3, 4, 1)  # (N, C, 4, 3, h, w)
    slid = linear(patches.movedim(1, 3).flatten(3)).movedim(-1, 1).detach()
    expect(conv(maps).detach(), slid, "at each place the layer's answer to the patch there; stride 1, no padding")


@pytest.mark.points(1, "linear_to_conv")
def test_the_convolution_has_copies_of_the_layers_parameters(expect):
    """Weight and bias are new parameters with the layer's values and dtype; the layer is unchanged."""
    linear = seeded(nn.Linear(2 * 3 * 4, 5)).float()

    with expect.unchanged(model=linear):
        conv = made(linear, 2, (3, 4))

    for ours, theirs in ((conv.weight, linear.weight), (conv.bias, linear.bias)):
        assert isinstance(ours, nn.Parameter), "weight and bias must be parameters, so that they are trained"
        assert ours.is_leaf, "a parameter must be a leaf tensor: copy the values"
        assert ours.requires_grad, "weight and bias must require gradients"
        expect(ours.detach().flatten(), theirs.detach().flatten(), "the layer's numbers, in its dtype")
        expect.new(ours, parameter=theirs)
