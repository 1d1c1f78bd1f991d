"""What to do next, in one sentence, and where: what `a2 grade` and `a2 watch` end with."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from coursekit.grading.holes import hole_line
from coursekit.grading.results import FunctionGrade, Grade, PartGrade, of_checks
from coursekit.parts import NUMBERS, PARTS, ROOT

UNREADABLE = (OSError, ValueError, SyntaxError, RecursionError, MemoryError)
LONGEST, AROUND = 68, 50  # characters of a source line: so many are shown, and so many of them before the place
PLACE = re.compile(r"at (assignment2/\w+\.py), line (\d+): ")  # where a check's message says that an error arose


def next_step(grade: Grade, root: Path = ROOT) -> str:
    """Return what to do first: fix what cannot be imported, fix what is wrong, write the core, go on to the next part."""
    unloaded = next((part for part in grade.parts if part.unloaded), None)
    if unloaded:
        path = unloaded.part.module_path.as_posix()
        line = re.match(rf"{re.escape(path)}, line (\d+): ", unloaded.unloaded)
        return f"fix {path}{f':{line[1]}' if line else ''}, which cannot be imported"
    wrong = next((f for f in grade.functions if f.state == "wrong"), None)
    if wrong:
        failed = of_checks(len(wrong.lost), len(wrong.verdicts), "fails", "fail")
        return f"fix {wrong.function} ({failed}): {place_of(wrong, root)}"
    todo = [f for f in grade.functions if f.state == "todo"]
    core = next((f for f in todo if f.is_core), None)
    if core:
        return f"write {core.function}: {place_of(core, root)}"
    onward = _onward(grade)
    if todo:
        return f"{onward}; or an extension, {todo[0].function}: {place_of(todo[0], root)}"
    return onward


def completed(grade: Grade) -> str:
    """Say of which parts the core is complete, if of any; of a part that was graded as a whole."""
    numbers = [str(n) for n in _complete(grade)]
    if len(numbers) == len(NUMBERS) > 1:
        return "core of all parts complete"
    if len(numbers) > 1:
        return f"core of parts {', '.join(numbers[:-1])} and {numbers[-1]} complete"
    return f"core of part {numbers[0]} complete" if numbers else ""


def place_of(function: FunctionGrade, root: Path = ROOT) -> str:
    """Return file:line of an exercise, as editors open it: where its error arose, its hole, or where it begins."""
    path = function.part.module_path.as_posix()
    raised = next((found for v in function.lost if (found := PLACE.search(v.message)) and found[1] == path), None)
    if raised and not function.untouched:
        return f"{path}:{raised[2]}"
    try:
        return f"{path}:{hole_line((root / path).read_text(encoding='utf-8'), function.function)}"
    except UNREADABLE:
        return path


def source_of(part: PartGrade, root: Path = ROOT) -> list[str]:
    """Return the line that a syntax error is in, and a caret below the place; nothing where that is not what is wrong."""
    try:
        ast.parse((root / part.part.module_path).read_text(encoding="utf-8"))
    except SyntaxError as error:
        if error.text is None or error.offset is None:
            return []
        start = max(len(error.text) - len(error.text.lstrip()), error.offset - AROUND)
        shown = error.text.rstrip()[start:]
        return [
            shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} ...",
            " " * max(error.offset - 1 - start, 0) + "^",
        ]
    except UNREADABLE:
        pass
    return []


def _complete(grade: Grade) -> list[int]:
    """Return the numbers of the parts whose core functions were all graded, and all right."""
    right = {f.function for f in grade.functions if f.state == "right"}
    return [n for n in NUMBERS if right.issuperset(name for part in PARTS if part.number == n for name in part.core)]


def _onward(grade: Grade) -> str:
    """Say where to go when nothing of the core that was graded is left."""
    done, graded = _complete(grade), {part.part.number for part in grade.parts}
    if len(done) == len(NUMBERS):
        return "answer the questions in the notebooks, then `a2 submit`"
    last = max(graded, default=NUMBERS[0])
    if last not in done:
        return f"`a2 grade {last}` shows all of part {last}"
    if last == NUMBERS[-1]:
        return "`a2 grade` shows what is left in all parts"
    after = next(part for part in PARTS if part.number > last)
    return f"part {after.number}: {after.notebook_path.as_posix()}, then `a2 grade {after.number}`"
