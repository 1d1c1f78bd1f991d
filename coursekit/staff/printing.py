"""Print what staff commands found."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from coursekit.grading.results import printable
from coursekit.grading.terminal import console, signs
from coursekit.staff.check import Gate
from coursekit.staff.classroom.gradebook import max_score

if TYPE_CHECKING:
    from coursekit.staff.classroom.graded import Class


def print_gate(gate: Gate) -> None:
    """Print the matrix of mistakes and variants, and every promise that does not hold."""
    table = Table(box=None, pad_edge=False)
    for heading in ("function", "mistakes", "rejected", "named", "variants", "accepted"):
        table.add_column(heading, justify="left" if heading == "function" else "right")
    for row in gate.rows:
        numbers = (row.mistakes, row.rejected, row.named, row.variants, row.accepted)
        table.add_row(row.function, *map(str, numbers))
    console.print(table)
    cross = signs().cross
    for problem in gate.problems:
        console.print(f"[red]{cross}[/] {escape(printable(problem))}")
    verdict = "passed" if gate.holds else f"{len(gate.problems)} problem{'s' * (len(gate.problems) > 1)} found"
    console.print(f"{verdict} in {gate.seconds:.0f} s", style="bold")


def print_class(graded: Class) -> None:
    """Print where the gradebook is, how the class did, and who was not graded."""
    cross = signs().cross
    scores = [record.score for record in graded.records if record.status == "graded"]
    empty = len(graded.records) - len(scores)
    for one in graded.waiting:
        reason = graded.failures.get(one.student, "not started yet")
        console.print(f"[red]{cross}[/] {escape(printable(f'{one.student}: not graded ({reason})'))}", soft_wrap=True)
    for note in graded.notes:
        console.print(escape(printable(note)), soft_wrap=True)
    if graded.others:
        console.print(escape(printable(f"not looked at: {', '.join(graded.others)}")), style="dim")
    levels = sorted({record.outcome.sandbox for record in graded.records} - {"none needed"}) or ["none needed"]
    left = f"{len(graded.waiting)} still to grade; {graded.newly} done in this run"
    console.print(f"{len(scores)} graded, {empty} without work to grade, {left}")
    if scores:
        points = f"median {median(scores):g} of {max_score(graded.order):g} points"
        console.print(f"{points}; sandbox: {escape(', '.join(levels))}", style="bold")
    console.print(escape(f"{graded.out / 'gradebook.csv'} and {graded.out / 'class.html'}"), soft_wrap=True)
