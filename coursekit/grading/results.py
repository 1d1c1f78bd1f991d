"""What a grading run found: verdicts on the checks of the manifest, and the file that Gradescope reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from coursekit.checks.stored import Blame, KnownMistake, likeliest
from coursekit.errors import UsageError
from coursekit.grading.picture import Picture
from coursekit.parts import PARTS, Part, find_parts, part_of

CHECK_SECONDS = 10  # of processor time, for one check
MOST_PRINTED, LONGEST_LINE = 12, 200  # of what a student's code prints: lines, and characters of one
# The outcome of a check that something ended from outside: the machine, or the submission, and nobody can tell which yet.
NOT_GRADED = "not graded"


State = Literal["right", "wrong", "todo"]


@dataclass(frozen=True)
class Check:
    """One line of the manifest: a check that counts, whether or not it runs."""

    id: str
    function: str
    points: float
    title: str = ""  # the first line of its docstring

    @property
    def sentence(self) -> str:
        """What must hold, for a reader: the check's docstring, or its name without one."""
        return self.title.removesuffix(".") or self.id.split("::")[1].removeprefix("test_").replace("_", " ")


@dataclass(frozen=True)
class Verdict:
    """How one check ended; anything but "passed" scores 0."""

    check: Check
    outcome: str  # passed, failed, todo, skipped, missing, crashed, timeout, not loaded; NOT_GRADED on the way only
    message: str = ""
    seconds: float = 0.0
    recognised: tuple[KnownMistake, ...] = ()
    picture: Picture | None = field(default=None, compare=False)  # the arrays of a failed comparison
    printed: str = ""  # what the student's code printed during a check that it failed

    @property
    def score(self) -> float:
        return self.check.points if self.outcome == "passed" else 0.0


@dataclass(frozen=True)
class FunctionGrade:
    """The verdicts on one student function."""

    function: str
    part: Part
    verdicts: tuple[Verdict, ...]

    @property
    def score(self) -> float:
        return sum(v.score for v in self.verdicts)

    @property
    def max_score(self) -> float:
        return sum(v.check.points for v in self.verdicts)

    @property
    def lost(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.outcome != "passed")

    @property
    def lost_alike(self) -> tuple[tuple[Verdict, ...], ...]:
        """The checks that failed, those with the same message together: it is said once."""
        alike: dict[str, list[Verdict]] = {}
        for verdict in self.lost:
            alike.setdefault(verdict.message, []).append(verdict)
        return tuple(map(tuple, alike.values()))

    @property
    def untouched(self) -> bool:
        """Whether nothing but the exercise's own NotImplementedError was found."""
        return bool(self.lost) and all(v.outcome == "todo" for v in self.lost)

    @property
    def unloaded(self) -> str:
        """Why no check could begin, if it is one reason for all of them."""
        reasons = {(v.outcome, v.message) for v in self.verdicts}
        outcome, message = next(iter(reasons)) if len(reasons) == 1 else ("", "")
        return message if outcome == "not loaded" else ""

    @property
    def is_core(self) -> bool:
        return self.function in self.part.core

    @property
    def state(self) -> State:
        """Right, wrong, or still to do."""
        return "right" if not self.lost else "todo" if self.untouched else "wrong"

    @property
    def headline(self) -> str:
        """The verdict in a few words: correct, not written yet, or how many checks pass."""
        right, all_of_them = len(self.verdicts) - len(self.lost), len(self.verdicts)
        if not self.lost:
            return f"correct, {of_checks(all_of_them, all_of_them)}"
        if self.untouched:
            return "not written yet"
        if self.unloaded:
            return "could not be imported"
        return f"not right yet, {of_checks(right, all_of_them, 'passes', 'pass')}"

    @property
    def own_picture(self) -> Picture | None:
        """What the student's function made in the first check that kept a picture."""
        return next((v.picture for v in self.verdicts if v.picture), None)

    @property
    def next_step(self) -> str:
        """What to do next, in a few words."""
        if not self.lost:
            return "done"
        if self.untouched:
            return "to do"
        if self.unloaded:
            return "cannot be imported"
        return of_checks(len(self.lost), len(self.verdicts), "fails", "fail")

    @cached_property
    def blame(self) -> Blame | None:
        """The known mistake that best explains what failed, and how well."""
        return likeliest(v.recognised for v in self._evidence)

    @property
    def _evidence(self) -> tuple[Verdict, ...]:
        # A hidden check has numbers of this term, so its failure is known from nowhere: that speaks against no mistake.
        return tuple(v for v in self.lost if v.recognised or not v.check.id.startswith("tests/hidden/"))

    @cached_property
    def hint(self) -> str:
        """The hint of the known mistake that best explains what failed, or nothing; what is not certain is said so."""
        blame = self.blame
        if blame is None or blame.certain:
            return blame.mistake.hint if blame else ""
        about = self._evidence[blame.first].check.sentence
        share = of_checks(blame.explained, blame.failed)
        return f'a possibility, by {share} that failed ("{about}"): {blame.mistake.hint}'


