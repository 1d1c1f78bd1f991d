"""`a2 questions RESULTS`: a page for each question with all answers one under the other, without names, and a table for the marks."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coursekit.grading.report import template
from coursekit.grading.written import QUESTION, given_notebooks, written
from coursekit.parts import PARTS, ROOT
from coursekit.staff.classroom.cells import count
from coursekit.staff.classroom.finished import finished
from coursekit.staff.classroom.marks import MARKS, code_of
from coursekit.staff.classroom.marks import template as marks_template
from coursekit.staff.classroom.record import write_whole
from coursekit.staff.intake import Taken

FOLDER = "questions"
HERE = Path(__file__).parent
RENDERED = 4000  # characters of one answer that are read as Markdown; a longer one is shown as it was typed
INDEX = "index.html"
BEGINNING = 100  # characters of a question that stand in the index
MARKER = re.compile(r"<!-- ### (BEGIN|END) SOLUTION -->")
ELSEWHERE = "text outside the answers"


@dataclass(frozen=True)
class Answer:
    """One answer: who it is stays with the code."""

    code: str
    text: str


@dataclass(frozen=True)
class Asked:
    """A question as it was handed out, or what stands under none; and what we would answer."""

    label: str  # its column in written.csv
    number: int  # in its notebook; 0 for what stands under no question
    title: str
    text: str
    model: str = ""

    @property
    def begins(self) -> str:
        """The beginning of the question, without its number and its Markdown."""
        plain = " ".join(QUESTION.sub("", self.text).replace("*", "").replace("`", "").split())
        return plain if len(plain) <= BEGINNING else f"{plain[:BEGINNING].rpartition(' ')[0]} ..."


@dataclass(frozen=True)
class Page:
    """A question, its answers, and the codes of those who gave none."""

    asked: Asked
    answers: tuple[Answer, ...]
    silent: tuple[str, ...]

    @property
    def file(self) -> str:
        return f"{self.asked.label.replace(' ', '_')}.html"


def questions(out: Path) -> list[str]:
    """Write the pages and, if there is none, an empty written.csv; return what to say about it."""
    graded = finished(out)
    answers: dict[str, list[Answer]] = defaultdict(list)  # label -> answers
    codes = set()
    for record, taken in graded.submissions():
        code = code_of(record.student, graded.seed)
        codes.add(code)
        for label, text in _answers(taken, graded.parts):
            answers[label].append(Answer(code, text))
    asked = _asked(graded.parts)
    (out / FOLDER).mkdir(exist_ok=True)
    pages = _pages(asked, answers, codes)
    for number, page in enumerate(pages):
        around = {"before": pages[number - 1] if number else None, "after": [*pages, None][number + 1]}
        shown = template("questions.html", HERE).render(page=page, longest=RENDERED, **around)
        write_whole(out / FOLDER / page.file, shown)
    write_whole(out / FOLDER / INDEX, template("questions_index.html", HERE).render(pages=pages, students=len(codes)))
    for path in (out / FOLDER).glob("*.html"):  # of questions that are no longer asked
        if path.name not in (INDEX, *(page.file for page in pages)):
            path.unlink()
    given = count(sum(len(page.answers) for page in pages), "answer")
    said = [f"{out / FOLDER / INDEX}: {count(len(pages), 'page')}, {given} of {count(len(codes), 'student')}"]
    if (out / MARKS).exists():
        return [*said, f"{out / MARKS} is there already and stays as it is"]
    write_whole(out / MARKS, marks_template([one.label for one in asked if one.number], codes))
    return [*said, f"{out / MARKS}: type the marks here, then run a2 classroom again"]


def _pages(asked: Sequence[Asked], answers: Mapping[str, Sequence[Answer]], codes: set[str]) -> list[Page]:
    pages = []
    for one in asked:
        given = tuple(sorted(answers.get(one.label, ()), key=lambda answer: answer.code))
        silent = tuple(sorted(codes - {answer.code for answer in given}))
        pages.append(Page(one, given, silent))
    return pages


def _asked(parts: Sequence[int]) -> list[Asked]:
    """Return the questions of these parts as they were handed out, with our own answers."""
    asked = []
    for name, book in given_notebooks().items():
        part = _part_of(name)
        if part not in parts:
            continue
        own = written(json.loads((ROOT / name).read_text(encoding="utf-8")), book)
        models = [MARKER.sub("", answer).strip() for _, answer in own.answers]
        for number, text in enumerate(book.questions, 1):
            title = f"{own.title}: question {number} of {len(book.questions)}"
            asked.append(Asked(f"{part}.{number}", number, title, text, models[number - 1]))
        text = f"What was written in {name} outside the answers"
        asked.append(Asked(f"{part} {ELSEWHERE}", 0, f"{own.title}: {ELSEWHERE}", text))
    return asked


def _part_of(name: str) -> int | None:
    return next((part.number for part in PARTS if part.notebook_path.as_posix() == name), None)


def _answers(taken: Taken, parts: Sequence[int]) -> list[tuple[str, str]]:
    """Return what a student wrote, by part and number; copies of a notebook that differ are read on the student's own page."""
    found = []
    for name, book in taken.written.items():
        part = _part_of(name)
        if part not in parts:
            continue
        texts = [(f"{part}.{number}", answer) for number, (_, answer) in enumerate(book.answers, 1)]
        found += [(label, text) for label, text in [*texts, (f"{part} {ELSEWHERE}", book.elsewhere)] if text.strip()]
    return found
