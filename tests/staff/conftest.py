"""A copy of this edition that a test may break: what grading needs, nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coursekit.checks.small_networks import seed_global_generators
from coursekit.grading.launch import environment
from coursekit.grading.warm import CAN_FORK
from coursekit.parts import PARTS, ROOT

if TYPE_CHECKING:
    from coursekit.staff.isolation import Room

NEEDED = (
    "assignment2",
    "coursekit",
    "tests",
    "trained",
    "data/reference",
    "data/sprites.png",
    "pyproject.toml",
)
NOTEBOOKS = "test_a_notebook_runs"
LONG = ("test_everybody_gets_the_right_verdict", "test_the_robust_network_withstands")
NOT_NEEDED = shutil.ignore_patterns("__pycache__", "staff", "hidden")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test with @pytest.mark.sampled(k), leave every k-th case to the quick suite; the others are slow. The longest first."""
    seen = Counter[str]()
    for item in items:
        sampled, test = item.get_closest_marker("sampled"), item.nodeid.partition("[")[0]
        if sampled and seen[test] % sampled.args[0]:
            item.add_marker("slow")
        seen[test] += 1
    # A test of minutes that is begun last runs alone, while the other processes have nothing left to do. Each process begins
    # with its share of the list: the notebooks come first in one share, the other long tests in the middle of another.
    notebooks, long = (
        [item for item in items if item.nodeid.partition("::")[2].startswith(names)] for names in (NOTEBOOKS, LONG)
    )
    others = [item for item in items if item not in (*notebooks, *long)]
    half = len(others) // 2
    items[:] = [*notebooks, *others[:half], *long, *others[half:]]


@pytest.fixture(autouse=True)
def _no_test_of_luck() -> None:
    """Let a network with random weights be the same one in each run, in whichever order the tests come."""
    seed_global_generators()


@dataclass(frozen=True)
class Copy:
    """A folder with a complete edition, and the module of its first part."""

    root: Path
    program: str = sys.executable

    @property
    def module(self) -> Path:
        return self.root / PARTS[0].module_path

    @property
    def solution(self) -> str:
        return (ROOT / PARTS[0].module_path).read_text(encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        """Save the solution of part 1 with one mistake, in one step, as an editor does."""
        assert self.solution.count(old) == 1, f"the solution has changed: {old!r} stands there not once"
        self.save(self.solution.replace(old, new))

    def save(self, text: str) -> None:
        draft = self.module.with_name("draft~")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.module)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def warm_python() -> Iterator[str]:
    """The path of a Python that has torch imported already, where there is a fork."""
    if not CAN_FORK:
        yield sys.executable
        return
    with tempfile.TemporaryDirectory(prefix="a2-") as folder:
        command = [sys.executable, "-I", str(ROOT / "tests" / "staff" / "warm_python.py"), folder]
        with subprocess.Popen(
            command, env=environment(ROOT), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
            server.communicate()


@pytest.fixture
def warm_programs(warm_python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test starts with its own Python has torch imported already."""
    monkeypatch.setattr(sys, "executable", warm_python)


@pytest.fixture
def small_edition(tmp_path: Path, warm_python: str) -> Copy:
    """The staff edition's exercises, solved, without the staff's own code."""
    root = tmp_path / "edition"
    for name in NEEDED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=NOT_NEEDED)
        else:
            shutil.copyfile(ROOT / name, root / name)
    return Copy(root, warm_python)


@pytest.fixture(scope="session")
def room() -> Iterator[Room]:
    """A sandbox for all tests of a process, as a class is graded in one."""
    from coursekit.staff.isolation import Room, choose_level

    with Room(choose_level(trust=False)) as room:
        yield room
