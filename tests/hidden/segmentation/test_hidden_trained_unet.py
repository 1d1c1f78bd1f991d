"""Hidden checks of trained_unet: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation
from coursekit.checks import small_networks
from coursekit.checks.iou import iou_on_scenes
from coursekit.parts import ROOT

TRAINED = ROOT / "trained" / "unet.safetensors"


SCENES = 1_618_033_988_749_894_848  # make_scenes is public: a seed that could be guessed would give the masks away


def fresh_score():
    """The mean IoU of the submitted weights on 24 scenes that no student has seen; the same weights are measured once."""
    try:
        network = segmentation.trained_unet(TRAINED)
    except FileNotFoundError:
        pytest.fail("trained/unet.safetensors was not handed in", pytrace=False)
    assert TRAINED.stat().st_size <= 4 * 2**20, "trained/unet.safetensors has more than 4 MB"
    return iou_on_scenes(network, seed=SCENES + small_networks.FRESH)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_060_on_fresh_scenes():
    """Your trained network has a mean IoU of at least 0.60 on 24 hidden scenes."""
    score = fresh_score()
    assert score >= 0.60, f"mean IoU {score:.3f} on fresh scenes, 0.60 is wanted"


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_080_on_fresh_scenes():
    """Your trained network has a mean IoU of at least 0.80 on 24 hidden scenes."""
    score = fresh_score()
    assert score >= 0.80, f"mean IoU {score:.3f} on fresh scenes, 0.80 is wanted"
