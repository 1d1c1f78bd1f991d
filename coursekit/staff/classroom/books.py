"""Write what a run leaves for staff: gradebook, class page, tables for learning platforms, points before and after, marks in reports."""

from __future__ import annotations

from pathlib import Path

from coursekit.grading.report import GRADE, GRADE_END, template
from coursekit.staff.classroom.extras import Extras
from coursekit.staff.classroom.gradebook import core_points, core_score, gradebook
from coursekit.staff.classroom.graded import Class
from coursekit.staff.classroom.lms import tables
from coursekit.staff.classroom.page import class_page
from coursekit.staff.classroom.record import write_whole
from coursekit.staff.classroom.regraded import TABLE, compare


def write_books(graded: Class, extras: Extras) -> None:
    """Write everything that is made from the records."""
    out = graded.out
    write_whole(out / "gradebook.csv", gradebook(graded, extras))
    write_whole(out / "class.html", class_page(graded, extras))
    core = core_points(graded.order)
    most = sum(core.values())
    grades = [(record, extras.grade(record, core_score(record, core), most)) for record in graded.records]
    for name, content in tables(grades).items():
        write_whole(out / name, content)
    changes = compare(out, graded.records, graded.order.ids())
    if changes:
        write_whole(out / TABLE, changes)
    for record, grade in grades:
        lines = extras.account(record, core_score(record, core), most)
        comment = extras.marks.of(record.student).comment if extras.marks else ""
        told = template("grade.html", Path(__file__).parent).render(grade=f"{grade:g}", lines=lines, comment=comment)
        _tell(out / "students" / record.folder / "report.html", told)


def _tell(report: Path, told: str) -> None:
    """Write into a report, in its place, what the student's grade is made of."""
    try:
        text = report.read_text(encoding="utf-8")
    except OSError:  # somebody took it away; `a2 feedback` says what to do
        return
    before, begin, rest = text.partition(GRADE)
    old, end, after = rest.partition(GRADE_END)
    if end and old != told:
        write_whole(report, f"{before}{begin}{told}{end}{after}")
