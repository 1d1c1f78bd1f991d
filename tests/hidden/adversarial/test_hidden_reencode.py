"""Hidden checks of reencode: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial


@pytest.mark.points(1, "reencode")
def test_reencoding_fresh_pictures(expect, images, formula):
    """Every value becomes the nearest of `levels` values, on other images and levels."""
    for levels in (3, 10):
        expect.reference(adversarial.reencode(images, levels=levels), f"{levels} levels", formula)
