"""What it costs to grade a stranger's code in a sandbox: processor time, memory, submissions a minute; beside pytest and two autograders.

PYTHONPATH=. .venv/bin/python benchmarks/classroom.py [FOLDER]   # FOLDER/bin has `otter` and `nbgrader`, in an environment of their own

The peers grade one notebook of one line, without isolation; ours is the solution of all parts, every check, the hidden ones too.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from coursekit.grading.submit import submit
from coursekit.parts import NUMBERS, PARTS, ROOT
from coursekit.staff.classroom.job import Order
from coursekit.staff.classroom.run import grade_class
from coursekit.staff.isolation import Room, checks_of, choose_level, grade_submission, record

REPEATS, CLASS, WORKERS = 5, 10, 2
TICKS = os.sysconf("SC_CLK_TCK")
ONE_TEST = """OK_FORMAT = True
test = {"name": "q1", "points": 1, "suites": [{"cases": [{"code": ">>> x == 2\\nTrue"}], "scored": True, "type": "doctest"}]}
"""


def family(pid: int) -> Iterator[int]:
    """Return a process and all that it has started and that still run."""
    yield pid
    with suppress(OSError):
        for path in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (path / "children").read_text().split()):
                yield from family(child)


def cpu_seconds() -> float:
    """Return the processor time of this process and everything below it, ended or not."""
    total = 0
    for pid in family(os.getpid()):
        with suppress(OSError):
            total += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return total / TICKS


def memory(pid: int) -> int:
    """Return the bytes that a process has to itself, with its share of what it shares."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    return 0


