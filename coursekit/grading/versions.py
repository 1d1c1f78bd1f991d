"""Which Python and which packages a submission was made with, and what in it only a newer Python than the staff's can read."""

from __future__ import annotations

import ast
import importlib.metadata
import io
import platform
import re
import sys
import tokenize
import warnings
from pathlib import Path
from typing import Any

from coursekit.grading.only_required import required

CONSTRAINTS = Path("coursekit") / "constraints.txt"
OLDEST = (3, 10)  # what the assignment runs on at all


def versions(root: Path) -> dict[str, Any]:
    """Return the versions of Python and of the packages that requirements.txt names, for the manifest."""
    try:
        lines = required((root / "requirements.txt").read_text(encoding="utf-8"))
    except OSError:
        lines = []
    found = {}
    for line in lines:
        name = re.split(r"[^\w.-]", line)[0]
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return {"python": platform.python_version(), "packages": found}


def staff_python(root: Path) -> tuple[int, int]:
    """Return the Python that the assignment was tested with, which setup.sh prefers on the staff's machine too."""
    try:
        match = re.search(r"^# Python 3\.(\d+)$", (root / CONSTRAINTS).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        match = None
    return (3, int(match[1])) if match else OLDEST


def newer_syntax(name: str, source: bytes, root: Path) -> str:
    """Return a sentence about syntax that this Python reads and the staff's does not, or nothing."""
    staff = staff_python(root)
    if sys.version_info[:2] <= staff:
        return ""
    line = _line_that_fails(source, staff) or (_line_of_new_string(source) if staff < (3, 12) else 0)
    here, there = f"3.{sys.version_info[1]}", f"3.{staff[1]}"
    told = f"Python {here} accepts this, the staff's Python {there} does not: nothing in this file would be graded"
    return f"{name}, line {line}: {told}" if line else ""


def _line_that_fails(source: bytes, version: tuple[int, int]) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source, feature_version=version)
    except SyntaxError as error:
        return error.lineno or 1
    return 0


def _line_of_new_string(source: bytes) -> int:
    """Return the line of the first f-string that holds its own quotes or a backslash in its braces (Python 3.12), or 0.

    Where Python itself is older, an f-string is one token and there is nothing to find.
    """
    quotes: list[str] = []
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        kind = tokenize.tok_name[token.type]
        quote = token.string.lstrip("rRbBfFtTuU")[:3]
        quote = quote if quote in ("'''", '"""') else quote[:1]
        if quotes and kind in ("STRING", "FSTRING_START") and (quote in quotes or "\\" in token.string):
            return token.start[0]
        if kind == "FSTRING_START":
            quotes.append(quote)
        elif kind == "FSTRING_END":
            quotes.pop()
    return 0
