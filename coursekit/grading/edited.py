"""What a save can have changed: `a2 watch` keeps the verdicts on everything else."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from dataclasses import dataclass

DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class _Text:
    """What a module's text says, without line numbers and comments."""

    definitions: frozenset[tuple[str, str]]  # names of functions and classes, and what stands there
    others: tuple[str, ...]  # all other statements
    uses: Mapping[str, frozenset[str]]  # the names in each function and class


def edited(before: str, after: str) -> set[str] | None:
    """Return the functions and classes that differ in two texts of a module, and those that use them; None if more may differ."""
    try:
        was, now = _read(before), _read(after)
    except (SyntaxError, ValueError):
        return None
    if was.others != now.others:
        return None
    names = {name for name, _ in was.definitions ^ now.definitions}
    while users := {name for name, used in now.uses.items() if used & names} - names:
        names |= users
    return names


@functools.lru_cache(maxsize=2)  # what is new now is what was before, at the next save
def _read(text: str) -> _Text:
    body = ast.parse(text).body
    definitions = [node for node in body if isinstance(node, DEFINITIONS)]
    return _Text(
        frozenset((node.name, ast.dump(node)) for node in definitions),
        tuple(ast.dump(node) for node in body if not isinstance(node, DEFINITIONS)),
        {
            node.name: frozenset(inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
            for node in definitions
        },
    )
