"""class.html: how the class did, what is hard, which mistakes are common, and what somebody should look at."""

from __future__ import annotations

import base64
import functools
import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from coursekit.grading.report import template
from coursekit.grading.results import Check
from coursekit.parts import PARTS, ROOT
from coursekit.staff.classroom.extras import Extras
from coursekit.staff.classroom.gradebook import core_points, core_score, max_score
from coursekit.staff.classroom.graded import Class
from coursekit.staff.classroom.record import Record
from coursekit.staff.contents import source_digest
from coursekit.staff.edits import callers
from coursekit.staff.isolation import checks_of
from coursekit.staff.markers import cut

BARS = 10
MOST = 12  # lines of a list
SORT = Path(__file__).with_name("sort.js").read_text(encoding="utf-8")  # the one script that the page may run
ALIKE = 2  # equal wrong answers, not among the known mistakes, that make two students worth a look


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram: students with a percentage from low to high."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class Tally:
    """A line of a list: what, how many of how many."""

    what: str
    count: int
    of: int
    detail: str = ""


@dataclass(frozen=True)
class Flag:
    """Something for a person to judge, and the students it is about."""

    what: str
    students: tuple[str, ...]


def class_page(whole: Class, extras: Extras) -> str:
    """Return the class page."""
    records, order = whole.records, whole.order
    graded = [record for record in records if record.status == "graded"]
    checks, ids = checks_of(order.chosen, hidden=order.hidden), order.ids()
    core = core_points(order)
    scores = {record.student: core_score(record, core) for record in records}
    core_scores, core_most = [scores[record.student] for record in graded], sum(core.values())
    return template("class.html", Path(__file__).parent).render(
        records=records, graded=graded, waiting=whole.waiting, failures=whole.failures, others=whole.others,
        most=max_score(order), ids=ids,
        worth={number: sum(c.points for c in checks if c.id in set(names)) for number, names in ids.items()},
        script=SORT, script_hash=base64.b64encode(hashlib.sha256(SORT.encode()).digest()).decode(),
        middle=median([r.score for r in graded]) if graded else 0.0,
        core=scores, core_most=core_most, core_middle=median(core_scores) if graded else 0.0,
        grades={record.student: extras.grade(record, scores[record.student], core_most) for record in records},
        remarks={record.student: (*record.remarks, *extras.remarks(record)) for record in records},
        bars=histogram(core_scores, core_most),
        hardest=hardest(graded, checks), mistakes=mistakes(graded), slowest=slowest(graded), flags=flags(records),
        levels=Counter(record.outcome.sandbox for record in graded), when=time.strftime("%Y-%m-%d %H:%M"),
    )  # fmt: skip


