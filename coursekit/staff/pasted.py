"""Paste the functions that ship with the student edition into every hole that their signature fits: none is an answer.

A check needs to know what is right, and the siblings that it puts in place have to be right. Neither may be a function that
a student can copy: what they know is recorded in data/reference, or holds for that check's inputs only.
"""

from __future__ import annotations

import ast
import copy
import functools
import importlib
import importlib.util
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import torch

from coursekit.grading.results import read_manifest
from coursekit.parts import PARTS, ROOT, Part
from coursekit.staff.edits import Edit, definition
from coursekit.staff.trials import Outcome, Trial, Trials, run_trials

CHUNK = 80  # pastes in one fork
SHIPPED = ("coursekit/vision", "coursekit/checks", "coursekit/grading", *(str(part.tests_path) for part in PARTS))
FIXED = ast.Assign | ast.FunctionDef | ast.ClassDef  # what a function copied from inside another may need of it


@dataclass(frozen=True)
class Parameters:
    """What a function is called with: how many arguments by place, at least and at most, and which by name alone."""

    least: int
    most: int
    keywords: frozenset[str]
    required: frozenset[str]

    def fit(self, wanted: Parameters) -> bool:
        """Say whether a function with these parameters can be called with all that a hole is given."""
        return self.required <= wanted.keywords and wanted.most > 0 and self.least <= wanted.most <= self.most


def pasted_problems(part: Part) -> Iterator[str]:
    """Name what stands in a part's own checks and, pasted into a hole, earns more than one check that any pure function passes.

    A paste may keep one point ("leaves no trace"), unless that is half of what the function is worth.
    """
    points: defaultdict[tuple[str, str], float] = defaultdict(float)
    for outcome in earned(part, [str(part.tests_path)]):
        points[outcome.message, outcome.function] += outcome.score
    worth: defaultdict[str, float] = defaultdict(float)
    for check in read_manifest(ROOT / "tests" / "manifest.json"):
        worth[check.function] += check.points
    for (shipped, function), found in points.items():
        if found > 1 or 2 * found >= worth[function]:
            yield f"PASTED, {shipped}, pasted into {function} earns {found:g} points"


def earned(part: Part, folders: Sequence[str] = SHIPPED) -> list[Outcome]:
    """Return every check of a part that a function pasted from some folders passes; `message` names what was pasted."""
    edits = [edit for name in part.functions for edit in pastes(name, folders)]
    chunks = [tuple(edits[i : i + CHUNK]) for i in range(0, len(edits), CHUNK)]
    if not chunks:
        return []
    return [outcome for trial in run_trials(chunks, [part], kind=Pastes).trials for outcome in trial.outcomes]


class Pastes(Trials):
    """Runs one paste after another in one fork: there are hundreds, and nearly all fail at once."""

    def run(self, trial: Trial) -> Trial:
        """Return, instead of all outcomes, the checks that were passed."""
        torch.set_num_threads(1)
        passed = [
            replace(outcome, message=edit.name)
            for edit in trial.edits
            for outcome in self.run_one(edit)
            if outcome.outcome == "passed"
        ]
        return Trial(trial.edits, tuple(passed))


def pastes(function: str, folders: Sequence[str]) -> Iterator[Edit]:
    """Yield, for one hole, an edit for each function or class in some folders whose signature fits it."""
    hole = definition(function)
    for path, node in [entry for folder in folders for entry in shipped_definitions(folder)]:
        if isinstance(hole, ast.ClassDef):
            body = _methods_for(hole, node) if isinstance(node, ast.ClassDef) else ""
        else:
            body = _call_for(hole, path, node) if isinstance(node, ast.FunctionDef) else ""
        if body:
            yield Edit(function, f"{path}, line {node.lineno}: {node.name}", body=body)


def _call_for(hole: ast.FunctionDef, path: str, shipped: ast.FunctionDef) -> str:
    wanted, found = parameters(hole), parameters(shipped)
    if not found.fit(wanted):
        return ""
    given = [a.arg for a in (*hole.args.posonlyargs, *hole.args.args)]
    options = [f"{name}={name}" for name in sorted(wanted.keywords & found.keywords)]
    call = f"shipped_function({path!r}, {shipped.lineno})({', '.join([*given, *options])})"
    return f"from coursekit.staff.pasted import shipped_function\nreturn {call}"


def _methods_for(hole: ast.ClassDef, shipped: ast.ClassDef) -> str:
    methods = _methods(shipped)
    if not {"__init__", "forward"} <= set(methods):
        return ""
    if not parameters(methods["__init__"]).fit(parameters(_methods(hole)["__init__"])):
        return ""
    return "\n\n".join(ast.unparse(method) for method in methods.values())


def _methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {method.name: method for method in node.body if isinstance(method, ast.FunctionDef)}


def parameters(node: ast.FunctionDef) -> Parameters:
    """Read the parameters of a function, or of a method without its self."""
    by_place = [a.arg for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in ("self", "cls")]
    named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    required = frozenset(a.arg for a, default in named if default is None)
    most = 99 if node.args.vararg else len(by_place)
    least = len(by_place) - len(node.args.defaults)
    return Parameters(least, most, frozenset(a.arg for a in node.args.kwonlyargs), required)


@functools.cache
def shipped_definitions(folder: str) -> tuple[tuple[str, ast.FunctionDef | ast.ClassDef], ...]:
    """Return (path, definition) of every function and class in a folder, nested ones and methods too."""
    found: list[tuple[str, ast.FunctionDef | ast.ClassDef]] = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        wanted = [n for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith("test_")]
        found += [(path.relative_to(ROOT).as_posix(), node) for node in wanted]
    return tuple(found)


@functools.cache
def shipped_function(path: str, line: int) -> Any:
    """Return a shipped function as it works when it is copied, together with its file and with what stands around it."""
    names = dict(vars(_imported(path)))
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    around = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.lineno <= line <= (n.end_lineno or 0)]
    *outer, wanted = sorted(around, key=lambda node: node.lineno)
    for function in outer:
        for statement in function.body:
            if isinstance(statement, FIXED) and statement.lineno < line:
                with suppress(Exception):  # it needs what only a check has: a recorded answer, the solution
                    _run(statement, path, names)
    _run(wanted, path, names)
    return names[wanted.name]


def _run(statement: ast.stmt, path: str, names: dict[str, Any]) -> None:
    """Run a statement; a function without its decorators, for the body of a fixture is what a student would copy."""
    statement = copy.copy(statement)
    if isinstance(statement, ast.FunctionDef):
        statement.decorator_list = []
    exec(compile(ast.Module([statement], type_ignores=[]), path, "exec"), names)  # noqa: S102 (our own text)


@functools.cache
def _imported(path: str) -> ModuleType:
    if path.startswith("coursekit/"):
        return importlib.import_module(path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
    name = f"pasted_{path.replace('/', '_').removesuffix('.py')}"
    specification = importlib.util.spec_from_file_location(name, ROOT / path)
    assert specification is not None
    assert specification.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
