"""The IoU of each class, weighted by its fraction of the true pixels."""

import pytest
import torch

from assignment2 import segmentation
from coursekit.checks.scalars import as_number

pytestmark = pytest.mark.usefixtures("right_matrix")  # a mistake in one exercise loses no points in another


@pytest.mark.points(1, "frequency_weighted_iou")
def test_frequency_weighted_iou_weighs_each_class_by_its_true_pixels(check_score):
    """The result is the sum over classes of (fraction of true pixels) * intersection / union."""
    right = (6 * 4 / 7 + 3 * 2 / 5 + 4 * 2 / 5) / 13
    check_score(lambda p, y: segmentation.frequency_weighted_iou(p, y, 4), right, "sum of share of T * IoU")


@pytest.mark.points(1, "frequency_weighted_iou")
def test_frequency_weighted_iou_does_not_see_classes_that_are_not_there(expect, truth, guess):
    """A class without true pixels has weight 0."""
    right = torch.tensor((6 * 4 / 7 + 3 * 2 / 5 + 4 * 2 / 5) / 13).double()
    expect(
        as_number(segmentation.frequency_weighted_iou(guess, truth, 9)), right, "a class without pixels has weight 0"
    )
    ignored = as_number(segmentation.frequency_weighted_iou(guess, truth.clamp(max=3), 4, ignore_index=0))
    expect(ignored, torch.tensor((3 * 2 / 4 + 4 * 2 / 5 + 3 * 1 / 4) / 10).double(), "pixels of class 0 ignored")
