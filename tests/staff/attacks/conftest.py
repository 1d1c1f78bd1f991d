"""Attacks as tests: submissions that want points they have not earned, or to read, stop or harm what is not theirs."""

from __future__ import annotations

import ast
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from coursekit.grading.report import write_report
from coursekit.grading.results import Grade, gradescope_results
from coursekit.parts import ROOT, find_parts
from coursekit.staff.isolated.sandbox import refused
from coursekit.staff.isolation import Room, checks_of, grade_submission

CHECK = "test_saliency_of_a_linear_model_is_its_weights"  # what the attacks want: 2 points
OTHER = "test_guided_rule_lets_positive_signals_through_active_units"  # of the same module, solved: 2 points
PARTS = find_parts("1")


def pytest_collection_modifyitems(items):
    problem = refused()
    for item in items:
        if problem and "attacks" in str(item.path):
            item.add_marker(pytest.mark.skip(reason=problem))


@dataclass
class Outcome:
    """What came of an attack."""

    grade: Grade
    seconds: float
    neighbour: Grade | None
    page: str = field(repr=False)

    def verdict(self, name=CHECK):
        return next(v for v in self.grade.verdicts if v.check.id.endswith(name))

    @property
    def told(self):
        """Everything that anybody will read about it."""
        return "\n".join(v.message for v in self.grade.verdicts)


@dataclass
class Grader:
    """Grades attacks in one room, and after each a neighbour who did nothing wrong."""

    room: Room
    folder: Path

    def write(self, *, body: str = "", before: str = "", solved: bool = False) -> Path:
        """Write a submission: our solution, code at its top, and another body for saliency_map."""
        text = (ROOT / PARTS[0].module_path).read_text(encoding="utf-8")
        if not solved:
            text = with_body(text, "saliency_map", body or "return images")
        head, mark, rest = text.partition("class Patches")
        path = self.folder / "assignment2" / "saliency.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + textwrap.dedent(before) + "\n\n" + mark + rest, encoding="utf-8")
        return self.folder

    def grade(self, folder: Path, *names: str, seconds: int = 20, parts=PARTS) -> Grade:
        checks = [c for c in checks_of(parts) if c.id.endswith(names or (CHECK, OTHER))]
        return grade_submission(folder, parts, room=self.room, checks=checks, seconds=seconds)

    def attack(self, body: str = "", *, before: str = "", seconds: int = 20, names: tuple[str, ...] = ()) -> Outcome:
        started = time.monotonic()
        grade = self.grade(self.write(body=body, before=before), *names, seconds=seconds)
        taken = time.monotonic() - started
        page = write_report(grade, self.folder / "report.html").read_text(encoding="utf-8")
        gradescope_results(grade)
        neighbour = self.grade(self.write(solved=True))
        return Outcome(grade, taken, neighbour, page)


def with_body(text: str, function: str, body: str) -> str:
    """Replace a function's body, docstring and solution, by other lines."""
    node = next(n for n in ast.parse(text).body if getattr(n, "name", "") == function)
    lines = text.splitlines(keepends=True)
    end = next(
        i for i in range(node.end_lineno - 1, len(lines)) if i >= node.end_lineno - 1 and "END SOLUTION" in lines[i]
    )
    return (
        "".join(lines[: node.body[0].lineno - 1])
        + textwrap.indent(textwrap.dedent(body), "    ")
        + "\n"
        + "".join(lines[end + 1 :])
    )


@pytest.fixture
def grader(room, tmp_path):
    return Grader(room, tmp_path / "submission")
