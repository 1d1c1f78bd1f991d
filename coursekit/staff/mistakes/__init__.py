"""Known wrong solutions of the students' functions, one file for each module. They never ship; their fingerprints do."""

from __future__ import annotations

import importlib

from coursekit.parts import Part
from coursekit.staff.edits import Edit


def mistakes_of(part: Part) -> tuple[Edit, ...]:
    """Return the known wrong solutions of a part's functions."""
    return tuple(importlib.import_module(f"coursekit.staff.mistakes.{part.module}").MISTAKES)
