"""What a save can have changed: `a2 watch` keeps the verdicts on everything else."""

from __future__ import annotations

import ast

DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def edited(before: str, after: str) -> set[str] | None:
    """Return the functions and classes that differ in two texts of a module, and those that use them; None if more may differ."""
    try:
        was, now = ast.parse(before).body, ast.parse(after).body
    except (SyntaxError, ValueError):
        return None
    if _dump(was, defined=False) != _dump(now, defined=False):
        return None
    names = {name for name, _ in set(_dump(was)) ^ set(_dump(now))}
    uses = {
        node.name: {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        for node in now
        if isinstance(node, DEFINITIONS)
    }
    while users := {name for name, used in uses.items() if used & names} - names:
        names |= users
    return names


def _dump(body: list[ast.stmt], *, defined: bool = True) -> list[tuple[str, str]]:
    """Return the definitions with their names, or all other statements, without line numbers and comments."""
    chosen = [node for node in body if isinstance(node, DEFINITIONS) == defined]
    return [(node.name if isinstance(node, DEFINITIONS) else "", ast.dump(node)) for node in chosen]
