"""What people read wraps at 100 characters, and wording that readers found odd does not come back."""

import json
import re

import pytest

from coursekit.parts import PARTS, ROOT
from coursekit.staff.exercises import exercise, mistakes_of

WIDTH = 100
HINT_WORDS, LADDER_WORDS = 20, 40
ODD = (
    r"\bmend(s|ed|ing)?\b",  # fix
    r"\bplainer\b",  # clearer
    r"to its promises|broken promise",
    r"edition is whole",
    r"trains it and saves it",
    r"with nothing to grade",
    r"nobody knows",
    r"at the staff's",
    r"looking at (the )?arguments",
    r"strangers' code",
    r"\bas they must be\b",
    r"(scenes|things|labels|part|column|class|channel|pixels) a (second|class|channel|part|query|side)\b",  # per second
    r"\bits turn\b",
    r"under no question",
)
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for place in ("*.md", "docs/*.md", "docs/student/*.md", "data/*.md", "benchmarks/*.md", "notebooks/*.ipynb")
    for path in ROOT.glob(place)
)
PRINTED = (
    "coursekit/cli.py",
    "coursekit/grading/terminal.py",
    "coursekit/grading/advice.py",
    "coursekit/staff/commands.py",
    "coursekit/staff/printing.py",
    "coursekit/grading/*.html",
    "coursekit/staff/classroom/*.html",
    "setup.sh",
)


def markdown_of(name):
    """Return a document; of a notebook its Markdown cells."""
    text = (ROOT / name).read_text(encoding="utf-8")
    if not name.endswith(".ipynb"):
        return text
    return "\n".join("".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "markdown")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_markdown_wraps_except_in_tables(name):
    long = [line for line in markdown_of(name).splitlines() if len(line) > WIDTH and not line.startswith("|")]

    assert not long, f"{name}: wrap at {WIDTH} characters: {long[0][:60]} ..."


@pytest.mark.parametrize(
    "name", [*DOCUMENTS, *(p.relative_to(ROOT).as_posix() for place in PRINTED for p in sorted(ROOT.glob(place)))]
)
def test_odd_wording_does_not_come_back(name):
    text = " ".join(markdown_of(name).split())

    found = [odd for pattern in ODD if (odd := re.search(pattern, text, re.IGNORECASE))]

    assert not found, f"{name}: say it in plain words: {[text[f.start() - 30 : f.end() + 30] for f in found]}"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.module)
def test_a_hint_is_read_at_once(part):
    hints = [(str(edit), edit.hint, HINT_WORDS) for edit in mistakes_of(part)]
    hints += [(name, hint, LADDER_WORDS) for name in part.functions for hint in exercise(name).hints]

    long = [(who, hint) for who, hint, most in hints if len(hint.split()) > most]

    assert not long, f"at most {HINT_WORDS} words, in a ladder {LADDER_WORDS}: {long}"
