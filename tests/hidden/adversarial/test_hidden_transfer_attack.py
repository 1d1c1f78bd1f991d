"""Hidden checks of transfer_attack: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial

pytestmark = pytest.mark.usefixtures("right_fgsm")


@pytest.mark.points(1, "transfer_attack")
def test_transfer_attack_on_fresh_pictures(expect, model, images, formula, labels):
    """The result is FGSM on the substitute, on other images and another network."""
    expect.reference(adversarial.transfer_attack(model, images, labels, 0.07), "moved", formula)
