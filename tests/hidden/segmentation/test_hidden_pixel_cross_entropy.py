"""Hidden checks of pixel_cross_entropy: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation
from coursekit.checks.small_networks import numbers


@pytest.mark.points(1, "pixel_cross_entropy")
def test_the_loss_of_fresh_logits(expect, formula, masks):
    """The loss is the mean over the counted pixels of the batch, for other logits."""
    _, labels = masks(104)
    loss = segmentation.pixel_cross_entropy(numbers(3, 6, 11, 7, seed=105) * 30, labels)
    expect.reference(loss.detach(), "loss", formula)
