"""The kernel with which a transposed convolution interpolates bilinearly."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.checks.small_networks import numbers


@pytest.mark.points(1, "bilinear_kernel")
def test_the_bilinear_kernel_is_a_tent_for_each_channel_alone(expect):
    """Entry [c, c, i, j] is (1 - |i - m| / factor) (1 - |j - m| / factor); 0 between two channels."""
    for channels, factor in ((2, 2), (3, 3), (1, 4), (2, 1)):
        size = factor * 2 - factor % 2
        middle = size / 2 - 0.5
        right = torch.zeros(channels, channels, size, size)
        for c, i, j in itertools.product(range(channels), range(size), range(size)):
            right[c, c, i, j] = (1 - abs(i - middle) / factor) * (1 - abs(j - middle) / factor)

        result = upsampling.bilinear_kernel(channels, factor)

        expect(
            result, right, f"(1 - |i - m| / {factor}) (1 - |j - m| / {factor}) with m = {middle:g}; 0 between channels"
        )


@pytest.mark.points(1, "bilinear_kernel")
def test_stamping_the_bilinear_kernel_is_interpolation_away_from_the_border(expect):
    """A transposed convolution with the kernel is bilinear interpolation away from the border."""
    x = numbers(2, 3, 5, 6, seed=23).float()
    for factor in (2, 3, 4):
        kernel = upsampling.bilinear_kernel(3, factor)

        assert isinstance(kernel, torch.Tensor), f"the result is a {type(kernel).__name__}, expected a torch tensor"
        size = factor * 2 - factor % 2
        assert kernel.shape == (3, 3, size, size), f"shape {tuple(kernel.shape)}, but k is 2 * factor - factor % 2"
        larger = F.conv_transpose2d(x, kernel.detach(), stride=factor, padding=factor // 2)
        wanted = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
        inner = slice(factor, -factor)
        expect(larger[:, :, inner, inner], wanted[:, :, inner, inner], "F.interpolate, bilinear", tolerance=1e-5)
    with expect.unchanged(x=x):
        upsampling.bilinear_kernel(3, 2)
