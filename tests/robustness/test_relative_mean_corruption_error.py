"""The relative mCE: as mCE, with the clean error subtracted first from both networks' errors."""

import pytest
import torch

from assignment2 import robustness


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_subtracts_the_clean_error_at_every_severity(expect, table, total):
    """Relative mCE is the mean over c of sum_s (E - clean) / sum_s (baseline - baseline_clean)."""
    for number, (rows, columns) in enumerate(((3, 5), (1, 4), (5, 2))):
        errors, baseline = table(number, rows, columns), 0.3 + 0.5 * table(60 + number, rows, columns)
        worse = [total(row) - columns * 0.07 for row in errors]
        baseline_worse = [total(row) - columns * 0.21 for row in baseline]
        right = total([a / b for a, b in zip(worse, baseline_worse, strict=True)]) / rows

        result = robustness.relative_mean_corruption_error(errors, 0.07, baseline, 0.21)

        expect(result, torch.tensor(right).double(), "mean over c of sum_s (E - clean) / sum_s (baseline - its clean)")


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_of_the_baseline_is_one_and_of_an_unharmed_network_zero(expect, table):
    """Relative mCE is 1 for the baseline, and 0 for a network with its clean error everywhere."""
    baseline = 0.3 + table(1) / 2

    same = robustness.relative_mean_corruption_error(baseline, 0.2, baseline, 0.2)
    unharmed = robustness.relative_mean_corruption_error(
        torch.full((3, 5), 0.4, dtype=torch.float64), 0.4, baseline, 0.2
    )

    expect(same, torch.tensor(1.0).double(), "1 for the baseline itself")
    expect(unharmed, torch.tensor(0.0).double(), "0 for a network that errs as often as on clean images")
    better = robustness.relative_mean_corruption_error(table(2) / 4, 0.5, baseline, 0.2)
    assert float(better) < 0, "a network that errs less than on clean images: less than 0, not clamped"


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_divides_the_sums_of_each_corruption(expect):
    """The clean error is subtracted at every severity before the sums are divided."""
    # Some lie below the clean error, 0.1: one severity of the first, and the sum of the third.
    baseline = torch.tensor([[0.05, 0.2, 0.3], [0.5, 0.8, 0.8], [0.09, 0.101, 0.1]]).double()
    errors = torch.tensor([[0.2, 0.2, 0.5], [0.4, 0.4, 0.3], [0.1, 0.103, 0.106]]).double()

    result = robustness.relative_mean_corruption_error(errors, 0.1, baseline, 0.1)

    right = (0.6 / 0.25 + 0.8 / 1.8 - 0.009 / 0.009) / 3
    expect(
        result, torch.tensor(right).double(), "the clean error counts three times, once a severity; then three ratios"
    )


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_takes_clean_errors_as_numbers_or_tensors_and_leaves_no_trace(expect, table):
    """Clean errors may be floats or 0-d tensors; the tables are unchanged and the result is detached."""
    errors, baseline, clean = table(3), 0.3 + table(4) / 2, torch.tensor(0.05).double()

    with expect.unchanged(errors=errors, baseline=baseline, clean=clean):
        result = robustness.relative_mean_corruption_error(errors, clean, baseline, clean)

    number = robustness.relative_mean_corruption_error(errors.clone().requires_grad_(), 0.05, baseline, 0.05)
    expect(number, result, "0-d tensors as floats, detached")
    joined = robustness.relative_mean_corruption_error(errors, clean.clone().requires_grad_(), baseline, clean)
    assert not joined.requires_grad, "the result is joined to the gradient history of clean: detach it"
    single = robustness.relative_mean_corruption_error(errors.float(), 0.05, baseline.float(), 0.05)
    expect(single, result.float(), "float32 tables give a float32 result", tolerance=1e-4)
    assert result.dim() == 0, f"the result has shape {tuple(result.shape)}, expected one number (0-d)"
