"""Kernels rotated by 180 degrees: rows and columns reversed, channels unchanged."""

import pytest
import torch
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.checks.laws import assert_pure, gradient_of
from coursekit.checks.small_networks import numbers


@pytest.mark.points(1, "rotate_kernel")
def test_rotating_reverses_rows_and_columns_and_keeps_the_channels(expect):
    """Entry [a, b, i, j] of the result is entry [a, b, kh - 1 - i, kw - 1 - j] of the kernel."""
    weight = torch.arange(36.0, dtype=torch.float64).view(2, 3, 3, 2)

    with expect.kept(weight=weight):
        result = upsampling.rotate_kernel(weight)

    right = torch.stack([torch.stack([k.flatten().flipud().view(3, 2) for k in row]) for row in weight])
    formula = "entry [a, b, i, j] <- [a, b, kh - 1 - i, kw - 1 - j]"
    expect(result, right, formula)
    for shape in (2, 1, 5, 4), (1, 2, 1, 7), (1, 1, 2, 2):
        kernel = numbers(*shape, seed=23)
        expect(upsampling.rotate_kernel(kernel), kernel.flatten(2).flip(2).view(shape), formula)


@pytest.mark.points(1, "rotate_kernel")
def test_stamping_is_the_convolution_with_the_rotated_kernel(expect):
    """A convolution with the rotated kernel equals the transposed convolution with the kernel itself."""
    weight, y = numbers(3, 2, 3, 3, seed=21), numbers(2, 3, 4, 5, seed=22)

    rotated = upsampling.rotate_kernel(weight)
    assert isinstance(rotated, torch.Tensor), f"the result is a {type(rotated).__name__}, expected a torch tensor"
    assert rotated.shape == weight.shape, f"the result has shape {tuple(rotated.shape)}, expected {tuple(weight.shape)}"

    full = F.conv2d(y, rotated.transpose(0, 1), padding=2)
    expect(
        full, F.conv_transpose2d(y, weight), "conv2d(y, rotated, channels exchanged, padding k - 1) stamps the kernel"
    )
    assert_pure(expect, upsampling.rotate_kernel, weight)
    assert_pure(expect, upsampling.rotate_kernel, weight[..., :1, :1])
    followed = weight.clone().requires_grad_()
    gradient = gradient_of(upsampling.rotate_kernel(followed), followed, weight, "weight")
    expect(gradient, weight.flatten(2).flip(2).view_as(weight), "each entry's gradient comes back to where it was")
