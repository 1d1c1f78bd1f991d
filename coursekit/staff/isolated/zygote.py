"""A process in the sandbox that has imported torch and forks a worker for each submission. No student code runs in it.

It is told to "start" a worker, with a socket for its line, to "end" one, or to "end all" of an owner, which is the pid of a process
that decides on a submission. Every order brings a socket for its answer.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import torch

from coursekit.checks.small_networks import SmallConvNet, warm_up
from coursekit.memory import keep_memory
from coursekit.staff.isolated import rooms
from coursekit.staff.isolated.sandbox import Limits

NEEDED = ("numpy.random", "torch._dynamo", "coursekit.vision", "coursekit.checks.recorder",
          "coursekit.staff.isolated.worker")  # fmt: skip


def main() -> int:
    """Serve the control socket whose number is the first argument; with a second, "bare", workers have no rooms."""
    control = socket.socket(fileno=int(sys.argv[1]))
    keep_memory(pad=2**24)
    for name in NEEDED:
        importlib.import_module(name)
    warm_up()
    torch.optim.Adam(SmallConvNet().parameters())  # the first optimizer of a process is slow to make, too
    gc.collect()
    gc.freeze()
    Zygote(control, bare=sys.argv[2:] == ["bare"]).serve()
    return 0


class _Running(NamedTuple):
    """A worker that was started and not ended."""

    owner: int
    keeper: int
    report: int  # the pipe on which its keeper reports
    pid: int


class Zygote:
    """Start workers and end them."""

    def __init__(self, control: socket.socket, bare: bool) -> None:
        self.control, self.bare = control, bare
        self.running: dict[int, _Running] = {}  # by number
        self.reason = ""  # why a worker could not begin
        self.started = 0

    def serve(self) -> None:
        while True:
            message, handles, _, _ = socket.recv_fds(self.control, 4096, 2)
            if not message:
                break
            order, (reply, *line) = json.loads(message), handles
            if order["what"] == "start":
                self._end_all(order["owner"])
                answer = self._start(order["owner"], *line)
            elif order["what"] == "end":
                answer = self._end(order["worker"], order["patience"])
            else:
                answer = self._end_all(order["owner"])
            with contextlib.suppress(OSError), socket.socket(fileno=reply) as stream:  # who asked may have been killed
                stream.send(json.dumps(answer).encode())
        for worker in list(self.running):
            self._end(worker)

    def _end_all(self, owner: int) -> dict[str, Any]:
        for worker in [number for number, running in self.running.items() if running.owner == owner]:
            self._end(worker)
        return {}

    def _start(self, owner: int, line: int) -> dict[str, Any]:
        def run() -> None:
            _close_all_but(line)
            from coursekit.staff.isolated.wire import Channel
            from coursekit.staff.isolated.worker import Worker

            Worker(Channel(socket.socket(fileno=line), caps=False)).serve()  # it need not fear the decider

        start = _start_bare if self.bare else rooms.start
        self.started += 1
        try:
            keeper, report = start(Limits(), run, self.started)
        except OSError as error:  # no process, no user
            return {"error": str(error)}
        finally:
            os.close(line)
        pid = self._read_number(report)
        if not pid:
            os.close(report)
            os.waitpid(keeper, 0)
            return {"error": self.reason or "the room could not be made"}
        self.running[self.started] = _Running(owner, keeper, report, int(pid))
        return {"worker": self.started}

    def _end(self, worker: int, patience: float = 0.05) -> dict[str, Any]:
        """Kill a worker and everything it has started; tell how it had ended, if it had or does while we wait."""
        if worker not in self.running:
            return {"exit": None, "reason": ""}
        _, keeper, report, pid = self.running.pop(worker)
        ended = bool(select.select([report], [], [], patience)[0])
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if self.bare else os.kill)(pid, signal.SIGKILL)
        code = self._read_number(report) or str(-signal.SIGKILL)  # no number: its keeper was killed
        os.close(report)
        os.waitpid(keeper, 0)
        return {"exit": int(code) if ended else None, "reason": self.reason}

    def _read_number(self, report: int) -> str:
        """Read the next number of a report; what a worker says on the way is kept until the next one is read."""
        self.reason = ""
        while (word := _read_word(report)).startswith("!"):
            self.reason = word[1:].replace(rooms.UNSPACED, " ")
        return word


def _read_word(pipe: int) -> str:
    word = b""
    while (more := os.read(pipe, 1)) and more != b" ":
        word += more
    return word.decode()


def _close_all_but(line: int) -> None:
    """Keep nothing open but the line: not the control socket, not our standard input and output."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.closerange(3, line)
    os.closerange(line + 1, 4096)


def _start_bare(limits: Limits, run: Any, serial: int) -> tuple[int, int]:
    """Fork a worker with limits only: a session of its own and a folder of its own, no namespaces."""
    report, tell = os.pipe()
    keeper = os.fork()
    if keeper:
        os.close(tell)
        return keeper, report
    folder = tempfile.mkdtemp(prefix="a2-worker-")
    worker = os.fork()
    if worker:
        os.write(tell, f"{worker} ".encode())
        _, status = os.waitpid(worker, 0)
        os.write(tell, str(os.waitstatus_to_exitcode(status)).encode())
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    def prepare() -> None:
        os.setsid()
        os.chdir(folder)
        if os.geteuid() == 0:
            user = rooms.spare_user(0)
            os.chown(folder, user, user)
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        limits.impose(_threads_of(os.getuid()))

    return rooms.begin(prepare, run, tell)


def _threads_of(user: int) -> int:
    """Return how many threads a user has, which all count against one limit; student code without a user of its own is one of them."""
    count = 0
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            count += len(os.listdir(path / "task")) if path.stat().st_uid == user else 0
    return count


if __name__ == "__main__":
    raise SystemExit(main())
