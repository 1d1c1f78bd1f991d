"""A process that has imported torch once and forks for each run: `a2 watch` gets its verdict in a fraction of a second.

The warm process never imports the student's code, so every fork starts clean. Its standard input is a socket, on which it is told
{"arguments": [...], "log": ...} with a socket for this run: there it answers with the exit code, and where the other end is
closed before, it kills the run. When its standard input closes, it kills what runs and ends: nothing is left behind when
`a2 watch` dies. Several runs may go at a time.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import mmap
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from coursekit.errors import UsageError
from coursekit.grading.launch import Child, environment
from coursekit.memory import prepare_for_forks
from coursekit.parts import PARTS, ROOT

# Apple's libraries may not be used on the far side of a fork, and Windows has none.
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"
POLL_SECONDS = 0.005
LONGEST = 2**17  # bytes of what a run is told
CHECKS = ("laws", "small_networks", "network_laws", "randomness", "scalars", "steps")
NEEDED = (
    *("numpy.random", "torch", "pytest", "pytest_timeout"),
    *("coursekit.vision", "coursekit.vision.arguments", "coursekit.vision.checked_network", "coursekit.grading.plugin"),
    *(f"coursekit.checks.{name}" for name in CHECKS),
)
COMPILER = "torch._dynamo"
# What torch loads when it is first needed: for some gradients and max_unpool2d, 0.4 s; for an optimizer, 1 to 2 s.
LATE = ("torch.fx.experimental.symbolic_shapes", COMPILER)
USED = mmap.mmap(-1, len(LATE))  # shared with the forks: one of them had to load it


class Warm:
    """The client's end of the warm process; started when it is needed, and again if it ends. Threads may share it."""

    def __init__(
        self, root: Path, arguments: Sequence[str] = ("-m", "coursekit.grading.warm"), *, patience: float = 5
    ) -> None:
        self.root, self.arguments = root, arguments
        self.patience = patience  # seconds for a run to be killed; after them the warm process is
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._starting = threading.Lock()

    def start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """Return the warm process, which may still be importing, and the socket on which it is told of runs."""
        with self._starting:
            if self._running is None or self._running[0].poll() is not None:
                self.close()
                control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                server = subprocess.Popen(
                    [sys.executable, *self.arguments], cwd=self.root, env=environment(self.root), stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
                theirs.close()
                self._running = server, control
            return self._running

    @contextmanager
    def launch(self, arguments: Sequence[str], root: Path, log: Path) -> Iterator[Child]:
        """Run pytest in a fork of the warm process."""
        server, control = self.start()
        line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.suppress(OSError):  # the process has just ended: the line says so
            order = {"arguments": list(arguments), "log": str(log)}
            socket.send_fds(control, [json.dumps(order).encode()], [theirs.fileno()])
        theirs.close()
        run = _Fork(server, line, self.patience)
        try:
            yield run
        finally:
            run.kill()
            line.close()

    def close(self) -> None:
        """End the warm process and what it runs."""
        if self._running is not None:
            server, control = self._running
            control.close()
            try:
                server.wait(timeout=2)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            self._running = None


class _Fork:
    """One run in the warm process."""

    def __init__(self, server: subprocess.Popen[bytes], line: socket.socket, patience: float) -> None:
        self.server, self.line, self.patience = server, line, patience
        self.code: int | None = None

    def poll(self) -> int | None:
        if self.code is None:
            self._listen(0)
        return self.code

    def kill(self) -> None:
        if self.code is None:
            with contextlib.suppress(OSError):
                self.line.shutdown(socket.SHUT_WR)
            self._listen(self.patience)
        if self.code is None:
            self.server.kill()  # it does not answer; the next run starts another one
            self.code = -signal.SIGKILL

    def _listen(self, seconds: float) -> None:
        if select.select([self.line], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                if told := self.line.recv(16):
                    self.code = int(told)
                    return
            self._lost()

    def _lost(self) -> None:
        self.code = self.server.wait()
        if self.code == COULD_NOT_START:
            raise UsageError("torch or pytest cannot be imported: run `a2 doctor`")


COULD_NOT_START = 3


def main(after: Callable[[int], object] = lambda pid: None) -> int:
    """Import what every run needs, then fork on demand until standard input closes; `after` is called with each run's pid when it has ended."""
    try:
        for name in NEEDED:
            importlib.import_module(name)
        from _pytest.config import default_plugins

        from coursekit.checks.small_networks import warm_up
        from coursekit.checks.stored import load_store

        for name in default_plugins:
            importlib.import_module(f"_pytest.{name}")
    except (ImportError, OSError):
        return COULD_NOT_START
    warm_up()
    for part in PARTS:
        for folder in (part.tests_path, part.hidden_path):
            load_store(ROOT / folder)
    # Pytest keeps the tests as it rewrote them, the student's modules are always read anew (see _forget_bytecode).
    sys.pycache_prefix = tempfile.mkdtemp(prefix="a2-warm-")
    sys.dont_write_bytecode = False
    prepare_for_forks()  # pytest collects garbage when it ends, which walks over all of torch otherwise: 0.25 s
    try:
        _serve(socket.socket(fileno=0), after)
    finally:
        shutil.rmtree(sys.pycache_prefix, ignore_errors=True)
    return 0


def _serve(control: socket.socket, after: Callable[[int], object]) -> None:
    runs: dict[int, socket.socket] = {}  # pid -> line
    try:
        while True:
            ready = select.select([control, *runs.values()], [], [], POLL_SECONDS if runs else None)[0]
            if control in ready:
                told, handles, _, _ = socket.recv_fds(control, LONGEST, 1)
                if not told:
                    return
                line = socket.socket(fileno=handles[0])
                runs[_fork(json.loads(told), [line, *runs.values()])] = line
            for pid, line in list(runs.items()):
                unwanted = line in ready  # nothing is said on it: its other end was closed
                if unwanted:
                    _kill(pid)
                ended, status = os.waitpid(pid, 0 if unwanted else os.WNOHANG)
                if ended:
                    _kill(pid)  # what it may have started itself
                    after(pid)
                    with contextlib.suppress(OSError):
                        line.send(str(os.waitstatus_to_exitcode(status)).encode())
                    runs.pop(pid).close()
                    _load_used()
    finally:
        for pid in runs:
            _kill(pid)


def _fork(order: dict[str, Any], lines: Sequence[socket.socket]) -> int:
    """Start a run, which holds no line: each end of one shall be seen to close."""
    _forget_bytecode()
    pid = os.fork()
    if not pid:
        for line in lines:
            line.close()
        _run(order["arguments"], order["log"])
    with contextlib.suppress(OSError):  # both sides do it, so that it is done when either goes on
        os.setpgid(pid, pid)
    return pid


def _load_used() -> None:
    """Load what a run had to load: once, when its verdict is out, and not in every fork."""
    for used, name in zip(USED[:], LATE, strict=True):
        if used and name not in sys.modules:
            prefix, sys.pycache_prefix = sys.pycache_prefix, None
            with contextlib.suppress(Exception):
                importlib.import_module(name)
            sys.pycache_prefix = prefix
            prepare_for_forks()


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


def _forget_bytecode() -> None:
    """Delete what was kept of assignment2: two saves within a second look the same to Python."""
    kept = importlib.util.cache_from_source(str(Path.cwd() / "assignment2" / "any.py"))
    shutil.rmtree(Path(kept).parent, ignore_errors=True)


class _Loaded:
    """A pytest plugin that tells the warm process what it could have loaded; the end of a run is too late, it is killed."""

    def pytest_runtest_call(self) -> None:
        """Let torch find its own bytecode: what a check loads is torch's, and compiling that again takes 8 s."""
        sys.pycache_prefix, sys.dont_write_bytecode = None, True

    def pytest_runtest_logfinish(self) -> None:
        for i, name in enumerate(LATE):
            USED[i] |= name in sys.modules


def _run(arguments: list[str], log: str) -> NoReturn:
    """Be the fork: no way leads out of here but the end of the process."""
    code = 70
    try:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)

        import pytest
        import pytest_timeout

        # The plugin itself: for its name, pytest would search all that is installed, which takes 10 ms.
        code = int(pytest.main(arguments, plugins=[pytest_timeout, _Loaded()]))
        sys.stdout.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    raise SystemExit(main())
