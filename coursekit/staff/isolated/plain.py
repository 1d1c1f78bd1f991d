"""What a worker may say: numbers, text, lists, tensors. The worker writes it, the decider reads it and believes nothing."""

from __future__ import annotations

import json
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from coursekit.staff.isolated import tags
from coursekit.staff.isolated.wire import WorkerGone

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.bool, torch.complex64, torch.complex128,
    )
}  # fmt: skip
NAMES = {dtype: name for name, dtype in DTYPES.items()}
MAX_DEPTH, MAX_NODES, MAX_TEXT, MAX_DIMS = 24, 200_000, 20_000, 12
IDENTIFIER = re.compile(r"[A-Za-z_]\w{0,60}")

# Knows what is special about a value (a network, a callable, something that the decider sent): its description, or None.
Special = Callable[[Any, "Writer"], Any]


class Writer:
    """Describe values; the raw numbers of tensors are gathered on the way."""

    def __init__(self, special: Special) -> None:
        self.special = special
        self.buffers: list[bytes] = []
        self.generators: list[torch.Generator] = []  # of the worker's own
        self.joined: list[Tensor] = []  # tensors that are joined to a graph, in the order in which they appear

    def write(self, value: Any) -> Any:
        """Return a JSON-able description of a value; of what cannot travel only its type's name."""
        kind = type(value)
        if value is None or kind in (bool, float):
            return value
        if kind is int:
            return value if abs(value) < 2**62 else [tags.LARGE_INT, hex(value)]
        if kind is str:
            return value[:MAX_TEXT]
        described = self.special(value, self)
        if described is not None:
            return described
        if issubclass(kind, Tensor):  # not isinstance: an object may claim any class
            return self.tensor(value)
        if kind is torch.Size:
            return [tags.SIZE, list(value)]
        if kind in (list, tuple):
            return [tags.LIST if kind is list else tags.TUPLE, [self.write(item) for item in value]]
        if issubclass(kind, tuple) and hasattr(value, "_fields"):
            return [tags.NAMED_TUPLE, kind.__name__, list(value._fields), [self.write(item) for item in value]]
        if issubclass(kind, dict):
            told = [[self.write(key), self.write(item)] for key, item in value.items()]
            # What state_dict() returns is called an OrderedDict in messages.
            return [tags.ORDERED_DICT if kind is OrderedDict else tags.DICT, told]
        if isinstance(value, torch.dtype) and value in NAMES:
            return [tags.DTYPE, NAMES[value]]
        return [tags.OPAQUE, kind.__name__]

    def tensor(self, value: Tensor) -> Any:
        if value.layout is not torch.strided or value.dtype not in NAMES or value.device.type != "cpu":
            return [tags.OPAQUE, "Tensor"]
        subclass = "" if type(value) is Tensor else type(value).__name__
        joined = -1
        if value.requires_grad:
            joined = len(self.joined)
            self.joined.append(value)
        return [tags.TENSOR, NAMES[value.dtype], list(value.shape), self.numbers(value), joined, subclass]

    def numbers(self, value: Tensor) -> int:
        self.buffers.append(raw(value))
        return len(self.buffers) - 1

    def header(self, message: list[Any]) -> bytes:
        """Return a message (already described) as the header of a frame."""
        return json.dumps([message, [len(buffer) for buffer in self.buffers]]).encode()


def raw(value: Tensor) -> bytes:
    """Return a tensor's numbers, in reading order."""
    plain = value.detach().resolve_conj().resolve_neg()
    if plain.dtype is torch.bfloat16:  # numpy has no such numbers
        plain = plain.view(torch.int16)
    return plain.numpy().tobytes()


class Opaque:
    """Something of the worker's that is no number, text, list or tensor: nothing is known of it but its type's name."""


