"""Hidden checks of pixel_accuracy: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation


@pytest.mark.points(1, "pixel_accuracy")
def test_the_accuracy_of_fresh_masks(expect, formula, masks, number):
    """Accuracy = right pixels / counted pixels, on other maps."""
    expect.reference(number(segmentation.pixel_accuracy(*masks(107))), "six", formula)
