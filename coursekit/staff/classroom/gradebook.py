"""gradebook.csv: one line for each student, the same bytes whenever and in whatever order the class was graded."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

from coursekit.parts import part_of
from coursekit.staff.classroom.cells import cell, csv_text, number
from coursekit.staff.classroom.extras import Extras
from coursekit.staff.classroom.graded import Class
from coursekit.staff.classroom.handed_in import HandedIn
from coursekit.staff.classroom.job import Order
from coursekit.staff.classroom.record import Record
from coursekit.staff.isolation import checks_of

SCORES = ("score", "max_score", "percent", "core", "max_core", "core_percent")


def gradebook(graded: Class, extras: Extras) -> str:
    """Return the gradebook: scores, then what is to be said about them."""
    ids, most, core = graded.order.ids(), max_score(graded.order), core_points(graded.order)
    rows = [_row(record, ids, most, core, extras) for record in graded.records]
    blank = len(SCORES) + len(extras.titles) + len(ids)
    rows += [_waiting_row(one, graded.failures.get(one.student, ""), blank) for one in graded.waiting]
    rows.sort(key=lambda row: (str(row[0]).casefold(), str(row[0])))
    parts = [f"part {number}" for number in ids]
    titles = ["student", *SCORES, *extras.titles, *parts, "status", "late", "remarks", "sandbox", "file"]
    return csv_text([titles, *rows], quoting=csv.QUOTE_NONNUMERIC)


def max_score(order: Order) -> float:
    """Return the points that could be had: the same for everybody in a run."""
    return sum(check.points for check in checks_of(order.chosen, hidden=order.hidden))


def core_points(order: Order) -> dict[str, float]:
    """Return the checks of the core functions, which everybody is graded on, and what each is worth."""
    counted = checks_of(order.chosen, hidden=order.hidden)
    return {check.id: check.points for check in counted if check.function in part_of(check.function).core}


def core_score(record: Record, core: Mapping[str, float]) -> float:
    """Return what a student has of the core points."""
    return sum(record.outcome.points.get(name, 0.0) for name in core)


def _row(
    record: Record, ids: Mapping[int, Sequence[str]], most: float, core: Mapping[str, float], extras: Extras
) -> list[str | float]:
    score = record.score
    points = [number(sum(record.outcome.points.get(name, 0.0) for name in names)) for names in ids.values()]
    own = core_score(record, core)
    sums = *_share(score, most), *_share(own, sum(core.values())), *extras.cells(record, own, sum(core.values()))
    said = "; ".join((*record.remarks, *extras.remarks(record)))
    texts = [record.status, "late" if record.late else "", said, record.outcome.sandbox, record.file]
    return [cell(record.student), *sums, *points, *map(cell, texts)]


def _waiting_row(one: HandedIn, failure: str, blank: int) -> list[str | float]:
    said = f"the grader failed ({failure}): run the same command again" if failure else "run the same command again"
    texts = ["not graded", "late" if one.late else "", said, "", one.file]
    return [cell(one.student), *[""] * blank, *map(cell, texts)]


def _share(points: float, most: float) -> tuple[float, float, int]:
    """Return points, how many there are, and the whole per cent."""
    got = number(points)
    return got, number(most), int(100 * got / most) if most else 0
