"""What student code did to what it was given, and to global state: found in the worker, repeated on the decider's objects.

So the checks' own law (coursekit.grading.unchanged) holds without a change: it looks at the decider's tensors and networks.
A hook or an attribute that was left is repeated by an empty one.
"""

from __future__ import annotations

import copy
import functools
import operator
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.grading import unchanged
from coursekit.grading.unchanged import HOOKS
from coursekit.staff.isolated.plain import Reader, Writer, broken, text

PLAIN = (bool, int, float, str, tuple, type(None), torch.dtype)


class Watch:
    """The worker's end: remember what came with one request, tell what has changed since the last telling."""

    def __init__(self, table: list[Any], first: int) -> None:
        things = list(enumerate(table[first:], first))
        self.tensors: list[list[Any]] = [[n, t, *_tensor_state(t)] for n, t in things if isinstance(t, Tensor)]
        self.generators: list[list[Any]] = [[n, g, g.get_state()] for n, g in things if isinstance(g, torch.Generator)]
        self.modules: list[list[Any]] = [[n, m, _module_state(m)] for n, m in things if isinstance(m, nn.Module)]
        inner = {id(sub) for _, m, _ in self.modules for sub in list(m.modules())[1:]}
        self.modules = [entry for entry in self.modules if id(entry[1]) not in inner]

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


