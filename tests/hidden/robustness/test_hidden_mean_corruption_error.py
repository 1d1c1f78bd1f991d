"""Hidden checks of mean_corruption_error: fresh inputs. Staff only."""

import math

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed


@pytest.mark.points(2, "mean_corruption_error")
def test_mce_of_fresh_tables(expect, formula):
    """mCE is the mean over corruptions of the ratio of summed errors, for other tables."""
    for number, rows in enumerate((2, 6)):
        errors, baseline = (torch.rand(rows, 4, generator=seed(k)).double() for k in (number, 30 + number))
        ratios = [math.fsum(a.tolist()) / math.fsum(b.tolist()) for a, b in zip(errors, baseline, strict=True)]
        right = torch.tensor(math.fsum(ratios) / rows, dtype=torch.float64)
        expect(robustness.mean_corruption_error(errors, baseline), right, formula)
