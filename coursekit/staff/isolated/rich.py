"""What the decider says: pickled, with networks, their hooks and their local classes. Only the worker unpickles.

Tensors and generators travel beside the pickle. Whatever is given to student code and could be changed by it gets a number
(its place in the list `home`), by which the worker speaks of it.
"""

from __future__ import annotations

import io
import os
import pickle
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import torch
from torch import Tensor, nn

from coursekit.checks.small_networks import Wrapped
from coursekit.staff.isolated import by_value, tags
from coursekit.staff.isolated.plain import DTYPES, NAMES, raw

EMPTY = {name: type(value) for name, value in vars(nn.Module()).items() if isinstance(value, dict)}
ORDINARY: set[type] = set()  # types that pickle knows, and of which nothing travels beside the pickle


class Packer(cloudpickle.Pickler):
    """Pickle one message; what it contains is appended to `home`."""

    def __init__(self, home: list[Any], last: dict[int, int], remote: Callable[[Any], Any], submission: Path) -> None:
        self.stream = io.BytesIO()
        super().__init__(self.stream, protocol=5)
        self.home, self.last, self.remote, self.submission = home, last, remote, submission
        self.first = len(home)
        self.namespaces: dict[int, dict[str, Any]] = {}  # of the functions in the message, by the module's identity
        self.numbers: dict[int, int] = {}
        self.notes: list[Any] = []  # about each of home[first:], how to build it
        self.again: list[tuple[int, int]] = []  # (number of what an earlier message has sent too, the earlier number)
        self.buffers: list[bytes] = []
        self.modules: list[tuple[int, Any]] = []  # with their numbers; classes of modules too
        self.inputs: list[int] = []  # the tensors that ask for gradients

    def pack(self, kind: str, orders: list[Any], *content: Any) -> bytes:
        # The list of modules is pickled last, when it is complete, and shares objects with the message.
        self.dump((self.stay_home(orders), self.stay_home(content), self.modules))
        call = content[0] if kind == tags.RETURN else 0
        return pickle.dumps((kind, call, self.notes, self.again, self.stream.getvalue()), protocol=5)

    def stay_home(self, value: Any) -> Any:
        """Put a note in the place of every function: it is called back. (A network travels, with the hooks inside it.)"""
        if type(value) in (list, tuple):
            return type(value)(self.stay_home(item) for item in value)
        if type(value) is dict:
            return {key: self.stay_home(item) for key, item in value.items()}
        if isinstance(value, type) and issubclass(value, nn.Module):
            self.modules.append((self.number(value, (tags.MODULE_INSIDE,)), value))
        elif callable(value) and not isinstance(value, (nn.Module, Wrapped, type)) and self.remote(value) is None:
            return Called(self.number(value, (tags.CALLABLE_HERE,)))
        return self.attach(value) if isinstance(value, (Path, str)) else value

    def attach(self, path: Path | str) -> Any:
        """Let a file that a check has written (tmp_path), or one of the submission's, be found by the worker.

        Any other path stays a name: it may be text of the worker's that a check hands back, and it would get the file.
        """
        if not os.path.isabs(path):  # a Path takes longer, and most texts are names
            return path
        if self.submission in Path(path).parents:
            return File(type(path), Path(path).relative_to(self.submission).as_posix(), None)
        place = Path(path).resolve()
        temporary = Path(tempfile.gettempdir()).resolve()
        ours = any(folder.name.startswith("pytest-of-") and temporary in folder.parents for folder in place.parents)
        if ours and place.is_file():
            return File(type(path), place.name, place.read_bytes())
        return path

    def number(self, value: Any, note: Any) -> int:
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.home)
            if id(value) in self.last:
                self.again.append((number, self.last[id(value)]))
            self.last[id(value)] = number
            self.home.append(value)
            self.notes.append(note)
        return number

    def reducer_override(self, value: Any) -> Any:
        # Asked of every object that is no plain value (persistent_id would be, of each name and number): this must be quick.
        if type(value) in ORDINARY:
            return NotImplemented
        told = self.beside(value)
        if told is not None:
            return given, told
        if isinstance(value, types.FunctionType) and by_value.must_travel(value):
            return by_value.reduced(value, self.namespaces)
        return _slim(value) if isinstance(value, nn.Module) else super().reducer_override(value)

    def beside(self, value: Any) -> tuple[Any, ...] | None:
        """Return by what the worker finds something that travels beside the pickle; None for what is pickled."""
        kind = type(value)
        if issubclass(kind, Tensor):
            return tags.NUMBERED, self.tensor(value)
        if issubclass(kind, torch.Generator):
            if id(value) not in self.numbers:
                self.buffers.append(raw(value.get_state()))
            return tags.NUMBERED, self.number(value, (tags.GENERATOR_BESIDE, len(self.buffers[-1])))
        if kind is Called:
            return tags.NUMBERED, value.number
        there: tuple[Any, ...] | None = self.remote(value)
        if there is not None:
            if issubclass(kind, nn.Module):
                return tags.NUMBERED, self.number(value, (tags.WORKERS_OWN, there))
            return there
        if issubclass(kind, nn.Module):
            if id(value) not in self.numbers:
                self.modules.append((self.number(value, (tags.MODULE_INSIDE,)), value))
        elif not issubclass(kind, (type, types.FunctionType)):
            ORDINARY.add(kind)
        return None

    def tensor(self, value: Tensor) -> int:
        if id(value) in self.numbers:
            return self.numbers[id(value)]
        strides = None if value.is_contiguous() else value.stride()
        grad = None if not value.is_leaf or value.grad is None else self.tensor(value.grad)
        if value.requires_grad:
            self.inputs.append(len(self.home))
        buffer = raw(value)
        self.buffers.append(buffer)
        form = len(buffer), NAMES[value.dtype], tuple(value.shape), strides
        kind = value.requires_grad, isinstance(value, nn.Parameter), value.is_leaf
        return self.number(value, (tags.TENSOR_BESIDE, *form, *kind, grad))


