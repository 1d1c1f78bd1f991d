"""Write what a run leaves for staff: gradebook, class page, tables for learning platforms, points before and after, marks in reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from coursekit.grading.report import page
from coursekit.staff.classroom.extras import Extras
from coursekit.staff.classroom.gradebook import core_points, core_score, gradebook
from coursekit.staff.classroom.handed_in import HandedIn
from coursekit.staff.classroom.job import Order
from coursekit.staff.classroom.kept import KEPT, unpack
from coursekit.staff.classroom.lms import tables
from coursekit.staff.classroom.page import class_page
from coursekit.staff.classroom.record import Record, write_whole
from coursekit.staff.classroom.regraded import TABLE, compare

TOLD = "marks.txt"  # what of the marks stands in a report


def write_books(
    out: Path,
    records: Sequence[Record],
    waiting: Sequence[HandedIn],
    failures: Mapping[str, str],
    order: Order,
    others: Sequence[str],
    extras: Extras,
) -> None:
    """Write everything that is made from the records."""
    write_whole(out / "gradebook.csv", gradebook(records, waiting, failures, order, extras))
    write_whole(out / "class.html", class_page(records, waiting, failures, order, others))
    core = core_points(order)
    graded = [(record, extras.grade(record, core_score(record, core), sum(core.values()))) for record in records]
    for name, content in tables(graded).items():
        write_whole(out / name, content)
    changes = compare(out, records, order.ids())
    if changes:
        write_whole(out / TABLE, changes)
    for record in records:
        _tell_marks(out / "students" / record.folder, extras.marks.lines(record.student) if extras.marks else [])


def _tell_marks(folder: Path, lines: Sequence[str]) -> None:
    """Write a student's marks into the report, unless they stand there."""
    told, report = folder / TOLD, folder / "report.html"
    text = "".join(f"{line}\n" for line in lines)
    if not text and not told.exists():
        return
    fresh = told.exists() and report.exists() and told.stat().st_mtime_ns >= report.stat().st_mtime_ns
    grade = unpack(folder / KEPT)
    if grade is None or (fresh and told.read_text(encoding="utf-8") == text):
        return
    content = page(dataclasses.replace(grade, notes=(*lines, *grade.notes)))
    write_whole(report, content.encode("utf-8", "backslashreplace"))
    write_whole(told, text)
