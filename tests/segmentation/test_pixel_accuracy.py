"""Pixel accuracy: the fraction of counted pixels that are right."""

import pytest
import torch

from assignment2 import segmentation
from coursekit.checks.scalars import as_number

pytestmark = pytest.mark.usefixtures("right_matrix")  # a mistake in one exercise loses no points in another


@pytest.mark.points(1, "pixel_accuracy")
def test_accuracy_is_the_share_of_counted_pixels_that_are_right(check_score):
    """Accuracy = right pixels / counted pixels, over all images together."""
    check_score(segmentation.pixel_accuracy, 8 / 13, "right pixels / counted pixels")


@pytest.mark.points(1, "pixel_accuracy")
def test_accuracy_ignores_by_the_label_that_is_given(expect, truth, guess):
    """Pixels whose label is ignore_index do not count, whichever value that is."""
    for ignored, right in ((0, 4 / 10), (1, 6 / 13), (-7, 8 / 16)):
        result = segmentation.pixel_accuracy(guess, truth, ignore_index=ignored)
        expect(
            as_number(result),
            torch.tensor(right).double(),
            f"ignore_index = {ignored}: pixels of that label do not count",
        )
