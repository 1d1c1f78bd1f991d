"""Hidden checks of shape_bias: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_of_many_trials(expect, formula):
    """The shape bias of 300 random trials."""
    three = [torch.randint(4, (300,), generator=seed(k)) for k in (1, 2, 3)]
    rows = [(p, s, t) for p, s, t in zip(*(x.tolist() for x in three), strict=True) if s != t and p in (s, t)]
    expect(robustness.shape_bias(*three), sum(p == s for p, s, _ in rows) / len(rows), formula)
