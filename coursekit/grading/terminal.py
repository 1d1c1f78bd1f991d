"""Print grades for a terminal: 80 columns are enough, colour only where it is wanted, ASCII where the locale says so."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from coursekit.grading.advice import completed, next_step, source_of
from coursekit.grading.results import FunctionGrade, Grade, State, printable
from coursekit.parts import ROOT

if TYPE_CHECKING:
    from coursekit.grading.doctor import Finding
    from coursekit.grading.submit import Submission
    from coursekit.grading.watch import Turn
    from coursekit.grading.written import Written

BAR = 16  # characters
console = Console(highlight=False, soft_wrap=False)


class Signs(NamedTuple):
    """The signs beyond ASCII: a tick, a cross, a circle for what is to do, the two halves of a bar."""

    tick: str = "✓"
    cross: str = "✗"
    circle: str = "○"
    full: str = "━"
    empty: str = "─"


ASCII = Signs("ok", "x", "-", "#", ".")


def signs() -> Signs:
    """Return the signs, or what stands for them where the output cannot show them or the locale is C."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG")
    if locale in ("C", "POSIX"):  # Python writes UTF-8 there all the same
        return ASCII
    try:
        "".join(Signs()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return Signs()


def mark(state: State) -> str:
    """Return the sign of a state, in its colour."""
    sign = signs()
    marks = {"right": f"[green]{sign.tick}[/]", "wrong": f"[red]{sign.cross}[/]", "todo": f"[dim]{sign.circle}[/]"}
    return marks[state]


def bar(got: float, most: float, width: int = BAR) -> str:
    """Return how much of something is done, as a bar; full only for everything."""
    sign = signs()
    done = int(width * got / most) if most else 0
    return f"[green]{sign.full * done}[/][dim]{sign.empty * (width - done)}[/]"


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[..., None]]:
    """Show a progress bar on a terminal, nothing elsewhere; yield what moves it, to so many done (of so many)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, total=total: bar.update(task, completed=done, total=total)


def print_grade(grade: Grade, *, overview: bool = False, root: Path = ROOT) -> None:
    """Print what cannot be imported, a line for each part (overview) or function, the score, and what to do next."""
    _print_unloaded(grade, root)
    if overview:
        console.print(_parts_table(grade))
    else:
        console.print(_functions_table(grade))
        for function in grade.functions:
            if function.state == "wrong" and not function.unloaded:
                _print_function(function)
    _print_notes(grade)
    count = len(grade.verdicts)
    told = f"{count} check{'s' * (count != 1)} in {grade.seconds:.1f} s"
    score = f"score: {grade.score:g} of {grade.max_score:g} points ({grade.percent} %): {grade.kinds}"
    console.print(f"\n{score}  [dim]{told}[/]" if console.width >= 100 else f"\n{score}")
    _print_next(grade, root)


def _parts_table(grade: Grade) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("part", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("core", justify="right", no_wrap=True)
    table.add_column("extension", justify="right", no_wrap=True)
    for part in grade.parts:
        core, extension = part.points(core=True), part.points(core=False)
        points = [f"{got:g} of {most:g}" if most else "" for got, most in (core, extension)]
        table.add_row(f"{mark(part.state)} {part.part.number}  {part.part.title}", bar(*core), *points)
    return table


def _functions_table(grade: Grade) -> Table:
    """A line for each function of the modules that can be imported."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("part", justify="right")
    table.add_column("function", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for function in (f for f in grade.functions if not f.unloaded):
        kind = "" if function.is_core else " [dim](extension)[/]"
        style = "dim" if function.state == "todo" else ""
        table.add_row(
            str(function.part.number), f"{mark(function.state)} {function.function}",
            f"{function.score:g} / {function.max_score:g}", escape(function.next_step) + kind, style=style,
        )  # fmt: skip
    return table


def _print_unloaded(grade: Grade, root: Path) -> None:
    """Print once, on top, why a module cannot be imported; of a syntax error the line and the place in it."""
    for part in (part for part in grade.parts if part.unloaded):
        path, reason = part.part.module_path.as_posix(), printable(part.unloaded)
        named = reason if path in reason else f"{path}: {reason}"
        console.print(f"[red]{signs().cross}[/] [bold]{escape(named)}[/]")
        for line in source_of(part, root):
            console.print(f"    {escape(printable(line))}", style="red" if line.strip() == "^" else "", soft_wrap=True)


def _print_next(grade: Grade, root: Path) -> None:
    """Print the one bold line: what is complete, and what to do next."""
    done = completed(grade)
    begin = f"[green]{signs().tick} {done}[/]. " if done else ""
    console.print(f"{begin}Next: {escape(next_step(grade, root))}", style="bold")


def _print_function(function: FunctionGrade) -> None:
    """Print the first failed check of a function in full, with what it printed, and the others by name."""
    first, *others = function.lost
    console.print(f"\n{mark('wrong')} [bold]{function.function}[/]: {function.headline}")
    _print_indented(first.check.sentence, indent=2)
    for line in printable(first.message).splitlines():
        _print_indented(line.strip())
    if first.printed:
        _print_indented("your code printed:", "dim")
        for line in printable(first.printed).splitlines():
            console.print(Padding(escape(line), (0, 0, 0, 6)))
    if function.hint:
        _print_indented(f"hint: {function.hint}", "yellow")
    else:
        _print_indented(f"more help: a2 hint {function.function}", "dim")
    if others:
        some = "; ".join(v.check.sentence for v in others[:3]) + "; ..." * (len(others) > 3)
        _print_indented(f"{len(others)} more: {some}", "dim")


def _print_notes(grade: Grade) -> None:
    """Print what there is to say about the run as a whole."""
    for note in grade.notes:
        console.print(escape(printable(note)), style="yellow")


def _print_indented(text: str, style: str = "", indent: int = 4) -> None:
    """Print a paragraph whose every line, wrapped ones too, is indented."""
    console.print(Padding(escape(text), (0, 0, 0, indent)), style=style)


def print_report_path(path: Path) -> None:
    """Say where the page with the pictures is."""
    console.print(f"pictures and all details: {escape(_from_here(path))}", style="dim", soft_wrap=True)


def print_note(text: str) -> None:
    """Print one line beside the results."""
    console.print(escape(text), style="dim")


def print_progress(done: int, total: int) -> None:
    """Show how far a run of `a2 watch` is, on a terminal."""
    if console.is_terminal:
        console.print(f"{bar(done, total)} [dim]{done} of {total} checks[/]", end="\r")


def print_turn(turn: Turn) -> None:
    """Print what one run of `a2 watch` found: a bar, what changed, the first failure, what to do next."""
    if console.is_terminal:
        console.clear()
    grade, moment = turn.grade, time.strftime("%H:%M:%S")
    if turn.problem:
        console.print(f"[dim]{moment}[/]  {mark('wrong')} {escape(printable(turn.problem))}")
        return
    score = f"score: {grade.score:g} of {grade.max_score:g} points ({grade.percent} %)"
    console.print(f"[dim]{moment}[/]  {bar(grade.score, grade.max_score)}  {score}, {grade.seconds:.2f} s")
    _print_unloaded(grade, ROOT)
    news = (mark("right"), "passes", turn.newly_passed), (mark("wrong"), "fails", turn.newly_failed)
    for sign, word, verdicts in news:
        if verdicts:
            first, more = verdicts[0].check, f" [dim](and {len(verdicts) - 1} more)[/]" if len(verdicts) > 1 else ""
            console.print(f"{sign} now {word}: {escape(first.function)}: {escape(first.sentence)}{more}")
    if turn.first and not turn.first.unloaded:
        _print_function(turn.first)
    _print_notes(grade)
    _print_next(grade, ROOT)


def print_submission(made: Submission, score: float, max_score: float, warnings: Sequence[str] = ()) -> None:
    """Print what is in the zip, its points, what is missing, the words of each written answer, and the file to hand in."""
    kinds = {".py": "module", ".ipynb": "notebook", ".safetensors": "trained network"}
    counts = {word: sum(name.endswith(suffix) for name in made.files) for suffix, word in kinds.items()}
    inside = ", ".join(f"{count} {word}{'s' * (count != 1)}" for word, count in counts.items() if count)
    size = f"{made.size / 1000:.0f} kB"
    console.print(f"{mark('right')} {escape(_from_here(made.path))}: {inside}, your written answers; {size}")
    if made.kept:
        _print_indented(f"the older {made.path.name} is now {made.kept.name}", "dim", 2)
    _print_indented(f"{score:g} of {max_score:g} points, not counting the hidden checks", "", 2)
    missing = [f"{name} is missing: the notebook of its part trains it and saves this file" for name in made.untrained]
    if made.todo:
        missing.insert(0, f"still to do ({len(made.todo)}): {_some(made.todo)}")
    if made.missing:
        missing.insert(0, f"no longer defined ({len(made.missing)}): {_some(made.missing)}")
    if made.unrun:
        missing.append(f"not run, so without pictures: {', '.join(map(_stem, made.unrun))}: run in Jupyter, then save")
    for line in (*warnings, *missing):
        _print_indented(printable(line), "yellow", 2)
    _print_answers(made.books)
    console.print(f"Hand in this file: {escape(str(made.path.absolute()))}", style="bold", soft_wrap=True)


def _print_answers(books: Mapping[str, Written]) -> None:
    """Print how many words stand under each question: a number that surprises is a reason to open the page."""
    asked = {_stem(name): book for name, book in books.items() if book.answers}
    counts = {name: [len(answer.split()) for _, answer in book.answers] for name, book in asked.items()}
    if counts:
        words = "; ".join(f"{name} {_each(numbers)}" for name, numbers in counts.items())
        _print_indented(f"words in your written answers: {words} (the graders read answers.html in the zip)", "", 2)
    stray = [name for name, book in asked.items() if book.elsewhere and book.unanswered]
    if stray:
        also = "you also wrote text outside the answers, see the end of answers.html"
        _print_indented(f"{also}: {', '.join(stray)}", "yellow", 2)


def _each(numbers: Sequence[int]) -> str:
    return ", ".join(str(n or "none") for n in numbers) if any(numbers) else f"none of {len(numbers)}"


def _some(names: Sequence[str]) -> str:
    """Name a few, and count the others."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _stem(name: str) -> str:
    return name.removeprefix("notebooks/").removesuffix(".ipynb")


def print_findings(findings: Sequence[Finding]) -> None:
    """Print what the doctor found, what to do for each thing that is wrong, and the outcome in one line."""
    for finding in findings:
        console.print(f"{mark('right' if finding.ok else 'wrong')} {finding.name}: {escape(finding.value)}")
        if not finding.ok:
            _print_indented(finding.remedy, "yellow")
    wrong = [finding.name for finding in findings if not finding.ok]
    console.print(f"To fix: {', '.join(wrong)}" if wrong else "Everything is in order.", style="bold")


def _from_here(path: Path) -> str:
    """Return a path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
