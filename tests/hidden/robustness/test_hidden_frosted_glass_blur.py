"""Hidden checks of frosted_glass_blur: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed


@pytest.mark.points(2, "frosted_glass_blur")
def test_frosted_glass_of_fresh_pictures(expect, settings, images, formula):
    """Pixels are only permuted if sigma = 0, and blurred twice if rounds = 0, on other images."""
    settings("frosted_glass_blur", (0, 2, 2), (0, 4, 1), (0.8, 1, 0), (0, 1, 1), (0, 3, 5))
    for severity in (1, 2, 4, 5):
        result = robustness.frosted_glass_blur(images, severity, generator=seed(5))
        colors, right = (
            x.flatten(2).gather(2, x[:, :1].flatten(2).argsort(2).expand(-1, 3, -1)) for x in (result, images)
        )
        expect(colors, right, "the same colours in other places")
        assert not torch.equal(result, images), "nothing has moved"
    expect.reference(robustness.frosted_glass_blur(images, 3, generator=seed(5)), "blurs", formula, tolerance=0.01)
