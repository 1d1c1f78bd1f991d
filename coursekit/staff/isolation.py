"""Grade one submission with its code in a sandbox: the interface that `a2 grade --isolated`, the classroom and Gradescope use.

    with Room(choose_level(trust=False)) as room:      # torch is imported once, in the deciding process and in the sandbox
        grade = grade_submission(folder, PARTS, hidden=True, seed=2026, room=room)

A room grades one submission after the other; for two at a time take two rooms, in two processes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from coursekit.errors import UsageError
from coursekit.grading.grade import Progress, grade
from coursekit.grading.results import Check, Grade, read_manifest, select
from coursekit.grading.warm import Warm
from coursekit.parts import PARTS, ROOT, Part
from coursekit.staff.isolated.sandbox import choose_level

__all__ = ["Room", "checks_of", "choose_level", "grade_submission"]

PATIENCE = 20  # seconds for one check: twice what a student has, since others grade on the same cores


class Room:
    """A warm deciding process and its sandbox; both go when the block ends."""

    def __init__(self, level: str, *, hidden_seed: int | None = None) -> None:
        self.level = level
        self._warm = Warm(ROOT, ["-m", "coursekit.staff.isolated.warm", level, str(hidden_seed or 0)])
        self.launch = self._warm.launch

    def __enter__(self) -> Room:  # noqa: PYI034
        self._warm.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._warm.close()


def checks_of(parts: Sequence[Part] = PARTS, *, hidden: bool = False, name: str | None = None) -> tuple[Check, ...]:
    """Return the checks that count: the manifest's for students, with hidden also the staff's own."""
    manifests = [ROOT / "tests" / "manifest.json", *([ROOT / "tests" / "hidden" / "manifest.json"] if hidden else [])]
    return tuple(check for path in manifests for check in select(read_manifest(path), parts, name))


def grade_submission(
    folder: Path,
    parts: Sequence[Part] = PARTS,
    *,
    room: Room,
    hidden: bool = False,
    checks: Sequence[Check] | None = None,
    progress: Progress = lambda done: None,
    seconds: int = PATIENCE,
) -> Grade:
    """Grade folder/assignment2/*.py and folder/trained/*.safetensors, which need not be safe to read, import or run.

    Every check of the manifest gets a verdict; a module that is missing or cannot be imported is the verdict on its checks.
    The sandbox's level stands in the grade's notes. UsageError only for what is no fault of the submission.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: unpack the submission first")
    wanted = checks_of(parts, hidden=hidden) if checks is None else tuple(checks)
    done = grade(
        wanted, parts, progress=progress, launch=room.launch, submission=folder.resolve(), impatient=True, seconds=seconds
    )  # fmt: skip
    return dataclasses.replace(done, notes=(*done.notes, f"sandbox: {room.level}"))