@dataclass(frozen=True)
class PartGrade:
    """The verdicts on one student module."""

    part: Part
    functions: tuple[FunctionGrade, ...]

    @property
    def state(self) -> State:
        """Wrong if a function that was begun is wrong, right if all of the core is, else still to do."""
        states = {f.state for f in self.functions}
        core = {f.state for f in self.functions if f.is_core}
        return "wrong" if "wrong" in states else "right" if (core or states) == {"right"} else "todo"

    @property
    def unloaded(self) -> str:
        """Why the module could not be imported, if that is so."""
        return next((f.unloaded for f in self.functions if f.unloaded), "")

    def points(self, *, core: bool) -> tuple[float, float]:
        """Return the points of the core or of the extensions, and how many there are."""
        chosen = [f for f in self.functions if f.is_core == core]
        return sum(f.score for f in chosen), sum(f.max_score for f in chosen)


@dataclass(frozen=True)
class Grade:
    """A whole run."""

    verdicts: tuple[Verdict, ...]
    seconds: float
    notes: tuple[str, ...] = field(default=())

    @property
    def score(self) -> float:
        return sum(v.score for v in self.verdicts)

    @property
    def max_score(self) -> float:
        return sum(v.check.points for v in self.verdicts)

    @property
    def kinds(self) -> str:
        """How many points are core and how many are extension, in words."""
        kinds = []
        for name in ("core", "extension"):
            points = [part.points(core=name == "core") for part in self.parts]
            got, most = (sum(column) for column in zip(*points, strict=True)) if points else (0, 0)
            kinds += [f"{name} {got:g} of {most:g}"] if most else []
        return ", ".join(kinds)

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means everything."""
        return int(100 * self.score / self.max_score) if self.max_score else 0

    @cached_property
    def functions(self) -> tuple[FunctionGrade, ...]:
        """One grade for each function, in the order of the table of parts."""
        names = dict.fromkeys(v.check.function for v in self.verdicts)
        grades = [
            FunctionGrade(name, part_of(name), tuple(v for v in self.verdicts if v.check.function == name))
            for name in names
        ]
        return tuple(sorted(grades, key=lambda g: (PARTS.index(g.part), g.part.functions.index(g.function))))

    @cached_property
    def parts(self) -> tuple[PartGrade, ...]:
        """One grade for each module, in the order of the table of parts."""
        modules = dict.fromkeys(f.part for f in self.functions)
        return tuple(PartGrade(m, tuple(f for f in self.functions if f.part is m)) for m in modules)

    @cached_property
    def unloaded(self) -> tuple[str, ...]:
        """Why whole functions could not be graded, said once for all of them, if no note says it already."""
        reasons = dict.fromkeys(function.unloaded for function in self.functions)
        return tuple(reason for reason in reasons if reason and reason not in self.notes)


def of_checks(some: int, of_all: int, one: str = "", more: str = "") -> str:
    """Write "3 of 6 checks", and a verb for one or for more of them."""
    verb = one if 1 in (some, of_all) else more
    return f"{some} of {of_all} check{'s' * (of_all != 1)}{f' {verb}' if verb else ''}"


def printable(text: str) -> str:
    """Show control characters instead of sending them to a terminal or a page; lines stay lines."""
    return "\n".join("".join(c if c.isprintable() else repr(c)[1:-1] for c in line) for line in text.splitlines())


def last_lines(text: str) -> str:
    """Return the end of what was printed; a loop may have printed a million lines."""
    lines = text.strip("\n").splitlines()
    shown = [*(["..."] if len(lines) > MOST_PRINTED else []), *lines[-MOST_PRINTED:]]
    return "\n".join(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} ..." for line in shown)


def not_run(function: str) -> str:
    """Say why a check did not begin."""
    return f"not run: another check of {function} was stopped for taking too long"


def read_manifest(path: Path) -> tuple[Check, ...]:
    """Read the checks that count, and what they are worth; UsageError if one is of a function that no part has."""
    try:
        checks = tuple(Check(**entry) for entry in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"tests/{path.name} cannot be read ({error}): restore it from what you were given") from None
    known = {function for part in find_parts(None) for function in part.functions}
    for name in sorted({check.function for check in checks} - known):
        raise UsageError(
            f"tests/{path.name} has checks of {name}, which no part has: `a2 reference` lists the checks that there are"
        )
    return checks


def gradescope_results(grade: Grade) -> dict[str, Any]:
    """Return a grade in Gradescope's results.json schema."""
    return {
        "score": grade.score,
        "execution_time": round(grade.seconds, 3),
        "output": "\n".join(grade.notes),
        "visibility": "visible",
        "tests": [_gradescope_test(v) for v in grade.verdicts],
    }


def _gradescope_test(verdict: Verdict) -> dict[str, Any]:
    return {
        "score": verdict.score,
        "max_score": verdict.check.points,
        "status": "passed" if verdict.outcome == "passed" else "failed",
        "name": f"{verdict.check.function}: {verdict.check.sentence}",
        "output": verdict.message,
        "visibility": "visible",
        "extra_data": {"id": verdict.check.id, "outcome": verdict.outcome},
    }


def write_results(grade: Grade, path: Path) -> None:
    """Write results.json, whole or not at all."""
    draft = path.with_suffix(".json.part")
    draft.write_text(json.dumps(gradescope_results(grade), indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def select(checks: Sequence[Check], names: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks of what a person names: parts, or single functions; all of them for no name."""
    single = {name for name in names if any(name in part.functions for part in find_parts(names))}
    for name in sorted(single - {c.function for c in checks}):
        raise UsageError(f"{name} has no check in tests/manifest.json: `a2 reference` lists the checks that there are")
    others = [name for name in names if name not in single]
    whole = find_parts(others) if others or not names else ()
    return tuple(c for c in checks if c.function in single or part_of(c.function) in whole)
