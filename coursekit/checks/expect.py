"""The fixture `expect`: compare a student's result with what is right, and say in a sentence what is wrong."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coursekit.checks.relation import relation_of
from coursekit.checks.stored import Failure, Store, array_failure
from coursekit.checks.unchanged import kept, unchanged


class CheckFailed(AssertionError):
    """A check that failed, with what is needed to recognise the mistake and to draw it."""

    def __init__(self, message: str, failure: Failure, actual: Any = None, expected: Any = None) -> None:
        super().__init__(message)
        self.failure, self.actual, self.expected = failure, actual, expected


class Expect:
    """Compare results in one check; every comparison has a number (its site), in the order in which they are made."""

    def __init__(self, check: str, store: Store) -> None:
        self.check, self.store = check, store
        self.site = -1
        self.first: tuple[np.ndarray, np.ndarray] | None = None  # of the first right result: it is drawn
        self.recording: dict[str, np.ndarray] | None = None  # a2 reference: keep the solution's outputs here

    def __call__(
        self, actual: Any, expected: Any, formula: str, *, tolerance: float = 1e-6, start: Tensor | None = None
    ) -> None:
        """Hold actual to expected: a tensor of the same shape and dtype, finite, detached, equal within tolerance.

        tolerance is relative to the largest entry of expected. A number is compared as a float. Where both are reached by
        a step from start, a wrong one is described by its step.
        """
        __tracebackhide__ = True
        self.site += 1
        problem = _wrong_kind(actual, expected)
        if problem:
            raise CheckFailed(f"{problem}\n  expected: {formula}", Failure(self.site, problem))
        if not isinstance(expected, (Tensor, float, int)) or isinstance(expected, bool):
            return
        mine, right = _array(actual), _array(expected)
        problem = _wrong_values(mine, right, tolerance)
        if problem:
            relation = relation_of(mine, right, start=None if start is None else _array(start))
            problem += f"\n  {relation}" * bool(relation)
            raise CheckFailed(f"{problem}\n  expected: {formula}", array_failure(self.site, mine), mine, right)
        if self.first is None and mine.ndim >= 2:
            self.first = mine, right

    def reference(self, actual: Any, name: str, formula: str, *, tolerance: float = 1e-6) -> None:
        """Hold actual to what the solution gave here when `a2 reference` ran."""
        __tracebackhide__ = True
        self(actual, self.remember(actual, name), formula, tolerance=tolerance)

    def remember(self, value: Tensor | None, name: str) -> Tensor:
        """Return a stored output of the solution; while recording, keep value and return it."""
        if self.recording is not None and value is not None:
            self.recording[f"{self.check}/{name}"] = value.detach().numpy().copy()
            return value
        array = self.store.expected(self.check, name)
        if array is None:
            remedy = "`a2 doctor` says how to restore data/reference; staff run `a2 reference`"
            raise RuntimeError(f"no reference output {self.check}/{name}: {remedy}")
        return torch.from_numpy(array.copy())

    @staticmethod
    def unchanged(**things: Any) -> AbstractContextManager[None]:
        """Hold the block to leaving the named things, and everything global, as they were."""
        return unchanged(**things)

    @staticmethod
    def kept(**tensors: Tensor) -> AbstractContextManager[None]:
        """Hold the block to leaving the numbers of tensors as they were, from which the check computes what is right."""
        return kept(**tensors)

    @staticmethod
    def new(result: Any, **arguments: Tensor) -> None:
        """Hold a result to being a new tensor, not a view of an argument."""
        __tracebackhide__ = True
        for name, argument in arguments.items():
            shared = isinstance(result, Tensor) and _storage(result) == _storage(argument)
            assert not shared, f"the result shares memory with {name}: return a new tensor"


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _array(value: Tensor | float) -> np.ndarray:
    if isinstance(value, Tensor):
        return value.detach().cpu().double().numpy()
    return np.asarray(value, dtype=np.float64)


def _wrong_kind(actual: Any, expected: Any) -> str | None:
    """Say what is wrong with the kind of thing that came back, or return None."""
    if actual is None:
        return "the result is None: is a return missing?"
    if isinstance(expected, Tensor):
        if not isinstance(actual, Tensor):
            return f"the result is a {type(actual).__name__}, expected a torch tensor"
        if type(actual) is not Tensor:
            return f"the result is a {type(actual).__name__}, expected a plain torch.Tensor"
        if actual.dtype != expected.dtype:
            return f"the result has dtype {actual.dtype}, expected {expected.dtype}"
        if actual.requires_grad and not expected.requires_grad:
            return "the result is still joined to the autograd graph: detach it"
        return None
    if type(actual) is not type(expected):
        return f"the result is a {type(actual).__name__}, expected a {type(expected).__name__}"
    if not isinstance(expected, (int, float)) and actual != expected:
        return f"the result is {actual!r}, expected {expected!r}"
    return None


def _wrong_values(actual: np.ndarray, expected: np.ndarray, tolerance: float) -> str | None:
    """Say where the values are wrong, or return None."""
    if actual.shape != expected.shape:
        return f"the result has shape {actual.shape}, expected {expected.shape}"
    bad = np.argwhere(~np.isfinite(actual))
    if len(bad):
        return f"the result contains {actual[tuple(bad[0])]} at {_place(bad[0])}, {len(bad)} of {actual.size} entries"
    error = np.abs(actual - expected)
    wrong = error > tolerance * max(1e-3, float(np.abs(expected).max(initial=0)))
    if not wrong.any():
        return None
    worst = np.unravel_index(int(error.argmax()), error.shape)
    return (
        f"{int(wrong.sum())} of {error.size} values are wrong; worst at {_place(worst)}: "
        f"yours {actual[worst] + 0.0:.6g}, expected {expected[worst] + 0.0:.6g}"
    )


def _place(index: Any) -> str:
    return str(tuple(int(i) for i in index)) if len(index) else "the only entry"
