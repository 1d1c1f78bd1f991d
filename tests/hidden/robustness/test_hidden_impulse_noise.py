"""Hidden checks of impulse_noise: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed


def grey(value):
    return torch.full((2, 3, 60, 50), value, dtype=torch.float64)


@pytest.mark.points(1, "impulse_noise")
def test_impulse_noise_of_another_strength(expect, settings, formula):
    """A fraction amount / 2 becomes 0 and amount / 2 becomes 1, for five other settings."""
    settings("impulse_noise", 0.6, 0.2, 0.35, 0.15, 0.45)
    for severity, amount in enumerate((0.6, 0.2, 0.35, 0.15, 0.45), 1):
        result = robustness.impulse_noise(grey(0.4), severity, generator=seed(5))
        shares = torch.stack([(result == end).double().mean() for end in (0, 0.4, 1)])
        expect(shares, torch.tensor([amount / 2, 1 - amount, amount / 2]).double(), formula, tolerance=0.05)
