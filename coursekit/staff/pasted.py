"""Paste all code that ships with the student edition into every hole that its signature fits: none of it is an answer.

A check needs to know what is right, and the siblings that it puts in place have to be right. Neither may be a function that
a student can copy: what they know is recorded in data/reference, or holds for that check's inputs only.

There are 18,000 pastes, and nearly all fail at once. So a check runs once for all of them, up to its first call of
the hole: there each paste is called with what the hole is given, and only those go on that return the same kind of thing.
"""

from __future__ import annotations

import ast
import copy
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from coursekit.grading.plugin import points_of
from coursekit.grading.results import read_manifest
from coursekit.parts import ROOT, Part, part_of
from coursekit.staff.edits import Edit, definition
from coursekit.staff.shipped import TEXTS, definitions, functions, imported, parameters, shipped
from coursekit.staff.trials import Outcome, Trial, Trials, apply, run_trials

SECONDS = 0.5  # of the processor, for the first call of one paste
# What a function of coursekit may ask for; the others want files, parts, processes.
NUMBERS = {"Tensor", "Images", "Image", "Normalize", "ReluRule", "Loss", "Function", "Callable", "Any", "object", "None",
           "torch", "nn", "np", "bool", "int", "float", "str", "tuple", "list", "dict", "Sequence", "Iterable", "Mapping"}  # fmt: skip
MACHINE = {"os", "shutil", "signal", "socket", "subprocess", "sys"}


def pasted_problems(part: Part) -> Iterator[str]:
    """Name what ships and, pasted into a hole, earns more than one check that any pure function passes.

    A paste may keep one point ("leaves no trace"), unless that is half of what the function is worth.
    """
    points: defaultdict[tuple[str, str], float] = defaultdict(float)
    for outcome in earned(part, shipped()):
        points[outcome.message, outcome.function] += outcome.score
    worth: defaultdict[str, float] = defaultdict(float)
    for check in read_manifest(ROOT / "tests" / "manifest.json"):
        worth[check.function] += check.points
    for (paste, function), found in points.items():
        if found > 1 or 2 * found >= worth[function]:
            yield f"PASTED, {paste}, pasted into {function} earns {found:g} points"


def earned(part: Part, texts: Mapping[str, str]) -> list[Outcome]:
    """Return every check of a part that code pasted from some texts (path -> text) passes; `message` names what was pasted."""
    TEXTS.update(texts)
    for path, text in texts.items():
        if definitions(text):  # once, and not in every fork
            imported(path)
            functions(text)
    edits = [edits for name in part.functions if (edits := tuple(pastes(name, texts)))]
    return [outcome for trial in run_trials(edits, [part], kind=Sieve).trials for outcome in trial.outcomes]


class Stopped(BaseException):
    """Ends a check at its first call of the hole, and a paste that takes too long there."""


class Sieve(Trials):
    """Pastes one piece of code after another into one function, each for the checks whose first call it survives."""

    def run(self, trial: Trial) -> Trial:
        """Return, instead of all outcomes, the checks that were passed."""
        torch.set_num_threads(1)
        function = trial.edits[0].function
        module = vars(sys.modules[f"assignment2.{part_of(function).module}"])
        solution, pasted, passed = module[function], {}, []
        for edit in trial.edits:
            with suppress(TypeError):  # a class with parameters that the hole has no alias for
                apply(edit)
                pasted[edit] = module[function]
        for item in (item for item in self.items if (points_of(item) or (0.0, ""))[1] == function):
            module[function] = solution
            for edit in self.survivors(item, solution, pasted):
                module[function] = pasted[edit]
                outcome = self.run_item(item)
                passed += [replace(outcome, message=edit.name)] if outcome.outcome == "passed" else []
        return Trial(trial.edits, tuple(passed))

    def survivors(self, item: pytest.Item, solution: Any, pasted: dict[Edit, Any]) -> list[Edit]:
        """Run a check up to its first call of the hole; return the pastes that give the right kind of thing there."""
        found = list(pasted)
        if isinstance(solution, type):
            return found  # there are two or three, which show nothing before they are called
        inner = solution.__wrapped__

        def first_call(*args: Any, **options: Any) -> None:
            solution.__wrapped__ = _stop  # nothing that is pasted gets at the solution
            right = _answer(inner, args, options, 0)
            answers = {edit: _answer(paste.__wrapped__, args, options, SECONDS) for edit, paste in pasted.items()}
            found[:] = [edit for edit, answer in answers.items() if _alike(answer, right)]
            for edit in (edit for edit, answer in answers.items() if answer is Stopped):
                del pasted[edit]
            raise Stopped

        solution.__wrapped__ = first_call
        self.run_item(item)
        solution.__wrapped__ = inner
        return found


