"""The decider's hold on its zygote: start a worker for a submission, end it, start the next one after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coursekit.errors import UsageError
from coursekit.parts import ROOT
from coursekit.staff.isolated import sandbox
from coursekit.staff.isolated.peer import Line
from coursekit.staff.isolated.wire import Channel, WorkerGone

START_SECONDS, ORDER_SECONDS, LOAD_SECONDS = 180, 20, 10
SILENT = "the sandbox does not start or does not answer: run `a2 doctor`"
ENDED = "importing the module did not come to an end"


class ZygoteClient:
    """Our end of a running zygote (zygote.Zygote), which starts the workers."""

    def __init__(self, level: str) -> None:
        self.level = level
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = ["-m", "coursekit.staff.isolated.zygote", str(theirs.fileno())]
        if level == "bubblewrap":
            command, environment = sandbox.bubblewrap(arguments), None
        else:
            command = [sys.executable, *arguments, "bare"]
            environment = sandbox.environment() | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        self.control.settimeout(START_SECONDS)
        self.orders = 0

    def start(self) -> tuple[str, socket.socket]:
        """Start a worker; return its name and its line. Whatever ran before is ended."""
        mine, theirs = socket.socketpair()
        name = self._order("start", theirs.fileno())
        theirs.close()
        answer = self._answer(name)
        if "error" in answer:
            raise UsageError(f"no worker could be started: {answer['error']}")
        return name, mine

    def end(self, worker: str = "") -> int | None:
        """End a worker and everything that it started, or all; return its exit code if it had ended by itself."""
        code = self._answer(self._order("end", worker=worker)).get("exit")
        return None if code is None else int(code)

    def _order(self, what: str, *handles: int, worker: str = "") -> str:
        # The process that asked before us may have been killed before it read its answer: ours has a name of its own.
        self.orders += 1
        name = f"{os.getpid()}-{time.monotonic_ns()}-{self.orders}"
        try:
            socket.send_fds(
                self.control, [json.dumps({"name": name, "what": what, "worker": worker}).encode()], handles
            )
        except OSError:
            raise UsageError(SILENT) from None
        return name

    def _answer(self, name: str) -> dict[str, Any]:
        while True:
            try:
                answer = self.control.recv(4096)
            except OSError:
                answer = b""
            if not answer:
                raise UsageError(SILENT)
            self.control.settimeout(ORDER_SECONDS)
            told: dict[str, Any] = json.loads(answer)
            if told["name"] == name:
                return told

    def close(self) -> None:
        self.control.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Session:
    """One submission: its files, its worker, and another worker whenever one is lost."""

    def __init__(self, zygote: ZygoteClient, folder: Path, files: Mapping[str, bytes], modules: Sequence[str]) -> None:
        self.zygote, self.folder, self.files, self.modules = zygote, folder, dict(files), list(modules)
        self.worker = ""
        self._line: Line | None = None
        self.problems: dict[str, str] = {}  # module -> why it cannot be imported

    def line(self) -> Line:
        """Return the line to the worker of this check, dead or alive."""
        if self._line is None:
            self.fresh()
        assert self._line is not None
        return self._line

    def fresh(self) -> None:
        """Have a worker that answers, with the submission imported; called between checks."""
        if self._line is not None and self._line.gone is None:
            return
        while not self._load():
            continue

    def _load(self) -> bool:
        """Start a worker and import the submission; False if a module ended it, which is then left out."""
        self.close()
        self.worker, stream = self.zygote.start()
        line = self._line = Line(Channel(stream), self.folder)
        self._limit(line)
        line.request("unpack", self.files)
        for name in self.modules:
            if self.problems.get(name, "").startswith(ENDED):
                continue
            try:
                self._limit(line)
                problem = str(line.request("load", name))
            except WorkerGone:
                self.problems[name] = f"{ENDED} ({name}): {self.why_gone()}"
                return False
            except Exception as error:  # noqa: BLE001 (an exception without words, a module that is none)
                problem = f"{type(error).__name__}: {error}"
            if problem:
                self.problems[name] = problem
        return True

    @staticmethod
    def _limit(line: Line) -> None:
        line.channel.deadline = time.monotonic() + LOAD_SECONDS

    def why_gone(self) -> WorkerGone:
        """Say how the worker ended."""
        assert self._line is not None
        assert self._line.gone is not None
        code = self.zygote.end(self.worker)
        if (
            code is not None
            and self._line.gone.outcome == "crashed"
            and str(self._line.gone).startswith("the worker ended")
        ):
            return WorkerGone(f"Python itself ended during this check (exit code {code})")
        return self._line.gone

    def close(self) -> None:
        if self._line is not None:
            self._line.channel.close()
            with contextlib.suppress(OSError):
                self.zygote.end(self.worker)
            self._line = None
