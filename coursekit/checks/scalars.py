"""Losses and scores, which are 0-d: a loss by its value and by its slope, a score by its value in any floating-point type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def value_of(result: Any) -> Any:
    """Return a loss without its history: whether it has one is what the checks of the slope look at."""
    return result.detach() if isinstance(result, Tensor) else result


def slope(loss: Any, tensor: Tensor) -> Tensor:
    """Return the gradient of a loss by autograd; a loss that tells no slope fails the check."""
    assert isinstance(loss, Tensor), f"the loss is a {type(loss).__name__}, expected a 0-d tensor"
    assert loss.requires_grad, "the loss is detached: it must be differentiable with respect to its inputs"
    (gradient,) = torch.autograd.grad(loss, tensor, retain_graph=True, allow_unused=True)
    assert gradient is not None, (
        "the loss has a gradient, but none with respect to the features: where are they detached?"
    )
    return gradient


def value_and_slopes(loss: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return a loss without its history, and its gradient in each of some tensors."""
    return [loss.detach(), *torch.autograd.grad(loss, tensors)]


def assert_constant(loss: Tensor, *tensors: Tensor) -> None:
    """Hold a loss to sending no gradient to what is wanted of the features."""
    for gradient in torch.autograd.grad(loss, tensors, allow_unused=True):
        none = gradient is None or not gradient.any()
        assert none, "a gradient reaches the targets or grams: they are constants, detach them"


def as_number(score: Any) -> Tensor:
    """Return a score as a 0-d float64 tensor, whatever floating-point type it has."""
    __tracebackhide__ = True
    assert isinstance(score, Tensor), f"the result is a {type(score).__name__}, expected a torch tensor"
    assert score.dim() == 0, f"the result has shape {tuple(score.shape)}, expected a 0-d tensor"
    assert score.is_floating_point(), f"the result has dtype {score.dtype}, expected floating point"
    return score.detach().double()


def named_tensors(**groups: Sequence[Tensor]) -> dict[str, Tensor]:
    """Name every tensor of some lists, as `expect.unchanged` wants them."""
    return {f"{name}[{i}]": tensor for name, tensors in groups.items() for i, tensor in enumerate(tensors)}
