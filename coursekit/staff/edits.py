"""Known wrong and known right ways to write a function, each an edit of the solution text."""

from __future__ import annotations

import ast
import functools
import textwrap
from dataclasses import dataclass

from coursekit.errors import UsageError
from coursekit.grading.holes import hole
from coursekit.parts import ROOT, Part, part_of
from coursekit.staff.markers import find_regions

UNTOUCHED = "untouched"
RESTS_ON = {"trained_unet": "UNet"}  # trained weights are scored in the network that the student wrote


@dataclass(frozen=True)
class Edit:
    """Another text for one function: old text -> new text inside its solution, or a new body.

    The solution of a class are its methods, and its new body are methods.
    """

    function: str  # empty in a record, whose file is named after it
    name: str
    replace: tuple[tuple[str, str], ...] = ()
    body: str = ""
    hint: str = ""  # of a mistake; empty for a right variant

    def function_source(self) -> str:
        """Return the edited function with its decorators; UsageError if the edit no longer applies or changes nothing."""
        before, solution, after = split(self.function)
        edited = self.edited_solution()
        if ast.dump(ast.parse(before + solution + after)) == ast.dump(ast.parse(before + edited + after)):
            raise UsageError(f"{self}: the edit changes nothing; fix coursekit/staff")
        return before + edited + after

    def edited_solution(self) -> str:
        """Return the text between the markers after the edit."""
        solution = split(self.function)[1]
        if self.body:
            return textwrap.indent(textwrap.dedent(self.body).strip("\n"), "    ") + "\n"
        for old, new in self.replace:
            if solution.count(old) != 1:
                raise UsageError(
                    f"{self}: {old!r} stands {solution.count(old)} times in the solution; fix coursekit/staff"
                )
            solution = solution.replace(old, new)
        return solution

    def __str__(self) -> str:
        return f"{self.function}/{self.name}"


def mistake(name: str, *replace: str, body: str = "", hint: str) -> Edit:
    """Declare a wrong solution: pairs of old and new text, or a whole body, and a hint that points without telling."""
    return Edit("", name, tuple(zip(replace[::2], replace[1::2], strict=True)), body, hint)


def variant(name: str, *replace: str, body: str = "") -> Edit:
    """Declare a right solution that is written in another way."""
    return Edit("", name, tuple(zip(replace[::2], replace[1::2], strict=True)), body)


def untouched(part: Part) -> tuple[Edit, ...]:
    """Return, for each function of a part, what a student finds: the hole."""
    return tuple(Edit(name, UNTOUCHED, body=_empty(name)) for name in part.functions)


def _empty(name: str) -> str:
    if isinstance(definition(name), ast.ClassDef):
        return f"def __init__(self, *arguments, **options):\n    {hole(name)}"
    return hole(name)


@functools.cache
def definition(function: str) -> ast.FunctionDef | ast.ClassDef:
    tree = ast.parse((ROOT / part_of(function).module_path).read_text(encoding="utf-8"))
    return next(n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == function)


@functools.cache
def split(function: str) -> tuple[str, str, str]:
    """Return the text of a function before, inside and after its solution; of a class its head, its methods, nothing."""
    path = part_of(function).module_path
    text = (ROOT / path).read_text(encoding="utf-8")
    node = definition(function)
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    regions = [r for r in find_regions(text, path) if first <= r.start_line <= (node.end_lineno or 0) + 1]
    lines = text.splitlines(keepends=True)
    if isinstance(node, ast.ClassDef):
        methods = next(n for n in node.body if isinstance(n, ast.FunctionDef)).lineno
        return "".join(lines[first - 1 : methods - 1]), "".join(lines[methods - 1 : node.end_lineno]), ""
    start, end = regions[0].start_line, regions[-1].end_line
    return "".join(lines[first - 1 : start]), "".join(lines[start : end - 1]), "".join(lines[end - 1 : node.end_lineno])


@functools.cache
def callers(function: str) -> frozenset[str]:
    """Return a function and all functions of its module whose solutions use it, directly or not."""
    part = part_of(function)
    uses = {name: _names("".join(split(name))) for name in part.functions}
    found = {function}
    while True:
        more = {name for name in part.functions if uses[name] & found} | found
        if more == found:
            return frozenset(found)
        found = more


def concerned(edit: Edit) -> frozenset[str]:
    """Return the functions whose checks are run on an edit; what calls a mistaken function is tried once, on its hole."""
    if edit.hint:
        return frozenset({edit.function, *(name for name, other in RESTS_ON.items() if other == edit.function)})
    return callers(edit.function)


def _names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
