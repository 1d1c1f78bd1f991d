"""What a worker does for one submission: write its files to a fresh folder, grade them in a sandbox, sum up.

Nothing is shared between jobs but a warm room. A job gets bytes and returns bytes, so it may run anywhere.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.grading.answers import ANSWERS, answers_page
from coursekit.grading.report import page
from coursekit.grading.results import Check, Grade, Verdict, gradescope_results, printable
from coursekit.grading.written import Written
from coursekit.parts import NUMBERS, PARTS, ROOT, Part, part_of
from coursekit.staff.classroom.kept import KEPT, pack, renewed, unpack
from coursekit.staff.classroom.record import RECORD, Outcome, digest_of, outcome_of, read_record
from coursekit.staff.classroom.scratch import scratch_of_worker
from coursekit.staff.isolation import PATIENCE, Room, checks_of, choose_level, grade_submission, record

UNNEEDED = "none needed"  # the sandbox, where there was nothing to run


@dataclass(frozen=True)
class Order:
    """What is the same for every submission of a run."""

    parts: tuple[int, ...] = NUMBERS
    hidden: bool = True
    seed: int = 0  # of the hidden checks
    stored: bool = False  # the hidden checks draw the stored numbers instead
    trust: bool = False
    check_seconds: int = PATIENCE
    seconds: int = 300  # for a whole submission
    checks: str = ""  # hash of the checks; a worker with others refuses
    alone: bool = False  # nothing else is graded meanwhile: what is killed twice has killed itself

    @property
    def chosen(self) -> tuple[Part, ...]:
        return tuple(part for part in PARTS if part.number in self.parts)

    def ids(self) -> dict[int, list[str]]:
        """Return the checks that count, by the number of their part."""
        counted = checks_of(self.chosen, hidden=self.hidden)
        return {n: [c.id for c in counted if part_of(c.function).number == n] for n in self.parts}


@dataclass(frozen=True)
class Work:
    """One submission: the files that could be taken, why others could not, and what stands above its report."""

    files: dict[str, bytes] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)  # file -> sentence
    problem: str = ""  # why there is nothing to grade at all
    notes: tuple[str, ...] = ()
    written: dict[str, Written] = field(default_factory=dict)  # notebook -> its answers
    student: str = ""


def with_checks(order: Order) -> Order:
    """Return the order with the hash of the checks as they are here."""
    return dataclasses.replace(order, checks=checks_digest(order.chosen, order.hidden))


Job = Callable[[Work, Order], Outcome]


class Stopped(Exception):
    """The run was stopped while this submission was graded."""


_rooms: dict[bool, Room] = {}  # by Order.trust
_recorded: dict[tuple[int, tuple[int, ...]], tuple[Path, tempfile.TemporaryDirectory[str]]] = {}
_preparing = threading.Lock()
_stop = threading.Event()


def grade_work(work: Work, order: Order) -> Outcome:
    """Grade one submission in this process's room; UsageError if this machine cannot."""
    scratch_of_worker()
    if checks_digest(order.chosen, order.hidden) != order.checks:
        raise UsageError(f"{ROOT} on a worker has other checks than the run: give every worker the same edition")
    checks = checks_of(order.chosen, hidden=order.hidden)
    usable = [part for part in order.chosen if part.module_path.as_posix() in work.files]
    if not usable:
        return without_grading(work, order)
    recorded = _record_once(order)  # before the room is there: both take a gigabyte
    room = _room(order)
    with tempfile.TemporaryDirectory(prefix="a2-class-") as place:
        folder = Path(place)
        for name, content in work.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        wanted = [check for check in checks if part_of(check.function) in usable]
        grade = grade_submission(
            folder, usable, room=room, checks=wanted, progress=_go_on, seconds=order.check_seconds,
            whole_seconds=order.seconds, alone=order.alone, recorded=recorded,
        )  # fmt: skip
    return sum_up(_complete(checks, grade, work), room.level, _answers(work))


def without_grading(work: Work, order: Order) -> Outcome:
    """Return the outcome of a submission with nothing to grade."""
    checks = checks_of(order.chosen, hidden=order.hidden)
    return sum_up(_complete(checks, Grade((), 0.0), work), UNNEEDED, _answers(work))


def _complete(checks: Sequence[Check], grade: Grade, work: Work) -> Grade:
    """Give every check its verdict: where the module could not be taken, the reason."""
    found = {verdict.check.id: verdict for verdict in grade.verdicts}
    verdicts = tuple(found.get(check.id) or Verdict(check, "not loaded", _reason(check, work)) for check in checks)
    return dataclasses.replace(grade, verdicts=verdicts, notes=(*work.notes, *grade.notes))


