"""The untrusted end of the line: it holds the student's modules, does what the decider asks, and calls back.

Nothing here is safe from student code, and nothing need be: whatever this process says is read by plain.Reader.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack
from torch.utils.hooks import RemovableHandle

from coursekit.checks import unchanged
from coursekit.checks.shared_state import shared_state
from coursekit.checks.small_networks import seed_global_generators
from coursekit.staff.isolated import tags
from coursekit.staff.isolated.bridge import Bridge, gradients
from coursekit.staff.isolated.plain import Writer
from coursekit.staff.isolated.raised import build_error, describe_error
from coursekit.staff.isolated.rich import Unpacker
from coursekit.staff.isolated.shell import own_tensors
from coursekit.staff.isolated.table import Stub, Table
from coursekit.staff.isolated.wire import TIME_IS_UP, Channel, WorkerGone
from coursekit.vision import relu_rule


class Worker:
    """Serve one submission until the decider hangs up."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.table = Table()
        self.kept: dict[tuple[Any, ...], Any] = {}  # ours, of which the decider holds a handle
        self.answered: dict[int, tuple[list[Tensor], list[Tensor]]] = {}
        self.calls = 0
        self.put_back: Callable[[], None] = lambda: None

    def serve(self) -> None:
        RemovableHandle.next_id = 10**9  # the hooks of networks that come have low numbers
        # Not the signal's default: in a room of its own a worker is its init, which such a signal does not end.
        signal.signal(signal.SIGPROF, lambda *_: os._exit(TIME_IS_UP))
        with contextlib.suppress(WorkerGone):
            while True:
                self._answer(self._receive())

    # listening

    def _receive(self) -> Unpacker:
        header, body = self.channel.receive()
        unpacker = Unpacker(header, body, self.table.things)
        unpacker.stub = lambda number: Stub(self, number)
        unpacker.remote = self._thing
        return unpacker

    def _unpack(self, unpacker: Unpacker, joined: bool = False) -> Any:
        with torch._C.DisableTorchFunction(), torch.enable_grad():
            message = unpacker.unpack(joined)
        self.table.take(unpacker)
        return message

    def _answer(self, unpacker: Unpacker) -> None:
        """Do what one request says and send the result, or what was raised."""
        content = self._unpack(unpacker)
        top = not self.table.frames and unpacker.kind in ("call", "run", "gradient")
        before = unchanged.global_facts() if top else {}
        self.table.frames.append(self.table.frame(unpacker))
        try:
            self._obey(unpacker)
            result = getattr(self, f"do_{unpacker.kind}")(unpacker, *content)
            told: list[Any] = [tags.RETURN, result]
        except BaseException as error:  # noqa: BLE001 (also SystemExit: it ends a check, not the worker)
            told = [tags.RAISE, error]
        after = unchanged.global_facts() if top else {}
        laws = [sentence for sentence in after if not unchanged.same(before.get(sentence), after[sentence])]
        try:
            self._tell(told, unpacker.inputs, laws)
        except (MemoryError, RuntimeError, RecursionError) as error:  # it cannot even be told
            self._tell([tags.RAISE, error], [], laws)
        self.table.frames.pop()

    def _obey(self, unpacker: Unpacker) -> None:
        """Do what came with a message and is to be done first."""
        for kind, *content in unpacker.orders:
            getattr(self, f"do_{kind}")(unpacker, *content)

    # speaking

    def _tell(self, told: list[Any], inputs: list[Tensor], laws: list[Any]) -> None:
        with torch._C.DisableTorchFunction(), torch.no_grad():
            writer = Writer(self.table.describe)
            broken, moves = self.table.frames[-1].close(writer, self.table.left)
            if told[0] == tags.RETURN:
                self.calls += 1
                content = [self.calls, writer.write(told[1])]
                if writer.joined:
                    self.answered[self.calls] = (writer.joined, inputs)
            else:
                content = describe_error(told[1])
            self._send(writer, told[0], content, [*laws, *broken], moves)

    def _send(
        self, writer: Writer, kind: str, content: list[Any], laws: Sequence[Any] = (), moves: Sequence[Any] = ()
    ) -> None:
        moved = [move for frame in self.table.frames for move in frame.moves(writer)]
        self.channel.send(writer.header([kind, [*moved, *moves], laws, *content]), writer.buffers)

    def call_back(self, number: int, args: Any, kwargs: Any) -> Any:
        """Run one of the decider's callables."""
        grad = torch.is_grad_enabled()
        rules = [mode.rule for mode in _get_current_function_mode_stack() if isinstance(mode, relu_rule)]
        with torch._C.DisableTorchFunction(), torch.no_grad():
            writer = Writer(self.table.describe)
            content = [number, writer.write(tuple(args)), writer.write(kwargs), grad, writer.write(rules)]
            self._send(writer, tags.CALL, content)
        return self._listen(writer.joined, writer.generators)

    def _listen(self, inputs: list[Tensor], generators: Sequence[torch.Generator] = ()) -> Any:
        """Answer what is asked until the answer to our own question comes."""
        while True:
            unpacker = self._receive()
            if unpacker.kind not in (tags.RETURN, tags.RAISE):
                self._answer(unpacker)
                continue
            unpacker.join = functools.partial(self._bridge, unpacker.call, inputs)
            message = self._unpack(unpacker, joined=bool(inputs))
            self.table.add(unpacker)
            self._obey(unpacker)
            if unpacker.kind == tags.RAISE:
                raise build_error(*message)
            for number, state in message[2]:  # our own are counted from -1 downwards
                moved = self.table.things[number] if number >= 0 else generators[-1 - number]
                moved.set_state(torch.tensor(list(state), dtype=torch.uint8))
            return message[1]

    def _bridge(self, call: int, inputs: list[Tensor], number: int, value: Tensor) -> Tensor:
        joined: Tensor = Bridge.apply(lambda upstream: self._ask(call, number, upstream), value, *inputs)
        return joined

    def _ask(self, call: int, number: int, upstream: Tensor) -> Any:
        with torch._C.DisableTorchFunction(), torch.no_grad():
            writer = Writer(self.table.describe)
            self._send(writer, tags.GRADIENT, [call, number, writer.write(upstream.detach())])
        return self._listen([])

    # what can be asked

    def do_forget(self, unpacker: Unpacker, number: int, seconds: float) -> int:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        self.table.forget()
        self.answered.clear()
        unpacker.first = 0
        torch.set_num_threads(1)  # as coursekit.grading.plugin does before each check
        self.put_back()  # what a check left behind ends with it, as in process
        self.put_back = shared_state()
        seed_global_generators()
        return number

    def do_unpack(self, unpacker: Unpacker, files: dict[str, bytes]) -> None:
        """Write the submission down."""
        folder = Path.cwd() / "submission"
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        os.chdir(folder)
        sys.path.insert(0, str(folder))

    def do_load(self, unpacker: Unpacker, name: str, seconds: float) -> str:
        """Import one of the student's modules; return why it cannot be imported, or nothing."""
        signal.setitimer(signal.ITIMER_PROF, seconds)
        file = f"assignment2/{name}.py"
        if not Path(file).exists():
            return f"{file} is missing"
        try:
            module = importlib.import_module(f"assignment2.{name}")
        except SyntaxError as error:
            return f"{file}, line {error.lineno}: {error.msg}"
        except BaseException as error:  # noqa: BLE001 (SystemExit too)
            return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        self.kept.update({(name, key): value for key, value in vars(module).items()})
        return ""

    def do_look(self, unpacker: Unpacker, module: str, name: str) -> Any:
        """Return ("function", None), also for a class, ("value", it), or ("missing", None)."""
        if (module, name) not in self.kept:
            return "missing", None
        value = self.kept[module, name]
        return ("function", None) if callable(value) else ("value", value)

    def do_put(self, unpacker: Unpacker, module: str, name: str, value: Any) -> None:
        setattr(sys.modules[f"assignment2.{module}"], name, value)

    def do_restore(self, unpacker: Unpacker, module: str, name: str) -> None:
        setattr(sys.modules[f"assignment2.{module}"], name, self.kept[module, name])

    def do_call(self, unpacker: Unpacker, function: Any, args: Any, kwargs: Any, grad: bool) -> Any:
        with torch.set_grad_enabled(grad):
            return function(*args, **kwargs)

    def do_gradient(self, unpacker: Unpacker, call: int, index: int, upstream: Tensor) -> Any:
        outputs, inputs = self.answered[call]
        return gradients(outputs[index], inputs, upstream)

    def _thing(self, told: Any) -> Any:
        """Return something of ours that the decider speaks of."""
        kind, *name = told
        if kind == tags.INNER_MODULE:
            return self.table.handles[name[0]].get_submodule(name[1])
        return self.table.handles[name[0]] if kind == tags.HANDLE else self.kept[tuple(name)]

    def do_run(
        self, unpacker: Unpacker, root: nn.Module, state: list[Tensor], modes: list[bool], path: str, name: str, args: Any,
        kwargs: Any, grad: bool,
    ) -> Any:  # fmt: skip
        """Run a network of ours, or one of its methods, with the weights and modes that the decider's shell has now."""
        own = own_tensors(root)
        for mine, sent in zip(own, state, strict=True):
            self._adopt(unpacker, mine, sent)
        for module, training in zip(root.modules(), modes, strict=True):
            module.training = training
        self.table.frames[-1] = self.table.frame(unpacker)
        if name == "__deepcopy__":
            return copy.deepcopy(root)
        with torch.set_grad_enabled(grad):
            return getattr(root.get_submodule(path), name)(*args, **kwargs)

    def do_ask(self, unpacker: Unpacker, root: nn.Module, path: str, name: str) -> Any:
        value = getattr(root.get_submodule(path), name)
        return ("method", None) if callable(value) else ("value", value)

    def _adopt(self, unpacker: Unpacker, mine: Tensor, sent: Tensor) -> None:
        """Give a tensor of ours the value that came, and let it stand where that stood."""
        self.table.replace(sent, mine)
        with torch.no_grad():
            mine.data = sent.detach()
            mine.requires_grad_(sent.requires_grad)
            mine.grad = sent.grad
        unpacker.inputs = [mine if given is sent else given for given in unpacker.inputs]
