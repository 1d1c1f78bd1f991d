"""Hidden checks of transposed_conv2d: fresh inputs. Staff only."""

import pytest
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.checks.small_networks import numbers


@pytest.mark.points(2, "transposed_conv2d")
def test_stamping_of_fresh_maps(expect):
    """The result is the transposed convolution, for other maps, kernels, strides and paddings."""
    for x_shape, w_shape, stride, padding in (
        ((3, 5, 6, 4), (5, 2, 4, 3), 3, 1),
        ((1, 2, 3, 7), (2, 5, 5, 5), 2, 2),
        ((2, 1, 4, 4), (1, 1, 1, 1), 4, 0),
    ):
        x, weight = numbers(*x_shape, seed=91), numbers(*w_shape, seed=92)

        result = upsampling.transposed_conv2d(x, weight, stride=stride, padding=padding)

        expect(result, F.conv_transpose2d(x, weight, stride=stride, padding=padding), "the sum of all stamps, cropped")
