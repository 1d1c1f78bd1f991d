"""Hidden checks of flip_labels: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.randomness import seed


@pytest.mark.points(1, "flip_labels")
def test_flipping_fresh_labels(expect):
    """round(fraction * N) labels change, each to one of the classes, for other labels."""
    labels = torch.arange(90) % 9
    flipped = adversarial.flip_labels(labels, 0.4, 9, generator=seed(5))
    expect(int((flipped != labels).sum()), 36, "round(fraction * N) labels differ")
    assert bool(((flipped >= 0) & (flipped <= 8)).all()), "every label is a class"
