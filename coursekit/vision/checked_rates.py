"""Given code: what `checked` refuses of tables of error rates, lists of corruptions, and trials of shape and texture."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

Arguments = dict[str, Any]


def errors(name: str, value: Any, given: Arguments) -> None:
    """Refuse what is no (C, S) table of rates."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"{name} is {kind}, expected a floating-point tensor (C, S) of error rates")
    if value.dim() != 2 or 0 in value.shape:
        raise ValueError(f"{name} has shape {tuple(value.shape)}, expected (C, S): a row for each corruption")
    if not bool(((value >= 0) & (value <= 1)).all()):  # NaN fails too
        raise ValueError(f"{name} has values from {float(value.min()):g} to {float(value.max()):g}, expected 0 to 1")


def baseline(name: str, value: Any, given: Arguments) -> None:
    """Refuse a table of another shape, and one that cannot be divided by."""
    errors(name, value, given)
    if value.shape != given["errors"].shape:
        raise ValueError(f"{name} has shape {tuple(value.shape)}, errors {tuple(given['errors'].shape)}: give the same")
    above = value.detach() - given.get("baseline_clean", 0)
    zero = (above.sum(dim=1).abs() < 1e-6).nonzero().flatten().tolist()
    if zero:
        what = "no error" if "baseline_clean" not in given else "no more errors than on clean images"
        raise ValueError(f"{name} makes {what} under corruption {zero[0]}: leave that row out of both tables")


def clean(name: str, value: Any, given: Arguments) -> None:
    """Refuse what is no single rate."""
    if isinstance(value, Tensor) and value.dim():
        raise ValueError(f"{name} has shape {tuple(value.shape)}, expected a float or a 0-d tensor: one error rate")
    if isinstance(value, bool) or not isinstance(value, (int, float, Tensor)) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name} is {value!r}, expected an error rate from 0 to 1")


def corruptions(name: str, value: Any, given: Arguments) -> None:
    """Refuse names where functions are wanted, and an empty list."""
    if callable(value) or isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, expected a list of corruptions: [{getattr(value, '__name__', value)}]")
    if not len(value):
        raise ValueError(f"{name} is empty: give at least one corruption")
    for corruption in value:
        if not callable(corruption):
            raise ValueError(f"{name} contains {corruption!r}, expected functions such as gaussian_noise")


def trial_classes(name: str, value: Any, given: Arguments) -> None:
    """Refuse classes of trials that are no (T,) int64, or not as many as there are predictions."""
    for what, tensor in (("predictions", given["predictions"]), (name, value)):
        if not isinstance(tensor, Tensor) or tensor.dtype != torch.int64:
            kind = tensor.dtype if isinstance(tensor, Tensor) else type(tensor).__name__
            raise ValueError(f"{what} is {kind}, expected a tensor of torch.int64")
        if tensor.dim() != 1:
            raise ValueError(f"{what} has shape {tuple(tensor.shape)}, expected (T,): one class a trial")
    if value.shape != given["predictions"].shape:
        raise ValueError(f"{name} has {len(value)} trials, predictions {len(given['predictions'])}: give the same")
