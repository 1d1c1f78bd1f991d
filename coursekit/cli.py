"""Declare the commands of `a2`. What a command does stands in the module named after its verb."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from coursekit import __version__
from coursekit.errors import UsageError

FULL_MARKS, POINTS_LOST, USAGE = 0, 1, 2  # exit codes
HAS_STAFF = importlib.util.find_spec("coursekit.staff") is not None


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


def build_parser() -> argparse.ArgumentParser:
    """Declare every command that this edition has."""
    parser = argparse.ArgumentParser(prog="a2", description="Assignment 2: looking into networks, and fooling them.")
    parser.add_argument("--version", action="version", version=f"a2 {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _student_commands(commands)
    if HAS_STAFF:
        _staff_commands(commands)
    return parser


def _command(commands, name: str, run, summary: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _student_commands(commands: argparse._SubParsersAction) -> None:
    grade = _command(commands, "grade", _grade, "run the checks and show your points", "a2 grade 1")
    grade.add_argument("part", nargs="?", help="a part's number, a module or a function; default: everything")
    grade.add_argument("--results", type=Path, help="where to write results.json (default: the edition's folder)")
    submit = _command(commands, "submit", _submit, "check your work and pack it into submission.zip", "a2 submit")
    submit.add_argument("--out", type=Path, help="the zip to write (default: submission.zip)")
    _command(commands, "doctor", _doctor, "examine this installation and say what to mend", "a2 doctor")
    notebooks = _command(commands, "notebooks", _notebooks, "run the notebooks from a fresh kernel", "a2 notebooks 1")
    notebooks.add_argument("part", nargs="?", help="a part's number or module; default: all")


def _staff_commands(commands: argparse._SubParsersAction) -> None:
    start = _command(commands, "start", _start, "write the student edition to a folder, ready to work in", "a2 start ~/a2")
    start.add_argument("folder", type=Path)
    release = _command(commands, "release", _release, "cut the student edition to a folder or a zip", "a2 release a2.zip")
    release.add_argument("destination", type=Path)
    reference = _command(commands, "reference", _reference, "store reference outputs and the manifests", "a2 reference 1")
    reference.add_argument("part", nargs="?")
    train = _command(commands, "train", _train, "train a network of the zoo", "a2 train tiny_vgg")
    train.add_argument("name", help="a network, or all")
    sprites = _command(commands, "make-sprites", _make_sprites, "render data/sprites.png", "a2 make-sprites")
    sprites.add_argument("--out", type=Path, help="the picture to write (default: data/sprites.png)")


def _grade(arguments: argparse.Namespace) -> int:
    from coursekit.grading import results, terminal
    from coursekit.grading.grade import grade
    from coursekit.parts import ROOT, find_parts

    parts = find_parts(arguments.part)
    checks = results.select(results.read_manifest(ROOT / "tests" / "manifest.json"), parts, arguments.part)
    with terminal.progress_bar("checks", len(checks)) as bar:
        outcome = grade(checks, parts, progress=lambda done: bar.update(bar.task_ids[0], completed=done))
    terminal.print_grade(outcome)
    results.write_results(outcome, arguments.results or ROOT / "results.json")
    return FULL_MARKS if outcome.score == outcome.max_score else POINTS_LOST


def _reference(arguments: argparse.Namespace) -> int:
    from coursekit.grading.doctor import write_hashes
    from coursekit.parts import ROOT, find_parts
    from coursekit.staff.reference import make_references

    for change in make_references(find_parts(arguments.part)):
        print(f"{'changed  ' if change.changed else 'unchanged'} {change.path} ({change.size / 1000:.0f} kB)")
    write_hashes(ROOT)
    return FULL_MARKS
