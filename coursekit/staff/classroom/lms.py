"""Grades as a learning platform imports them, with the platform's own ids: canvas.csv, moodle.csv, gradescope.csv.

Canvas knows a student by `ID`, Moodle by `Identifier`, Gradescope by `SID` or `Email`; all three are in the names of what was downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence

from coursekit.staff.classroom.cells import cell, csv_text
from coursekit.staff.classroom.record import Record

BOM = "\ufeff"  # without it a spreadsheet on Windows reads Müller as MÃ¼ller; Moodle drops it
TITLE = "Assignment 2"
Graded = tuple[Record, float]  # and the per cent of it


def canvas(graded: Sequence[Graded]) -> str:
    """Return Canvas's format: five columns that must be there, then the assignment, of 100 points."""
    rows = [(_name(record), record.number, "", "", "", f"{grade:g}") for record, grade in graded if record.number]
    head = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", TITLE)
    return csv_text([head, ("    Points Possible", "", "", "", "", "100"), *rows], lineterminator="\r\n")


def moodle(graded: Sequence[Graded]) -> str:
    """Return the columns of Moodle's grading worksheet that its import needs."""
    head = ("Identifier", "Full name", "Grade", "Last modified (grade)")
    rows = [(f"Participant {r.number}", _name(r), f"{grade:g}", "-") for r, grade in graded if r.number]
    return BOM + csv_text([head, *rows], lineterminator="\r\n")


def gradescope(graded: Sequence[Graded]) -> str:
    """Return one line for each member of a group, as Gradescope's own list of scores has them."""
    rows = [(cell(r.student), cell(r.number), f"{grade:g}", "100") for r, grade in graded]
    return csv_text([("SID", "Email", "Total Score", "Max Points"), *rows], lineterminator="\r\n")


FORMATS = {"Canvas": canvas, "Moodle": moodle, "Gradescope": gradescope}


def tables(graded: Sequence[Graded]) -> dict[str, str]:
    """Return file name -> content for the platforms that the class's submissions are from."""
    found = {platform: [one for one in graded if one[0].platform == platform] for platform in FORMATS}
    return {f"{name.casefold()}.csv": FORMATS[name](ones) for name, ones in found.items() if ones}


def _name(record: Record) -> str:
    return cell(record.student.removesuffix(f"_{record.number}"))
