"""The written answers of all notebooks on one page, for hand grading: each question, and what was written under it.

Students write in Markdown. nbconvert turns it into HTML and cleans it: no script and no picture from elsewhere is left. Formulas
become MathML.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from coursekit.grading.formulas import put_formulas, take_formulas
from coursekit.grading.written import Written

ANSWERS = "answers.html"
RENDERED = 60_000  # characters of a page that are read as Markdown: a hostile text takes the reader seconds for 20,000
PICTURE = re.compile(r"!\[[^\]\n]{0,200}\]\([^)\n]{0,1000}\)|<img\b[^>\n]{0,1000}>", re.IGNORECASE)
SEE_NOTEBOOK = "(a picture or HTML: see the notebook)"
TAGS = ("p", "br", "hr", "h1", "h2", "h3", "h4", "pre", "table", "thead", "tbody", "tr", "th", "td")
TEMPLATE = Path(__file__).with_name("answers.html")


def answers_page(books: Mapping[str, Written], whose: str = "") -> str:
    """Return the page for what was written in some notebooks, by name; the texts may hold anything, whose name too."""
    sections, read = [], 0
    for name, book in books.items():
        shown = []
        for text in (text for pair in (*book.answers, ("", book.elsewhere)) for text in pair):
            read += len(text)
            shown.append(_html(text) if read <= RENDERED else _plain(text))
        pairs = list(zip(shown[:-2:2], shown[1:-2:2], strict=True))
        sections.append((name, book.title, pairs, shown[-1] if book.elsewhere else ""))
    template = jinja2.Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(sections=sections, whose=whose)


def rendered(text: str, longest: float = math.inf) -> Markup:
    """Return what somebody wrote as HTML without scripts and pictures; what is longer as it was typed."""
    return _html(text) if len(text) <= longest else _plain(text)


def _html(markdown: str) -> Markup:
    """Return Markdown as clean HTML; as plain text, where nbconvert cannot read it."""
    if not markdown.strip():
        return Markup("<p><em>no answer</em></p>")
    try:
        text, formulas = take_formulas(PICTURE.sub(SEE_NOTEBOOK, markdown))
        html = Markup(put_formulas(_exporter().from_notebook_node(_book_of(text))[0], formulas))
        return html if html.striptags().strip() else _html(SEE_NOTEBOOK)
    except Exception:  # noqa: BLE001 (whatever a parser of Markdown may raise: the answer itself must not be lost)
        return _plain(markdown)


def _plain(text: str) -> Markup:
    return Markup("<pre>") + escape(text) + Markup("</pre>")


def _book_of(markdown: str) -> Any:
    from coursekit.grading.quick_nbformat import nbformat

    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(markdown, id="text")])


@cache
def _exporter() -> Any:
    import bleach  # comes with nbconvert; both import for a second
    from nbconvert.exporters import HTMLExporter

    cleaner = bleach.Cleaner(tags=[*bleach.ALLOWED_TAGS, *TAGS], strip=True)
    filters = {"clean_html": lambda text: cleaner.clean(str(text))}  # nbconvert's own lets no paragraph pass
    return HTMLExporter(template_name="basic", exclude_anchor_links=True, sanitize_html=True, filters=filters)
