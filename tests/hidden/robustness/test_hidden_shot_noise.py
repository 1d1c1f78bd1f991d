"""Hidden checks of shot_noise: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed


def grey(value):
    return torch.full((2, 3, 60, 50), value, dtype=torch.float64)


@pytest.mark.points(1, "shot_noise")
def test_shot_noise_of_another_strength(expect, settings, formula):
    """The variance is value / photons, and counts are whole numbers, for five other settings."""
    settings("shot_noise", 30, 300, 70, 150, 90)
    for severity, photons in enumerate((30, 300, 70, 150, 90), 1):
        result = robustness.shot_noise(grey(0.4), severity, generator=seed(5))
        expect(result.var(), torch.tensor(0.4 / photons).double(), formula, tolerance=0.1)
        expect(result * photons, (result * photons).round(), "whole numbers of photons")