class Watch(threading.Thread):
    """Notes the most memory that the processes below this one have had together."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.ended = 0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(3):  # the kernel counts pages for it, which costs as much as a check
            self.most = max(self.most, sum(memory(pid) for pid in family(os.getpid()) if pid != os.getpid()))

    def __enter__(self) -> Watch:  # noqa: PYI034
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.join()


def one_room() -> list[tuple[str, str]]:
    """Grade the solution some times in one room, which has graded once before."""
    checks, costs, clock = checks_of(hidden=True), [], []
    with contextlib.ExitStack() as stack:
        recorded = record(1, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        start = cpu_seconds()
        room = stack.enter_context(Room(choose_level(trust=False)))
        grade_submission(ROOT, PARTS, room=room, checks=checks, recorded=recorded)
        first = cpu_seconds() - start
        with Watch() as watch:
            for _ in range(REPEATS):
                before, started = cpu_seconds(), time.perf_counter()
                grade = grade_submission(ROOT, PARTS, room=room, checks=checks, recorded=recorded)
                costs.append(cpu_seconds() - before)
                clock.append(time.perf_counter() - started)
                assert grade.score == grade.max_score, "the solution lost points"
    return [
        (f"whole isolated submission, {len(checks)} checks (median of {REPEATS})", f"{statistics.median(costs):.2f} s"),
        ("of that by the clock", f"{statistics.median(clock):.2f} s"),
        ("the first one of a room, with the imports of torch, here and in the sandbox", f"{first:.1f} s"),
        ("memory of a worker with its sandbox, at most", f"{watch.most / 1e6:.0f} MB"),
    ]


def whole_class() -> list[tuple[str, str]]:
    """Grade a class of solutions, and hold the clock from the first that is done on to the last."""
    times: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory() as folder, Watch() as watch:
        zips = Path(folder, "zips")
        zips.mkdir()
        for number in range(CLASS):
            submit(ROOT, zips / f"s{number}.zip")
        started = time.perf_counter()
        grade_class(zips, Path(folder, "out"), Order(parts=NUMBERS), workers=WORKERS,
                    progress=lambda done, total: times.append((time.perf_counter() - started, done)))  # fmt: skip
    seen = [(at, done) for at, done in times if done >= WORKERS]
    rate = (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])
    return [
        (f"submissions a minute, {WORKERS} workers, {CLASS} solutions", f"{60 * rate:.1f}"),
        (
            f"100 submissions, from the command to the gradebook (from {CLASS})",
            f"{(100 - CLASS) / rate + times[-1][0]:.0f} s",
        ),
        (f"memory of {WORKERS} workers together, at most", f"{watch.most / 1e6:.0f} MB"),
    ]


def spent(command: list[str], folder: Path = ROOT) -> float:
    """Return the processor time of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    quiet = {
        "PYTHONPATH": str(folder),
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(command, cwd=folder, env=os.environ | quiet, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {(done.stderr or done.stdout)[-400:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def plain_pytest() -> list[tuple[str, str]]:
    """The same checks in one process, without a sandbox: the public and the hidden ones."""
    tests = ["tests/hidden", *sorted(str(part.tests_path) for part in PARTS)]
    whole = [spent([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]) for _ in range(3)]
    torch = [spent([sys.executable, "-c", "import torch, torch._dynamo"]) for _ in range(3)]
    return [
        ("plain pytest on the same checks, no isolation (median of 3)", f"{statistics.median(whole):.2f} s"),
        ("of that `import torch, torch._dynamo` alone", f"{statistics.median(torch):.2f} s"),
    ]


def cell(source: str, **metadata: object) -> dict[str, object]:
    return {
        "cell_type": "code",
        "id": f"c{len(source)}",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def notebook(path: Path, *cells: dict[str, object]) -> None:
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def otter(programs: Path, folder: Path) -> float:
    """Grade `x = 2` with otter-grader, in this process's own rights."""
    (folder / "tests").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "tests" / "q1.py").write_text(ONE_TEST)
    notebook(folder / "hw.ipynb", cell("x = 2"))
    spent([str(programs / "otter"), "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"], folder)
    return statistics.median(
        spent([str(programs / "otter"), "run", "-a", "autograder.zip", "-o", "out", "hw.ipynb"], folder)
        for _ in range(3)
    )


def nbgrader(programs: Path, folder: Path) -> float:
    """Grade `x = 2` with nbgrader."""
    common = {"schema_version": 3, "task": False, "cell_type": "code"}
    cells = (
        cell(
            "### BEGIN SOLUTION\nx = 2\n### END SOLUTION",
            nbgrader=common | {"grade": False, "solution": True, "locked": False, "grade_id": "a"},
        ),
        cell(
            "assert x == 2",
            nbgrader=common | {"grade": True, "solution": False, "locked": True, "grade_id": "b", "points": 1},
        ),
    )
    notebook(folder / "source" / "hw" / "hw.ipynb", *cells)
    notebook(folder / "submitted" / "ann" / "hw" / "hw.ipynb", *cells)
    (folder / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "c"\n')
    spent([str(programs / "nbgrader"), "generate_assignment", "hw"], folder)
    return statistics.median(
        spent([str(programs / "nbgrader"), "autograde", "hw", "--force"], folder) for _ in range(3)
    )


def peers(programs: Path) -> list[tuple[str, str]]:
    found = []
    for name, grade in (("otter", otter), ("nbgrader", nbgrader)):
        told = f"`{name}`, a notebook of one line, no isolation (median of 3)"
        if not (programs / name).exists():
            found.append((told, f"not measured: {programs / name} is not there"))
            continue
        with tempfile.TemporaryDirectory() as folder:
            found.append((told, f"{grade(programs, Path(folder, 'x')):.2f} s"))
    return found


def main() -> None:
    """Print one table, line by line as it is measured."""
    print(f"| processor time where nothing else is said; load {os.getloadavg()[0]:.1f} | result |\n|---|---|")
    programs = [Path(argument, "bin").absolute() for argument in sys.argv[1:2]]
    for measure in (one_room, plain_pytest, *(functools.partial(peers, place) for place in programs), whole_class):
        for what, result in measure():
            print(f"| {what} | {result} |", flush=True)


if __name__ == "__main__":
    main()
