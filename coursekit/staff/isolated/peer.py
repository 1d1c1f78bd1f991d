"""The decider's end of the line to a worker: requests, callbacks in between, and gradients across it.

Both ends follow one rule: whoever has asked listens until the answer comes, and answers what it is asked meanwhile. So
requests nest like function calls, and there is nothing to match.
"""

from __future__ import annotations

import math
import secrets
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.grading.time_limit import by_the_clock
from coursekit.staff.isolated import tags
from coursekit.staff.isolated.bridge import Bridge, gradients, relu_rules
from coursekit.staff.isolated.plain import MAX_DIMS, Reader, broken, raw, text
from coursekit.staff.isolated.raised import LONGEST_MESSAGE, student_error
from coursekit.staff.isolated.repeat import Repeat
from coursekit.staff.isolated.rich import Packer
from coursekit.staff.isolated.wire import MAX_BODY, Channel, WorkerGone

MAX_CALLBACKS = 200_000  # of one check


class Line:
    """Ask a worker; everything that comes back is read by plain.Reader."""

    def __init__(self, channel: Channel, submission: Path) -> None:
        self.channel, self.submission = channel, submission
        self.home: list[Any] = []  # what was sent in this check; the worker speaks of it by number
        self.last: dict[int, int] = {}  # identity -> the number under which it was sent last
        self.answered: dict[int, list[Tensor]] = {}  # a callback's number -> its arguments that ask for gradients
        self.errors: list[BaseException] = []  # ours, on their way through the worker
        self.orders: list[Any] = []  # what goes with the next message
        self.callbacks = 0
        self.repeat = Repeat()
        self.gone: WorkerGone | None = None
        self.seconds = 0.0  # of processor time, for what is asked; 0 is no limit

    def limit(self, seconds: float) -> None:
        """Give the worker so many seconds of processor time for what is asked next, and by the clock what a check has."""
        self.seconds = seconds
        self.channel.deadline = time.monotonic() + by_the_clock(seconds) + 1  # pytest-timeout comes first

    def forget(self) -> None:
        """Begin a check; raise WorkerGone for a worker that does not answer with the number that it is told: it has spoken unasked."""
        self.repeat.forget()
        number, answer = secrets.randbits(60), None
        try:
            answer = self.request("forget", number, self.seconds)
        except Exception as error:
            if not hasattr(error, "student_place"):  # nothing that it has raised for an earlier check
                raise
        if type(answer) is not int or answer != number:
            self.gone = WorkerGone("the worker spoke between two checks")
            raise self.gone
        self.home.clear()
        self.last.clear()
        self.answered.clear()
        self.errors.clear()
        self.callbacks = self.channel.received = 0

    def request(self, kind: str, *content: Any) -> Any:
        """Ask the worker for something; raise what it raised, WorkerGone if it cannot answer."""
        if self.gone is not None:
            raise self.gone
        try:
            inputs = self._send(kind, *content)
            told = None
            while told is None:
                reader = Reader(*self.channel.receive(), self._special)
                told = self._hear(reader, inputs)
        except BaseException as error:  # a time limit too: whatever it was, the two ends no longer agree
            self.gone = error if isinstance(error, WorkerGone) else WorkerGone("the check was interrupted")
            raise
        if told[0] == tags.RAISE:
            raise told[1]
        return told[1]

    def before_next(self, *order: Any) -> None:
        """Have the worker do something before it does what it is asked next: a message of its own would take longer."""
        self.orders.append(order)

    def listen_for_nothing(self) -> None:
        """Give up a worker that has ended, or says something between two questions."""
        if self.gone is None and self.channel.unasked():
            self.gone = WorkerGone("the worker ended, or spoke without being asked")

    def _send(self, kind: str, *content: Any) -> list[Tensor]:
        packer = Packer(self.home, self.last, remote_of, self.submission)
        orders, self.orders = self.orders, []
        header = packer.pack(kind, orders, *content)
        for thing in self.home[packer.first :]:
            self.repeat.send(thing)
        self.channel.send(header, packer.buffers)
        return [self.home[number] for number in packer.inputs]

    def _hear(self, reader: Reader, inputs: list[Tensor]) -> tuple[str, Any] | None:
        """Take one message: an answer ends the request, a callback is answered."""
        try:
            kind, moves, laws, *rest = reader.message
            if kind not in (tags.RETURN, tags.RAISE, tags.CALL, tags.GRADIENT):
                raise ValueError
        except (TypeError, ValueError):
            raise broken("a message of no kind") from None
        self.repeat.hear(laws, moves, self.home, reader)
        if kind == tags.RETURN:
            number, told = _exactly(2, rest)
            reader.join = lambda index, value: self._joined(number, index, value, inputs)
            return kind, reader.read(told)
        if kind == tags.RAISE:
            return kind, self._raised(*_exactly(4, rest))
        self.callbacks += 1
        if self.callbacks > MAX_CALLBACKS:
            raise WorkerGone(f"more than {MAX_CALLBACKS} calls of what the check had given")
        answer = self._called if kind == tags.CALL else self._gradient
        try:
            result = answer(reader, *_exactly(5 if kind == tags.CALL else 3, rest))
        except WorkerGone:
            raise
        except Exception as error:  # noqa: BLE001 (it travels through the student's code, back to the check)
            self.errors.append(error)
            kinds = [base.__name__ for base in type(error).__mro__]
            self._send(tags.RAISE, kinds, str(error)[:LONGEST_MESSAGE], len(self.errors) - 1)
        else:
            self._send(tags.RETURN, *result)
        return None

    def _called(self, reader: Reader, number: Any, told: Any, named: Any, grad: Any, rules: Any) -> Any:
        """Run one of our own callables for the worker, with the ReLU rules that are in force there."""
        function = self.home_object(number)
        if isinstance(function, nn.Module) or not callable(function):
            raise broken("a call of something that is no function")
        inputs: dict[int, Tensor] = {}

        def leaf(index: int, value: Tensor) -> Tensor:
            return inputs.setdefault(index, value.detach().requires_grad_())

        reader.join = reader.own = leaf
        args, kwargs, rules = reader.read(told), reader.read(named), reader.read(rules)
        if not isinstance(args, tuple) or not isinstance(kwargs, dict) or not isinstance(rules, list):
            raise broken("a call without arguments")
        with torch.set_grad_enabled(bool(grad)), relu_rules(rules):
            result = function(*args, **kwargs)
        self.answered[self.callbacks] = [value for _, value in sorted(inputs.items())]
        moved = {id(v) for v in (*args, *kwargs.values()) if isinstance(v, torch.Generator)}
        numbered = enumerate(self.home if moved else ())
        ours = [(number, thing) for number, thing in numbered if id(thing) in moved]
        theirs = [(-1 - place, thing) for place, thing in enumerate(reader.generators)]
        states = [(number, bytes(raw(thing.get_state()))) for number, thing in (*ours, *theirs)]
        return self.callbacks, result, states

    def _gradient(self, reader: Reader, call: Any, number: Any, told: Any) -> Any:
        inputs = self.answered.get(call) if type(call) is int else None
        if inputs is None:
            raise broken("a gradient of nothing")
        return 0, gradients(self.home_object(number), inputs, reader.read(told)), []

    def _joined(self, call: Any, index: int, value: Tensor, inputs: list[Tensor]) -> Tensor:
        """Return a tensor whose gradient the worker will be asked for."""
        if not value.is_floating_point():
            return value
        if not inputs:
            return value.requires_grad_()

        def ask(upstream: Tensor) -> list[Tensor | None]:
            found = self.request(tags.GRADIENT, call, index, upstream)
            if not isinstance(found, list) or len(found) != len(inputs):
                raise broken("gradients of another number of tensors")
            pairs = zip(found, inputs, strict=True)
            return [f if isinstance(f, Tensor) and f.shape == i.shape else None for f, i in pairs]

        with torch.enable_grad():
            return Bridge.apply(ask, value, *inputs)

    def _raised(self, names: Any, message: Any, place: Any, number: Any) -> BaseException:
        """Return what the student's code raised; one of ours that came through it is itself again."""
        if type(number) is int and 0 <= number < len(self.errors):
            return self.errors[number]
        return student_error(names, message, place)

    def home_object(self, number: Any) -> Any:
        if type(number) is not int or not 0 <= number < len(self.home):
            raise broken("a number that stands for nothing")
        return self.home[number]

    def _special(self, told: list[Any], reader: Reader) -> Any:
        """Build what is no plain value: something of ours, a view of it, a function or a network of the worker's."""
        from coursekit.staff.isolated.proxy import RemoteFunction
        from coursekit.staff.isolated.shell import build_shell

        kind, *rest = told
        if kind == tags.GIVEN:
            value = self.home_object(rest[0])
            if isinstance(value, Tensor) and value.is_floating_point() and type(rest[1]) is int and rest[1] >= 0:
                return reader.own(rest[1], value)
            return value
        if kind == tags.VIEW:
            return self._view(reader, *rest)
        if kind == tags.GENERATOR:
            reader.generators.append(torch.Generator().set_state(reader.read(rest[0])))
            return reader.generators[-1]
        if kind == tags.FUNCTION:
            return RemoteFunction(lambda: self, (tags.HANDLE, int(rest[0])), text(rest[1]))
        if kind == tags.NETWORK:
            return build_shell(self, reader, *rest)
        raise broken("a value of no kind")

    def _view(self, reader: Reader, number: Any, sides: Any, strides: Any, offset: Any, joined: Any) -> Tensor:
        """Return a view of a tensor of ours: the result shares memory with an argument, and the check shall see it."""
        base = self.home_object(number)
        if any(type(n) is not int or not 0 <= n < 2**40 for n in (*sides, *strides)) or type(offset) is not int:
            raise broken("a view of impossible shape")
        # Stretched by strides of 0, a view costs the worker nothing, and us whatever is made of it.
        if len(sides) > MAX_DIMS or math.prod(sides) * base.element_size() > MAX_BODY:
            raise broken("a view of more numbers than any function returns")
        size = base.untyped_storage().nbytes() // base.element_size()
        first = base.storage_offset() + offset  # offset counts from the tensor's own beginning
        last = first + sum((side - 1) * step for side, step in zip(sides, strides, strict=True))
        if first < 0 or last >= size or 0 in sides:
            raise broken("a view beyond its tensor")
        if type(joined) is int and joined >= 0 and base.is_floating_point():
            return reader.own(joined, base.as_strided(sides, strides, first))
        return base.detach().as_strided(sides, strides, first)


def remote_of(value: Any) -> Any:
    """Return how to speak of something that lives in the worker, or None."""
    name = getattr(type(value), "remote_name", None)
    return None if name is None else name(value)


def _exactly(count: int, rest: list[Any]) -> list[Any]:
    if len(rest) != count:
        raise broken("a message of the wrong length")
    return rest
