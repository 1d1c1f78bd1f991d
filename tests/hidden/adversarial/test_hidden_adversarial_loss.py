"""Hidden checks of adversarial_loss: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial

pytestmark = pytest.mark.usefixtures("right_fgsm")


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_of_a_fresh_network(expect, model, images, formula, labels):
    """The loss is the mean cross-entropy on the FGSM images of another network."""
    expect.reference(adversarial.adversarial_loss(model, images, labels, 0.06).detach(), "loss", formula)
