"""Hidden checks of mean_iou: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation

pytestmark = pytest.mark.usefixtures("right_matrix")


@pytest.mark.points(1, "mean_iou")
def test_the_mean_iou_of_fresh_masks(expect, formula, masks, number):
    """Mean IoU = mean over classes of intersection / union, on other maps with eight classes."""
    expect.reference(number(segmentation.mean_iou(*masks(108), 8)), "eight", formula)
