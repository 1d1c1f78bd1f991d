"""report.html: a grade as one page that needs nothing else; the part about one function is also what notebooks show."""

from __future__ import annotations

import functools
import json
import time
from pathlib import Path
from typing import Any

import jinja2

from coursekit.grading.answers import rendered
from coursekit.grading.draw import data_address, draw, draw_own
from coursekit.grading.results import FunctionGrade, Grade, of_checks, printable
from coursekit.parts import PARTS, ROOT

FOLDER = Path(__file__).parent
GRADE, GRADE_END = "<!-- grade -->", "<!-- /grade -->"  # between them a class writes its grade into a report
SMALL = ("student: ", "sandbox: ")  # notes that say how, not what
HIDDEN = ROOT / "data" / "reference" / "hidden_points.json"  # function -> points of its hidden checks


def write_report(grade: Grade, path: Path) -> Path:
    """Write the page, whole or not at all; return its path."""
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(page(grade), encoding="utf-8")
    draft.replace(path)
    return path


def page(grade: Grade) -> str:
    """Return a grade as an HTML page."""
    when = time.strftime("%Y-%m-%d %H:%M")
    small = [note for note in grade.notes if note.startswith(SMALL)]
    return template("report.html").render(
        grade=grade, when=when, sums=sums(grade), place=GRADE + GRADE_END,
        small=sorted(small, reverse=True), notes=[note for note in grade.notes if note not in small],
    )  # fmt: skip


def sums(grade: Grade, path: Path = HIDDEN) -> str:
    """Say what each part that was graded as a whole is worth without and with the hidden checks; nothing if nobody knows."""
    try:
        hidden = json.loads(path.read_text(encoding="utf-8"))
        said = []
        for number in dict.fromkeys(part.part.number for part in grade.parts):
            names = {name for part in PARTS if part.number == number for name in part.functions}
            verdicts = [v for v in grade.verdicts if v.check.function in names]
            public = sum(v.check.points for v in verdicts if not v.check.id.startswith("tests/hidden/"))
            if names == {v.check.function for v in verdicts}:
                whole = public + sum(hidden[name] for name in names)
                said.append(f"part {number} has {public:g} points here and {whole:g} with them")
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return "; ".join(said)


def fragment(function: FunctionGrade) -> str:
    """Return the verdicts on one function as a piece of HTML that brings its own style."""
    return template("function.html").render(function=function, alone=True)


def card(kind: str, text: str, place: Any = None) -> str:
    """Return a sentence as a card of a notebook: kind is "todo", "hint", "skipped" or "bad"; place is linked to."""
    return template("card.html").render(kind=kind, text=text, place=place)


@functools.cache
def template(name: str, folder: Path = FOLDER) -> jinja2.Template:
    """Return a page's template, from a folder or from this one; what is put into it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, FOLDER]), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {f.__name__: f for f in (printable, draw, draw_own, data_address, of_checks, rendered)}
    return environment.get_template(name)
