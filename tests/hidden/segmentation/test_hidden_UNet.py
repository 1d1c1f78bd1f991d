"""Hidden checks of UNet: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation
from coursekit.checks.small_networks import numbers, seeded


@pytest.mark.points(2, "UNet")
def test_a_deeper_unet(expect, formula):
    """The logits of a network with three levels, with padding 1 and padding 0."""
    for padding, size in ((1, (19, 29)), (0, (92, 97))):
        network = seeded(segmentation.UNet(2, 3, [2, 3, 4, 5], padding=padding), seed=10)
        expect.reference(network(numbers(1, 2, *size, seed=103)).detach(), f"{padding}", formula)
