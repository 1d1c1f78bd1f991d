"""Hidden checks of FCN: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation
from coursekit.checks.small_networks import pictures, seeded
from coursekit.vision.segmenting import trunk


@pytest.mark.points(2, "FCN")
def test_fcn_on_the_zoos_trunk(expect, formula):
    """The logits on the trunk of the trained network, with 0, 2 and 3 skips."""
    stages, channels = trunk()
    for skips in (0, 2, 3):
        network = seeded(segmentation.FCN(stages, channels, 7, num_skips=skips), seed=7)
        expect.reference(network(pictures(2, seed=8, size=(35, 50))).detach(), f"{skips}", formula)
