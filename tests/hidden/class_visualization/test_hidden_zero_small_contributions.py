"""Hidden checks of zero_small_contributions: fresh inputs. Staff only."""

import pytest

from assignment2 import class_visualization as part2
from coursekit.checks.small_networks import pictures


@pytest.mark.points(1, "zero_small_contributions")
def test_small_contributions_of_a_fresh_picture(expect, image, formula, size):
    """The pixels with the smallest contributions become grey, on another picture, for three fractions."""
    gradient = pictures(1, seed=62, size=size)[0] - 0.5
    for fraction in 0.27, 0.5, 0.73:
        expect.reference(part2.zero_small_contributions(image, gradient, fraction), f"{fraction}", formula)
