"""Hidden checks of linear_shift: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial
from coursekit.checks.small_networks import numbers


@pytest.mark.points(1, "linear_shift")
def test_linear_shift_of_fresh_weights(expect, formula):
    """The result is the largest w . d over all |d| <= eps, for other weights."""
    expect.reference(adversarial.linear_shift(numbers(4, 6, seed=9), 0.3), "shift", formula)
