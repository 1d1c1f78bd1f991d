"""Print grades for a terminal: 80 columns are enough, colour only where it is wanted, ASCII where the locale says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from coursekit.grading.results import FunctionGrade, Grade, Verdict

console = Console(highlight=False, soft_wrap=False)


def _signs() -> tuple[str, str]:
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
        if function.lost and not _untouched(function):
            _print_function(function)
    slowest = sorted(grade.verdicts, key=lambda v: -v.seconds)[:3]
    times = ", ".join(f"{v.check.function} {v.seconds:.2f} s" for v in slowest)
    console.print(f"{len(grade.verdicts)} checks in {grade.seconds:.1f} s; slowest: {times}", style="dim")
    style = "bold green" if grade.score == grade.max_score else "bold"
    percent = 100 * grade.score / grade.max_score if grade.max_score else 0
    console.print(f"score: {grade.score:g} of {grade.max_score:g} points ({_percent(percent)} %)", style=style)


def _percent(percent: float) -> str:
    """Round down, so that 100 % means everything."""
    return f"{int(percent)}"


def _table(grade: Grade) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("part", justify="right")
    table.add_column("function", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("what to do next", overflow="fold")
    tick, cross = _signs()
    for function in grade.functions:
        done = not function.lost
        mark = f"[green]{tick}[/]" if done else f"[red]{cross}[/]"
        points = f"{function.score:g} / {function.max_score:g}"
        kind = "" if function.function in function.part.core else " [dim](extension)[/]"
        table.add_row(str(function.part.number), f"{mark} {function.function}", points, _next(function) + kind)
    return table


def _untouched(function: FunctionGrade) -> bool:
    return all(v.outcome == "todo" for v in function.lost)


def _next(function: FunctionGrade) -> str:
    if not function.lost:
        return "done"
    if _untouched(function):
        return f"to do, in {escape(function.part.module_path.as_posix())}"
    return f"see {len(function.lost)} of {len(function.verdicts)} checks below"


def _print_function(function: FunctionGrade) -> None:
    """Print the first failed check of a function in full, the others by name."""
    _, cross = _signs()
    first, *others = function.lost
    console.print(f"\n[bold]{function.function}[/]")
    _print_verdict(cross, first)
    if function.hint:
        console.print(f"    hint: {escape(function.hint)}", style="yellow")
    else:
        console.print(f"    more help: a2 hint {function.function}", style="dim")
    if others:
        console.print(f"    and {len(others)} more: " + escape("; ".join(v.check.sentence for v in others[:3])), style="dim")
    console.print()


def _print_verdict(cross: str, verdict: Verdict) -> None:
    console.print(f"  [red]{cross}[/] {escape(verdict.check.sentence)}")
    for line in verdict.message.splitlines():
        console.print(f"    {escape(_printable(line.strip()))}")


def _printable(text: str) -> str:
    """Show control characters instead of sending them to the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
