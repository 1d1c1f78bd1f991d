"""`a2 check`: the gate that the autograder itself must pass, function by function."""

from __future__ import annotations

import functools
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coursekit.checks.stored import likeliest
from coursekit.errors import UsageError
from coursekit.grading.hint import LADDERS, ladder
from coursekit.grading.results import read_manifest
from coursekit.parts import PARTS, ROOT, Part
from coursekit.staff.edits import RESTS_ON, UNTOUCHED, Edit, callers, split, untouched
from coursekit.staff.exercises import exercise, mistakes_of, record_path, strays, variants_of
from coursekit.staff.pasted import pasted_problems
from coursekit.staff.readme import table_problems
from coursekit.staff.release import release
from coursekit.staff.trials import Trial, run_trials

LEAST = {"hints": 3, "mistakes": 6, "variants": 3}  # in each record


@dataclass(frozen=True)
class Row:
    """What is known of one function: how many mistakes are rejected and named, and how many variants accepted."""

    function: str
    mistakes: int
    rejected: int
    named: int
    variants: int
    accepted: int


@dataclass(frozen=True)
class Gate:
    """The matrix, every promise that does not hold as a sentence, and what finding out has cost."""

    rows: tuple[Row, ...]
    problems: tuple[str, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        return not self.problems


def hold(parts: Sequence[Part] = PARTS) -> Gate:
    """Run the solution, the untouched edition, mistakes, variants and pastes of some parts against their checks."""
    started = time.monotonic()
    rows: list[Row] = []
    problems = [*_edition_problems(), *table_problems()]
    for part in parts:
        problems += inventory_problems(part)
        edits = (*mistakes_of(part), *variants_of(part))
        shared = [hole for hole in untouched(part) if callers(hole.function) != {hole.function}]  # others rest on these
        solution, empty, *trials = run_trials([(), untouched(part), *((e,) for e in (*edits, *shared))], [part]).trials
        problems += [f"untouched, {o.check} is {o.outcome}: {o.message}" for o in empty.outcomes if o.outcome != "todo"]
        problems += _manifest_problems(solution, part)
        judged = [(t.edits[0], mistake_problems(t) if t.edits[0].hint else _not_right(t)) for t in trials[: len(edits)]]
        found = [("the solution", _not_right(solution)), *((_who(edit), causes) for edit, causes in judged)]
        lone = trials[len(edits) :]
        if (ROOT / part.hidden_path).exists():
            right = [(), *((e,) for e in variants_of(part))]
            hidden = run_trials([*right, *((e,) for e in shared)], [part], hidden=True).trials
            who = ["the solution", *(_who(edit) for (edit,) in right[1:])]
            found += zip(who, map(_not_right, hidden[: len(right)]), strict=True)
            lone += hidden[len(right) :]
        found += [(_who(t.edits[0]), also_lost(t)) for t in lone]
        problems += [*told_once(found), *pasted_problems(part)]
        rows += [_row(name, judged) for name in part.functions]
    return Gate(tuple(rows), tuple(problems), time.monotonic() - started)


def told_once(found: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    """Make sentences of (who, what is wrong with it); what is wrong with many is said once, with some of their names."""
    who_of: dict[str, list[str]] = {}
    for who, causes in found:
        for cause in causes:
            who_of.setdefault(cause, []).append(who)
    for cause, (first, *others) in who_of.items():
        named = ", ".join(others[:3]) + (" ..." if len(others) > 3 else "")
        yield f"{first} {cause}" + (f" (and {len(others)} more: {named})" if others else "")


def _who(edit: Edit) -> str:
    return str(edit) if edit.hint or edit.name == UNTOUCHED else f"the right variant {edit}"


def _row(function: str, judged: Iterable[tuple[Edit, list[str]]]) -> Row:
    own = [(edit, found) for edit, found in judged if edit.function == function]
    wrong = [found for edit, found in own if edit.hint]
    right = [found for edit, found in own if not edit.hint]
    rejected = sum(not any("is not rejected" in p for p in found) for found in wrong)
    return Row(function, len(wrong), rejected, sum(not f for f in wrong), len(right), sum(not f for f in right))


def mistake_problems(trial: Trial) -> list[str]:
    """Return what is wrong with a known mistake: not rejected, not recognised, an older hint, or one that tells too much."""
    (edit,) = trial.edits
    own = [o for o in trial.outcomes if o.function == edit.function and o.outcome != "passed"]
    problems = []
    if not own:
        return ["is not rejected by any check"]
    blame = likeliest(o.recognised for o in own)
    if blame is None or blame.mistake.name != edit.name:
        known = blame.mistake.name if blame else "no known mistake"
        problems.append(f"is recognised as {known}; run a2 reference, or add a check that tells them apart")
    elif blame.mistake.hint != edit.hint:
        problems.append("gets another hint than its record has; run a2 reference")
    return problems + hint_problems(edit)


def also_lost(trial: Trial) -> list[str]:
    """Return what an edit of one function costs other functions."""
    (edit,) = trial.edits
    return [
        f"also loses {o.check}: {o.message}"
        for o in trial.outcomes
        if o.function != edit.function and o.outcome != "passed" and RESTS_ON.get(o.function) != edit.function
    ]


def _not_right(trial: Trial) -> list[str]:
    return [f"fails {o.check}: {o.message}" for o in trial.outcomes if o.outcome != "passed"]


def hint_problems(edit: Edit) -> list[str]:
    """Return which code words a hint gives away: names of the right line that neither the wrong one nor the docstring has."""
    shown, right, _ = split(edit.function)
    wrong = edit.edited_solution()
    told = _words(edit.hint) & (_code_names(right) - _code_names(wrong)) - _words(shown) - _words(COMMON)
    return [f"has the code word {word!r} in its hint" for word in sorted(told)]


# The field's ordinary words, which plain speech needs although they are code as well, and helpers that are given.
COMMON = """
autograd bilinear cam channel channels clamp detach dilation gradient image images mean model network norm not padding round sign
softmax sort stride strongest sum the with
ascent_step record_outputs relu_rule
"""


def _words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]{3,}", text))


def _code_names(code: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]{3,}", re.sub(r"#.*", "", code)))


def inventory_problems(part: Part) -> list[str]:
    """Return what a part lacks: files, hints, mistakes, variants; and hints that ship and are no longer its own."""
    paths = [part.module_path, part.notebook_path, part.tests_path, part.hidden_path]
    problems = [f"part {part.number} has no {path}" for path in paths if not (ROOT / path).exists()]
    for function in part.functions:
        record = exercise(function)
        for kind, least in LEAST.items():
            count = len(getattr(record, kind))
            if count < least:
                problems.append(f"{function} has {count} {kind} in {record_path(function)}, {least} are wanted")
        problems += _ladder_problems(function)
    return problems + [f"{path} is the record of no function of {part.module}" for path in strays(part)]


def _ladder_problems(function: str) -> list[str]:
    hints = exercise(function).hints
    stale = [] if ladder(function) == hints else [f"{LADDERS} has other hints of {function}: run a2 reference"]
    solution = [re.sub(r"\s+", "", line) for line in split(function)[1].splitlines()]
    told = [hint for hint in hints if re.sub(r"\s+", "", hint) in solution]
    return stale + [f"a hint of {function} is a line of the solution: {hint!r}" for hint in told]


def _manifest_problems(solution: Trial, part: Part) -> list[str]:
    listed = [c for c in read_manifest(ROOT / "tests" / "manifest.json") if c.function in part.functions]
    stored = {(c.id, c.function, c.points) for c in listed}
    found = {(o.check, o.function, o.max_score) for o in solution.outcomes}
    checked = {name for _, name, _ in found}
    problems = [f"{name} has no check in {part.tests_path}" for name in part.functions if name not in checked]
    if stored != found:
        problems.append(f"tests/manifest.json is not what part {part.number} has: run a2 reference")
    return problems


@functools.cache
def _edition_problems() -> tuple[str, ...]:
    """Cut the student edition, which refuses leaks, misspelt markers and missing files."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            release(Path(folder) / "edition")
        except UsageError as error:
            return (f"the student edition cannot be cut: {error}",)
    return ()
