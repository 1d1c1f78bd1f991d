"""The written answers of all notebooks on one page, for hand grading: each question, and what was written under it.

Students write in Markdown. nbconvert turns it into HTML and cleans it: no script and no picture from elsewhere is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from coursekit.grading.holes import PROMPT

ANSWERS = "answers.html"
QUESTION = re.compile(r"^\*\*(?:Question )?\d+\.\*\*", re.MULTILINE)
HEADING = re.compile(r"^#+ ", re.MULTILINE)
LONGEST = 20_000  # characters of one answer; what is longer is cut, and the page says so
MOST = 30  # questions of one notebook
RENDERED = 60_000  # characters of a page that are read as Markdown: a hostile text takes the reader seconds for 20,000
TAGS = ("p", "br", "hr", "h1", "h2", "h3", "h4", "pre", "table", "thead", "tbody", "tr", "th", "td")
TEMPLATE = Path(__file__).with_name("answers.html")


@dataclass(frozen=True)
class Written:
    """A notebook's first heading, and the Markdown of each question with what stands under it."""

    title: str
    answers: tuple[tuple[str, str], ...]


def answers_page(books: Mapping[str, Written], whose: str = "") -> str:
    """Return the page for what was written in some notebooks, by name; the texts may hold anything, whose name too."""
    sections, read = [], 0
    for name, book in books.items():
        pairs = []
        for question, answer in book.answers:
            read += len(question) + len(answer)
            pairs.append([_html(text) if read <= RENDERED else _plain(text) for text in (question, answer)])
        sections.append((name, book.title, pairs))
    template = jinja2.Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(sections=sections, whose=whose)


def written(notebook: Mapping[str, Any]) -> Written:
    """Take out of a parsed notebook what was written; one that is no notebook raises a LookupError, a Type- or AttributeError."""
    cells = [(cell["cell_type"], "".join(cell.get("source", ""))) for cell in notebook["cells"]]
    headings = (source for kind, source in cells if kind == "markdown" and source.startswith("# "))
    title = next(headings, "").partition("\n")[0].lstrip("# ")
    return Written(title[:LONGEST], tuple(islice(_answers(cells), MOST)))


def _answers(cells: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each question with what stands under it, up to the next question, heading or cell of code."""
    question, answer = "", list[str]()
    for kind, source in cells:
        starts = QUESTION.search(source) if kind == "markdown" else None
        if question and (starts or kind != "markdown" or HEADING.search(source)):
            yield _cut(question), _cut("\n\n".join(answer))
            question = ""
        if starts:
            question, answer = source[starts.start() :], []
        elif question:
            answer.append(source)
    if question:
        yield _cut(question), _cut("\n\n".join(answer))


def _cut(text: str) -> str:
    said = f"\n\n*(cut here: {len(text):,} characters, {LONGEST:,} are shown)*"
    return text if len(text) <= LONGEST else text[:LONGEST] + said


def _html(markdown: str) -> Markup:
    """Return Markdown as clean HTML; as plain text, where nbconvert cannot read it."""
    if not markdown.strip() or markdown.strip() == PROMPT:
        return Markup("<p><em>no answer</em></p>")
    try:
        return Markup(_exporter().from_notebook_node(_book_of(markdown))[0])
    except Exception:  # noqa: BLE001 (whatever a parser of Markdown may raise: the answer itself must not be lost)
        return _plain(markdown)


def _plain(text: str) -> Markup:
    return Markup("<pre>") + escape(text) + Markup("</pre>")


def _book_of(markdown: str) -> Any:
    from nbformat import v4

    return v4.new_notebook(cells=[v4.new_markdown_cell(markdown, id="text")])


@cache
def _exporter() -> Any:
    import bleach  # comes with nbconvert; both import for a second
    from nbconvert.exporters import HTMLExporter

    cleaner = bleach.Cleaner(tags=[*bleach.ALLOWED_TAGS, *TAGS], strip=True)
    filters = {"clean_html": lambda text: cleaner.clean(str(text))}  # nbconvert's own lets no paragraph pass
    return HTMLExporter(template_name="basic", exclude_anchor_links=True, sanitize_html=True, filters=filters)
