"""Hidden checks of pgd: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial
from coursekit.checks.randomness import seed


@pytest.mark.points(2, "pgd")
def test_pgd_on_fresh_pictures(expect, model, images, formula, labels):
    """PGD of five steps, and its random start, on other images and another network."""
    result = adversarial.pgd(model, images, labels, 0.1, step_size=0.04, num_steps=5)
    expect.reference(result, "away", formula)
    start = adversarial.pgd(model, images, labels, 0.1, step_size=0.04, num_steps=0, generator=seed(5))
    assert bool(((start - images).abs() <= 0.1 + 1e-12).all()), "the start lies in the ball"
    assert float((start - images).abs().max()) > 0.05, "the start is random"
