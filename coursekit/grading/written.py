"""Find what a student wrote in a notebook, whatever became of its cells: nothing that was not handed out is left aside.

What was handed out is known by the hashes of its lines, which `a2 reference` stores. Everything else up to the next question is the
answer: Markdown, code and raw cells alike. What stands after the next given heading, or before the first question, is kept apart.
"""

from __future__ import annotations

import hashlib
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from coursekit.grading.holes import PROMPT
from coursekit.parts import ROOT

GIVEN = Path("data") / "reference" / "given.json"
QUESTION = re.compile(r"^\*\*(?:Question )?\d+\.\*\*", re.MULTILINE)
HEADING = re.compile(r"^#+ ", re.MULTILINE)
LONGEST = 20_000  # characters of one answer; what is longer is cut, and the page says so
MOST = 30  # questions of one notebook
MOST_STARTS = 300  # lines of one cell that are looked at as the beginning of a question
GONE = "*(this question is no longer in the notebook)*"


@dataclass(frozen=True)
class Given:
    """What a notebook was handed out with: the text of its questions, and the hashes of its lines."""

    questions: tuple[str, ...] = ()
    lines: frozenset[str] = frozenset()

    def has(self, text: str) -> bool:
        """Return whether every line of a text was handed out."""
        return all(not line.strip() or _hash(line) in self.lines for line in text.splitlines())


@dataclass(frozen=True)
class Written:
    """A notebook's first heading, the Markdown of each question with what was written under it, and what stands under none."""

    title: str
    answers: tuple[tuple[str, str], ...]
    elsewhere: str = ""

    @property
    def unanswered(self) -> tuple[int, ...]:
        """The numbers, from 1, of the questions under which nothing stands."""
        return tuple(number for number, (_, answer) in enumerate(self.answers, 1) if not answer.strip())

    @property
    def says_anything(self) -> bool:
        """Whether anything was written at all."""
        return bool(self.elsewhere or any(answer for _, answer in self.answers))


@dataclass
class _Asked:
    """A question as it stands in the notebook, and the pieces written under it."""

    line: str
    question: str
    pieces: list[str] = field(default_factory=list)


