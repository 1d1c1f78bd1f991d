"""Hidden checks of corruption_errors: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed
from coursekit.checks.small_networks import ReluEverywhere, pictures, seeded


@pytest.mark.points(1, "corruption_errors")
def test_corruption_errors_of_another_network(expect, formula):
    """The error rates of another network under three other corruptions."""
    model, images, labels = seeded(ReluEverywhere(), seed=4), pictures(30, seed=79), torch.arange(30) % 5

    def darker(images, severity, *, generator):
        return images * (1 - severity / 6)

    def turned(images, severity, *, generator):
        return images.roll(severity, dims=3).flip(2)

    errors = robustness.corruption_errors(model, images, labels, [darker, turned, darker], generator=seed(5))
    expect.reference(errors, "errors", formula)
