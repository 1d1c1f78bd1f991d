"""The worker's table of what the decider has sent, by number: what was done to it, and how it is spoken of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from coursekit.staff.isolated import tags
from coursekit.staff.isolated.changes import Frame, bring_back
from coursekit.staff.isolated.plain import Writer
from coursekit.staff.isolated.rich import Unpacker
from coursekit.staff.isolated.shell import describe_shell, own_tensors


class Stub:
    """A callable that stays with the decider."""

    def __init__(self, worker: Any, number: int) -> None:
        self._worker, self._number = worker, number
        self.__name__ = "callback"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._worker.call_back(self._number, args, kwargs)

    def __deepcopy__(self, memo: Any) -> Stub:
        return self


class Table:
    """What the decider has sent in one check, and what of ours it holds a handle of."""

    def __init__(self) -> None:
        self.things: list[Any] = []
        self.frames: list[Frame] = []  # what came with the requests that are being answered
        self.forget()

    def forget(self) -> None:
        self.things.clear()
        self.left: dict[int, dict[str, Any]] = {}  # number -> the attributes that student code has left changed
        self.known: dict[int, int] = {}  # identity -> number
        self.memory: dict[int, int] = {}  # where a given tensor's numbers lie -> its number
        self.handles: dict[int, Any] = {}

    def take(self, unpacker: Unpacker) -> None:
        """Take in what came with a message."""
        for number, earlier in unpacker.again:
            if earlier in self.left and self.things[number] is not self.things[earlier]:
                self.left[number] = dict(self.left[earlier])
                bring_back(self.things[number], self.left[number])
        for number in range(unpacker.first, len(self.things)):
            given = self.things[number]
            self.known[id(given)] = number
            if isinstance(given, Tensor) and given.numel():
                self.memory.setdefault(given.untyped_storage().data_ptr(), number)

    def frame(self, unpacker: Unpacker) -> Frame:
        """Remember how everything is that came with a message."""
        notes = enumerate(unpacker.notes, unpacker.first)
        return Frame(self.things, unpacker.first, frozenset(n for n, note in notes if note[0] == tags.WORKERS_OWN))

    def add(self, unpacker: Unpacker) -> None:
        """Watch the networks that an answer brought as if they had come with the request."""
        if self.frames and any(isinstance(given, nn.Module) for given in self.things[unpacker.first :]):
            self.frames[-1].add(self.frame(unpacker))

    def replace(self, sent: Tensor, mine: Tensor) -> None:
        """Let a tensor of ours stand where one stood that was sent."""
        number = self.known.pop(id(sent))
        self.things[number] = mine
        self.known[id(mine)] = number

    def describe(self, value: Any, writer: Writer) -> Any:
        """Describe what is special here: what the decider knows, views of it, functions, networks."""
        if issubclass(type(value), Tensor):
            return self._describe_tensor(value, writer)
        if type(value) is Stub:
            return [tags.GIVEN, value._number, -1]
        number = self.known.get(id(value))
        network = issubclass(type(value), nn.Module)
        if number is not None and not (network and self._has_other_numbers(value)):
            return [tags.GIVEN, number, -1]
        if network:
            self.handles[id(value)] = value
            known = {i: n for i, n in self.known.items() if self._is_as_it_came(n)}
            return describe_shell(id(value), value, writer, known)
        if type(value) is torch.Generator:
            writer.generators.append(value)
            return [tags.GENERATOR, writer.tensor(value.get_state())]
        if callable(value):
            self.handles[id(value)] = value
            return [tags.FUNCTION, id(value), getattr(value, "__name__", type(value).__name__)]
        return None

    def _describe_tensor(self, value: Tensor, writer: Writer) -> Any:
        number = self.known.get(id(value))
        if number is not None and self._is_changed(number):
            return None  # it is described with its numbers, for the decider has others
        joined = len(writer.joined) if value.requires_grad else -1
        base = number
        if base is None and value.layout is torch.strided and value.numel():
            base = self._base(value)
        if base is None:
            return None
        if joined >= 0:
            writer.joined.append(value)
        if number is not None:
            return [tags.GIVEN, number, joined]
        offset = value.storage_offset() - self.things[base].storage_offset()
        return [tags.VIEW, base, list(value.shape), list(value.stride()), offset, joined]

    def _is_changed(self, number: int) -> bool:
        """Return whether something given is another here than the decider's."""
        return bool(self.left.get(number)) or any(frame.changed(number) for frame in self.frames)

    def _is_as_it_came(self, number: int) -> bool:
        """Return whether the decider may take its own thing for ours, where a network of ours contains it."""
        given = self.things[number]
        if not isinstance(given, nn.Module):
            return True
        numbers = [self.known.get(id(module)) for module in given.modules()]
        return not self._has_other_numbers(given) and not any(n is not None and self._is_changed(n) for n in numbers)

    def _has_other_numbers(self, network: nn.Module) -> bool:
        numbers = [self.known.get(id(tensor)) for tensor in own_tensors(network)]
        return any(number is not None and self._is_changed(number) for number in numbers)

    def _base(self, value: Tensor) -> int | None:
        """Return the number of something given whose memory a tensor shares."""
        number = self.memory.get(value.untyped_storage().data_ptr())
        if number is None:
            return None
        given = self.things[number]
        same = given.untyped_storage().data_ptr() == value.untyped_storage().data_ptr()
        return number if same and given.dtype == value.dtype and not self._is_changed(number) else None
