"""The mean IoU over the classes that are true or predicted somewhere."""

import pytest
import torch

from assignment2 import segmentation
from coursekit.checks.scalars import as_number

pytestmark = pytest.mark.usefixtures("right_matrix")  # a mistake in one exercise loses no points in another


@pytest.mark.points(1, "mean_iou")
def test_mean_iou_pools_all_images_and_a_class_that_is_only_predicted_counts_with_0(check_score):
    """Mean IoU = mean over classes of intersection / union, over all images together."""
    right = (4 / 7 + 2 / 5 + 2 / 5 + 0) / 4
    check_score(lambda p, y: segmentation.mean_iou(p, y, 4), right, "mean of intersection / union")


@pytest.mark.points(1, "mean_iou")
def test_mean_iou_leaves_out_a_class_that_is_neither_there_nor_predicted(expect, truth, guess):
    """A class with an empty union is left out; a class that is never predicted counts with 0."""
    right = torch.tensor((4 / 7 + 2 / 5 + 2 / 5 + 0) / 4).double()
    expect(as_number(segmentation.mean_iou(guess, truth, 9)), right, "classes 4 to 8 have an empty union: left out")
    ignored = as_number(segmentation.mean_iou(guess, truth.clamp(max=3), 4, ignore_index=0))
    expect(
        ignored,
        torch.tensor((0 + 2 / 4 + 2 / 5 + 1 / 4) / 4).double(),
        "pixels of class 0 ignored: it is only predicted",
    )
    missed = as_number(segmentation.mean_iou(guess.where(guess != 2, 0), truth, 4))
    right = torch.tensor((4 / 10 + 2 / 5 + 0 + 0) / 4).double()
    expect(missed, right, "class 2 is there and never predicted: it counts with 0")
