"""Hidden checks of max_unpool: fresh inputs. Staff only."""

import pytest
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.checks.laws import gradient_of
from coursekit.checks.small_networks import numbers


@pytest.mark.points(2, "max_unpool")
def test_unpooling_of_fresh_maps_is_the_adjoint_of_pooling(expect):
    """Unpooling is the transpose of max pooling, for other maps with overlapping windows."""
    for n, k, stride, size in ((2, 4, 1, (8, 13)), (1, 3, 2, (11, 6)), (4, 2, 2, (5, 9))):
        x = numbers(n, 2, *size, seed=81 + k).requires_grad_()
        pooled, indices = F.max_pool2d(x, k, stride, return_indices=True)
        y = numbers(*pooled.shape, seed=82)

        result = upsampling.max_unpool(y, indices, size)

        expect(result, gradient_of(pooled, x, y, "x"), "what autograd sends back through the pooling")
