"""Hidden checks of cue_conflict: fresh inputs. Staff only."""

import pytest

from assignment2 import robustness
from coursekit.checks.small_networks import pictures


@pytest.mark.points(1, "cue_conflict")
def test_cue_conflict_of_fresh_pairs(expect, images, formula):
    """Entry i is transfer(content[i], texture[i]), clamped to [0, 1], for other pairs."""
    texture = pictures(4, seed=80, size=(6, 5))
    result = robustness.cue_conflict(images, texture, lambda image, style: 1.4 * image - style[:, :1, :1] / 2)
    expect(result, (1.4 * images - texture[:, :, :1, :1] / 2).clamp(0, 1), formula)
