"""Hidden checks of relative_mean_corruption_error: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.small_networks import pictures


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_of_fresh_tables(expect, formula):
    """Relative mCE subtracts the clean error at every severity, for other tables."""
    errors, baseline = (pictures(1, seed=k, size=(4, 6))[0, 0] / 2 for k in (1, 2))
    result = robustness.relative_mean_corruption_error(errors, 0.11, 0.4 + baseline, torch.tensor(0.17))
    expect.reference(result, "relative", formula, tolerance=1e-5)
