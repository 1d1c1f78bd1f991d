"""A process that has imported torch once and forks for each run: `a2 watch` gets its verdict in a fraction of a second.

The warm process never imports the student's code, so every fork starts clean. It speaks JSON lines: it is told
{"arguments": [...], "log": ...} or {"kill": true}, and answers each run with {"exit": code}. When its standard input closes,
it kills what runs and ends: nothing is left behind when `a2 watch` dies.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import mmap
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

from coursekit.errors import UsageError
from coursekit.grading.launch import Child, environment
from coursekit.parts import PARTS, ROOT

# Apple's libraries may not be used on the far side of a fork, and Windows has none.
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"
POLL_SECONDS = 0.01
CHECKS = ("laws", "small_networks", "network_laws", "randomness", "scalars", "steps")
NEEDED = (
    *("numpy.random", "torch", "pytest", "pytest_timeout"),
    *("coursekit.vision", "coursekit.vision.arguments", "coursekit.vision.checked_network", "coursekit.grading.plugin"),
    *(f"coursekit.checks.{name}" for name in CHECKS),
)
COMPILER = "torch._dynamo"  # an optimizer's first step loads it, for 1 to 2 s
COMPILER_USED = mmap.mmap(-1, 1)  # shared with the forks: one of them had to load it


class Warm:
    """The client's end of the warm process; started when it is needed, and again if the student's code kills it."""

    def __init__(self, root: Path, arguments: Sequence[str] = ("-m", "coursekit.grading.warm")) -> None:
        self.root, self.arguments = root, arguments
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Return the warm process; it may still be importing."""
        if self._server is None or self._server.poll() is not None:
            self.close()
            self._server = subprocess.Popen(
                [sys.executable, *self.arguments], cwd=self.root, env=environment(self.root), bufsize=0,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        return self._server

    @contextmanager
    def launch(self, arguments: Sequence[str], root: Path, log: Path) -> Iterator[Child]:
        """Run pytest in a fork of the warm process."""
        run = _Fork(self.start())
        run.tell(arguments=list(arguments), log=str(log))
        try:
            yield run
        finally:
            run.kill()

    def close(self) -> None:
        """End the warm process and what it runs."""
        if self._server is not None:
            for stream in (self._server.stdin, self._server.stdout):
                if stream:
                    stream.close()
            try:
                self._server.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None


class _Fork:
    """One run in the warm process."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        if server.stdin is None or server.stdout is None:
            raise ValueError("the warm process is spoken to through pipes")
        self.server, self.stdin, self.stdout = server, server.stdin, server.stdout
        self.code: int | None = None

    def tell(self, **message: Any) -> None:
        try:
            self.stdin.write(json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            self._lost()

    def poll(self) -> int | None:
        if self.code is None:
            self._listen(0)
        return self.code

    def kill(self) -> None:
        if self.code is None:
            self.tell(kill=True)
            self._listen(5)
        if self.code is None:
            self.server.kill()  # it does not answer; the next run starts another one
            self.code = -signal.SIGKILL

    def _listen(self, seconds: float) -> None:
        if select.select([self.stdout], [], [], seconds)[0]:
            line = self.stdout.readline()
            if line:
                self.code = int(json.loads(line)["exit"])
            else:
                self._lost()

    def _lost(self) -> None:
        code = self.server.wait()
        self.code = code
        if code == COULD_NOT_START:
            raise UsageError("torch or pytest cannot be imported: run `a2 doctor`")


COULD_NOT_START = 3


def main(after: Callable[[], object] = lambda: None) -> int:
    """Import what every run needs, then fork on demand until standard input closes; `after` is called after each run."""
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
    gc.collect()
    gc.freeze()  # pytest collects garbage when it ends, which walks over all of torch otherwise: 0.25 s
    try:
        _serve(os.fdopen(0, "rb", buffering=0), os.fdopen(1, "wb", buffering=0), after)
    finally:
        shutil.rmtree(sys.pycache_prefix, ignore_errors=True)
    return 0


def _serve(orders: IO[bytes], answers: IO[bytes], after: Callable[[], object]) -> None:
    running = 0
    while True:
        flags = os.WNOHANG
        if select.select([orders], [], [], POLL_SECONDS if running else None)[0]:
            line = orders.readline()
            if not line:
                _kill(running)
                return
            order = json.loads(line)
            if "arguments" in order:
                _forget_bytecode()
                running = os.fork()
                if not running:
                    _run(order["arguments"], order["log"])
                with contextlib.suppress(OSError):  # both sides do it, so that it is done when either goes on
                    os.setpgid(running, running)
            else:
                _kill(running)
                flags = 0  # it is about to end, and somebody waits for that
        if running and (ended := os.waitpid(running, flags))[0]:
            _kill(running)  # what it may have started itself
            running = 0
            after()
            answers.write(json.dumps({"exit": os.waitstatus_to_exitcode(ended[1])}).encode() + b"\n")
            if COMPILER_USED[0] and COMPILER not in sys.modules:  # once, when the verdict is out, and not in every fork
                prefix, sys.pycache_prefix = sys.pycache_prefix, None
                with contextlib.suppress(Exception):
                    importlib.import_module(COMPILER)
                sys.pycache_prefix = prefix
                gc.freeze()


def _kill(pid: int) -> None:
    if pid:
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
        COMPILER_USED[0] = COMPILER in sys.modules


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