def given_in(notebook: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what is to be stored of a notebook as it is handed out."""
    texts = [source for _, source in _cells(notebook)]
    questions = [segment for text in texts for segment in _segments(text, None)[1:]]
    lines = {_hash(line) for text in texts for line in text.splitlines() if line.strip()}
    return {"questions": [_without_prompt(question) for question in questions], "lines": sorted(lines)}


@cache
def given_notebooks(root: Path = ROOT) -> dict[str, Given]:
    """Return what every notebook was handed out with, by its name; nothing where the file is missing."""
    try:
        stored = json.loads((root / GIVEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: Given(tuple(one["questions"]), frozenset(one["lines"])) for name, one in stored.items()}


def which(notebook: Mapping[str, Any], known: Mapping[str, Given]) -> str:
    """Return the name of the notebook whose questions these are, whatever the file is called, or nothing."""
    lines = {_hash(line) for _, source in _cells(notebook) for line in source.splitlines() if QUESTION.match(line)}
    shared = {name: sum(_hash(_first(q)) in lines for q in given.questions) for name, given in known.items()}
    return max(shared, key=lambda name: shared[name]) if any(shared.values()) else ""


def written(notebook: Mapping[str, Any], given: Given = Given()) -> Written:
    """Take out of a parsed notebook what was written; one that is no notebook raises a LookupError, a Type- or AttributeError."""
    cells = list(_cells(notebook))
    headings = (source for kind, source in cells if kind == "markdown" and source.startswith("# "))
    title = next(headings, "").partition("\n")[0].lstrip("# ")
    asked: list[_Asked] = []
    elsewhere: list[str] = []
    place = elsewhere
    starts = _starts((source for kind, source in cells if kind == "markdown"), given)
    for kind, source in cells:
        if kind != "markdown":
            place += _own(source, given, code=kind == "code")
            continue
        head, *segments = _segments(source, starts)
        place += _own(head, given)
        if head.strip() and given.has(head) and HEADING.search(head):
            place = elsewhere
        for segment in segments:
            question, answer = _parted(segment, given)
            asked.append(_Asked(_first(segment), question))
            place = asked[-1].pieces
            place += _own(answer, Given())
    answers = [(_cut(question), _cut("\n\n".join(pieces))) for question, pieces in _in_order(asked, given)]
    return Written(title[:LONGEST], tuple(answers[:MOST]), _cut("\n\n".join(elsewhere)))


def _cells(notebook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield kind and text of every cell; a damaged one is text too."""
    if not isinstance(notebook["cells"], list):
        raise TypeError("cells are a list")
    for cell in notebook["cells"]:
        source = cell.get("source") if isinstance(cell, dict) else cell
        text = "".join(map(str, source)) if isinstance(source, list) else "" if source is None else str(source)
        yield (str(cell.get("cell_type")) if isinstance(cell, dict) else "raw"), text


def _hash(line: str) -> str:
    return hashlib.sha256(" ".join(line.split()).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _first(text: str, start: int = 0) -> str:
    """Return the line that begins at a place of a text."""
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def _starts(texts: Iterable[str], given: Given) -> frozenset[str] | None:
    """Return the lines with which questions begin; None for any that looks like one, where nobody knows what was asked.

    An answer may hold a numbered list in bold, so a line counts if it was handed out, or if no such line has its number.
    """
    if not given.questions:
        return None
    lines = [_first(text, match.start()) for text in texts for match in islice(QUESTION.finditer(text), MOST_STARTS)]
    wanted = {_hash(_first(question)): _label(question) for question in given.questions}
    found = {wanted[_hash(line)] for line in lines if _hash(line) in wanted}
    unfound = set(wanted.values()) - found
    first = {_label(line): line for line in reversed(lines) if _label(line) in unfound}
    return frozenset([*(line for line in lines if _hash(line) in wanted), *first.values()])


def _label(line: str) -> str:
    match = QUESTION.match(line)
    return match[0] if match else ""


def _segments(text: str, starts: frozenset[str] | None) -> list[str]:
    """Split a text before each line with which a question begins; the first piece stands before all of them."""
    found = [match.start() for match in islice(QUESTION.finditer(text), MOST_STARTS)]
    if starts is not None:
        found = [place for place in found if _first(text, place) in starts]
    return [text[a:b] for a, b in zip([0, *found], [*found, len(text)], strict=True)]


def _parted(segment: str, given: Given) -> tuple[str, str]:
    """Part a question from what was written below it in the same cell: by what was handed out, else at the first blank line."""
    lines = segment.splitlines(keepends=True)
    if _hash(lines[0]) in given.lines:
        count = len(list(takewhile(given.has, lines)))
    else:
        count = len(list(takewhile(str.strip, lines)))
    return _without_prompt("".join(lines[:count])).strip(), "".join(lines[count:])


def _own(text: str, given: Given, *, code: bool = False) -> list[str]:
    """Return a text as Markdown if anything in it was not handed out, else nothing."""
    text = _without_prompt(text)
    if not text or given.has(text):
        return []
    return [textwrap.indent(text, "    ", lambda line: True) if code else text]


def _without_prompt(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.strip() != PROMPT).strip("\n").rstrip()


def _in_order(asked: list[_Asked], given: Given) -> Iterator[tuple[str, list[str]]]:
    """Yield every question that was handed out, in that order, with what stands under it; where none is known, those that were found."""
    if not given.questions:
        yield from ((one.question, one.pieces) for one in asked)
        return
    for question in given.questions:
        mine = [one for one in asked if _label(one.line) == _label(question)]
        yield question if mine else f"{question}\n\n{GONE}", [piece for one in mine for piece in one.pieces]


def _cut(text: str) -> str:
    said = f"\n\n*(cut here: {len(text):,} characters, {LONGEST:,} are shown)*"
    return text if len(text) <= LONGEST else text[:LONGEST] + said
