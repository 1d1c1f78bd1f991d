"""Hidden checks of estimate_gradient: fresh inputs. Staff only."""

import pytest
import torch
from torch import nn

from assignment2 import adversarial
from coursekit.checks.randomness import seed
from coursekit.checks.small_networks import Wrapped, numbers, pictures


@pytest.mark.points(1, "estimate_gradient")
def test_estimates_approach_the_gradient_of_a_linear_score(expect):
    """With many samples, the estimate is close to the gradient of a linear score."""
    weight = numbers(3, 2, 3, seed=2)
    # A network travels to where the function runs: a function would be called back 1,200 times.
    linear = nn.Linear(18, 2, bias=False).double().requires_grad_(False)
    linear.weight.copy_(torch.stack([weight, -2 * weight]).flatten(1))
    scores = Wrapped(nn.Sequential(nn.Flatten(), linear))
    images = pictures(2, seed=3, size=(2, 3))
    result = adversarial.estimate_gradient(
        scores, images, torch.tensor([0, 1]), sigma=0.1, num_samples=600, generator=seed(5)
    )
    right = torch.stack([weight, -2 * weight])
    error = (result - right).flatten(1).norm(dim=1) / right.flatten(1).norm(dim=1)  # 0.18 is usual: (19 / 600) ** 0.5
    assert float(error.max()) < 0.4, "with many samples the estimate is the gradient"
