"""Declare the commands of `a2`. What a command does stands in the module named after its verb."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from coursekit import __version__
from coursekit.errors import UsageError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Any]
    Run = Callable[[argparse.Namespace], int]

FULL_MARKS, POINTS_LOST, USAGE = 0, 1, 2  # exit codes
PART_HELP = "numbers of parts, modules or functions (default: all)"
NARROW_HELP = f"{PART_HELP}; class_visualization and style_transfer are the functions, not the modules"
HAS_STAFF = importlib.util.find_spec("coursekit.staff") is not None


class Parser(argparse.ArgumentParser):
    """Say what is wrong with an argument in one line, not below a page of usage."""

    def error(self, message: str) -> NoReturn:
        greedy = [action.option_strings[0] for action in self._actions if action.nargs == "+" and action.option_strings]
        if greedy and "required" in message and not message.rpartition(": ")[2].startswith("-"):
            message += f" (write it before {', '.join(greedy)}, which takes all words that follow)"
        self.exit(USAGE, f"{self.prog}: {message}; `{self.prog} --help` shows how\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 for full marks or done, 1 for points lost, 2 for a usage or input error."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except UsageError as error:
        print(f"a2 {arguments.command}: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt as stop:
        print(f"a2 {arguments.command}: {'; '.join(['stopped', *map(str, stop.args)])}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # `a2 submit | head`: the reader has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE


def build_parser() -> argparse.ArgumentParser:
    """Declare every command that this edition has."""
    parser = Parser(prog="a2", description="Assignment 2: looking into networks, and fooling them.")
    parser.add_argument("--version", action="version", version=f"a2 {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _student_commands(commands)
    if HAS_STAFF:
        from coursekit.staff.commands import declare

        declare(commands)
    return parser


def command(commands: Commands, name: str, run: Run, summary: str, example: str) -> argparse.ArgumentParser:
    plain = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        name, help=summary, description=summary, epilog=f"example: {example}", formatter_class=plain
    )
    parser.set_defaults(run=run)
    return parser


def _student_commands(commands: Commands) -> None:
    grade = command(commands, "grade", _grade, "run the checks and show your points", "a2 grade 1")
    grade.add_argument("part", nargs="*", help=NARROW_HELP)
    grade.add_argument("--results", type=Path, help="where to write results.json (default: the edition's folder)")
    grade.add_argument("--report", type=Path, help="where to write report.html (default: the edition's folder)")
    if HAS_STAFF:
        grade.add_argument("--isolated", action="store_true", help="run the code in a sandbox, as the staff do")
        grade.add_argument("--trust", action="store_true", help="with --isolated: continue without bubblewrap")
        grade.add_argument("--submission", type=Path, help="with --isolated: the folder with assignment2/ to grade")
    watch = command(commands, "watch", _watch, "grade whenever you save a file, until Ctrl-C", "a2 watch 1")
    watch.add_argument("part", nargs="*", help=NARROW_HELP)
    polling = "look at the files five times a second; do not wait for events"
    watch.add_argument("--poll", action="store_true", help=polling)
    fresh = "start a new Python for each run: seconds slower (macOS and Windows always do)"
    watch.add_argument("--fresh", action="store_true", help=fresh)
    hint = command(commands, "hint", _hint, "show one more hint for a function", "a2 hint saliency_map")
    hint.add_argument("function", help="one of the functions to complete; `a2 grade` lists them")
    hint.add_argument("--reset", action="store_true", help="begin again with the first hint")
    submit = command(commands, "submit", _submit, "check your work and pack it into submission.zip", "a2 submit")
    submit.add_argument("--out", type=Path, help="the zip to write (default: submission.zip)")
    command(commands, "doctor", _doctor, "check this installation and say how to repair it", "a2 doctor")
    command(commands, "play", _play, "try your functions on photographs, in JupyterLab", "a2 play")
    notebooks = command(commands, "notebooks", _notebooks, "run the notebooks from a fresh kernel", "a2 notebooks 1")
    other = "A2_MODEL=resnet18 uses that network in parts 1, 2, 3, 5 and 6"
    notebooks.add_argument("part", nargs="*", help=f"numbers of parts, or modules (default: all); {other}")


def _grade(arguments: argparse.Namespace) -> int:
    from coursekit.grading import results, terminal
    from coursekit.grading.grade import grade
    from coursekit.grading.report import write_report
    from coursekit.parts import ROOT, find_parts

    if not getattr(arguments, "isolated", False):
        for option in ("submission", "trust"):
            if getattr(arguments, option, None):
                raise UsageError(f"--{option} needs --isolated; without it, the code of this folder is graded")
    for path in filter(None, (arguments.results, arguments.report)):
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise UsageError(f"{path} cannot be written: name a file in a folder that is there")
    parts = find_parts(arguments.part)
    checks = results.select(results.read_manifest(ROOT / "tests" / "manifest.json"), arguments.part)
    with terminal.progress_bar("checks", len(checks)) as progress:
        if getattr(arguments, "isolated", False):
            from coursekit.staff.isolation import Room, choose_level, grade_submission

            with Room(choose_level(arguments.trust)) as room:
                folder = arguments.submission or ROOT
                outcome = grade_submission(folder, parts, room=room, checks=checks, progress=progress)
        else:
            outcome = grade(checks, parts, progress=progress, impatient=True)
    terminal.print_grade(outcome, overview=not arguments.part, root=getattr(arguments, "submission", None) or ROOT)
    results.write_results(outcome, arguments.results or ROOT / "results.json")
    terminal.print_report_path(write_report(outcome, arguments.report or ROOT / "report.html"))
    return FULL_MARKS if outcome.score == outcome.max_score else POINTS_LOST


def _watch(arguments: argparse.Namespace) -> int:
    from coursekit.grading import terminal
    from coursekit.grading.launch import fresh_process
    from coursekit.grading.report import write_report
    from coursekit.grading.warm import CAN_FORK, Warm
    from coursekit.grading.watch import watch
    from coursekit.parts import ROOT, find_parts

    parts, warm = find_parts(arguments.part), Warm(ROOT)
    launch = warm.launch if CAN_FORK and not arguments.fresh else fresh_process
    turns = watch(
        parts, arguments.part, root=ROOT, launch=launch, poll=arguments.poll,
        progress=terminal.print_progress, note=terminal.print_note,
    )  # fmt: skip
    try:
        for turn in turns:
            terminal.print_turn(turn)
            if not turn.problem:
                terminal.print_report_path(write_report(turn.grade, ROOT / "report.html"))
            terminal.print_note("waiting for the next save; Ctrl-C stops")
    except KeyboardInterrupt:
        terminal.print_note("stopped watching")
    finally:
        warm.close()
    return FULL_MARKS


def _hint(arguments: argparse.Namespace) -> int:
    from coursekit.grading.hint import next_hint, reset_hints
    from coursekit.parts import part_of

    part_of(arguments.function)  # an unknown name is an error, also with --reset
    if arguments.reset:
        reset_hints(arguments.function)
    width = shutil.get_terminal_size().columns
    for line in next_hint(arguments.function).splitlines():
        print(textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))
    return FULL_MARKS


def _submit(arguments: argparse.Namespace) -> int:
    from coursekit.grading import results, terminal
    from coursekit.grading.rehearsal import rehearse
    from coursekit.grading.submit import submit
    from coursekit.parts import ROOT

    path = arguments.out or ROOT / "submission.zip"
    before = _changed(path)
    try:
        made = submit(destination=path)
        checks = results.read_manifest(ROOT / "tests" / "manifest.json")
        with terminal.progress_bar("checks", len(checks)) as progress:
            alone = rehearse(made.path, progress=progress)
    except KeyboardInterrupt:
        told = f"no new zip was written; {path} is an older one" if before else f"{path} is not written yet"
        if _changed(path) != before:
            told = f"{path} is written and can be handed in; only its trial grading was stopped"
        raise KeyboardInterrupt(told) from None
    terminal.print_submission(made, alone.score, alone.max_score, [*made.newer, *alone.lines()[1:]])
    return FULL_MARKS


def _changed(path: Path) -> int:
    """Return when a file was written last; 0 if there is none."""
    return path.stat().st_mtime_ns if path.is_file() else 0


def _doctor(arguments: argparse.Namespace) -> int:
    from coursekit.grading.doctor import examine
    from coursekit.grading.terminal import print_findings

    findings = examine()
    print_findings(findings)
    return FULL_MARKS if all(finding.ok for finding in findings) else POINTS_LOST


def _play(arguments: argparse.Namespace) -> int:
    from coursekit.grading.notebooks import open_in_lab
    from coursekit.parts import PLAY

    return open_in_lab(PLAY)


def _notebooks(arguments: argparse.Namespace) -> int:
    from coursekit.grading.notebooks import run_notebooks
    from coursekit.parts import find_parts

    return run_notebooks(find_parts(arguments.part))
