"""Hold a student's function to leaving everything that it was given, and everything global, as it was."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as torch_modules

Facts = dict[str, Any]  # a sentence about what must not change -> its value
GLOBAL_HOOKS = ("_global_forward_hooks", "_global_forward_pre_hooks", "_global_backward_hooks")
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@contextmanager
def unchanged(**things: Any) -> Iterator[None]:
    """Raise AssertionError if the block changes one of the named tensors or networks, or a global setting.

    Looks also when an exception passes through: then too everything must be as it was.
    """
    before = _facts(things)
    try:
        yield
    except BaseException as error:
        _compare(before, _facts(things), f" (after an error, {type(error).__name__}, passed through)")
        raise
    _compare(before, _facts(things), "")


def _compare(before: Facts, after: Facts, when: str) -> None:
    __tracebackhide__ = True
    for sentence in dict.fromkeys(
        (*before, *after)
    ):  # in this order, so that the same mistake is told in the same words
        if not _same(before.get(sentence), after.get(sentence)):
            raise AssertionError(f"{sentence}{when}")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)
    return type(one) is type(other) and bool(one == other)


def _facts(things: dict[str, Any]) -> Facts:
    facts = _global_facts()
    for name, thing in things.items():
        if isinstance(thing, nn.Module):
            facts.update(_network_facts(name, thing))
        elif isinstance(thing, Tensor):
            facts[f"{name} was changed in place: work on a copy"] = thing.detach().clone()
            facts[f"requires_grad of {name} was switched: use {name}.detach() first"] = thing.requires_grad
            facts[f"{name}.grad was written: use torch.autograd.grad"] = _grad(thing)
    return facts


def _grad(tensor: Tensor) -> Tensor | None:
    if not tensor.is_leaf or tensor.grad is None:
        return None
    return tensor.grad.detach().clone()


def _network_facts(name: str, network: nn.Module) -> Facts:
    facts: Facts = {f"modules of {name} were replaced": [(n, id(m)) for n, m in network.named_modules()]}
    facts[f"the train/eval mode of {name} was switched"] = [m.training for m in network.modules()]
    facts[f"a hook was left on {name}: remove it, also when an error occurs"] = [
        len(getattr(m, hooks)) for m in network.modules() for hooks in HOOKS
    ]
    facts[f"the forward method of a module of {name} was patched"] = [
        n for n, m in network.named_modules() if "forward" in vars(m)
    ]
    facts[f"an attribute was left on {name}"] = [(n, sorted(vars(m))) for n, m in network.named_modules()]
    facts[f"a hook was left on a weight of {name}"] = [len(p._backward_hooks or ()) for p in network.parameters()]
    facts[f"a setting of a ReLU of {name} was changed"] = [
        m.inplace for m in network.modules() if isinstance(m, nn.ReLU)
    ]
    for key, value in {**network.state_dict(), **dict(network.named_buffers())}.items():  # also those not persistent
        facts[f"{name}.{key} was changed: the weights stay as they are"] = value.detach().clone()
    for key, parameter in network.named_parameters():
        facts[f"{name}.{key}.grad was written: use torch.autograd.grad"] = _grad(parameter)
        facts[f"requires_grad of {name}.{key} was switched"] = parameter.requires_grad
    return facts


def _global_facts() -> Facts:
    return {
        "torch's global random state was used: draw from a generator that is given, or do without": torch.get_rng_state(),
        "Python's global random state was used: draw from the generator that is given": random.getstate(),
        "numpy's global random state was used: draw from the generator that is given": _numpy_state(),
        "torch's default dtype was changed": torch.get_default_dtype(),
        "torch's number of threads was changed": torch.get_num_threads(),
        "torch.nn.functional.relu was replaced": id(F.relu),
        "torch.relu was replaced": id(torch.relu),
        "nn.ReLU.forward was replaced": id(nn.ReLU.forward),
        "a relu_rule (or another function mode) was left in force: use it in a with statement": function_modes(),
        "a hook was left on all modules of torch": [len(getattr(torch_modules, hooks)) for hooks in GLOBAL_HOOKS],
        "anomaly detection was left switched on": torch.is_anomaly_enabled(),
        "deterministic algorithms were left switched on": torch.are_deterministic_algorithms_enabled(),
        "warnings were left filtered": len(warnings.filters),
        "gradients were left switched on or off": torch.is_grad_enabled(),
    }


def function_modes() -> int:
    """Return how many function modes (relu_rule is one) are in force."""
    return int(torch._C._len_torch_function_stack())


def _numpy_state() -> tuple[Any, ...]:
    state: Any = np.random.get_state()
    return tuple(part.tobytes() if isinstance(part, np.ndarray) else part for part in state)
