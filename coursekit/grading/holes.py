"""The wording of a hole (an exercise still to do), and how to find the holes that are left in a module."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

HOLE_ENDING = ": your code here"
PROMPT = "*Your answer here.*"  # what a student replaces by a written answer


def hole(name: str) -> str:
    """Return the statement that stands where an exercise is still to do."""
    return f'raise NotImplementedError("{name}{HOLE_ENDING}")'


def open_holes(tree: ast.AST) -> tuple[str, ...]:
    """Return the names of the exercises that a parsed module leaves to do, in the order of the file, each once.

    A hole behind a `return` is done: nothing reaches it.
    """
    return tuple(dict.fromkeys(_holes_in(tree)))


def exercises_of(holes: Iterable[str]) -> tuple[str, ...]:
    """Return the exercises to which holes belong: a class with two methods to do is one."""
    return tuple(dict.fromkeys(name.partition(".")[0] for name in holes))


def hole_line(source: str, name: str) -> int:
    """Return the line on which the hole of an exercise stands, or where the exercise begins if it is filled; else 1."""
    nodes = list(ast.walk(ast.parse(source)))
    holes = (n.lineno for n in nodes if isinstance(n, ast.Raise) and _hole_name(n) == name)
    begins = (n.lineno for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == name)
    return next(holes, next(begins, 1))


def defined_names(tree: ast.Module) -> frozenset[str]:
    """Return the functions, classes and plain variables that a parsed module defines at its top level."""
    return frozenset(name for node in tree.body for name in _names_bound_by(node))


def _holes_in(node: ast.AST) -> Iterator[str]:
    name = _hole_name(node)
    if name is not None:
        yield name
        return
    for _, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, ast.AST):
                yield from _holes_in(child)
            if isinstance(child, ast.Return):
                break  # what follows in this block is never reached


def _hole_name(node: ast.AST) -> str | None:
    if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and len(node.exc.args) == 1):
        return None
    called, argument = node.exc.func, node.exc.args[0]
    if not (isinstance(called, ast.Name) and called.id == "NotImplementedError"):
        return None
    text = argument.value if isinstance(argument, ast.Constant) else None
    return text.removesuffix(HOLE_ENDING) if isinstance(text, str) and text.endswith(HOLE_ENDING) else None


def _names_bound_by(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name for alias in node.names)
