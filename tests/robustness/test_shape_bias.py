"""The shape bias: shape decisions among all decisions by shape or by texture."""

import math

import pytest
import torch

from assignment2 import robustness

A, B, C, D = 0, 1, 2, 3


TRIALS = (  # prediction, shape, texture
    (A, A, B),
    (B, A, B),
    (C, A, B),
    (A, A, A),
    (D, D, C),
    (C, C, A),
    (B, A, A),
    (A, B, A),
    (B, B, C),
    (D, A, C),
)


def trials(*chosen):
    """Three tensors (T,) of the trials of these numbers."""
    return tuple(torch.tensor([TRIALS[i][k] for i in chosen], dtype=torch.int64) for k in range(3))


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_counts_shape_decisions_among_decisions_for_a_cue(expect):
    """The shape bias is shape decisions / (shape decisions + texture decisions)."""
    bias = robustness.shape_bias(*trials(0, 1, 4, 5, 7))

    expect(bias, 3 / 5, "three follow the shape, two the texture: 3 / (3 + 2)")
    many = robustness.shape_bias(*(column.repeat(20_000) for column in trials(0, 0, 0, 1)))
    expect(many, 3 / 4, "60,000 decisions by shape, 20,000 by texture: equal trials count each for itself")
    expect(robustness.shape_bias(*trials(0, 4)), 1.0, "every decision by shape")
    expect(robustness.shape_bias(*trials(1, 7)), 0.0, "every decision by texture")


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_leaves_out_predictions_of_a_third_class(expect):
    """A prediction that is neither the shape's nor the texture's class does not count."""
    bias = robustness.shape_bias(*trials(0, 1, 2, 9, 4, 5, 2))

    expect(bias, 3 / 4, "a trial whose prediction is neither the shape's nor the texture's class counts nowhere")


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_leaves_out_trials_without_a_conflict(expect):
    """A trial whose shape and texture are the same class does not count."""
    bias = robustness.shape_bias(*trials(3, 0, 1, 7, 6, 3))

    expect(bias, 1 / 3, "a trial whose shape and texture are one class counts nowhere, whatever is predicted")


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_of_no_decision_is_nan_and_nothing_is_changed(expect):
    """Without any decision the result is NaN; the arguments are unchanged."""
    for undecided in ((2, 9), (3, 6), ()):
        nothing = robustness.shape_bias(*trials(*undecided))
        assert isinstance(nothing, float), f"the result is a {type(nothing).__name__}, expected a float"
        assert math.isnan(nothing), f"of no decision there is no share: expected NaN, not {nothing:g}"
    three = trials(*range(10))
    with expect.unchanged(predictions=three[0], shapes=three[1], textures=three[2]):
        bias = robustness.shape_bias(*three)
    expect(bias, 4 / 6, "four follow the shape, two the texture")
