"""The transposed convolution: every pixel times the kernel, placed on the output and added."""

import pytest
import torch
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.checks.laws import assert_pure, gradient_of
from coursekit.checks.small_networks import numbers

STAMPS = [  # x, weight, stride, padding: C_in unlike C_out, or equal; kernels that are not square
    ((3, 2, 4, 5), (2, 3, 3, 2), 1, 0),
    ((1, 3, 3, 4), (3, 2, 2, 4), 2, 0),
    ((2, 2, 4, 3), (2, 4, 3, 5), 2, 2),
    ((3, 1, 2, 5), (1, 2, 2, 3), 3, 1),
    ((1, 4, 5, 1), (4, 1, 1, 3), 1, 0),
    ((2, 3, 4, 3), (3, 3, 2, 4), 1, 0),
]


@pytest.mark.points(1, "transposed_conv2d")
def test_stamping_gives_the_slides_numbers(expect, slide):
    """The slide's example: one pixel gives 120 * kernel, two overlapping copies are added."""
    kernel = torch.tensor([[[[1.0, -1.0], [2.0, -2.0]]]], dtype=torch.float64)

    one = upsampling.transposed_conv2d(slide[None, None, :1, :1], kernel)
    row = upsampling.transposed_conv2d(slide[None, None, :1, :2], kernel)

    expect(one, 120 * kernel, "one pixel: 120 times the kernel as it stands")
    right = torch.tensor([[[[120.0, 30.0, -150.0], [240.0, 60.0, -300.0]]]], dtype=torch.float64)
    expect(row, right, "120, -120 + 150, -150 and 240, -240 + 300, -300")


@pytest.mark.points(1, "transposed_conv2d")
def test_stamping_is_the_adjoint_of_the_convolution_with_the_same_weight(expect):
    """It is the transpose of the convolution with the same weight: <conv(z), y> = <z, transposed(y)>."""
    for x_shape, weight_shape, stride, padding in STAMPS:
        y, weight = numbers(*x_shape, seed=11), numbers(*weight_shape, seed=12)
        right = F.conv_transpose2d(y, weight, stride=stride, padding=padding)
        z = numbers(*right.shape, seed=13)

        result = upsampling.transposed_conv2d(y, weight, stride=stride, padding=padding)

        expect(
            result,
            right,
            "each pixel times the kernel, from (row * stride, column * stride); crop padding at each side",
        )
        inner = (F.conv2d(z, weight, stride=stride, padding=padding) * y).sum()
        expect((z * result).sum(), inner, "<conv(z), y> = <z, transposed(y)>", tolerance=1e-10)


@pytest.mark.points(1, "transposed_conv2d")
def test_stamping_is_differentiable_in_x_and_in_the_weight(expect):
    """The result is differentiable with respect to x and to weight."""
    for x_shape, weight_shape, stride, padding in STAMPS[:3]:
        x, weight = numbers(*x_shape, seed=14).requires_grad_(), numbers(*weight_shape, seed=15).requires_grad_()
        right = F.conv_transpose2d(x, weight, stride=stride, padding=padding)
        upstream = numbers(*right.shape, seed=16)

        result = upsampling.transposed_conv2d(x, weight, stride=stride, padding=padding)

        expect(result.detach(), right.detach(), "the sum of all stamps")
        for name, tensor in (("x", x), ("weight", weight)):
            (wanted,) = torch.autograd.grad((right * upstream).sum(), tensor, retain_graph=True)
            gradient = gradient_of(result.clone(), tensor, upstream, name)
            expect(gradient, wanted, f"the gradient with respect to {name}")
            result = upsampling.transposed_conv2d(x, weight, stride=stride, padding=padding)


@pytest.mark.points(1, "transposed_conv2d")
def test_stamping_leaves_x_and_weight_alone_and_repeats(expect):
    """x and weight are unchanged, and a second call, under no_grad or in float32, returns the same."""
    x, weight = numbers(2, 2, 4, 3, seed=17), numbers(2, 4, 3, 5, seed=18)

    assert_pure(expect, lambda x, w: upsampling.transposed_conv2d(x, w, stride=2, padding=1), x, weight)
    assert_pure(expect, lambda x, w: upsampling.transposed_conv2d(x, w), x[:, :, :1, :1], weight)
    size = tuple(upsampling.transposed_conv2d(x, weight, stride=2, padding=1).shape)
    assert size == (2, 4, 7, 7), f"the result has shape {size}, expected (2, 4, 7, 7)"
