"""Hidden checks of rotate_kernel: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import upsampling
from coursekit.checks.small_networks import numbers


@pytest.mark.points(1, "rotate_kernel")
def test_rotating_fresh_kernels(expect):
    """Rows and columns are reversed, for another kernel."""
    weight = numbers(3, 4, 5, 2, seed=93)
    expect(upsampling.rotate_kernel(weight), torch.rot90(weight, 2, (2, 3)), "half a turn in the plane")
