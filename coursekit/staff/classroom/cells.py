"""What may stand in a cell of a table that somebody opens in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from coursekit.grading.results import printable

FORMULA = tuple("=+-@|%＝＋－＠")  # with these a spreadsheet begins to compute


def number(value: float) -> float:
    """Write 12.0 as 12, and no more digits than points have."""
    value = round(value, 4)
    return int(value) if value == int(value) else value


def count(things: int, noun: str) -> str:
    """Return 1 pair, 2 pairs."""
    return f"{things} {noun}{'s' * (things != 1)}"


def csv_text(rows: Iterable[Sequence[object]], **options: Any) -> str:
    """Return the rows of a table as CSV."""
    stream = io.StringIO()
    csv.writer(stream, **{"lineterminator": "\n", **options}).writerows(rows)
    return stream.getvalue()


def cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula and no terminal for a command."""
    plain = " ".join(printable(text).split())
    return f"'{plain}" if plain.startswith(FORMULA) else plain