class Repeat:
    """The decider's end: do to our own objects what the worker says was done to its copies, until the check ends."""

    def __init__(self) -> None:
        self.hooks: dict[tuple[int, str, int], list[Any]] = {}
        self.counts: dict[str, int] = {}  # how often something global was changed, by its sentence
        self.given: set[int] = set()  # the identities of the tensors that were arguments
        self.tampered = ""  # what was done to something given that no function may do
        self.aside: dict[int, Tensor] | None = (
            None  # instead of being done, such a change is put here: identity -> value
        )
        self.undo: dict[Any, Callable[[], object]] = {}  # by what it puts back as it was before the first change

    def forget(self) -> None:
        """Put everything back: what one function did to a constant of the checks is no concern of the next."""
        for handles in self.hooks.values():
            for handle in handles:
                handle.remove()
        for put_back in self.undo.values():
            put_back()
        self.hooks.clear()
        self.undo.clear()
        self.given.clear()
        self.tampered = ""
        if self.aside is not None:
            self.aside = {}

    def apply(self, told: Any, home: list[Any], reader: Reader) -> None:
        try:
            for kind, number, *rest in told:
                getattr(self, f"_{ACTIONS[kind]}")(home[_number(number)], reader, *rest)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, RuntimeError) as error:
            raise broken(f"changes: {type(error).__name__}: {error}") from None

    def count(self, sentences: Any) -> None:
        """Note that something global was changed."""
        known = unchanged._global_facts() if sentences else {}
        for sentence in sentences:
            if sentence.startswith("torch's global random state"):
                torch.rand(())  # ours moves on as well: a check may shield it
            elif sentence in known:
                self.counts[sentence] = self.counts.get(sentence, 0) + 1

    def _tensor(self, tensor: Tensor, reader: Reader, value: Any, wanted: bool, grad: Any, hooks: int) -> None:
        new = reader.read(value)
        self.undo.setdefault(id(tensor), functools.partial(_put_back, tensor, tensor.detach().clone(), *_flags(tensor)))
        with torch.no_grad():
            same = new.shape == tensor.shape and new.dtype == tensor.dtype
            if (not same or not torch.equal(new, tensor)) and self._note(tensor) and self.aside is not None:
                self.aside[id(tensor)] = new
            elif same:
                tensor.detach().copy_(new)
            else:
                tensor.data = new
            if tensor.is_leaf:
                tensor.requires_grad_(bool(wanted))
                tensor.grad = reader.read(grad)
        if hooks:
            tensor.requires_grad_().register_hook(_nothing)

    def _note(self, tensor: Tensor) -> bool:
        """Remember a change after which what is expected may be computed from numbers that are not ours."""
        if isinstance(tensor, nn.Parameter):
            self.tampered = "a weight of the network was changed: the weights stay as they are"
        elif id(tensor) in self.given:
            self.tampered = "what was given was changed in place: work on a copy"
        return isinstance(tensor, nn.Parameter) or id(tensor) in self.given

    def seen(self, value: Any) -> Any:
        """Return what the worker means by something of ours: with the changes that were put aside."""
        if self.aside and isinstance(value, Tensor):
            return self.aside.get(id(value), value)
        if self.aside and isinstance(value, nn.Module):
            for parameter in value.parameters():
                if id(parameter) in self.aside:
                    parameter.data = self.aside[id(parameter)].clone()
        return value

    def _generator(self, generator: torch.Generator, reader: Reader, state: Any) -> None:
        generator.set_state(reader.read(state))

    def _extend(self, module: nn.Module, reader: Reader, path: str, name: str, items: Any) -> None:
        own = vars(module.get_submodule(path))
        self._change(own, name, [*own[name], *reader.read(items)])

    def _attribute(self, module: nn.Module, reader: Reader, path: str, name: str, value: Any) -> None:
        self._change(vars(module.get_submodule(path)), name, reader.read(value))

    def _change(self, own: dict[str, Any], name: str, value: Any) -> None:
        if name in INNER or name.startswith("_") or name not in own:
            raise broken("an attribute that was not there")
        old = own[name]
        was = list(old) if isinstance(old, list) else old
        self.undo.setdefault((id(own), name), lambda: own.update({name: was}))
        if isinstance(own[name], list) and isinstance(value, list):
            own[name][:] = value
        else:
            own[name] = value

    def _left(self, module: nn.Module, reader: Reader, path: str, name: str, there: bool) -> None:
        sub = module.get_submodule(path)
        own, mark = vars(sub), "forward" if name == "forward" else f"left behind: {text(name)}"
        self.undo.setdefault((id(own), mark), lambda: own.pop(mark, None))
        if there:
            own[mark] = types.MethodType(type(sub).forward, sub)
        elif own.pop(mark, None) is None:
            own[mark] = None  # an attribute of ours is gone

    def _hooks(self, module: nn.Module, reader: Reader, path: str, kind: int, more: int) -> None:
        sub = module.get_submodule(path)
        held = self.hooks.setdefault((id(sub), HOOKS[_number(kind)], id(module)), [])
        register = getattr(sub, REGISTER[kind])
        for _ in range(min(more, 3)):
            held.append(register(_nothing))
        for _ in range(min(-more, len(held))):
            held.pop().remove()

    def _replaced(self, module: nn.Module, reader: Reader, path: str) -> None:
        above, _, name = path.rpartition(".")
        modules = module.get_submodule(above)._modules
        was = dict(modules)

        def put_back() -> None:
            modules.clear()
            modules.update(was)

        self.undo.setdefault(id(modules), put_back)
        if modules.get(name) is not None:
            modules[name] = copy.copy(modules[name])
        elif not path:
            modules["left behind"] = nn.Identity()


ACTIONS = {
    "t": "tensor",
    "g": "generator",
    "e": "extend",
    "a": "attribute",
    "n": "left",
    "k": "hooks",
    "r": "replaced",
}
REGISTER = ("register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
            "register_full_backward_pre_hook")  # fmt: skip


def _flags(tensor: Tensor) -> tuple[bool, Tensor | None]:
    return tensor.requires_grad, tensor.grad if tensor.is_leaf else None


def _put_back(tensor: Tensor, value: Tensor, wanted: bool, grad: Tensor | None) -> None:
    with torch.no_grad():
        if tensor.shape == value.shape and tensor.dtype == value.dtype:
            tensor.detach().copy_(value)
        else:
            tensor.data = value
        if tensor.is_leaf:
            tensor.requires_grad_(wanted)
            tensor.grad = grad


def _nothing(*_: Any) -> None:
    return None


def _number(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise broken("a number that is none")
    return number