def histogram(scores: Sequence[float], most: float) -> list[Bar]:
    """Count students by percentage; 100 % belongs to the last bar."""
    width = 100 // BARS
    places = [min(int(100 * score / most) // width, BARS - 1) if most else 0 for score in scores]
    return [Bar(i * width, (i + 1) * width, places.count(i)) for i in range(BARS)]


def hardest(records: Sequence[Record], checks: Iterable[Check]) -> list[Tally]:
    """Return the checks that fewest pass, of those who had begun the function."""
    lines = []
    for check in checks:
        outcomes = [record.outcome.outcomes.get(check.id, "missing") for record in records]
        tried = [outcome for outcome in outcomes if outcome not in ("todo", "not loaded")]
        hidden = "hidden" if check.id.startswith("tests/hidden/") else ""
        if tried and tried.count("passed") < len(tried):
            lines.append(Tally(f"{check.function}: {check.sentence}", tried.count("passed"), len(tried), hidden))
    return sorted(lines, key=lambda line: (line.count / line.of, -line.of, line.what))[:MOST]


def mistakes(records: Sequence[Record]) -> list[Tally]:
    """Return the known mistakes that were made most often."""
    counts = Counter(mistake for record in records for mistake in set(record.outcome.mistakes))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Tally(f"{function}: {name.replace('_', ' ')}", n, len(records)) for (function, name), n in ranked[:MOST]]


def slowest(records: Sequence[Record]) -> list[Record]:
    """Return the submissions that took longest."""
    return sorted(records, key=lambda record: (-record.outcome.seconds, record.student))[:5]


def flags(records: Sequence[Record]) -> list[Flag]:
    """Return what a person should look at; none of it changes a score."""
    solved_by: dict[tuple[str, ...], list[str]] = defaultdict(list)  # students -> modules
    zips = _groups((record.archive, record.student) for record in records if record.archive)
    found = [Flag("the same zip, byte for byte", students) for students in zips]
    same_zip = {flag.students for flag in found}
    for module in sorted({name for record in records for name in record.sources}):
        released, solved = _own_sources().get(module, ("", ""))
        own = [(r.sources[module], r.student) for r in records if module in r.sources]
        solutions = tuple(student for digest, student in own if digest == solved)
        if solutions:
            solved_by[solutions].append(module)
        groups = _groups((digest, student) for digest, student in own if digest not in (released, solved))
        told = f"{module} is the same apart from comments, docstrings and layout"
        found += [Flag(told, students) for students in groups if students not in same_zip]
    for solutions, modules in sorted(solved_by.items()):
        whole = len(modules) == len(_own_sources())
        which = "every module is" if whole else f"{', '.join(modules)} {'is' if len(modules) == 1 else 'are'}"
        found.append(Flag(f"{which} the staff's own solution", solutions))
    known = [set(flag.students) for flag in found]
    for students, count in _alike(records):
        if not any(set(students) <= group for group in known):
            told = f"the same {count} wrong answers, which no known mistake gives: were results copied?"
            found.append(Flag(told, students))
    odd = _groups_of_any((name, record.student) for record in records for name in _only_public(record))
    told = "right on the public checks, wrong on every hidden one: hard-coded seeds or answers?"
    return found + [Flag(f"{name}: {told}", students) for name, students in odd]


@functools.cache
def _own_sources() -> dict[str, tuple[str, str]]:
    """Return, for each module, the hashes of what is released and of what is solved."""
    texts = {part.module_path: (ROOT / part.module_path).read_text(encoding="utf-8") for part in PARTS}
    both = {path: (cut(text, path), text) for path, text in texts.items()}
    return {p.as_posix(): (source_digest(a.encode()), source_digest(b.encode())) for p, (a, b) in both.items()}


@functools.cache
def _functions() -> dict[str, str]:
    return {check.id: check.function for check in checks_of(hidden=True)}


def _groups(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Return the students that share something, for everything that is shared."""
    return sorted(students for _, students in _groups_of_any(pairs) if len(students) > 1)


def _groups_of_any(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
    """Return everything, shared or not, with its students."""
    groups: dict[str, list[str]] = defaultdict(list)
    for key, student in pairs:
        groups[key].append(student)
    return sorted((key, tuple(sorted(students))) for key, students in groups.items())


def _alike(records: Sequence[Record]) -> list[tuple[tuple[str, ...], int]]:
    """Return groups of students whose unexplained wrong answers are the same, to the last digit."""
    enough = {record.student: record for record in records if len(record.outcome.wrong) >= ALIKE}
    groups = _groups((repr(sorted(record.outcome.wrong.items())), student) for student, record in enough.items())
    return [(students, len(enough[students[0]].outcome.wrong)) for students in groups]


def _only_public(record: Record) -> list[str]:
    """Name the functions that pass every public check and fail every hidden one, and use no other that fails."""
    public: dict[str, list[str]] = defaultdict(list)
    hidden: dict[str, list[str]] = defaultdict(list)
    functions = _functions()
    for name, outcome in record.outcome.outcomes.items():
        (hidden if name.startswith("tests/hidden/") else public)[functions.get(name, "")].append(outcome)
    odd = [f for f in hidden if set(public[f]) == {"passed"} and "passed" not in hidden[f] and "failed" in hidden[f]]
    failing = {f for f in hidden if f not in odd and set(public[f]) != {"passed"}}
    return [f for f in odd if not any(f in callers(other) for other in failing if other)]