class Reader:
    """Build values from a description; anything unexpected raises WorkerGone."""

    def __init__(self, header: bytes, body: memoryview, special: Callable[[list[Any], Reader], Any]) -> None:
        self.special = special
        self.nodes = 0
        self.generators: list[torch.Generator] = []
        self.join: Callable[[int, Tensor], Tensor] = lambda _index, value: value  # a tensor with a graph behind it
        self.own: Callable[[int, Tensor], Tensor] = lambda _index, value: value  # one of the decider's own, likewise
        try:
            self.message, sizes = json.loads(header)
            starts = [0]
            for size in sizes:
                if type(size) is not int or size < 0:
                    raise ValueError("a length that is no length")
                starts.append(starts[-1] + size)
            if starts[-1] != len(body):
                raise ValueError("lengths that do not add up")
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            raise broken(str(error)) from None
        self.buffers = [body[a:b] for a, b in pairwise(starts)]

    def read(self, told: Any, depth: int = 0) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise broken("a result with too many parts")
        if told is None or isinstance(told, (bool, int, float)):
            return told
        if isinstance(told, str):
            return text(told)
        if not isinstance(told, list) or not told or not isinstance(told[0], str):
            raise broken("a value of no kind")
        try:
            return self._build(told, depth + 1)
        except (ValueError, TypeError, IndexError, KeyError, RuntimeError, OverflowError) as error:
            raise broken(f"{type(error).__name__}: {error}") from None

    def _build(self, told: list[Any], depth: int) -> Any:
        kind = told[0]
        if kind == tags.TENSOR:
            return self.tensor(*told[1:])
        if kind in (tags.LIST, tags.TUPLE):
            items = [self.read(item, depth) for item in _list(told[1])]
            return items if kind == tags.LIST else tuple(items)
        if kind == tags.NAMED_TUPLE:
            name, fields, items = told[1:]
            if len(set(fields)) != len(fields) or len(fields) > 20:
                raise broken("a named tuple with odd names")
            return named_tuple(identifier(name), [identifier(f) for f in fields], [self.read(i, depth) for i in items])
        if kind in (tags.DICT, tags.ORDERED_DICT):
            made = {self._key(key, depth): self.read(item, depth) for key, item in _list(told[1])}
            return made if kind == tags.DICT else OrderedDict(made)
        if kind == tags.LARGE_INT:
            return int(str(told[1])[:1000], 16)
        if kind == tags.SIZE:
            return torch.Size(shape(told[1]))
        if kind == tags.DTYPE:
            return DTYPES[told[1]]
        if kind == tags.OPAQUE:
            return type(identifier(told[1]), (Opaque,), {})()
        return self.special(told, self)

    def _key(self, told: Any, depth: int) -> Any:
        key = self.read(told, depth)
        if not isinstance(key, (str, int, float, bool, type(None))):
            raise broken("a dictionary with odd keys")
        return key

    def tensor(self, dtype: str, sides: Any, number: int, joined: int, subclass: str) -> Tensor:
        value = self.numbers(dtype, sides, number)
        if subclass:
            value = value.as_subclass(type(identifier(subclass), (Tensor,), {}))
        return self.join(joined, value) if type(joined) is int and joined >= 0 else value

    def numbers(self, dtype: str, sides: Any, number: int) -> Tensor:
        kind, sides = DTYPES[dtype], shape(sides)
        count = math.prod(sides)
        buffer = self.buffers[number] if type(number) is int and number >= 0 else b""
        size = torch.empty(0, dtype=kind).element_size()
        if len(buffer) != count * size:
            raise broken("a tensor whose numbers do not fill its shape")
        if not count:
            return torch.empty(sides, dtype=kind)
        numbers = torch.frombuffer(bytearray(buffer), dtype=torch.uint8)
        return (numbers != 0 if kind is torch.bool else numbers.view(kind)).view(sides)


def named_tuple(name: str, fields: Sequence[str], items: Sequence[Any]) -> Any:
    """Return a tuple whose entries have names too (collections.namedtuple would evaluate text)."""
    if len(fields) != len(items):
        raise broken("a named tuple with names for other things")
    entries = {field: property(itemgetter(i)) for i, field in enumerate(fields)}
    return type(name, (tuple,), {**entries, "_fields": tuple(fields)})(items)


def shape(sides: Any) -> list[int]:
    if len(_list(sides)) > MAX_DIMS or not all(type(side) is int and 0 <= side < 2**31 for side in sides):
        raise broken("a tensor of impossible shape")
    return list(sides)


def identifier(name: Any) -> str:
    """Return a name that is safe to give to a class; another one for what is none."""
    return name if isinstance(name, str) and IDENTIFIER.fullmatch(name) and not name.startswith("_") else "Something"


def text(told: Any) -> str:
    """Return text that can be written to any file."""
    return str(told)[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")


def _list(told: Any) -> list[Any]:
    if not isinstance(told, list):
        raise broken("a list that is none")
    return told


def broken(why: str) -> WorkerGone:
    return WorkerGone(f"the worker's answer cannot be read ({text(why)[:200]})")
