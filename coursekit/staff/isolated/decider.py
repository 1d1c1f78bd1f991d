"""The decider's hold on its zygote: start a worker for a submission, end it, start the next one after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coursekit.errors import GraderFailed
from coursekit.grading.results import NOT_GRADED
from coursekit.grading.time_limit import stopped_after
from coursekit.parts import ROOT
from coursekit.staff.isolated import sandbox
from coursekit.staff.isolated.peer import Line
from coursekit.staff.isolated.wire import TIME_IS_UP, Channel, WorkerGone

START_SECONDS, ORDER_SECONDS = 180, 20
LOAD_SECONDS = 10  # of processor time, for one module
PATIENCE = 2  # seconds for a worker whose line is closed to have ended; one that only closed its line goes on
SILENT = "the sandbox does not start or does not answer: run `a2 doctor`"
ENDED = "importing the module did not come to an end"
# What the kernel sends when memory runs out, and others from outside; a submission can send it to itself as well.
FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGBUS)


class ZygoteClient:
    """Our end of a running zygote (zygote.Zygote), which starts the workers. The forks of this process share it."""

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
        self.answered = False

    def start(self) -> tuple[int, socket.socket]:
        """Start a worker; return its number and its line. What this process ran before is ended."""
        mine, theirs = socket.socketpair()
        with theirs:
            answer = self._ask("start", theirs.fileno(), owner=os.getpid())
        if "error" in answer:
            raise GraderFailed(f"no worker could be started: {answer['error']}")
        return answer["worker"], mine

    def end(self, worker: int, patience: float = 0.05) -> tuple[int | None, str]:
        """End a worker and everything that it started; return its exit code if it has ended, and why it could not begin."""
        answer = self._ask("end", worker=worker, patience=patience)
        return answer["exit"], answer["reason"]

    def end_all(self, owner: int) -> None:
        """End the workers of a process that has ended itself."""
        self._ask("end all", owner=owner)

    def _ask(self, what: str, *handles: int, **told: Any) -> dict[str, Any]:
        """Send an order with a socket of its own for the answer: other processes send theirs at the same time."""
        mine, theirs = socket.socketpair()
        with mine:
            mine.settimeout(ORDER_SECONDS if self.answered else START_SECONDS)
            try:
                with theirs:
                    order = json.dumps({"what": what, **told}).encode()
                    socket.send_fds(self.control, [order], [theirs.fileno(), *handles])
                answer = mine.recv(4096)
            except OSError:
                answer = b""
        if not answer:
            raise GraderFailed(SILENT)
        self.answered = True
        read: dict[str, Any] = json.loads(answer)
        return read

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
        self.worker = 0
        self._line: Line | None = None
        self.problems: dict[str, str] = {}  # module -> why it cannot be imported
        self.loaded: set[str] = set()  # modules that a worker has imported
        self.doubtful: set[str] = set()  # of these: perhaps for no fault of theirs

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
        """Start a worker and import the submission; False if a module ended it, which is then left out.

        A module that an earlier worker has imported is never left out: the checks hold its functions already, and would find them
        missing. There the check has no verdict, or its own, and the next one tries again.
        """
        self.close()
        self.worker, stream = self.zygote.start()
        line = self._line = Line(Channel(stream), self.folder)
        line.limit(LOAD_SECONDS)
        try:
            line.request("unpack", self.files)
        except WorkerGone as gone:  # nothing of the submission has run yet
            reason = self.zygote.end(self.worker, PATIENCE)[1]
            raise GraderFailed(f"no worker got ready for the submission: {reason or gone}") from None
        except Exception as error:  # noqa: BLE001 (no room for its files)
            self.close()
            raise GraderFailed(f"no worker got ready for the submission: {type(error).__name__}: {error}") from None
        for name in self.modules:
            if self.problems.get(name, "").startswith(ENDED):
                continue
            try:
                line.limit(LOAD_SECONDS)
                problem = str(line.request("load", name, line.seconds))
            except WorkerGone:
                why = self.why_gone()
                if name in self.loaded:
                    line.gone = why
                    raise why from None
                self.problems[name] = f"{ENDED} ({name}): {why}"
                if why.outcome == NOT_GRADED:
                    self.doubtful.add(name)
                return False
            except Exception as error:  # noqa: BLE001 (an exception without words, a module that is none)
                problem = f"{type(error).__name__}: {error}"
            if problem and name in self.loaded:
                line.gone = WorkerGone(f"{problem} (at another import of {name}, which had succeeded)", NOT_GRADED)
                raise line.gone
            if problem:
                self.problems[name] = problem
        self.loaded.update(name for name in self.modules if name not in self.problems)
        return True

    def why_gone(self) -> WorkerGone:
        """Say how the worker ended; where it was killed, the check has no verdict yet."""
        assert self._line is not None
        assert self._line.gone is not None
        closed = self._line.gone.outcome == "crashed" and str(self._line.gone).startswith("the worker ended")
        code, _ = self.zygote.end(self.worker, PATIENCE if closed else 0)
        if code == TIME_IS_UP and closed:
            return WorkerGone(stopped_after(self._line.seconds), "timeout")
        if code is not None and closed:
            told = f"Python itself ended during this check (exit code {code})"
            return WorkerGone(told, NOT_GRADED if code in FROM_OUTSIDE else "crashed")
        return self._line.gone

    def close(self) -> None:
        if self._line is not None:
            self._line.channel.close()
            with contextlib.suppress(OSError):
                self.zygote.end(self.worker)
            self._line = None
