"""Fixtures for the checks of part 1: three small float64 images with H != W, and the two ReLU rules by their signs."""

import pytest
import torch

from coursekit.checks.small_networks import numbers, pictures


@pytest.fixture
def images():
    return pictures(3)


@pytest.fixture
def labels():
    return torch.tensor([4, 0, 2])


@pytest.fixture
def right_rule(expect):
    """Give a ReLU rule, so that a mistake in one exercise loses no points in another: what it makes of the nine pairs of signs was recorded."""

    def named(name):
        from assignment2 import saliency

        signs, passed = torch.tensor([-1.0, 0.0, 1.0]).double(), None
        if expect.recording is not None:
            passed = getattr(saliency, f"{name}_relu_gradient")(*torch.cartesian_prod(signs, signs).T).view(3, 3)
        passed = expect.remember(passed, f"{name}, nine pairs of signs")

        def rule(upstream, relu_input):
            return upstream.abs() * passed.to(upstream)[upstream.sign().long() + 1, relu_input.sign().long() + 1]

        return rule

    return named


@pytest.fixture
def check_rule(expect, right_rule):
    """Hold a rule to its signs: on every pair of signs, on any shape, for small and for large numbers, in any dtype."""

    def check(rule, name, formula):
        upstream = torch.tensor([[-2.0, -3.0, -5.0, 0.0, 0.0, 0.0, 11.0, 13.0, 0.7]], dtype=torch.float64)
        relu_input = torch.tensor([[-1.0, 0.0, 4.0, -1.0, 0.0, 4.0, -1.0, 0.0, 4.0]], dtype=torch.float64)
        right = right_rule(name)(upstream, relu_input)

        with expect.unchanged(upstream=upstream, relu_input=relu_input):
            result = rule(upstream, relu_input)

        expect(result, right, formula)
        expect.new(result, upstream=upstream, relu_input=relu_input)
        batch, inputs = numbers(2, 3, 4, 5, seed=1), numbers(2, 3, 4, 5, seed=2)
        expect(rule(batch, inputs), right_rule(name)(batch, inputs), f"{formula}; on any shape")
        for scale in (1e-200, 1e9):
            scaled = rule(batch * scale, inputs * scale) / scale
            expect(scaled, right_rule(name)(batch, inputs), f"{formula}; for very small and very large numbers too")
        for dtype in torch.float32, torch.float16:
            given = batch.to(dtype), inputs.to(dtype)
            expect(rule(*given), right_rule(name)(*given), f"{dtype} signals give a {dtype} result")
        positive = batch.abs()
        expect.new(rule(positive, positive), upstream=positive)

    return check
