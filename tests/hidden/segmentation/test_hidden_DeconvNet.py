"""Hidden checks of DeconvNet: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation
from coursekit.checks.small_networks import numbers, seeded


@pytest.mark.points(1, "DeconvNet")
def test_a_deeper_deconvnet(expect, formula):
    """The logits of a network with three levels, tied and not tied."""
    for tied in (False, True):
        network = seeded(segmentation.DeconvNet(2, [3, 4, 5, 6], 3, tied=tied), seed=9)
        expect.reference(network(numbers(2, 2, 19, 25, seed=102)).detach(), f"{tied}", formula)
