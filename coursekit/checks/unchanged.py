"""Hold a student's function to leaving everything that it was given, and everything global, as it was."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as torch_modules

Facts = dict[str, Any]  # a sentence about what must not change -> its value
GLOBAL_HOOKS = ("_global_forward_hooks", "_global_forward_pre_hooks", "_global_backward_hooks")
# Settings of the process: what is said when student code leaves another, how to ask for it, how to put it back.
SETTINGS: tuple[tuple[str, Callable[[], Any], Callable[[Any], Any]], ...] = (
    ("torch's default dtype was changed", torch.get_default_dtype, torch.set_default_dtype),
    ("torch's number of threads was changed", torch.get_num_threads, torch.set_num_threads),
    ("anomaly detection was left switched on", torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    ("deterministic algorithms were left switched on", torch.are_deterministic_algorithms_enabled,
     torch.use_deterministic_algorithms),
    ("gradients were left switched on or off", torch.is_grad_enabled, torch.set_grad_enabled),
)  # fmt: skip
# Who saw student code at work on copies of what it was given (a worker of another process): how often has it broken a law of
# state_of(thing), or for None the sentence of global_facts?
Witness = Callable[[Tensor | nn.Module | None, str], int]
WITNESSES: list[Witness] = []
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


@contextmanager
def kept(**tensors: Tensor) -> Iterator[None]:
    """Raise AssertionError if the block changes the numbers of a named tensor: for what a check expects is computed from them."""
    before = _numbers(tensors)
    yield
    _compare(before, _numbers(tensors), "")


def _numbers(tensors: dict[str, Tensor]) -> Facts:
    return {f"{n} was changed in place: work on a copy": _witnessed(t)["values"] for n, t in tensors.items()}


def _compare(before: Facts, after: Facts, when: str) -> None:
    __tracebackhide__ = True
    # In this order, so that the same mistake is told in the same words.
    for sentence in dict.fromkeys((*before, *after)):
        if not same(before.get(sentence), after.get(sentence)):
            raise AssertionError(f"{sentence}{when}")


def same(one: Any, other: Any) -> bool:
    """Return whether two facts are equal, tensors by their numbers."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _facts(things: dict[str, Any]) -> Facts:
    facts = {sentence: (value, _told(None, sentence)) for sentence, value in global_facts().items()}
    for name, thing in things.items():
        if isinstance(thing, nn.Module):
            facts.update(_network_facts(name, thing))
        elif isinstance(thing, Tensor):
            state = _witnessed(thing)
            facts[f"{name} was changed in place: work on a copy"] = state["values"]
            facts[f"requires_grad of {name} was switched: use {name}.detach() first"] = state["requires_grad"]
            facts[f"{name}.grad was written: use torch.autograd.grad"] = state["grad"]
    return facts


def _network_facts(name: str, network: nn.Module) -> Facts:
    modules = [(path, _witnessed(module)) for path, module in network.named_modules()]
    parameters = {key: _witnessed(parameter) for key, parameter in network.named_parameters()}
    buffers = {key: _witnessed(buffer) for key, buffer in network.named_buffers()}  # also those not persistent

    def of_all(law: str) -> list[Any]:
        return [(path, state[law]) for path, state in modules]

    facts: Facts = {
        f"modules of {name} were replaced": of_all("modules"),
        f"the train/eval mode of {name} was switched": of_all("training"),
        f"a hook was left on {name}: remove it, also when an error occurs": of_all("hooks"),
        f"the forward method of a module of {name} was patched": of_all("forward"),
        f"an attribute was left on {name}": of_all("attributes"),
        f"a hook was left on a weight of {name}": [state["hooks"] for state in parameters.values()],
        f"a setting of a ReLU of {name} was changed": of_all("inplace"),
    }
    in_order = dict.fromkeys((*network.state_dict(), *parameters, *buffers))
    for key in (key for key in in_order if key in parameters or key in buffers):
        values = (parameters.get(key) or buffers[key])["values"]
        facts[f"{name}.{key} was changed: the weights stay as they are"] = values
    for key, state in parameters.items():
        facts[f"{name}.{key}.grad was written: use torch.autograd.grad"] = state["grad"]
        facts[f"requires_grad of {name}.{key} was switched"] = state["requires_grad"]
    return facts


def state_of(thing: Tensor | nn.Module, *, copy: bool = True) -> Facts:
    """Return what must not change of one tensor, or of one module without those inside it, by a word for each law.

    Without a copy, the numbers change with the tensor's.
    """
    if isinstance(thing, Tensor):
        values = thing.detach()
        grad = None if not thing.is_leaf or thing.grad is None else thing.grad.detach()
        if copy:
            values, grad = values.clone(), None if grad is None else grad.clone()
        hooks = len(thing._backward_hooks or ())
        return {"values": values, "requires_grad": thing.requires_grad, "grad": grad, "hooks": hooks}
    return {
        "modules": [(name, id(module)) for name, module in thing._modules.items()],
        "training": thing.training,
        "hooks": [len(getattr(thing, hooks)) for hooks in HOOKS],
        "forward": "forward" in vars(thing),
        "attributes": sorted(vars(thing)),
        "inplace": thing.inplace if isinstance(thing, nn.ReLU) else None,
    }


def _witnessed(thing: Tensor | nn.Module) -> Facts:
    return {law: (value, _told(thing, law)) for law, value in state_of(thing).items()}


def _told(thing: Tensor | nn.Module | None, law: str) -> int:
    return sum(witness(thing, law) for witness in WITNESSES) if WITNESSES else 0


def global_facts() -> Facts:
    """Return what must not change of the whole process, by the sentence that is said of it."""
    return {
        "torch's global random state was used: draw from a generator that is given, or do without": torch.get_rng_state(),
        "Python's global random state was used: draw from the generator that is given": hash(random.getstate()),
        "numpy's global random state was used: draw from the generator that is given": _numpy_state(),
        "torch.nn.functional.relu was replaced": id(F.relu),
        "torch.relu was replaced": id(torch.relu),
        "nn.ReLU.forward was replaced": id(nn.ReLU.forward),
        "a relu_rule (or another function mode) was left in force: use it in a with statement": function_modes(),
        "a hook was left on all modules of torch": [len(getattr(torch_modules, hooks)) for hooks in GLOBAL_HOOKS],
        "warnings were left filtered": len(warnings.filters),
        **{sentence: ask() for sentence, ask, _ in SETTINGS},
    }


def function_modes() -> int:
    """Return how many function modes (relu_rule is one) are in force."""
    return int(torch._C._len_torch_function_stack())


def _numpy_state() -> tuple[Any, ...]:
    state: Any = np.random.get_state()
    return tuple(part.tobytes() if isinstance(part, np.ndarray) else part for part in state)
