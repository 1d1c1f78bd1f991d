"""Hidden checks of train_substitute: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial
from coursekit.checks.small_networks import Linear, OneHidden, pictures, seeded


@pytest.mark.points(1, "train_substitute")
def test_a_substitute_of_another_oracle(expect, formula):
    """The trained substitute has the right logits, with another oracle, network and images."""
    images = pictures(6, seed=4)
    hidden = seeded(OneHidden(), seed=12)
    options = {"num_rounds": 2, "num_steps": 3, "learning_rate": 0.01, "step_size": 0.2}
    result = adversarial.train_substitute(
        lambda x: hidden(x).argmax(dim=1), seeded(Linear(), seed=2), images, **options
    )
    expect.reference(result(images).detach(), "logits", formula)
