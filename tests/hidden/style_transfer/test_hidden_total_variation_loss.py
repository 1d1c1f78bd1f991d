"""Hidden checks of total_variation_loss: fresh inputs. Staff only."""

import pytest

from assignment2 import style_transfer as part5
from coursekit.checks.scalars import value_and_slopes
from coursekit.checks.small_networks import pictures


@pytest.mark.points(1, "total_variation_loss")
def test_total_variation_of_a_fresh_picture(expect, formula):
    """The value and the gradient of the total variation loss, on another image."""
    images = pictures(2, seed=71, size=(8, 11)).requires_grad_()
    for i, value in enumerate(value_and_slopes(part5.total_variation_loss(images), [images])):
        expect.reference(value, f"{i}", formula)
