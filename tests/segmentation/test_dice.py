"""The mean Dice score over the classes that are true or predicted somewhere."""

import pytest
import torch

from assignment2 import segmentation
from coursekit.checks.scalars import as_number

pytestmark = pytest.mark.usefixtures("right_matrix")  # a mistake in one exercise loses no points in another


@pytest.mark.points(1, "dice")
def test_dice_is_twice_the_intersection_over_both_sizes(check_score):
    """Dice = mean over classes of 2 * intersection / (predicted pixels + true pixels)."""
    right = (8 / 11 + 4 / 7 + 4 / 7 + 0) / 4
    check_score(lambda p, y: segmentation.dice(p, y, 4), right, "mean of 2 |P and T| / (|P| + |T|)")


@pytest.mark.points(1, "dice")
def test_dice_leaves_out_a_class_that_is_neither_there_nor_predicted(expect, truth, guess):
    """A class that is neither true nor predicted is left out; one never predicted counts with 0."""
    right = torch.tensor((8 / 11 + 4 / 7 + 4 / 7 + 0) / 4).double()
    expect(as_number(segmentation.dice(guess, truth, 9)), right, "classes 4 to 8 occur nowhere: left out")
    ignored = as_number(segmentation.dice(guess, truth.clamp(max=3), 4, ignore_index=0))
    expect(ignored, torch.tensor((0 + 4 / 6 + 4 / 7 + 2 / 5) / 4).double(), "pixels of class 0 ignored")
    missed = as_number(segmentation.dice(guess.where(guess != 2, 0), truth, 4))
    right = torch.tensor((8 / 14 + 4 / 7 + 0 + 0) / 4).double()
    expect(missed, right, "class 2 is there and never predicted: it counts with 0")
