"""`a2 questions RESULTS`: a page for each question with all answers one under the other, without names, and a table for the marks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from coursekit.errors import UsageError
from coursekit.grading.answers import rendered
from coursekit.grading.written import given_notebooks
from coursekit.parts import PARTS
from coursekit.staff.classroom.finished import finished, template
from coursekit.staff.classroom.marks import MARKS, code_of
from coursekit.staff.classroom.marks import template as marks_template
from coursekit.staff.classroom.record import write_whole
from coursekit.staff.intake import Taken

FOLDER = "questions"
RENDERED = 4000  # characters of one answer that are read as Markdown; a longer one is shown as it was typed
ELSEWHERE = "text under no question"


@dataclass(frozen=True)
class Answer:
    """One answer: who it is stays with the code."""

    code: str
    text: str

    @property
    def html(self) -> Markup:
        return rendered(self.text, markdown=len(self.text) <= RENDERED)


def questions(out: Path) -> list[str]:
    """Write the pages and, if there is none, an empty written.csv; return what to say about it."""
    graded = finished(out)
    answers: dict[str, list[Answer]] = defaultdict(list)  # label -> answers
    codes = set()
    for record, taken in graded.submissions():
        code = code_of(record.student, graded.seed)
        codes.add(code)
        for label, text in _answers(taken):
            answers[label].append(Answer(code, text))
    if not codes:
        raise UsageError(f"{out}: the submissions are no longer where they were graded; put them back")
    asked = _asked()
    (out / FOLDER).mkdir(exist_ok=True)
    for label, question in asked.items():
        given = sorted(answers[label], key=lambda one: one.code)
        page = template("questions.html").render(
            label=label, question=rendered(question), answers=given, silent=sorted(codes - {one.code for one in given})
        )
        write_whole(out / FOLDER / f"{label.replace(' ', '_')}.html", page)
    said = [f"{out / FOLDER}: {len(asked)} pages, {sum(map(len, answers.values()))} answers of {len(codes)} students"]
    if (out / MARKS).exists():
        return [*said, f"{out / MARKS} is there already and stays as it is"]
    labels = [label for label in asked if ELSEWHERE not in label]
    write_whole(out / MARKS, marks_template(labels, codes))
    return [*said, f"{out / MARKS}: type the marks here, then run a2 classroom again"]


def _asked() -> dict[str, str]:
    """Return the questions as they were handed out, by part and number."""
    asked: dict[str, str] = {}
    for name, book in given_notebooks().items():
        part = next((part.number for part in PARTS if part.notebook_path.as_posix() == name), None)
        if part is not None:
            asked |= {f"{part}.{number}": text for number, text in enumerate(book.questions, 1)}
            asked[f"{part} {ELSEWHERE}"] = f"What was written in {name} and stands under no question"
    return asked


def _answers(taken: Taken) -> list[tuple[str, str]]:
    """Return what a student wrote, by part and number; copies of a notebook that differ are read on the student's own page."""
    found = []
    for name, book in taken.written.items():
        part = next((part.number for part in PARTS if part.notebook_path.as_posix() == name), None)
        if part is None:
            continue
        texts = [(f"{part}.{number}", answer) for number, (_, answer) in enumerate(book.answers, 1)]
        found += [(label, text) for label, text in [*texts, (f"{part} {ELSEWHERE}", book.elsewhere)] if text.strip()]
    return found
