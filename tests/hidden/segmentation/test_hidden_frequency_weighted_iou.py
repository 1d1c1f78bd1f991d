"""Hidden checks of frequency_weighted_iou: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation

pytestmark = pytest.mark.usefixtures("right_matrix")


@pytest.mark.points(1, "frequency_weighted_iou")
def test_the_weighted_iou_of_fresh_masks(expect, formula, masks, number):
    """The sum over classes of (fraction of true pixels) * intersection / union, on other maps."""
    expect.reference(number(segmentation.frequency_weighted_iou(*masks(110), 8)), "eight", formula)
