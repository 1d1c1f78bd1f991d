"""Hidden checks of linear_to_conv: fresh inputs. Staff only."""

import pytest
from torch import nn

from assignment2 import segmentation
from coursekit.checks.small_networks import numbers, seeded


@pytest.mark.points(1, "linear_to_conv")
def test_fresh_linear_layers(expect, formula):
    """The convolution of another linear layer slides over a larger map."""
    linear = seeded(nn.Linear(5 * 4 * 2, 3), seed=4)
    conv = segmentation.linear_to_conv(linear, 5, (4, 2))
    expect.reference(conv(numbers(2, 5, 6, 5, seed=101)).detach(), "slides", formula)
