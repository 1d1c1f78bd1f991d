"""Formulas of a Markdown text as MathML, which browsers draw without a script and without the network.

The library latex2mathml reads the formula; what it makes is written anew from a list of elements and attributes, so that nothing a
student types becomes other markup. Where the library is missing (a student's computer), or cannot read a formula, its TeX is shown.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from xml.etree import ElementTree

from markupsafe import Markup, escape

# Code comes first, so that a dollar in it begins no formula.
FORMULA = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\$\$(?P<block>[^$]{1,1000})\$\$|(?<![\\$\w])\$(?P<line>[^\s$](?:[^$\n]{0,500}[^\s$\\])?)\$(?![\w$])",
    re.DOTALL,
)
WORD = re.compile(r"a2formula\d+a")
MOST = 200  # formulas of one text
ELEMENTS = frozenset({
    "math", "mrow", "mi", "mn", "mo", "mtext", "ms", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "mover",
    "munder", "munderover", "mmultiscripts", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "menclose",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "xmlns", "display", "mathvariant", "stretchy", "fence", "form", "separator", "accent", "accentunder", "largeop",
    "movablelimits", "lspace", "rspace", "minsize", "maxsize", "columnalign", "rowspacing", "columnspacing", "linethickness",
    "displaystyle", "scriptlevel", "width", "height", "notation",
})  # fmt: skip
XMLNS = "http://www.w3.org/1998/Math/MathML"


def take_formulas(markdown: str) -> tuple[str, dict[str, tuple[str, Markup]]]:
    """Return a text with a word in place of each formula, and for each word the TeX and the MathML."""
    found: dict[str, tuple[str, Markup]] = {}

    def take(match: re.Match[str]) -> str:
        block, line = match["block"], match["line"]
        drawn = mathml(block or line, block=bool(block)) if (block or line) and len(found) < MOST else None
        if drawn is None:
            return match[0]
        word = f"a2formula{len(found)}a"
        found[word] = match[0], drawn
        return f"\n\n{word}\n\n" if block else word

    return FORMULA.sub(take, markdown), found


def put_formulas(page: str, formulas: Mapping[str, tuple[str, Markup]]) -> str:
    """Put the formulas back into clean HTML; in an attribute, as of a link, the TeX."""
    attributes = _Attributes(page).text

    def put(match: re.Match[str]) -> str:  # one pass: a formula may hold the word of another
        tex, drawn = formulas.get(match[0], (match[0], Markup.escape(match[0])))
        return str(escape(tex)) if match[0] in attributes else str(drawn)

    return WORD.sub(put, page)


def mathml(tex: str, *, block: bool = False) -> Markup | None:
    """Return a formula as MathML, or None if there is no library for it, or it cannot be read."""
    try:
        from latex2mathml.converter import convert_to_element

        element = convert_to_element(tex.strip(), display="block" if block else "inline")
        return Markup(ElementTree.tostring(_clean(element), encoding="unicode"))
    except Exception:  # noqa: BLE001  (whatever a parser of TeX may raise: the answer itself must not be lost)
        return None


def _clean(element: ElementTree.Element) -> ElementTree.Element:
    """Copy an element of the list; ValueError for any other."""
    if element.tag not in ELEMENTS:
        raise ValueError(f"{element.tag} is no element of a formula")
    attributes = {
        name: XMLNS if name == "xmlns" else value
        for name, value in element.attrib.items()
        if name in ATTRIBUTES and (name == "xmlns" or re.fullmatch(r"[\w .%+-]{1,40}", value))
    }
    made = ElementTree.Element(element.tag, attributes)
    made.text = html.unescape(element.text) if element.text else None  # the library writes &#x03B1;
    made.extend(_clean(child) for child in element)
    return made


class _Attributes(HTMLParser):
    """What stands in the attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += " ".join(value or "" for _, value in attrs)
