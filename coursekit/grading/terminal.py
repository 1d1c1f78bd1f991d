"""Print grades for a terminal: 80 columns are enough, colour only where it is wanted, ASCII where the locale says so."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from coursekit.grading.results import FunctionGrade, Grade, printable

if TYPE_CHECKING:
    from coursekit.grading.doctor import Finding
    from coursekit.grading.watch import Turn

MOST_CHANGES = 5  # lines about what changed since the last run
console = Console(highlight=False, soft_wrap=False)


def signs() -> tuple[str, str]:
    """Return a tick and a cross, or what stands for them where the output cannot show them or the locale is C."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG")
    if locale in ("C", "POSIX"):  # Python writes UTF-8 there all the same
        return "ok", "x"
    try:
        "✓✗".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "ok", "x"
    return "✓", "✗"


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Progress]:
    """Show a progress bar on a terminal, nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(title, total=total)
        yield progress


def print_grade(grade: Grade) -> None:
    """Print the table of functions, what to do next, and the score."""
    console.print(_table(grade))
    for function in grade.functions:
        if function.lost and not function.untouched:
            _print_function(function)
    _print_notes(grade)
    waiting = [function for function in grade.functions if function.untouched]
    if waiting:
        first = waiting[0]
        console.print(f"next: complete {first.function} in {first.part.module_path.as_posix()}")
    slowest = sorted(grade.verdicts, key=lambda v: -v.seconds)[:3]
    times = ", ".join(f"{v.check.function} {v.seconds:.2f} s" for v in slowest)
    count = len(grade.verdicts)
    console.print(f"{count} check{'s' * (count != 1)} in {grade.seconds:.1f} s; slowest: {times}", style="dim")
    style = "bold green" if grade.score == grade.max_score else "bold"
    console.print(
        f"score: {grade.score:g} of {grade.max_score:g} points ({grade.percent} %): {grade.kinds}", style=style
    )


def _table(grade: Grade) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("part", justify="right")
    table.add_column("function", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("what to do next", overflow="fold")
    tick, cross = signs()
    for function in grade.functions:
        done = not function.lost
        mark = f"[green]{tick}[/]" if done else f"[red]{cross}[/]"
        points = f"{function.score:g} / {function.max_score:g}"
        kind = "" if function.function in function.part.core else " [dim](extension)[/]"
        table.add_row(
            str(function.part.number), f"{mark} {function.function}", points, escape(function.next_step) + kind
        )
    return table


def _print_function(function: FunctionGrade) -> None:
    """Print the first failed check of a function in full, the others by name."""
    _, cross = signs()
    first, *others = function.lost
    console.print(f"\n[bold]{function.function}[/]")
    console.print(f"  [red]{cross}[/] {escape(first.check.sentence)}")
    for line in printable(first.message).splitlines():
        _print_indented(line.strip())
    if function.hint:
        _print_indented(f"hint: {function.hint}", "yellow")
    else:
        _print_indented(f"more help: a2 hint {function.function}", "dim")
    if others:
        named = "; ".join(v.check.sentence for v in others[:3]) + ("; ..." if len(others) > 3 else "")
        _print_indented(f"and {len(others)} more: {named}", "dim")
    console.print()


def _print_notes(grade: Grade) -> None:
    """Print what there is to say about the run as a whole."""
    for note in grade.notes:
        console.print(escape(printable(note)), style="yellow")


def _print_indented(text: str, style: str = "") -> None:
    """Print a paragraph whose every line, wrapped ones too, is indented."""
    console.print(Padding(escape(text), (0, 0, 0, 4)), style=style)


def print_report_path(path: Path) -> None:
    """Say where the page with the pictures is."""
    console.print(f"pictures and all details: {escape(_from_here(path))}", style="dim", soft_wrap=True)


def print_note(text: str) -> None:
    """Print one line beside the results."""
    console.print(escape(text), style="dim")


def print_progress(done: int, total: int) -> None:
    """Show how far a run of `a2 watch` is, on a terminal."""
    if console.is_terminal:
        console.print(f"{done} of {total} checks", end="\r", style="dim")


def print_turn(turn: Turn) -> None:
    """Print what one run of `a2 watch` found: the score, what changed, the first failure."""
    if console.is_terminal:
        console.clear()
    tick, cross = signs()
    grade, moment = turn.grade, time.strftime("%H:%M:%S")
    if turn.problem:
        console.print(f"{moment}  [red]{cross}[/] {escape(printable(turn.problem))}")
        return
    for verdicts, words in (
        (turn.newly_passed, f"[green]{tick}[/] now passes"),
        (turn.newly_failed, f"[red]{cross}[/] now fails"),
    ):
        for verdict in verdicts[:MOST_CHANGES]:
            console.print(f"{words}: {escape(verdict.check.function)}: {escape(verdict.check.sentence)}")
        if len(verdicts) > MOST_CHANGES:
            console.print(f"{words}: {len(verdicts) - MOST_CHANGES} more")
    if turn.first:
        _print_function(turn.first)
    elif turn.todo:
        console.print(f"next: {turn.todo.function}, in {escape(turn.todo.part.module_path.as_posix())}")
    _print_notes(grade)
    style = "bold green" if grade.score == grade.max_score else "bold"
    console.print(
        f"{moment}  score: {grade.score:g} of {grade.max_score:g} points ({grade.percent} %), {grade.seconds:.2f} s",
        style=style,
    )


def print_findings(findings: Sequence[Finding]) -> None:
    """Print what the doctor found, and what to do for each thing that is wrong."""
    tick, cross = signs()
    for finding in findings:
        mark = f"[green]{tick}[/]" if finding.ok else f"[red]{cross}[/]"
        console.print(f"{mark} {finding.name}: {escape(finding.value)}")
        if not finding.ok:
            _print_indented(finding.remedy, "yellow")


def _from_here(path: Path) -> str:
    """Return a path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
