"""Hidden checks of fgsm: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial


@pytest.mark.points(2, "fgsm")
def test_fgsm_on_fresh_pictures(expect, model, images, formula, labels):
    """FGSM, untargeted and targeted, on other images and another network."""
    expect.reference(adversarial.fgsm(model, images, labels, 0.2), "away", formula)
    expect.reference(adversarial.fgsm(model, images[1:2], labels[1:2], 0.05, targeted=True), "towards", formula)
