"""The mean corruption error: sum over severities, divide by the baseline, average over corruptions."""

import pytest
import torch

from assignment2 import robustness


@pytest.mark.points(2, "mean_corruption_error")
def test_mce_is_the_mean_over_corruptions_of_the_ratio_of_the_sums_over_severities(expect, table, total):
    """mCE is the mean over c of (sum over s of E[c, s]) / (sum over s of baseline[c, s])."""
    for number, (rows, columns) in enumerate(((3, 5), (7, 5), (1, 5), (4, 2))):
        errors, baseline = table(number, rows, columns), table(50 + number, rows, columns)
        ratios = [total(mine) / total(theirs) for mine, theirs in zip(errors, baseline, strict=True)]

        result = robustness.mean_corruption_error(errors, baseline)

        right = torch.tensor(total(ratios) / rows).double()
        expect(result, right, "mean over c of (sum over s of E[c, s] / sum over s of baseline[c, s]), 0-d")


@pytest.mark.points(1, "mean_corruption_error")
def test_mce_of_the_baseline_is_one_and_half_the_errors_are_half(expect, table):
    """mCE is 1 for the baseline itself, and 0.5 for half of its errors."""
    baseline = table(1)

    expect(robustness.mean_corruption_error(baseline, baseline), torch.tensor(1.0).double(), "1, not 100")
    half = robustness.mean_corruption_error(baseline / 2, baseline)
    expect(half, torch.tensor(0.5).double(), "fewer errors than the baseline: a smaller number")


@pytest.mark.points(1, "mean_corruption_error")
def test_mce_weighs_an_easy_corruption_as_much_as_a_hard_one(expect):
    """mCE is a mean of ratios: an easy corruption counts as much as a difficult one."""
    baseline = torch.tensor([[0.001, 0.002, 0.003], [0.5, 0.8, 0.9]]).double()
    errors = torch.tensor([[0.003, 0.006, 0.009], [0.5, 0.8, 0.9]]).double()

    result = robustness.mean_corruption_error(errors, baseline)

    expect(result, torch.tensor(2.0).double(), "(3 + 1) / 2: three times as many errors there, as many here")


@pytest.mark.points(1, "mean_corruption_error")
def test_mce_sums_before_it_divides(expect):
    """mCE divides the sums over severities, so a single severity may have no errors."""
    baseline = torch.tensor([[0.0, 0.1, 0.4], [0.2, 0.2, 0.2]]).double()
    errors = torch.tensor([[0.1, 0.1, 0.3], [0.1, 0.2, 0.0]]).double()

    result = robustness.mean_corruption_error(errors, baseline)

    expect(result, torch.tensor(0.75).double(), "(0.5 / 0.5 + 0.3 / 0.6) / 2: one severity without errors does no harm")


@pytest.mark.points(1, "mean_corruption_error")
def test_mce_leaves_no_trace(expect, table):
    """The tables are unchanged, and the result is a new, detached 0-d tensor."""
    errors, baseline = table(3), table(4)

    with expect.unchanged(errors=errors, baseline=baseline):
        result = robustness.mean_corruption_error(errors, baseline)

    expect.new(result, errors=errors, baseline=baseline)
    followed = robustness.mean_corruption_error(errors.clone().requires_grad_(), baseline)
    expect(followed, result, "the same, detached, for a table that requires gradients")
    single = robustness.mean_corruption_error(errors.float(), baseline.float())
    expect(single, result.float(), "float32 tables give a float32 result", tolerance=1e-4)
    assert result.dim() == 0, f"the result has shape {tuple(result.shape)}, expected one number (0-d)"
