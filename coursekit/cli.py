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
PART_HELP = "a part's number, a module or a function, or several; default: everything"
NARROW_HELP = f"{PART_HELP} (class_visualization and style_transfer: the functions)"
HAS_STAFF = importlib.util.find_spec("coursekit.staff") is not None


class Parser(argparse.ArgumentParser):
    """Say what is wrong with an argument in one line, not below a page of usage."""

    def error(self, message: str) -> NoReturn:
        greedy = [action.option_strings[0] for action in self._actions if action.nargs == "+" and action.option_strings]
        if greedy and "required" in message and not message.rpartition(": ")[2].startswith("-"):
            message += f" (to be named before {', '.join(greedy)}, for what follows one of these belongs to it)"
        self.exit(USAGE, f"{self.prog}: {message}; `{self.prog} --help` shows how\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 for full marks or done, 1 for points lost, 2 for a usage or input error."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except UsageError as error:
        print(f"a2 {arguments.command}: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print(f"a2 {arguments.command}: stopped", file=sys.stderr)
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
        _staff_commands(commands)
    return parser


def _command(commands: Commands, name: str, run: Run, summary: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _student_commands(commands: Commands) -> None:
    grade = _command(commands, "grade", _grade, "run the checks and show your points", "a2 grade 1")
    grade.add_argument("part", nargs="*", help=NARROW_HELP)
    grade.add_argument("--results", type=Path, help="where to write results.json (default: the edition's folder)")
    grade.add_argument("--report", type=Path, help="where to write report.html (default: the edition's folder)")
    if HAS_STAFF:
        grade.add_argument("--isolated", action="store_true", help="run the code in a sandbox, as the staff do")
        grade.add_argument("--trust", action="store_true", help="with --isolated: go on where there is no bubblewrap")
        grade.add_argument("--submission", type=Path, help="with --isolated: the folder with assignment2/ to grade")
    watch = _command(commands, "watch", _watch, "grade whenever you save a file, until Ctrl-C", "a2 watch 1")
    watch.add_argument("part", nargs="*", help=NARROW_HELP)
    watch.add_argument("--poll", action="store_true", help="look at the files five times a second, without file events")
    watch.add_argument(
        "--fresh",
        action="store_true",
        help="a new Python for each run, seconds slower (always so on macOS and Windows)",
    )
    hint = _command(commands, "hint", _hint, "show one more hint for a function", "a2 hint saliency_map")
    hint.add_argument("function", help="one of the functions to complete; `a2 grade` lists them")
    hint.add_argument("--reset", action="store_true", help="begin again with the first hint")
    submit = _command(commands, "submit", _submit, "check your work and pack it into submission.zip", "a2 submit")
    submit.add_argument("--out", type=Path, help="the zip to write (default: submission.zip)")
    _command(commands, "doctor", _doctor, "examine this installation and say what to mend", "a2 doctor")
    notebooks = _command(commands, "notebooks", _notebooks, "run the notebooks from a fresh kernel", "a2 notebooks 1")
    notebooks.add_argument(
        "part", nargs="*", help="a part's number or module; default: all (A2_MODEL=resnet18: part 1 on that network)"
    )


def _staff_commands(commands: Commands) -> None:
    start = _command(
        commands, "start", _start, "write the student edition to a folder, ready to work in", "a2 start ~/a2"
    )
    start.add_argument("folder", type=Path, help="a new one")
    release = _command(
        commands, "release", _release, "cut the student edition to a folder or a zip", "a2 release a2.zip"
    )
    release.add_argument("destination", type=Path, help="a new folder, or a file that ends in .zip")
    reference = _command(
        commands, "reference", _reference, "store reference outputs and the manifests", "a2 reference 1"
    )
    reference.add_argument("part", nargs="*", help=PART_HELP)
    check = _command(commands, "check", _check, "hold the autograder itself to its promises", "a2 check 1")
    check.add_argument("part", nargs="*", help=PART_HELP)
    _command(commands, "readme", _readme, "write the README's table of parts and its picture", "a2 readme")
    train = _command(commands, "train", _train, "train a network of the zoo", "a2 train tiny_vgg")
    train.add_argument("name", help="a network, or all")
    train.add_argument("--epochs", type=int, help="instead of the recipe's")
    train.add_argument("--device", help="cpu, cuda or mps (default: cuda if there is one)")
    sprites = _command(commands, "make-sprites", _make_sprites, "render data/sprites.png", "a2 make-sprites")
    sprites.add_argument("--out", type=Path, help="the picture to write (default: data/sprites.png)")
    _class_commands(commands)


def _class_commands(commands: Commands) -> None:
    example = "a2 classroom zips --out results"
    classroom = _command(commands, "classroom", _classroom, "grade a folder of untrusted zips in a sandbox", example)
    classroom.add_argument("zips", type=Path, help="the folder with one zip for each student")
    classroom.add_argument("--out", type=Path, required=True, help="the folder for the results; a stopped run goes on")
    classroom.add_argument("--parts", nargs="+", help="numbers or modules (default: all)")
    classroom.add_argument("--workers", type=int, help="submissions at a time (default: what cores and memory allow)")
    hidden = "also run the hidden checks (default)"
    classroom.add_argument("--hidden", action=argparse.BooleanOptionalAction, default=True, help=hidden)
    classroom.add_argument("--seconds", type=int, default=300, help="for one submission (default: 300)")
    classroom.add_argument("--regrade", nargs="+", default=[], metavar="STUDENT", help="grade these again")
    classroom.add_argument("--regrade-part", nargs="+", metavar="PART", help="grade these parts of everybody again")
    classroom.add_argument("--scheduler", metavar="ADDRESS", help="a dask scheduler, such as tcp://10.0.0.1:8786")
    classroom.add_argument("--trust", action="store_true", help="go on, with limits only, where there is no bubblewrap")
    gradescope = _command(
        commands, "gradescope", _gradescope, "pack an autograder for Gradescope", "a2 gradescope autograder.zip"
    )
    gradescope.add_argument("destination", type=Path, help="the zip to write")
    gradescope.add_argument("--parts", nargs="+", help="numbers or modules (default: all)")


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
    with terminal.progress_bar("checks", len(checks)) as bar:

        def progress(done: int) -> None:
            bar.update(bar.task_ids[0], completed=done)

        if getattr(arguments, "isolated", False):
            from coursekit.staff.isolation import Room, choose_level, grade_submission

            with Room(choose_level(arguments.trust)) as room:
                folder = arguments.submission or ROOT
                outcome = grade_submission(folder, parts, room=room, checks=checks, progress=progress)
        else:
            outcome = grade(checks, parts, progress=progress)
    terminal.print_grade(outcome)
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
            terminal.print_note("waiting for the next save; Ctrl-C ends")
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
    from coursekit.grading.submit import submit

    print(*submit(destination=arguments.out).lines(), sep="\n")
    return FULL_MARKS


def _doctor(arguments: argparse.Namespace) -> int:
    from coursekit.grading.doctor import examine
    from coursekit.grading.terminal import print_findings

    findings = examine()
    print_findings(findings)
    return FULL_MARKS if all(finding.ok for finding in findings) else POINTS_LOST


def _notebooks(arguments: argparse.Namespace) -> int:
    from coursekit.grading.notebooks import run_notebooks
    from coursekit.parts import find_parts

    return run_notebooks(find_parts(arguments.part))


def _start(arguments: argparse.Namespace) -> int:
    from coursekit.staff.release import start

    print(*start(arguments.folder).lines(), sep="\n")
    return FULL_MARKS


def _release(arguments: argparse.Namespace) -> int:
    from coursekit.staff.release import release

    print(*release(arguments.destination).lines(), sep="\n")
    return FULL_MARKS


def _check(arguments: argparse.Namespace) -> int:
    from coursekit.parts import find_parts
    from coursekit.staff.check import hold
    from coursekit.staff.printing import print_gate

    gate = hold(find_parts(arguments.part))
    print_gate(gate)
    return FULL_MARKS if gate.holds else POINTS_LOST


def _train(arguments: argparse.Namespace) -> int:
    from coursekit.staff.train import train

    for trained in train(arguments.name, epochs=arguments.epochs, device=arguments.device):
        print(f"{trained.path}: accuracy {trained.accuracy:.2%} on fresh scenes, trained in {trained.seconds:.0f} s")
    return FULL_MARKS


def _make_sprites(arguments: argparse.Namespace) -> int:
    from coursekit.parts import ROOT
    from coursekit.staff.sprites import make_sprites

    destination = arguments.out or ROOT / "data" / "sprites.png"
    size = make_sprites(destination)
    print(f"{destination}: {size / 1000:.0f} kB")
    return FULL_MARKS


def _classroom(arguments: argparse.Namespace) -> int:
    from coursekit.grading.terminal import progress_bar
    from coursekit.staff.classroom.job import Order
    from coursekit.staff.classroom.run import grade_class
    from coursekit.staff.printing import print_class

    order = Order(
        parts=_numbers(arguments.parts), hidden=arguments.hidden, trust=arguments.trust, seconds=arguments.seconds
    )
    with progress_bar("submissions", 0) as bar:

        def progress(done: int, total: int) -> None:
            bar.update(bar.task_ids[0], completed=done, total=total)

        graded = grade_class(
            arguments.zips, arguments.out, order, workers=arguments.workers, scheduler=arguments.scheduler,
            regrade=arguments.regrade, progress=progress,
            regrade_parts=_numbers(arguments.regrade_part) if arguments.regrade_part else (),
        )  # fmt: skip
    print_class(graded)
    return POINTS_LOST if graded.waiting else FULL_MARKS


def _gradescope(arguments: argparse.Namespace) -> int:
    from coursekit.staff.gradescope.bundle import pack

    print(*pack(arguments.destination, _numbers(arguments.parts)), sep="\n")
    return FULL_MARKS


def _numbers(names: Sequence[str] | None) -> tuple[int, ...]:
    from coursekit.parts import find_parts

    return tuple(dict.fromkeys(part.number for part in find_parts(names)))


def _reference(arguments: argparse.Namespace) -> int:
    from coursekit.parts import find_parts
    from coursekit.staff.reference import make_references

    for change in make_references(find_parts(arguments.part)):
        print(f"{'changed  ' if change.changed else 'unchanged'} {change.path} ({change.size / 1000:.0f} kB)")
    return FULL_MARKS


def _readme(arguments: argparse.Namespace) -> int:
    from coursekit.staff.readme import write_picture, write_table

    write_table()
    write_picture()
    print("README.md and docs/poster.jpg are written")
    return FULL_MARKS
