"""Hidden checks of max_pool: fresh inputs. Staff only."""

import pytest
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.checks.small_networks import numbers


@pytest.mark.points(1, "max_pool")
def test_pooling_of_fresh_maps(expect):
    """values and indices are the maximum of each window and its position, for other maps."""
    for n, k, stride in ((2, 4, 3), (1, 3, 1), (4, 2, 2)):
        x = numbers(n, 3, 10, 15, seed=71 + k)

        values, indices = upsampling.max_pool(x, k, stride)

        right, places = F.max_pool2d(x, k, stride, return_indices=True)
        expect(values, right, "the largest value of each window")
        expect(indices, places, "row * W + column")
