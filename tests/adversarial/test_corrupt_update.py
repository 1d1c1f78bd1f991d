"""Corrupted updates: every gradient multiplied by scale."""

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.small_networks import numbers


def some_gradients():
    some = [numbers(2, 3, seed=1), numbers(4, seed=2), torch.tensor(-0.7).double(), 100 * numbers(1, 5, 2, seed=3)]
    return [*some, torch.zeros(3).double()]


@pytest.mark.points(1, "corrupt_update")
def test_every_gradient_is_multiplied_by_the_scale(expect):
    """Each result is scale * gradient, in a list; the default scale is -1."""
    for scale in (-1.0, 0.3, 1.0, -20.0):
        result = adversarial.corrupt_update(some_gradients(), scale=scale)
        assert isinstance(result, list), f"the result is a {type(result).__name__}, expected a list"
        expect(len(result), 5, "one tensor for each that was given")
        for mine, gradient in zip(result, some_gradients(), strict=True):
            expect(mine, scale * gradient, f"scale * gradient, scale {scale}")
    for mine, gradient in zip(adversarial.corrupt_update(some_gradients()), some_gradients(), strict=True):
        expect(mine, -1 * gradient, "without a scale every sign turns")


@pytest.mark.points(1, "corrupt_update")
def test_corrupting_makes_new_tensors(expect):
    """The gradients are unchanged, and the results are new, detached tensors."""
    gradients = some_gradients()
    named = {f"gradients[{i}]": gradient for i, gradient in enumerate(gradients)}

    for scale in -1.0, 1.0:
        with expect.unchanged(**named):
            result = adversarial.corrupt_update(gradients, scale=scale)

        assert result is not gradients, "the result is a list of its own"
        for mine in result:
            expect.new(mine, **named)
    (joined,) = adversarial.corrupt_update((torch.ones(3).double().requires_grad_(),), scale=2.0)
    expect(joined, torch.full((3,), 2.0).double(), "a detached result; a tuple is allowed as well")
