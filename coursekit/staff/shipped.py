"""What ships with the student edition as code that can be copied: its texts, what is defined in them, and how it is called."""

from __future__ import annotations

import ast
import copy
import functools
import importlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from coursekit.parts import PARTS, ROOT
from coursekit.staff.cut_notebooks import without_magics
from coursekit.staff.release import compose

FIXED = ast.Assign | ast.FunctionDef | ast.ClassDef  # what a function copied from inside another may need of it
IMPORTS = ast.Import | ast.ImportFrom
TEXTS: dict[str, str] = {}  # path -> what is pasted from: the student edition, or what a test plants


@functools.cache
def shipped() -> Mapping[str, str]:
    """Return the Python text of every module and notebook of the student edition; of a notebook its code cells as one."""
    code = {name: content for name, content in compose(ROOT, PARTS).items() if name.endswith((".py", ".ipynb"))}
    return {n: _code(text.decode()) if n.endswith(".ipynb") else text.decode() for n, text in code.items()}


def _code(notebook: str) -> str:
    cells = ["".join(cell["source"]) for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]
    return "\n".join(map(without_magics, cells))


@dataclass(frozen=True)
class Parameters:
    """What a function is called with: by place or by name, by name alone, and which of them may be missing."""

    by_place: tuple[str, ...]
    by_name: tuple[str, ...]
    optional: frozenset[str]
    any_number: bool

    def given(self, hole: Parameters) -> str:
        """Return the arguments of a call with what a hole is given, by name or else by place; "" if it cannot be called."""
        there, required = {*hole.by_place, *hole.by_name}, {*self.by_place, *self.by_name} - self.optional
        if required and required <= there:
            return ", ".join(f"{name}={name}" for name in (*self.by_place, *self.by_name) if name in there)
        least = len(required.intersection(self.by_place))
        places = (*hole.by_place, *hole.by_name)[: max(least, len(hole.by_place))]
        fit = least <= len(places) and (self.any_number or len(places) <= len(self.by_place))
        if not fit or not places or not required.intersection(self.by_name) <= there:
            return ""
        return ", ".join([*places, *(f"{name}={name}" for name in self.by_name if name in there)])


def parameters(node: ast.FunctionDef | ast.Lambda) -> Parameters:
    """Read the parameters of a function, or of a method without its self."""
    places = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    named = [a.arg for a in node.args.kwonlyargs]
    optional = places[len(places) - len(node.args.defaults) :]
    optional += [name for name, default in zip(named, node.args.kw_defaults, strict=True) if default is not None]
    places = [name for name in places if name not in ("self", "cls")]
    return Parameters(tuple(places), tuple(named), frozenset(optional), node.args.vararg is not None)


@functools.cache
def definitions(text: str) -> tuple[ast.FunctionDef | ast.Lambda | ast.ClassDef, ...]:
    """Return every function, lambda and class of a text, nested ones and methods too, but no check."""
    nodes = [node for node in ast.walk(_tree(text)) if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef)]
    return tuple(node for node in nodes if not getattr(node, "name", "").startswith("test_"))


@functools.cache
def functions(text: str) -> dict[tuple[int, int], ast.FunctionDef | ast.Lambda]:
    """Return every function and lambda of a text by the line and the column where it begins."""
    nodes = (node for node in ast.walk(_tree(text)) if isinstance(node, ast.FunctionDef | ast.Lambda))
    return {(node.lineno, node.col_offset): node for node in nodes}


@functools.cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


@functools.cache
def shipped_function(path: str, line: int, column: int) -> Any:
    """Return a shipped function as it works when it is copied, together with its file and with what stands around it."""
    names = dict(vars(imported(path)))
    places = functions(TEXTS[path])
    wanted = places[line, column]
    around = (n for n in places.values() if n.lineno < line <= (n.end_lineno or 0))
    for outer in (n for n in around if isinstance(n, ast.FunctionDef)):
        for statement in outer.body:
            if isinstance(statement, FIXED) and statement.lineno < line:
                with suppress(Exception):  # it needs what only a check has: a recorded answer, the solution
                    _run(statement, path, names)
    if isinstance(wanted, ast.Lambda):
        return eval(compile(ast.Expression(wanted), path, "eval"), names)
    _run(wanted, path, names)
    is_method = bool(wanted.args.args) and wanted.args.args[0].arg in ("self", "cls")
    return functools.partial(names[wanted.name], None) if is_method else names[wanted.name]


def _run(statement: ast.stmt, path: str, names: dict[str, Any]) -> None:
    """Run a statement; a function without its decorators, for the body of a fixture is what a student would copy."""
    statement = copy.copy(statement)
    if isinstance(statement, ast.FunctionDef):
        statement.decorator_list = []
    exec(compile(ast.Module([statement], type_ignores=[]), path, "exec"), names)  # noqa: S102 (our own text)


@functools.cache
def imported(path: str) -> ModuleType:
    """Return a module of ours; of other texts what is imported and defined in them, of a file of checks what is assigned too."""
    if path.startswith(("coursekit/", "assignment2/")):
        return importlib.import_module(path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
    module = ModuleType(path)
    kinds = IMPORTS | ast.FunctionDef | ast.ClassDef if path.endswith(".ipynb") else IMPORTS | FIXED
    for statement in _tree(TEXTS[path]).body:
        if isinstance(statement, kinds):
            with suppress(Exception):
                _run(statement, path, vars(module))
    return module
