"""What staff know of an exercise, one record each in MODULE/FUNCTION.py: HINTS, the ladder of `a2 hint`; MISTAKES; VARIANTS.

A record never ships. `a2 reference` writes what ships of it: the ladder, and hint and fingerprints of each mistake.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass, replace
from pathlib import Path

from coursekit.parts import ROOT, Part, part_of
from coursekit.staff.edits import Edit

FOLDER = Path("coursekit/staff/exercises")


@dataclass(frozen=True)
class Exercise:
    """Hints from the gentlest to a line of mathematics, known wrong solutions, and right ones that are not ours."""

    hints: tuple[str, ...] = ()
    mistakes: tuple[Edit, ...] = ()
    variants: tuple[Edit, ...] = ()


def record_path(function: str) -> Path:
    """Return where the record of a function belongs."""
    return FOLDER / part_of(function).module / f"{function}.py"


@functools.cache
def exercise(function: str) -> Exercise:
    """Read the record of a function; an empty one where there is none yet."""
    path = record_path(function)
    if not (ROOT / path).exists():
        return Exercise()
    record = importlib.import_module(".".join(path.with_suffix("").parts))
    named = ((replace(edit, function=function) for edit in edits) for edits in (record.MISTAKES, record.VARIANTS))
    return Exercise(record.HINTS, *map(tuple, named))


def mistakes_of(part: Part) -> tuple[Edit, ...]:
    """Return the known wrong solutions of a part's functions."""
    return tuple(edit for function in part.functions for edit in exercise(function).mistakes)


def variants_of(part: Part) -> tuple[Edit, ...]:
    """Return the right ways to write a part's functions that are not ours."""
    return tuple(edit for function in part.functions for edit in exercise(function).variants)


def strays(part: Part) -> list[Path]:
    """Return the records of a part's module that belong to no function of it."""
    records = (path.relative_to(ROOT) for path in sorted((ROOT / FOLDER / part.module).glob("*.py")))
    return [path for path in records if path.stem not in (*part.functions, "shared")]
