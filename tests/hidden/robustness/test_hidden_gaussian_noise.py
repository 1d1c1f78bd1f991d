"""Hidden checks of gaussian_noise: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed


def grey(value):
    return torch.full((2, 3, 60, 50), value, dtype=torch.float64)


@pytest.mark.points(1, "gaussian_noise")
def test_gaussian_noise_of_another_strength(expect, settings, formula):
    """The noise has standard deviation sigma, for five other settings."""
    settings("gaussian_noise", 0.07, 0.01, 0.06, 0.02, 0.05)
    for severity, sigma in enumerate((0.07, 0.01, 0.06, 0.02, 0.05), 1):
        shift = robustness.gaussian_noise(grey(0.45), severity, generator=seed(5)) - 0.45
        expect(shift.std(), torch.tensor(sigma).double(), formula, tolerance=0.05)
