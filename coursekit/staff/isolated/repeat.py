"""The decider's end of changes.py: what was done to the worker's copies is done to our own objects, until the check ends.

So the checks' own law (coursekit.checks.unchanged) holds without a change: it looks at our tensors and networks. A hook or
an attribute that was left is repeated by an empty one.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.checks import unchanged
from coursekit.checks.unchanged import HOOKS
from coursekit.staff.isolated.changes import INNER
from coursekit.staff.isolated.plain import Reader, broken, text


class Repeat:
    """Do to our own objects what the worker says was done to its copies, until the check ends."""

    def __init__(self) -> None:
        self.hooks: dict[tuple[int, str, int], list[Any]] = {}
        self.counts: dict[str, int] = {}  # how often something global was changed, by its sentence
        self.given: set[int] = set()  # the identities of the tensors that were arguments
        self.tampered = ""  # what was done to something given that no function may do
        # Instead of being done, such a change is put here: identity -> value.
        self.aside: dict[int, Tensor] | None = None
        self.home: list[Any] = []
        self.networks: set[int] = set()  # the identities of networks that were arguments, and of their parts
        # (identity of a part of a network, name of a setting) -> where it stands, what it was
        self.settings: dict[tuple[int, str], tuple[dict[str, Any], Any]] = {}
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
        self.networks.clear()
        self.settings.clear()
        self.tampered = ""
        if self.aside is not None:
            self.aside = {}

    def apply(self, told: Any, home: list[Any], reader: Reader) -> None:
        self.home = home
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
        elif self._is_settled(tensor):
            self.tampered = "a buffer of the network was changed: it stays as it is"
        else:
            return False
        return True

    def _is_settled(self, tensor: Tensor) -> bool:
        """Return whether this belongs to a network and does not learn: batch norm's statistics do, in train mode."""
        modules = [sub for thing in self.home if isinstance(thing, nn.Module) for sub in thing.modules()]
        mine = [sub for sub in modules if id(sub) in self.networks and any(tensor is b for b in sub._buffers.values())]
        return bool(mine) and not any(self.settings.get((id(sub), "training"), (None, sub.training))[1] for sub in mine)

    def seen(self, value: Any) -> Any:
        """Return what the worker means by something of ours: with the changes that were put aside."""
        if self.aside and isinstance(value, Tensor):
            return self.aside.get(id(value), value)
        if self.aside and isinstance(value, nn.Module):
            for own in (*value.parameters(), *value.buffers()):
                if id(own) in self.aside:
                    own.data = self.aside[id(own)].clone()
        return value

    def _generator(self, generator: torch.Generator, reader: Reader, state: Any) -> None:
        generator.set_state(reader.read(state))

    def _extend(self, module: nn.Module, reader: Reader, path: str, name: str, items: Any) -> None:
        own = vars(module.get_submodule(path))
        self._change(own, name, [*own[name], *reader.read(items)])

    def _attribute(self, module: nn.Module, reader: Reader, path: str, name: str, value: Any) -> None:
        sub = module.get_submodule(path)
        of_torch = type(sub).__module__.startswith("torch.")  # a check's own module may count its calls
        if id(sub) in self.networks and (of_torch or name == "training"):
            self.settings.setdefault((id(sub), name), (vars(sub), vars(sub).get(name)))
        self._change(vars(sub), name, reader.read(value))

    def settle(self) -> None:
        """See at the end of a call whether a setting of a network is as it was: only then may one that was changed count."""
        for (_, name), (own, was) in self.settings.items():
            if own.get(name) != was:
                self.tampered = "a setting of the network was changed: leave it as it is"
                if self.aside is not None:
                    own[name] = was
        self.settings = {key: kept for key, kept in self.settings.items() if kept[0].get(key[1]) != kept[1]}

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
