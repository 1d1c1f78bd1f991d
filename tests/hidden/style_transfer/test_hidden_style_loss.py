"""Hidden checks of style_loss: fresh inputs. Staff only."""

import pytest

from assignment2 import style_transfer as part5
from coursekit.checks.scalars import value_and_slopes
from coursekit.checks.small_networks import numbers

pytestmark = pytest.mark.usefixtures("right_gram")


@pytest.mark.points(2, "style_loss")
def test_style_loss_of_fresh_features(expect, features, shapes, formula):
    """The value and the gradient of the style loss, for other features."""
    grams = [numbers(1, c, c, seed=90 + c) for c, _, _ in shapes]
    found = value_and_slopes(part5.style_loss(features, grams, [0.75, 4.0]), features)
    for i, value in enumerate(found):
        expect.reference(value, f"{i}", formula)