def _stop(*_args: Any, **_options: Any) -> None:
    raise Stopped


def _answer(function: Callable[..., Any], args: Any, options: Any, seconds: float) -> Any:
    """Return what a function makes of copies of its arguments, or the class of what it raises; 0 seconds: no limit."""
    with suppress(Exception):  # not everything can be copied
        args, options = copy.deepcopy((args, options))
    earlier = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return function(*args, **options)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (pytest.fail and sys.exit too)
        return type(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, earlier)


def _alike(found: Any, right: Any) -> bool:
    """Say whether two results are of one kind: tensors of one shape, networks, tuples of such, numbers, errors of one class."""
    if isinstance(right, Tensor):
        return isinstance(found, Tensor) and found.shape == right.shape
    if isinstance(right, nn.Module):
        return isinstance(found, nn.Module)
    if isinstance(right, (tuple, list)):
        return type(found) is type(right) and len(found) == len(right) and all(map(_alike, found, right))
    return found is right or (type(found) is type(right) and not isinstance(right, type))


def pastes(function: str, texts: Mapping[str, str]) -> Iterator[Edit]:
    """Yield, for one hole, an edit for each function, lambda or class in some texts whose signature fits it."""
    hole = definition(function)
    for path, text in texts.items():
        for node in definitions(text):
            if isinstance(hole, ast.ClassDef):
                body = _methods_for(hole, node) if isinstance(node, ast.ClassDef) else ""
            else:
                body = "" if isinstance(node, ast.ClassDef) else _call_for(hole, path, node)
            if body:
                yield Edit(function, f"{path}, line {node.lineno}: {getattr(node, 'name', 'lambda')}", body=body)


def _call_for(hole: ast.FunctionDef, path: str, found: ast.FunctionDef | ast.Lambda) -> str:
    if path.startswith("coursekit/") and (not _annotations(found.args) <= NUMBERS or _names(found) & MACHINE):
        return ""  # it might write somewhere, or end this process
    given = parameters(found).given(parameters(hole))
    call = f"shipped_function({path!r}, {found.lineno}, {found.col_offset})({given})"
    return f"from coursekit.staff.shipped import shipped_function\nreturn {call}" if given else ""


def _annotations(arguments: ast.arguments) -> set[str]:
    """Return the names in the annotations of what a function is given."""
    given = [a.annotation for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs) if a.annotation]
    return {name for annotation in given for name in _names(annotation)}


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _methods_for(hole: ast.ClassDef, found: ast.ClassDef) -> str:
    methods, wanted = copy.deepcopy(_methods(found)), _methods(hole)
    if not {"__init__", "forward"} <= methods.keys():
        return ""
    mine, theirs = methods["__init__"].args, wanted["__init__"].args
    if not parameters(methods["__init__"]).given(parameters(wanted["__init__"])):
        return ""
    for own, alias in zip([*mine.args, *mine.kwonlyargs], [*theirs.args, *theirs.kwonlyargs], strict=False):
        own.annotation = alias.annotation
    return "\n\n".join(ast.unparse(method) for method in methods.values())


def _methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {method.name: method for method in node.body if isinstance(method, ast.FunctionDef)}
