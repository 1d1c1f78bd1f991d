"""Hidden checks of estimate_gradient: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.randomness import seed
from coursekit.checks.small_networks import numbers, pictures


@pytest.mark.points(1, "estimate_gradient")
def test_estimates_approach_the_gradient_of_a_linear_score(expect):
    """With many samples, the estimate is close to the gradient of a linear score."""
    weight = numbers(3, 2, 3, seed=2)

    def scores(images):
        score = (images * weight).sum(dim=(1, 2, 3))
        return torch.stack([score, -2 * score], dim=1)

    images = pictures(2, seed=3, size=(2, 3))
    result = adversarial.estimate_gradient(
        scores, images, torch.tensor([0, 1]), sigma=0.1, num_samples=600, generator=seed(5)
    )
    right = torch.stack([weight, -2 * weight])
    error = (result - right).flatten(1).norm(dim=1) / right.flatten(1).norm(dim=1)  # 0.18 is usual: (19 / 600) ** 0.5
    assert float(error.max()) < 0.4, "with many samples the estimate is the gradient"
