"""Hidden checks of dice: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation

pytestmark = pytest.mark.usefixtures("right_matrix")


@pytest.mark.points(1, "dice")
def test_the_dice_of_fresh_masks(expect, formula, masks, number):
    """Dice = mean of 2 * intersection / (predicted pixels + true pixels), on other maps."""
    expect.reference(number(segmentation.dice(*masks(109), 8)), "eight", formula)
