"""Declare the staff's commands of `a2`, which the student edition does not have."""

from __future__ import annotations

import argparse
import functools
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.cli import FULL_MARKS, PART_HELP, POINTS_LOST, command

if TYPE_CHECKING:
    from coursekit.cli import Commands


def declare(commands: Commands) -> None:
    """Add the commands of the teaching staff."""
    new = functools.partial(command, commands)
    start = new("start", _start, "write the student edition to a folder, ready to work in", "a2 start ~/a2")
    start.add_argument("folder", type=Path, help="a new folder")
    release = new("release", _release, "cut the student edition to a folder or a zip", "a2 release a2.zip")
    release.add_argument("destination", type=Path, help="a new folder, or a file that ends in .zip")
    reference = new("reference", _reference, "store reference outputs and the manifests", "a2 reference 1")
    reference.add_argument("part", nargs="*", help=PART_HELP)
    promise = "test the autograder: known mistakes rejected, right variants accepted"
    check = new("check", _check, promise, "a2 check 1")
    check.add_argument("part", nargs="*", help=PART_HELP)
    new("readme", _readme, "write the README's table of parts and its picture", "a2 readme")
    train = new("train", _train, "train one of the small networks", "a2 train tiny_vgg")
    train.add_argument("name", help="a network, or all")
    train.add_argument("--epochs", type=int, help="how many (default: the recipe's)")
    train.add_argument("--device", help="cpu, cuda or mps (default: cuda if there is one)")
    sprites = new("make-sprites", _make_sprites, "render data/sprites.png", "a2 make-sprites")
    sprites.add_argument("--out", type=Path, help="the picture to write (default: data/sprites.png)")
    _class_commands(commands)


def _class_commands(commands: Commands) -> None:
    example = "a2 classroom zips --out results"
    classroom = command(commands, "classroom", _classroom, "grade a folder of untrusted zips in a sandbox", example)
    classroom.add_argument("zips", type=Path, help="the folder with one zip for each student")
    out = "the folder for the results; a stopped run continues"
    classroom.add_argument("--out", type=Path, required=True, help=out)
    classroom.add_argument("--parts", nargs="+", help="numbers or modules (default: all)")
    workers = "how many submissions at a time (default: what cores and memory allow)"
    classroom.add_argument("--workers", type=int, help=workers)
    hidden = "also run the hidden checks (default)"
    classroom.add_argument("--hidden", action=argparse.BooleanOptionalAction, default=True, help=hidden)
    classroom.add_argument("--seconds", type=int, default=300, help="time limit of one submission (default: 300)")
    latest = "take the last of several attempts, by the platform's time"
    classroom.add_argument("--latest", action="store_true", help=latest)
    classroom.add_argument("--regrade", nargs="+", default=[], metavar="STUDENT", help="grade these students again")
    again = "grade these parts again, for all students"
    classroom.add_argument("--regrade-part", nargs="+", metavar="PART", help=again)
    classroom.add_argument("--scheduler", metavar="ADDRESS", help="a dask scheduler, such as tcp://10.0.0.1:8786")
    classroom.add_argument("--trust", action="store_true", help="without bubblewrap, continue with limits only")
    for name, summary in (
        ("feedback", "pack the feedback: a zip for each student, and one for Canvas or Moodle"),
        ("questions", "write a page for each question with all answers, without names, and written.csv"),
        ("similar", "list pairs of students with similar code"),
    ):
        after = command(commands, name, _after_grading, summary, f"a2 {name} results")
        after.add_argument("results", type=Path, help="the folder that a2 classroom wrote")
    packs = "pack an autograder for Gradescope"
    gradescope = command(commands, "gradescope", _gradescope, packs, "a2 gradescope autograder.zip")
    gradescope.add_argument("destination", type=Path, help="the zip to write")
    gradescope.add_argument("--parts", nargs="+", help="numbers or modules (default: all)")


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
    with progress_bar("submissions", 0) as progress:
        graded = grade_class(
            arguments.zips, arguments.out, order, workers=arguments.workers, scheduler=arguments.scheduler,
            regrade=arguments.regrade, latest=arguments.latest, progress=progress,
            regrade_parts=_numbers(arguments.regrade_part) if arguments.regrade_part else (),
        )  # fmt: skip
    print_class(graded)
    return POINTS_LOST if graded.waiting else FULL_MARKS


def _after_grading(arguments: argparse.Namespace) -> int:
    """Run the command of this name from the module of this name in coursekit.staff.classroom."""
    module = importlib.import_module(f"coursekit.staff.classroom.{arguments.command}")
    print(*getattr(module, arguments.command)(arguments.results), sep="\n")
    return FULL_MARKS


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
    from coursekit.staff.gallery import write_gallery
    from coursekit.staff.readme import write_picture, write_table

    write_table()
    write_picture()
    write_gallery()
    print("README.md, docs/poster.jpg and docs/gallery/ are written")
    return FULL_MARKS
