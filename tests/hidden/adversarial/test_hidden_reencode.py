"""Hidden checks of reencode: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial


@pytest.mark.points(1, "reencode")
def test_reencoding_fresh_pictures(expect, images, formula):
    for levels in (3, 10):
        expect.reference(adversarial.reencode(images, levels=levels), f"{levels} levels", formula)
