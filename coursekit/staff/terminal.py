"""Print what staff commands found."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from coursekit.grading.results import printable
from coursekit.grading.terminal import console, signs
from coursekit.staff.check import Gate


def print_gate(gate: Gate) -> None:
    """Print the matrix of mistakes and variants, and every promise that does not hold."""
    table = Table(box=None, pad_edge=False)
    for heading in ("function", "mistakes", "rejected", "named", "variants", "accepted"):
        table.add_column(heading, justify="left" if heading == "function" else "right")
    for row in gate.rows:
        numbers = (row.mistakes, row.rejected, row.named, row.variants, row.accepted)
        table.add_row(row.function, *map(str, numbers))
    console.print(table)
    _, cross = signs()
    for problem in gate.problems:
        console.print(f"[red]{cross}[/] {escape(printable(problem))}")
    verdict = "the gate holds" if gate.holds else f"{len(gate.problems)} promises are broken"
    console.print(f"{verdict}, found out in {gate.seconds:.0f} s", style="bold")
