"""Every function that ships with the student edition, pasted into every hole that its signature fits: none is an answer.

A check needs to know what is right, and the siblings that it puts in place have to be right. Neither may be a function that
a student can copy: what they know is recorded in data/reference, or holds for that check's inputs only.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

from coursekit.parts import PARTS, ROOT, Part
from coursekit.staff.edits import Edit, definition
from coursekit.staff.trials import Outcome, Trial, Trials, run_trials

CHUNK = 80  # pastes in one fork
SHIPPED = ("coursekit/vision", "coursekit/checks", "coursekit/grading", *(str(part.tests_path) for part in PARTS))


@dataclass(frozen=True)
class Parameters:
    """What a function is called with: how many arguments by place, at least and at most, and which by name alone."""

    least: int
    most: int
    keywords: tuple[str, ...]
    required_keywords: tuple[str, ...]


def pastes(part: Part) -> Iterator[Edit]:
    """Yield, for each hole of a part, one edit for each shipped function whose signature fits it."""
    for name in part.functions:
        node = definition(name)
        if isinstance(node, ast.ClassDef):
            yield from _classes_for(name, node)
        else:
            yield from _functions_for(name, node)


def earned(part: Part) -> tuple[Outcome, ...]:
    """Return every check of a part that a pasted function passes; `message` names what was pasted."""
    edits = sorted(pastes(part), key=lambda edit: edit.function)
    chunks = [tuple(edits[i : i + CHUNK]) for i in range(0, len(edits), CHUNK)]
    return tuple(outcome for trial in run_trials(chunks, [part], kind=Pastes).trials for outcome in trial.outcomes)


class Pastes(Trials):
    """Runs one paste after another in one fork: there are thousands, and nearly all fail at once."""

    def run(self, trial: Trial) -> Trial:
        """Return, instead of all outcomes, the checks that were passed."""
        torch.set_num_threads(1)
        passed: list[Outcome] = []
        for edit in trial.edits:
            for outcome in self.run_one(edit):
                if outcome.outcome == "passed":
                    passed.append(replace(outcome, message=edit.name))
        return Trial(trial.edits, tuple(passed))


def _functions_for(name: str, hole: ast.FunctionDef) -> Iterator[Edit]:
    wanted = _parameters(hole)
    for path, shipped in shipped_definitions():
        if not isinstance(shipped, ast.FunctionDef) or not _fits(_parameters(shipped), wanted):
            continue
        given = [a.arg for a in (*hole.args.posonlyargs, *hole.args.args)][: _parameters(shipped).most]
        options = [f"{k}={k}" for k in wanted.keywords if k in _parameters(shipped).keywords]
        call = f"shipped_function({path!r}, {shipped.lineno})({', '.join([*given, *options])})"
        body = f"from coursekit.staff.pasted import shipped_function\nreturn {call}"
        yield Edit(name, f"{path}, line {shipped.lineno}: {shipped.name}", body=body)


def _classes_for(name: str, hole: ast.ClassDef) -> Iterator[Edit]:
    wanted = _parameters(_method(hole, "__init__"))
    for path, shipped in shipped_definitions():
        if not isinstance(shipped, ast.ClassDef) or not {"__init__", "forward"} <= {m.name for m in _methods(shipped)}:
            continue
        if _fits(_parameters(_method(shipped, "__init__")), wanted):
            body = "\n\n".join(ast.unparse(method) for method in _methods(shipped))
            yield Edit(name, f"{path}, line {shipped.lineno}: {shipped.name}", body=body)


@functools.cache
def shipped_definitions() -> tuple[tuple[str, ast.FunctionDef | ast.ClassDef], ...]:
    """Return (path, definition) of every function and class that ships, nested ones and methods too."""
    found = []
    for folder in SHIPPED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            nodes = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
            found += [(path.relative_to(ROOT).as_posix(), n) for n in nodes if not n.name.startswith("test_")]
    return tuple(found)


@functools.cache
def shipped_function(path: str, line: int) -> Any:
    """Return a shipped function as it would work in another file: with that file's names, without what a closure held."""
    node = next(n for p, n in shipped_definitions() if (p, n.lineno) == (path, line))
    module = ast.Module([ast.fix_missing_locations(_bare(node))], type_ignores=[])
    names = dict(vars(_imported(path)))
    exec(compile(module, path, "exec"), names)  # noqa: S102 (our own text)
    return names[node.name]


def _bare(node: Any) -> Any:
    """Return a function without its decorators: a fixture's body is what a student would copy."""
    return ast.FunctionDef(
        **{**{f: getattr(node, f, None) for f in node._fields}, "decorator_list": []}, lineno=1, col_offset=0
    )


@functools.cache
def _imported(path: str) -> Any:
    if path.startswith("coursekit/"):
        return importlib.import_module(path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
    name = f"pasted_{path.replace('/', '_').removesuffix('.py')}"
    specification = importlib.util.spec_from_file_location(name, ROOT / path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def _parameters(node: ast.FunctionDef) -> Parameters:
    by_place = [a.arg for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in ("self", "cls")]
    keywords = tuple(a.arg for a in node.args.kwonlyargs)
    required = tuple(a.arg for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d is None)
    most = 99 if node.args.vararg else len(by_place)
    return Parameters(len(by_place) - len(node.args.defaults), most, keywords, required)


def _fits(shipped: Parameters, wanted: Parameters) -> bool:
    """Say whether a shipped function can be called with what a hole is called with."""
    required = set(shipped.required_keywords) <= set(wanted.keywords)
    return required and wanted.most > 0 and shipped.least <= wanted.most <= shipped.most


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    return [n for n in node.body if isinstance(n, ast.FunctionDef)]


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef:
    return next(m for m in _methods(node) if m.name == name)
