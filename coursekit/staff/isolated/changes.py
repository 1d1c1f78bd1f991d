"""The worker's end of side effects: which laws of coursekit.checks.unchanged student code broke on what it was given.

Only what a check must see move is told with its value (see repeat.py). A thing that is given again, by the same check, comes
with what was done to it before, as it does in one process.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.checks.unchanged import Facts, same, state_of
from coursekit.staff.isolated import tags
from coursekit.staff.isolated.plain import Writer

PLAIN = (bool, int, float, str, tuple, type(None), torch.dtype)
INNER = frozenset(vars(nn.Module())) - {"training"}  # how every module is made
SHOWN = frozenset(("values", "modules", "training", "inplace"))  # laws about what a result depends on


@dataclass
class Given:
    """A tensor or a module of the decider's, as it came."""

    number: int
    path: str  # of a module inside the one that has the number
    thing: Any
    state: Facts
    own: Mapping[str, Any]  # a module's attributes: the things themselves
    notes: dict[str, Any]  # what a module of the checks writes down: counters, and lists, which may grow
    mode: bool = False  # of a module, as the decider knows it

    def broken(self) -> list[str]:
        now = state_of(self.thing, copy=False)
        if isinstance(self.thing, nn.Module) and now == self.state:  # no tensors in it
            return []
        return [law for law, value in self.state.items() if not same(value, now[law])]

    def left(self, broken: Sequence[str]) -> dict[str, Any]:
        """Return the attributes with which the thing will come again."""
        if isinstance(self.thing, Tensor):
            return {"data": self.thing.data} if "values" in broken else {}
        names = vars(self.thing).keys() - self.notes.keys() - INNER - {"forward"}
        return {name: own for name in names if (own := vars(self.thing)[name]) is not self.own.get(name, INNER)}


class Frame:
    """What came with one request."""

    def __init__(self, table: list[Any], first: int, ours: frozenset[int] = frozenset()) -> None:
        things = list(enumerate(table[first:], first))
        self.generators: list[list[Any]] = [[n, g, g.get_state()] for n, g in things if isinstance(g, torch.Generator)]
        self.given = [Given(n, "", t, state_of(t), {}, {}) for n, t in things if isinstance(t, Tensor)]
        for number, thing in things:
            if isinstance(thing, nn.Module):
                inside = thing.named_modules() if number in ours else [("", thing)]  # the decider's have own numbers
                self.given += [_module(number, path, module, number in ours) for path, module in inside]
        self.by_number = {given.number: given for given in self.given if not given.path}

    def add(self, other: Frame) -> None:
        self.given += other.given
        self.generators += other.generators
        self.by_number |= other.by_number

    def changed(self, number: int) -> bool:
        """Return whether something with this number is not as it came, in what its results depend on."""
        given = self.by_number.get(number)
        return given is not None and not SHOWN.isdisjoint(given.broken())

    def moves(self, writer: Writer) -> Iterator[list[Any]]:
        """Tell what has moved since the last telling, of what may move at any time."""
        for entry in self.generators:
            number, generator, state = entry
            if not torch.equal(state, generator.get_state()):
                entry[2] = generator.get_state()
                yield [tags.GENERATOR_MOVED, number, writer.write(entry[2])]
        for given in self.given:
            if isinstance(given.thing, nn.Module) and given.thing.training is not given.mode:
                given.mode = given.thing.training
                yield [tags.MODE_SWITCHED, given.number, given.path, given.mode]
            for name, was in given.notes.items():
                now = vars(given.thing).get(name)
                if isinstance(was, list) and isinstance(now, list):
                    if len(now) > len(was) and all(map(operator.is_, was, now)):
                        yield [tags.LIST_GREW, given.number, name, writer.write(now[len(was) :])]
                    given.notes[name] = list(now)
                elif now is not was and isinstance(now, PLAIN):
                    given.notes[name] = now
                    yield [tags.NOTE_CHANGED, given.number, name, writer.write(now)]

    def close(self, writer: Writer, left: dict[int, dict[str, Any]]) -> tuple[list[Any], list[Any]]:
        """Tell which laws are broken, and what has moved; note what is left on each thing for the next time."""
        told, moved = [], []
        learning = {
            id(b) for g in self.given if isinstance(g.thing, nn.Module) and g.state["training"]
            for b in g.thing._buffers.values()
        }  # fmt: skip
        for given in self.given:
            broken = given.broken()
            told += [[given.number, given.path, law] for law in broken]
            kept = given.left(broken)
            if "values" in broken and id(given.thing) in learning:
                moved.append([tags.BUFFER_LEARNED, given.number, writer.write(kept.pop("data").clone())])
            if "requires_grad" in broken and isinstance(given.thing, Tensor):
                moved.append([tags.GRADIENTS_SWITCHED, given.number, given.thing.requires_grad])
            if "grad" in broken:
                moved.append([tags.GRADIENT_WRITTEN, given.number, writer.write(given.thing.grad)])
            kept.pop("training", None)  # the decider has been told, and sends the mode
            if kept and not given.path:
                left.setdefault(given.number, {}).update(kept)
        return told, moved


def _module(number: int, path: str, module: nn.Module, ours: bool) -> Given:
    own = dict(vars(module))
    notes = {}
    if not ours and not type(module).__module__.startswith("torch."):
        names = [name for name in own.keys() - INNER - {"training"} if name[0] != "_"]
        plain = {name: own[name] for name in names if isinstance(own[name], (list, *PLAIN))}
        notes = {name: list(value) if type(value) is list else value for name, value in plain.items()}
    return Given(number, path, module, state_of(module), own, notes, module.training)


def bring_back(thing: Any, left: Mapping[str, Any]) -> None:
    """Let a thing that is given again be as student code left it."""
    for name, value in left.items():
        with contextlib.suppress(RuntimeError):  # a tensor with a graph behind it asks for gradients whatever was done
            setattr(thing, name, value)
