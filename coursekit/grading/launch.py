"""Start pytest on the student's code somewhere else: the code may hang or crash, the grader goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from coursekit.memory import KEEP_MEMORY


class Child(Protocol):
    """A run that has been started."""

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def kill(self) -> None:
        """End it at once."""


# (pytest's arguments, the edition's folder, a file for what is printed) -> the run, which does not outlive the block.
# A launch gives pytest the plugin pytest_timeout, which the arguments need.
Launch = Callable[[Sequence[str], Path, Path], AbstractContextManager[Child]]


@contextmanager
def fresh_process(arguments: Sequence[str], root: Path, log: Path) -> Iterator[Child]:
    """Run pytest in a new Python: the import of torch, 2 to 4 seconds, is paid each time."""
    with log.open("w") as stream:
        child = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-ppytest_timeout", *arguments], cwd=root, env=environment(root), stdin=subprocess.DEVNULL,
            stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield child
        finally:
            child.kill()
            child.wait()


def environment(root: Path) -> dict[str, str]:
    """Return the environment of a run: this edition's packages first, no plugins and options but ours."""
    quiet = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**KEEP_MEMORY, **os.environ, **quiet, "PYTHONPATH": str(root)}
