"""The decider's end of changes.py: which laws the worker says were broken, and the few things that move on our side too.

Numbers of our own objects stay as they are: what is right is computed from them. What a check must see move is moved: a
generator, what a module of the checks writes down, the statistics of a batch norm in train mode, gradients, a mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.checks.unchanged import global_facts
from coursekit.staff.isolated import tags
from coursekit.staff.isolated.changes import INNER
from coursekit.staff.isolated.plain import Reader, broken


class Repeat:
    """What the worker has said about side effects, until the check ends."""

    def __init__(self) -> None:
        self.counts: dict[tuple[int | None, str], int] = {}  # (what it happened to, the law) -> how often
        self.spans: list[tuple[int, int]] = []  # where numbers lie that were changed
        self.trained: set[int] = set()  # identities of what may move because it trains
        self.undo: dict[Any, Callable[[], object]] = {}  # by what it puts back as it was before it first moved

    def forget(self) -> None:
        """Put everything back: what one function did to a constant of the checks is no concern of the next."""
        for put_back in self.undo.values():
            put_back()
        self.undo.clear()
        self.counts.clear()
        self.spans.clear()
        self.trained.clear()

    def send(self, thing: Any) -> None:
        """Note what may move of something that is given to the worker."""
        if isinstance(thing, nn.Module) and any(module.training for module in thing.modules()):
            learning = [b for module in thing.modules() if module.training for b in module._buffers.values()]
            self.trained |= {id(part) for part in (*thing.modules(), *learning)}

    def witness(self, thing: Tensor | nn.Module | None, law: str) -> int:
        """Return how often student code has broken a law, as coursekit.checks.unchanged asks."""
        if isinstance(thing, Tensor) and law == "values":
            first, end = _span(thing)
            return sum(first < other_end and other_first < end for other_first, other_end in self.spans)
        return self.counts.get((None if thing is None else id(thing), law), 0)

    def hear(self, told: Any, moves: Any, home: list[Any], reader: Reader) -> None:
        """Take what one message of the worker's says."""
        try:
            for item in told:
                self._count(item, home)
            for tag, number, *rest in moves:
                MOVES[tag](self, home[_number(number)], *rest, reader)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, RuntimeError) as error:
            raise broken(f"changes: {type(error).__name__}: {error}") from None

    def _count(self, told: Any, home: list[Any]) -> None:
        if isinstance(told, str):
            if told not in global_facts():
                return
            if told.startswith("torch's global random state"):
                torch.rand(())  # ours moves on as well, and is looked at: a check may shield it
                return
            self.counts[None, told] = self.counts.get((None, told), 0) + 1
            return
        number, path, law = told
        thing = home[_number(number)]
        thing = thing.get_submodule(path) if path else thing
        if isinstance(thing, Tensor) and law == "values":
            self.spans.append(_span(thing))
        self.counts[id(thing), law] = self.counts.get((id(thing), law), 0) + 1

    def _generator(self, generator: torch.Generator, state: Any, reader: Reader) -> None:
        generator.set_state(reader.read(state))

    def _more(self, module: nn.Module, name: str, items: Any, reader: Reader) -> None:
        self._note(module, name, [*vars(module)[name], *reader.read(items)])

    def _changed(self, module: nn.Module, name: str, value: Any, reader: Reader) -> None:
        self._note(module, name, reader.read(value))

    def _note(self, module: nn.Module, name: str, value: Any) -> None:
        own = vars(module)
        if name in INNER or name == "training" or name.startswith("_") or type(module).__module__.startswith("torch."):
            raise broken("an attribute that no check writes")
        old = own[name]
        was = list(old) if isinstance(old, list) else old
        self.undo.setdefault((id(own), name), lambda: own.update({name: was}))
        if isinstance(old, list) and isinstance(value, list):
            old[:] = value
        else:
            own[name] = value

    def _buffer(self, buffer: Tensor, value: Any, reader: Reader) -> None:
        new, was = reader.read(value), buffer.detach().clone()
        if id(buffer) in self.trained and new.shape == buffer.shape and new.dtype == buffer.dtype:
            self.undo.setdefault((id(buffer), "values"), lambda: buffer.detach().copy_(was))
            buffer.detach().copy_(new)

    def _gradient(self, tensor: Tensor, value: Any, reader: Reader) -> None:
        was = tensor.grad
        self.undo.setdefault((id(tensor), "grad"), lambda: setattr(tensor, "grad", was))
        tensor.grad = reader.read(value)

    def _gradients(self, tensor: Tensor, wanted: Any, _: Reader) -> None:
        if tensor.is_leaf:
            was = tensor.requires_grad
            self.undo.setdefault((id(tensor), "requires_grad"), lambda: tensor.requires_grad_(was))
            tensor.requires_grad_(bool(wanted))

    def _mode(self, network: nn.Module, path: str, value: Any, _: Reader) -> None:
        module = network.get_submodule(path)
        was = module.training
        self.undo.setdefault((id(module), "training"), lambda: setattr(module, "training", was))
        module.training = bool(value)


MOVES: dict[str, Callable[..., None]] = {
    tags.GENERATOR_MOVED: Repeat._generator,
    tags.LIST_GREW: Repeat._more,
    tags.NOTE_CHANGED: Repeat._changed,
    tags.BUFFER_LEARNED: Repeat._buffer,
    tags.GRADIENT_WRITTEN: Repeat._gradient,
    tags.GRADIENTS_SWITCHED: Repeat._gradients,
    tags.MODE_SWITCHED: Repeat._mode,
}


def _span(tensor: Tensor) -> tuple[int, int]:
    """Return the memory in which a tensor's numbers lie: a view of an argument shares it."""
    steps = sum((side - 1) * step for side, step in zip(tensor.shape, tensor.stride(), strict=True))
    first = tensor.data_ptr()
    return first, first + (steps + 1) * tensor.element_size() if tensor.numel() else first


def _number(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise broken("a number that is none")
    return number