def _reason(check: Check, work: Work) -> str:
    module = part_of(check.function).module_path.as_posix()
    return work.problems.get(module) or work.problem or f"{module} was not handed in"


def sum_up(grade: Grade, sandbox: str, answers: bytes = b"") -> Outcome:
    """Turn a grade and the page of written answers into what is kept of them."""
    files = {
        "results.json": (json.dumps(gradescope_results(grade), indent=1) + "\n").encode(),
        "report.html": page(grade).encode("utf-8", "backslashreplace"),
        "log.txt": _log(grade).encode("utf-8", "backslashreplace"),
        ANSWERS: answers,
        KEPT: pack(grade),
    }
    return outcome_of(grade, sandbox, files)


def _answers(work: Work) -> bytes:
    """Return the page of written answers, made from the notebooks and not from the page in the zip."""
    return answers_page(work.written, printable(work.student)).encode("utf-8", "backslashreplace")


def renew(folder: Path, outcome: Outcome, order: Order) -> Outcome:
    """Return the outcome of all parts of an order: of those that were graded just now the new one, of the others the one in a folder."""
    old, new, record = unpack(folder / KEPT), unpack(outcome.files[KEPT]), read_record(folder / RECORD)
    if old is None or new is None or record is None:
        raise UsageError(f"{folder / KEPT} is damaged: --regrade {folder.name} grades all of it again")
    names = [check.id for check in checks_of(order.chosen, hidden=order.hidden)]
    levels = dict.fromkeys((record.outcome.sandbox, outcome.sandbox))
    level = ", ".join(level for level in levels if level != UNNEEDED) or UNNEEDED
    return sum_up(renewed(old, new, names), level, outcome.files[ANSWERS])


def _log(grade: Grade) -> str:
    lines = [*grade.notes, f"{grade.score:g} of {grade.max_score:g} points, {grade.seconds:.1f} s", ""]
    for verdict in grade.verdicts:
        points = f"{verdict.score:g}/{verdict.check.points:g}"
        lines.append(f"{points} {verdict.outcome:10} {verdict.seconds:6.2f} s  {verdict.check.id}")
        lines += [f"      {line}" for line in printable(verdict.message).splitlines()]
    return "\n".join(printable(line) for line in lines) + "\n"


def _room(order: Order) -> Room:
    """Return the room of this process: the first thread opens it."""
    with _preparing:
        if order.trust not in _rooms:
            if importlib.util.find_spec("cloudpickle") is None:
                raise UsageError(
                    "cloudpickle is missing here: ./setup.sh installs it (coursekit/staff/requirements.txt)"
                )
            _rooms[order.trust] = Room(choose_level(order.trust)).__enter__()
        return _rooms[order.trust]


def _record_once(order: Order) -> Path | None:
    """Return what the solution answers to this run's hidden numbers: the first thread finds out, the others wait for it."""
    if order.stored or not order.hidden:
        return None
    key = (order.seed, order.parts)
    with _preparing:
        if key not in _recorded:
            folder = tempfile.TemporaryDirectory(prefix="a2-fresh-")
            _recorded[key] = record(order.seed, Path(folder.name), order.chosen), folder
        return _recorded[key][0]


def _go_on(done: int) -> None:
    if _stop.is_set():
        raise Stopped


def begin() -> None:
    """Let jobs run in this process."""
    _stop.clear()


def stop() -> None:
    """Let the jobs that run in this process end at once."""
    _stop.set()


def close_rooms() -> None:
    """End the warm processes of this process's rooms; call it when no job runs."""
    while _rooms:
        _rooms.popitem()[1].__exit__(None, None, None)
    while _recorded:
        _recorded.popitem()[1][1].cleanup()


def checks_digest(parts: Sequence[Part], hidden: bool) -> str:
    """Return a hash of everything that decides: the checks' texts, their points, the stored outputs."""
    folders = [("tests", "data/reference")] + ([("tests/hidden", "tests/hidden/reference")] if hidden else [])
    paths = []
    for tests, references in folders:
        paths += [path for part in parts for path in (ROOT / tests / part.module).glob("*.py")]
        paths += [path for part in parts for path in (ROOT / references).glob(f"*{part.module}.*")]
    points = repr([(c.id, c.function, c.points) for c in checks_of(parts, hidden=hidden)])
    return digest_of([points.encode(), *(path.read_bytes() for path in sorted(paths))])
