"""Marks of the written answers: RESULTS/written.csv, typed by staff in a spreadsheet.

    student,1.1,1.2,1.3,comment
    out of,3,3,2,
    doejane_1234,2.5,3,,"1.3: which network?"
    8f3a21c0,3,1,2,

A student is the id of the gradebook or the code of the anonymous pages (`a2 questions`). A question counts once the row `out of` says what it is worth;
from then on an empty cell counts 0, and the remarks name it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.parts import NUMBERS
from coursekit.staff.classroom.cells import cell, csv_text

MARKS = "written.csv"
OUT_OF = "out of"
COMMENT = "comment"
CODE_LETTERS = 8


@dataclass(frozen=True)
class Marked:
    """What one student got for the written answers."""

    points: Mapping[str, float]  # question -> points, of those that have a mark
    comment: str = ""

    @property
    def score(self) -> float:
        return sum(self.points.values())


NOTHING = Marked({})


@dataclass(frozen=True)
class Marks:
    """The whole table."""

    most: Mapping[str, float]  # question -> points that could be had
    given: Mapping[str, Marked] = field(default_factory=dict)

    @property
    def max_score(self) -> float:
        return sum(self.most.values())

    def of(self, student: str) -> Marked:
        return self.given.get(student, NOTHING)

    def missing(self, student: str) -> list[str]:
        """Return the questions that count and have no mark yet."""
        return [name for name in self.most if name not in self.of(student).points]

    def line(self, student: str) -> str:
        """Say in the report what a student got."""
        points = self.of(student).points
        told = {name: f"{points[name]:g} of {most:g}" for name, most in self.most.items() if name in points}
        each = ", ".join(f"{name}: {told.get(name, 'not marked yet')}" for name in self.most)
        return f"written answers: {self.of(student).score:g} of {self.max_score:g} points ({each})"


def code_of(student: str, seed: int) -> str:
    """Return the name under which a student stands on the anonymous pages of a run."""
    return hashlib.sha256(f"{seed}:{student}".encode("utf-8", "surrogateescape")).hexdigest()[:CODE_LETTERS]


def read_marks(path: Path, students: Sequence[str], seed: int, parts: Sequence[int] = NUMBERS) -> Marks | None:
    """Read the marks of a class; None if there are none, UsageError with the line for what cannot be meant.

    Questions of other parts than these do not count.
    """
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path.name} cannot be read ({error}): save it as CSV in UTF-8") from None
    first = text.partition("\n")[0].rstrip("\r")
    comma = max(",;\t", key=first.count)  # a German spreadsheet writes semicolons, and 2,5 for 2.5
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=comma, strict=True) if any(map(str.strip, row))]
    except csv.Error as error:
        raise UsageError(f"{path.name} is not a CSV file ({error}): save it again from the spreadsheet") from None
    titles = [title.strip() for title in rows[0]] if rows else []
    if len(titles) < 2 or titles[0] != "student" or len(set(titles)) < len(titles):
        raise UsageError(
            f"{path.name} must begin with the line student,1.1,1.2,... with each title once, not with {first[:80]!r}"
        )
    names = {name: student for student in students for name in (student, cell(student), code_of(student, seed))}
    most, given = dict[str, float](), dict[str, Marked]()
    for number, row in enumerate(rows[1:], 2):
        who = row[0].strip()
        where = f"{path.name}, row {number} ({who[:60]!r})"
        if len(row) > len(titles):
            raise UsageError(f"{where}: has {len(row)} cells, and there are {len(titles)} titles")
        cells = dict(zip(titles[1:], row[1:], strict=False))
        comment = " ".join(cells.pop(COMMENT, "").split())
        typed = {name: told for name, told in cells.items() if told.strip() and not _of_another(name, parts)}
        points = {name: _points(where, name, told, comma) for name, told in typed.items()}
        if who == OUT_OF:
            most = points
        elif who not in names:
            raise UsageError(f"{where}: no such student; the gradebook's first column has the names")
        elif names[who] in given:
            raise UsageError(f"{where}: {names[who]} has a row already; keep one")
        else:
            given[names[who]] = Marked(points, comment)
    _hold(path.name, most, given)
    return Marks(most, given)


def _of_another(question: str, parts: Sequence[int]) -> bool:
    part, point, _ = question.partition(".")
    return bool(point) and part.isdecimal() and int(part) not in parts


def _points(where: str, name: str, told: str, comma: str) -> float:
    try:
        points = float(told.strip().replace(",", ".") if comma != "," else told)
    except ValueError:
        points = math.nan
    if not 0 <= points < math.inf:
        raise UsageError(f"{where}, {name}: {told.strip()[:40]!r} is not a number of points")
    return points


def _hold(file: str, most: Mapping[str, float], given: Mapping[str, Marked]) -> None:
    """Raise UsageError for a mark that is more than there is to have."""
    for student, marked in given.items():
        for name, points in marked.points.items():
            if name not in most:
                raise UsageError(f"{file}: the row {OUT_OF!r} does not say what {name} is worth")
            if points > most[name]:
                raise UsageError(f"{file}: {student} has {points:g} points for {name}, but the most is {most[name]:g}")


def template(questions: Iterable[str], codes: Iterable[str]) -> str:
    """Return an empty table for typing marks, one row for each code."""
    titles = ["student", *questions, COMMENT]
    return csv_text([titles, *([name, *[""] * (len(titles) - 1)] for name in (OUT_OF, *sorted(codes)))])