def given(*told: Any) -> Any:
    """Stand in a pickle for what travels beside it: each Unpacker has its own."""
    raise RuntimeError(f"{told} is found by an Unpacker only")


def _slim(module: nn.Module) -> Any:
    """Say how to build a module, without the ten empty dictionaries that each one has."""
    state = {name: value for name, value in vars(module).items() if name not in EMPTY or value}
    return _blank, (type(module),), state


def _blank(kind: type[nn.Module]) -> nn.Module:
    module = kind.__new__(kind)
    vars(module).update({name: make() for name, make in EMPTY.items()})
    return module


class File:
    """Stands for a path: of a file in the submission, or with the bytes of one that the decider has."""

    def __init__(self, kind: type, name: str, content: bytes | None) -> None:
        self.kind, self.name, self.content = kind, name, content

    def __reduce__(self) -> Any:
        return _write_file, (self.kind is not str, self.name, self.content)


def _write_file(as_path: bool, name: str, content: bytes | None) -> Path | str:
    """Put the file where the worker can read it; it runs in the folder of the submission."""
    path = Path.cwd() / name
    if content is not None:
        path = Path(tempfile.mkdtemp()) / name
        path.write_bytes(content)
    return path if as_path else str(path)


class Called:
    """Stands for a callable that stays with the decider."""

    def __init__(self, number: int) -> None:
        self.number = number


class Unpacker(pickle.Unpickler):
    """Read one message in the worker; `table` grows as the decider's `home` does."""

    def __init__(self, header: bytes, body: memoryview, table: list[Any]) -> None:
        self.kind, self.call, self.notes, self.again, message = pickle.loads(header)
        super().__init__(io.BytesIO(message))
        self.table, self.first = table, len(table)
        self.join: Callable[[int, Tensor], Tensor] = lambda _number, value: value.requires_grad_()
        self.stub: Callable[[int], Any] = int
        self.remote: Callable[[Any], Any] = lambda told: told
        self.inputs: list[Tensor] = []
        self.orders: list[Any] = []  # what is to be done first
        self.body, self.at = body, 0

    def unpack(self, joined: bool = False) -> Any:
        """Build the message; joined tensors are joined to the decider's graph, otherwise they are leaves of their own."""
        for number, (kind, *note) in enumerate(self.notes, self.first):
            if kind == tags.TENSOR_BESIDE:
                self.table.append(self._tensor(number, joined, *note))
            elif kind == tags.GENERATOR_BESIDE:
                state = torch.frombuffer(bytearray(self._take(note[0])), dtype=torch.uint8)
                self.table.append(torch.Generator().set_state(state))
            elif kind == tags.WORKERS_OWN:
                self.table.append(self.remote(note[0]))
            else:
                self.table.append(self.stub(number) if kind == tags.CALLABLE_HERE else None)
        self.orders, message, modules = self.load()
        for number, module in modules:
            self.table[number] = module
        return message

    def _take(self, size: int) -> memoryview:
        self.at += size
        return self.body[self.at - size : self.at]

    def _tensor(
        self, number: int, joined: bool, size: int, dtype: str, shape: Any, strides: Any, wanted: bool, parameter: bool,
        leaf: bool, grad: int | None,
    ) -> Tensor:  # fmt: skip
        numbers = bytearray(self._take(size))
        value = (
            torch.frombuffer(numbers, dtype=DTYPES[dtype]).view(shape).data  # no view, so that `detach_` works on it
            if size
            else torch.empty(shape, dtype=DTYPES[dtype])
        )
        if strides is not None:
            value = _strided(value, strides)
        if parameter:
            value = nn.Parameter(value, requires_grad=wanted)
        elif wanted:
            value = self.join(number, value) if joined else value.requires_grad_()
            value = value if leaf or joined else value.clone()
        if wanted:
            self.inputs.append(value)
        if grad is not None:
            value.grad = self.table[grad]
        return value

    def find_class(self, module: str, name: str) -> Any:
        return self._given if (module, name) == (__name__, "given") else super().find_class(module, name)

    def _given(self, *told: Any) -> Any:
        return self.table[told[1]] if told[0] == tags.NUMBERED else self.remote(told)


def _strided(value: Tensor, strides: tuple[int, ...]) -> Tensor:
    """Lay a tensor out in memory as the decider's is: a broadcast axis has stride 0."""
    flat = value[tuple(slice(0, 1) if step == 0 else slice(None) for step in strides)]
    laid = torch.empty_strided(flat.shape, [step or 1 for step in strides], dtype=value.dtype).copy_(flat)
    return laid.expand(value.shape)
