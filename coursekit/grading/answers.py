"""The written answers of all notebooks on one page, for hand grading: each question, and what was written under it.

Students write in Markdown. nbconvert turns it into HTML and cleans it: no script and no picture from elsewhere is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from coursekit.grading.holes import PROMPT

ANSWERS = "answers.html"
QUESTION = re.compile(r"^\*\*(?:Question )?\d+\.\*\*", re.MULTILINE)
HEADING = re.compile(r"^#+ ", re.MULTILINE)
LONGEST = 20_000  # characters of one answer; what is longer is cut, and the page says so
TAGS = ("p", "br", "hr", "h1", "h2", "h3", "h4", "pre", "table", "thead", "tbody", "tr", "th", "td")
TEMPLATE = Path(__file__).with_name("answers.html")


def answers_page(notebooks: Mapping[str, dict[str, Any]]) -> str:
    """Return the page for parsed notebooks (name -> notebook), which may hold anything that nbformat takes."""
    sections = [
        (name, title_of(book), [(_html(question), _html(answer)) for question, answer in written(book)])
        for name, book in notebooks.items()
    ]
    template = jinja2.Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(sections=sections)


def written(notebook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each question's Markdown with what stands under it, up to the next question, heading or cell of code."""
    question, answer = "", list[str]()
    for cell in notebook["cells"]:
        source = "".join(cell.get("source", ""))
        starts = cell["cell_type"] == "markdown" and QUESTION.search(source)
        if question and (starts or cell["cell_type"] != "markdown" or HEADING.search(source)):
            yield question, "\n\n".join(answer)
            question = ""
        if starts:
            question, answer = source[starts.start() :], []
        elif question:
            answer.append(source)
    if question:
        yield question, "\n\n".join(answer)


def title_of(notebook: Mapping[str, Any]) -> str:
    """Return a notebook's first heading, or nothing."""
    sources = ("".join(cell.get("source", "")) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    return next((source.splitlines()[0].lstrip("# ") for source in sources if source.startswith("# ")), "")


def _html(markdown: str) -> Markup:
    """Return Markdown as clean HTML; as plain text, where nbconvert cannot read it."""
    if len(markdown) > LONGEST:
        markdown = f"{markdown[:LONGEST]}\n\n*(cut here: {len(markdown):,} characters, {LONGEST:,} are shown)*"
    if not markdown.strip() or markdown.strip() == PROMPT:
        return Markup("<p><em>no answer</em></p>")
    try:
        return Markup(_exporter().from_notebook_node(_book_of(markdown))[0])
    except Exception:  # noqa: BLE001 (whatever a parser of Markdown may raise: the answer itself must not be lost)
        return Markup("<pre>") + escape(markdown) + Markup("</pre>")


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
