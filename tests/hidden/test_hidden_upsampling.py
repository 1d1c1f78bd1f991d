"""Part 6, hidden: fresh numbers, other sizes and strides, for the functions of upsampling. Staff only."""

import pytest
import torch
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.checks.small_networks import numbers


@pytest.mark.points(1, "max_pool")
def test_pooling_of_fresh_maps(expect):
    for n, k, stride in ((2, 4, 3), (1, 3, 1), (4, 2, 2)):
        x = numbers(n, 3, 10, 15, seed=71 + k)

        values, indices = upsampling.max_pool(x, k, stride)

        right, places = F.max_pool2d(x, k, stride, return_indices=True)
        expect(values, right, "the largest value of each window")
        expect(indices, places, "row * W + column")


@pytest.mark.points(2, "max_unpool")
def test_unpooling_of_fresh_maps_is_the_adjoint_of_pooling(expect):
    for n, k, stride, size in ((2, 4, 1, (8, 13)), (1, 3, 2, (11, 6)), (4, 2, 2, (5, 9))):
        x = numbers(n, 2, *size, seed=81 + k).requires_grad_()
        pooled, indices = F.max_pool2d(x, k, stride, return_indices=True)
        y = numbers(*pooled.shape, seed=82)

        result = upsampling.max_unpool(y, indices, size)

        expect(result, torch.autograd.grad(pooled, x, y)[0], "what autograd sends back through the pooling")


@pytest.mark.points(2, "transposed_conv2d")
def test_stamping_of_fresh_maps(expect):
    for x_shape, w_shape, stride, padding in (
        ((3, 5, 6, 4), (5, 2, 4, 3), 3, 1),
        ((1, 2, 3, 7), (2, 5, 5, 5), 2, 2),
        ((2, 1, 4, 4), (1, 1, 1, 1), 4, 0),
    ):
        x, weight = numbers(*x_shape, seed=91), numbers(*w_shape, seed=92)

        result = upsampling.transposed_conv2d(x, weight, stride=stride, padding=padding)

        expect(result, F.conv_transpose2d(x, weight, stride=stride, padding=padding), "the sum of all stamps, cropped")


@pytest.mark.points(1, "rotate_kernel")
def test_rotating_fresh_kernels(expect):
    weight = numbers(3, 4, 5, 2, seed=93)
    expect(upsampling.rotate_kernel(weight), torch.rot90(weight, 2, (2, 3)), "half a turn in the plane")


@pytest.mark.points(1, "bilinear_kernel")
def test_other_bilinear_kernels(expect):
    for channels, factor in ((4, 5), (1, 8), (3, 1)):
        expect.reference(upsampling.bilinear_kernel(channels, factor), f"{channels} {factor}", "the docstring's tent")
