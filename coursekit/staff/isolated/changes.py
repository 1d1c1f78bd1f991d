"""The worker's end: what student code did to what it was given. The decider repeats it (see repeat.py)."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.checks.unchanged import HOOKS
from coursekit.staff.isolated.plain import Writer

PLAIN = (bool, int, float, str, tuple, type(None), torch.dtype)


class Watch:
    """Remember what came with one request, tell what has changed since the last telling."""

    def __init__(self, table: list[Any], first: int) -> None:
        things = list(enumerate(table[first:], first))
        self.tensors: list[list[Any]] = [[n, t, *_tensor_state(t)] for n, t in things if isinstance(t, Tensor)]
        self.generators: list[list[Any]] = [[n, g, g.get_state()] for n, g in things if isinstance(g, torch.Generator)]
        modules = [(n, m) for n, m in things if isinstance(m, nn.Module)]
        inner: set[int] = set()
        for _, module in modules:
            if id(module) not in inner:  # otherwise its parts are there already
                inner.update(id(part) for part in list(module.modules())[1:])
        self.modules: list[list[Any]] = [[n, m, _module_state(m)] for n, m in modules if id(m) not in inner]

    def add(self, other: Watch) -> None:
        self.tensors += other.tensors
        self.generators += other.generators
        self.modules += other.modules

    def differences(self, writer: Writer) -> list[Any]:
        told: list[Any] = []
        for entry in self.tensors:
            number, tensor, *state = entry
            now = _tensor_state(tensor)
            if not all(map(_same, state, now)):
                value, wanted, grad, hooks = now
                entry[2:] = now
                told.append(["t", number, _write(writer, value), wanted, _write(writer, grad), hooks])
        for entry in self.generators:
            number, generator, state = entry
            if not torch.equal(state, generator.get_state()):
                entry[2] = generator.get_state()
                told.append(["g", number, writer.write(entry[2])])
        for entry in self.modules:
            number, module, before = entry
            if _untouched(before):
                continue
            entry[2] = after = _module_state(module)
            for path, change in _module_changes(before, after):
                told.append([*change[:1], number, path, *change[1:2], *map(writer.write, change[2:])])
        return told


def _tensor_state(tensor: Tensor) -> tuple[Any, ...]:
    grad = None if not tensor.is_leaf or tensor.grad is None else tensor.grad.detach().clone()
    return tensor.detach().clone(), tensor.requires_grad, grad, len(tensor._backward_hooks or ())


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return type(one) is type(other) and bool(one == other)


def _write(writer: Writer, value: Tensor | None) -> Any:
    return None if value is None else writer.tensor(value)


@dataclass
class _Seen:
    """What is remembered of one module."""

    module: nn.Module
    hooks: list[int]
    own: dict[str, Any]  # its attributes, and its children, as they were: the things themselves
    children: dict[str, Any]
    lists: dict[str, list[Any]]  # a list may change and stay the same thing


def _module_state(module: nn.Module) -> dict[str, _Seen]:
    return {
        path: _Seen(
            sub,
            [len(getattr(sub, hooks)) for hooks in HOOKS],
            dict(vars(sub)),
            dict(sub._modules),
            {name: list(value) for name, value in vars(sub).items() if type(value) is list},
        )
        for path, sub in module.named_modules()
    }


def _untouched(state: dict[str, _Seen]) -> bool:
    """Say quickly whether nothing has changed, as it mostly is."""
    for seen in state.values():
        own = vars(seen.module)
        if len(own) != len(seen.own) or not all(map(operator.is_, own.values(), seen.own.values())):
            return False
        if [len(own[hooks]) for hooks in HOOKS] != seen.hooks or own["_modules"] != seen.children:
            return False
        if any(not _same_items(own[name], items) for name, items in seen.lists.items()):
            return False
    return True


def _same_items(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(map(operator.is_, one, other))


INNER = frozenset(vars(nn.Module())) - {"training"}


def _module_changes(before: dict[str, _Seen], after: dict[str, _Seen]) -> Iterator[tuple[str, list[Any]]]:
    """Tell of each module what has become of it: [what, further facts]."""
    for path in before.keys() | after.keys():
        old, new = before.get(path), after.get(path)
        if old is None or new is None or old.module is not new.module:
            yield (path if old else path.rpartition(".")[0]), ["r"]
        if old is None or new is None:
            continue
        for kind, (was, now) in enumerate(zip(old.hooks, new.hooks, strict=True)):
            if now != was:
                yield path, ["k", kind, now - was]
        for name in (old.own.keys() | new.own.keys()) - INNER:
            if name.startswith("_"):
                continue
            yield from ((path, change) for change in _attribute_changes(name, old, new))


def _attribute_changes(name: str, old: _Seen, new: _Seen) -> Iterator[list[Any]]:
    if name not in old.own or name not in new.own:
        yield ["n", name, name in new.own]
        return
    was, now = old.own[name], new.own[name]
    if type(was) is list and type(now) is list:
        before, items = old.lists[name], new.lists[name]
        if _same_items(before, items):
            return
        grown = _same_items(before, items[: len(before)])
        yield ["e", name, items[len(before) :]] if grown else ["a", name, items]
    elif was is not now and (type(was) is not type(now) or not isinstance(now, PLAIN) or was != now):
        yield ["a", name, now] if isinstance(now, PLAIN) else ["n", name, True]
