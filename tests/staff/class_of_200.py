"""A class of more than 200: everything that is graded right, wrong, hostile or broken, in one run that is killed twice.

PYTHONPATH=. .venv/bin/python tests/staff/class_of_200.py FOLDER   # a quarter of an hour on two cores; prints one table

Every submission knows what must become of it. The run is killed with its whole process group while it grades, twice, then ends by
itself; a part of the class is graded again by another number of workers, and its lines of the gradebook are compared.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from coursekit.parts import ROOT
from coursekit.staff.classroom.record import read_record
from tests.staff.submissions import Submission, hand_in


@dataclass
class Ran:
    """What was seen of a run that was killed some times."""

    graded: list[int] = field(default_factory=list)  # at each kill, and at the end
    seconds: float = 0.0
    processes: list[int] = field(default_factory=list)  # that outlived a kill by five seconds
    code: int | None = None
    output: str = ""


def run(zips: Path, out: Path, *, workers: int, kills: Sequence[int] = (), options: Sequence[str] = ()) -> Ran:
    """Grade a class by the command that a person types, killed with all its processes whenever so many are graded."""
    seen = Ran()
    command = [sys.executable, "-m", "coursekit", "classroom", str(zips), "--out", str(out), "--workers", str(workers)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
    started = time.monotonic()
    for kill in (*kills, None):
        with tempfile.TemporaryFile("w+") as log:
            child = subprocess.Popen(
                [*command, *options], cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
            while child.poll() is None and (kill is None or _done(out) < kill):
                time.sleep(0.1)
            if child.poll() is None:
                family = _below(child.pid)
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                time.sleep(5)
                seen.processes += [pid for pid, begun in family.items() if _begun(pid) == begun]
            seen.graded.append(_done(out))
            log.seek(0)
            seen.code, seen.output = child.returncode, log.read()
    seen.seconds = time.monotonic() - started
    return seen


def _done(out: Path) -> int:
    return len(list(out.glob("students/*/record.json")))


def _below(pid: int) -> dict[int, str]:
    """Return all processes that a process has started, directly or not, with the times at which they began."""
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        here = waiting.pop()
        found[here] = _begun(here)
        with suppress(OSError):
            for path in Path(f"/proc/{here}/task").iterdir():
                waiting += map(int, (path / "children").read_text().split())
    return found


def _begun(pid: int) -> str:
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""


def judge(made: dict[str, Submission], out: Path) -> dict[str, list[str]]:
    """Return what is wrong with the verdicts, by student; nothing is how it should be."""
    records = [read_record(path) for path in out.glob("students/*/record.json")]
    found = {record.student: record for record in records if record}
    problems = {}
    for student, one in made.items():
        record = found.get(student)
        if record is None:
            problems[student] = ["no record"]
            continue
        log = (out / "students" / record.folder / "log.txt").read_text(encoding="utf-8")
        page = (out / "students" / record.folder / "report.html").read_text(encoding="utf-8")
        wrong = one.judge(record, log) + ["a page runs a script"] * bool(
            re.search("<script>alert|<img src=x|<iframe", page)
        )
        if wrong:
            problems[student] = wrong
    extra = sorted(set(found) - set(made))
    return problems | {student: ["nobody handed this in"] for student in extra}


def again(
    made: dict[str, Submission], zips: Path, out: Path, folder: Path, every: int, workers: int
) -> tuple[int, list[str]]:
    """Grade every so manieth student once more, in a class of their own with the same seed; return how many, and unequal lines."""
    (folder / "zips").mkdir(parents=True)
    for path in sorted(zips.iterdir())[::every]:
        if path.is_file() and not path.is_symlink() and not made[path.stem].chance:
            shutil.copyfile(path, folder / "zips" / path.name)
    told = json.loads((out / "run.json").read_text()) | {"zips": str((folder / "zips").resolve())}
    (folder / "out").mkdir()
    (folder / "out" / "run.json").write_text(json.dumps(told))
    run(folder / "zips", folder / "out", workers=workers)
    whole = set((out / "gradebook.csv").read_text(encoding="utf-8").split("\n"))
    part = (folder / "out" / "gradebook.csv").read_text(encoding="utf-8").split("\n")
    return len(part) - 2, [line for line in part if line not in whole]


def main(folder: Path, every: int = 1) -> int:
    load = os.getloadavg()[0]
    made = hand_in(folder / "zips", every)
    ran = run(folder / "zips", folder / "out", workers=2, kills=(len(made) // 4, len(made) * 2 // 3))
    (folder / "said.txt").write_text(ran.output)
    problems = judge(made, folder / "out")
    kinds = Counter(one.kind for one in made.values())
    wrong = Counter(made[name].kind for name in problems if name in made)
    print("| submissions | graded | verdict as it must be |\n|---|---|---|")
    for kind, count in kinds.items():
        print(f"| {kind} | {count} | {count - wrong[kind]} |")
    print(f"| all | {ran.graded[-1]} | {len(made) - len(problems)} |")
    left = [str(path) for path in (folder / "out").iterdir() if path.name not in WRITTEN]
    print(
        f"\nkilled at {ran.graded[:-1]} of {len(made)}, {ran.seconds:.0f} s in all, load {load:.1f} at the start, exit code {ran.code}"
    )
    print(f"processes that outlived a kill: {len(ran.processes)}; left in the results' folder: {left or 'nothing'}")
    for name, sentences in problems.items():
        print(f"- {name}: {'; '.join(sentences)}")
    count, unequal = again(made, folder / "zips", folder / "out", folder / "again", 6 if every == 1 else 3, 1)
    print(f"\ngraded again by one worker: {count}, unequal lines of the gradebook: {len(unequal)}")
    print(*unequal, sep="\n")
    return int(bool(problems or unequal or ran.processes or ran.code))


WRITTEN = ("gradebook.csv", "class.html", "run.json", "students", ".lock")

if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
