"""Hidden checks of content_loss: fresh inputs. Staff only."""

import pytest

from assignment2 import style_transfer as part5
from coursekit.checks.scalars import value_and_slopes
from coursekit.checks.small_networks import numbers


@pytest.mark.points(1, "content_loss")
def test_content_loss_of_fresh_features(expect, features, shapes, formula):
    """The value and the gradient of the content loss, for other features."""
    targets = [numbers(2, *shape, seed=80 + shape[0]) for shape in shapes]
    found = value_and_slopes(part5.content_loss(features, targets, [1.5, 0.25]), features)
    for i, value in enumerate(found):
        expect.reference(value, f"{i}", formula)
