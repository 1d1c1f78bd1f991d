"""A class on a machine that fails: after every tenth verdict a process is killed, the disk is full or memory is short, for some seconds.

PYTHONPATH=. .venv/bin/python tests/staff/thousand.py FOLDER [COUNT]   # as root; 1,000 submissions of part 1; prints one table

A submission ends with the verdict that it must have, or with none; when the machine is calm again, the same command grades the rest.
The results stand on a small disk of their own (tmpfs), the command runs in a cgroup of its own (version 1). Where one of them cannot be
made, that trouble is left out, and the table says so.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from coursekit.parts import PARTS, ROOT
from coursekit.staff.classroom.record import Record, read_record
from coursekit.staff.exercises import mistakes_of, variants_of
from coursekit.staff.markers import cut
from tests.staff.class_of_200 import _below, _done
from tests.staff.sandboxed import CHECKS
from tests.staff.submissions import RESTS_ON, Submission, packed, text_of
from tests.staff.submissions import replace_function as replaced

PART = PARTS[0]
EVERY = 10  # verdicts between two troubles
DISK = 600  # MB of the small disk
CGROUPS = Path("/sys/fs/cgroup/memory")
RUNS = 60  # of the command, at most


def kinds() -> list[Submission]:
    """Return the different submissions: right ones, variants, mistakes, an untouched one."""
    whole = sum(check.points for check in CHECKS)
    found = [
        Submission("solution", "whole", text_of(PART).encode(), score=whole),
        Submission("untouched", "whole", cut(text_of(PART), PART.module_path).encode(), score=0.0),
    ]
    found += [
        Submission("variant", str(e), replaced(text_of(PART), e).encode(), score=whole) for e in variants_of(PART)
    ]
    for edit in mistakes_of(PART):
        others = frozenset(f for f in PART.functions if f != edit.function and RESTS_ON.get(f) != edit.function)
        content = replaced(text_of(PART), edit).encode()
        found.append(Submission("mistake", str(edit), content, others, edit.function))
    return found


def hand_in(zips: Path, count: int) -> dict[str, Submission]:
    """Write a class; return what must become of whom."""
    zips.mkdir(parents=True)
    draw, made, chosen = random.Random(18), {}, kinds()
    for number in range(count):
        one = chosen[number] if number < len(chosen) else draw.choice(chosen)
        student = f"s{number:04}"
        text = one.content.decode() if isinstance(one.content, bytes) else ""
        (zips / f"{student}.zip").write_bytes(packed(PART, f"{text}\n# {student}\n"))
        made[student] = one
    return made


@dataclass
class Machine:
    """Where the command runs, and how it may be troubled."""

    out: Path
    disk: bool
    cgroup: Path | None
    met: Counter[str] = field(default_factory=Counter)
    draw: random.Random = field(default_factory=lambda: random.Random(7))

    def trouble(self, pid: int) -> None:
        """Kill one process of the command, fill its disk, or leave it no memory, for some seconds."""
        chosen = self.draw.choice(["killed"] * 2 + ["full disk"] * self.disk + ["no memory"] * bool(self.cgroup))
        family = [one for one in _below(pid) if one != pid]
        if chosen == "killed" and family:
            with suppress(OSError):
                os.kill(self.draw.choice(family), signal.SIGKILL)
        elif chosen == "full disk":
            self._fill(self.draw.uniform(1, 4))
        elif chosen == "no memory" and self.cgroup:
            self._squeeze(self.cgroup, self.draw.uniform(1, 4))
        self.met[chosen] += 1

    def _fill(self, seconds: float) -> None:
        filler = self.out.parent / "filler"
        with suppress(OSError), filler.open("wb") as stream:
            while True:
                stream.write(bytes(2**20))
                stream.flush()
        time.sleep(seconds)
        filler.unlink()

    def _squeeze(self, cgroup: Path, seconds: float) -> None:
        """Let the kernel kill whoever asks for more than there is now."""
        used = int((cgroup / "memory.usage_in_bytes").read_text())
        with suppress(OSError):
            (cgroup / "memory.limit_in_bytes").write_text(str(used + 20 * 2**20))
        time.sleep(seconds)
        (cgroup / "memory.limit_in_bytes").write_text("-1")


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """Make the small disk and the cgroup, and take them away."""
    small, cgroup = folder / "small", CGROUPS / f"a2-thousand-{os.getpid()}"
    small.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "a2", str(small)]
    disk = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    made = False
    with suppress(OSError):
        cgroup.mkdir()
        made = (cgroup / "memory.limit_in_bytes").exists()
    try:
        yield Machine(small / "out", disk, cgroup if made else None)
    finally:
        if disk:
            subprocess.run(["umount", "-l", str(small)], check=False)
        with suppress(OSError):
            cgroup.rmdir()


def run(zips: Path, here: Machine, troubles: int, workers: int = 2) -> tuple[list[int], str]:
    """Run the command until it is done with everybody, troubled on the way; return its exit codes and what the last run said."""
    command = [sys.executable, "-m", "coursekit", "classroom", str(zips), "--out", str(here.out), "--parts", "1"]
    command += ["--no-hidden", "--workers", str(workers)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    codes: list[int] = []
    said, mark = "", 1
    while len(codes) < RUNS and (not codes or codes[-1]):
        log = here.out.parent.parent / "said.txt"
        with log.open("w") as stream:
            child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
            if here.cgroup:
                with suppress(OSError):
                    (here.cgroup / "cgroup.procs").write_text(str(child.pid))
            while child.poll() is None:
                time.sleep(0.2)
                if _done(here.out) >= mark and sum(here.met.values()) < troubles:
                    here.trouble(child.pid)
                    mark = _done(here.out) + EVERY
        codes.append(child.returncode)
        mark, said = _done(here.out) + 1, log.read_text()
    return codes, said


def judge(made: dict[str, Submission], out: Path) -> tuple[dict[str, list[str]], int]:
    """Return what is wrong with the verdicts that there are, by student, and how many there are."""
    problems: dict[str, list[str]] = {}
    points: dict[str, list[tuple[str, str]]] = defaultdict(list)  # kind -> student, points
    found = [record for path in out.glob("students/*/record.json") if (record := read_record(path))]
    for record in found:
        one = made[record.student]
        points[one.student].append((record.student, repr(sorted(record.outcome.points.items()))))
        wrong = _wrong(one, record)
        if wrong:
            problems[record.student] = [one.student, *wrong]
    for kind, given in points.items():
        usual = Counter(text for _, text in given).most_common(1)[0][0]
        for student in (student for student, text in given if text != usual):
            problems.setdefault(student, [kind]).append("other points than the same code of others")
    return problems, len(found)


def _wrong(one: Submission, record: Record) -> list[str]:
    """Return what is wrong with one verdict, of the public checks alone."""
    got, most = Counter[str](), Counter[str]()
    for check in CHECKS:
        got[check.function] += record.outcome.points.get(check.id, 0.0)
        most[check.function] += check.points
    said = [f"{name} earned {got[name]:g} of {most[name]:g}" for name in one.full if got[name] < most[name]]
    said += [f"{one.loses} earned everything"] if one.loses and got[one.loses] == most[one.loses] else []
    said += [f"{record.score:g} points"] if one.score is not None and record.score != one.score else []
    return said + ([record.status] if record.status != "graded" else [])


def main(folder: Path, count: int = 1000) -> int:
    made, started, load = hand_in(folder / "zips", count), time.monotonic(), os.getloadavg()[0]
    with machine(folder) as here:
        codes, said = run(folder / "zips", here, count // EVERY)
        problems, graded = judge(made, here.out)
    seconds = time.monotonic() - started
    print(
        f"{count} submissions of {len({one.student for one in made.values()})} kinds, {seconds:.0f} s, load {load:.1f} at the start"
    )
    print(f"troubles: {dict(here.met)}; small disk: {here.disk}; cgroup: {bool(here.cgroup)}")
    print(f"runs of the command: {len(codes)}, exit codes {dict(Counter(codes))}")
    print(f"graded: {graded}; wrong: {len(problems)}")
    for student, sentences in problems.items():
        print(f"- {student}: {'; '.join(sentences)}")
    if graded < count:
        print(said)
    return int(bool(problems) or graded < count)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 1000))
