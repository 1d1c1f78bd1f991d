"""Grade one submission with its code in a sandbox: the interface that `a2 grade --isolated`, the classroom and Gradescope use.

    with Room(choose_level(trust=False)) as room:  # imports torch, here and in the sandbox: once
        grade = grade_submission(submission, PARTS, room=room, hidden=True, recorded=record(2026, folder))

Threads may grade several submissions in one room at a time. With what `record` has written the hidden checks draw numbers of their
own from its seed, and the solution has told what is right; without, the stored ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from coursekit.errors import GraderFailed, UsageError
from coursekit.grading.grade import Progress, grade
from coursekit.grading.launch import Launch
from coursekit.grading.results import NOT_GRADED, Check, Grade, Verdict, read_manifest
from coursekit.grading.warm import Warm
from coursekit.parts import PARTS, ROOT, Part, part_of
from coursekit.staff.canary import innocent, shortfall
from coursekit.staff.isolated.fresh import record
from coursekit.staff.isolated.sandbox import Limits, choose_level
from coursekit.width import free_memory

__all__ = ["Room", "checks_of", "choose_level", "grade_submission", "record"]

PATIENCE = 20  # seconds of processor time for one check: twice what a student has, since this machine may be slower
WHOLE = 600  # seconds for a submission
Run = Callable[[Path, Sequence[Check]], Grade]


class Room:
    """A warm deciding process and its sandbox, which fork for each submission; both go when the block ends."""

    def __init__(self, level: str) -> None:
        self.level = level
        # It may be busy with the end of others when it is told to kill a run, and they would die with it.
        self._warm = Warm(ROOT, ["-m", "coursekit.staff.isolated.warm_room", level], patience=30)

    def launch(self, recorded: Path | None) -> Launch:
        """Return how a run is started, with this term's numbers for the hidden checks."""
        told = [f"--a2-recorded={recorded}"] if recorded else []
        return lambda arguments, root, log: self._warm.launch([*arguments, *told], root, log)

    def __enter__(self) -> Room:  # noqa: PYI034
        self._warm.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._warm.close()


def checks_of(parts: Sequence[Part] = PARTS, *, hidden: bool = False) -> tuple[Check, ...]:
    """Return the checks that count: the manifest's for students, with hidden also the staff's own."""
    manifests = [ROOT / "tests" / "manifest.json", *([ROOT / "tests" / "hidden" / "manifest.json"] if hidden else [])]
    return tuple(check for path in manifests for check in read_manifest(path) if part_of(check.function) in parts)


def grade_submission(
    folder: Path,
    parts: Sequence[Part] = PARTS,
    *,
    room: Room,
    hidden: bool = False,
    recorded: Path | None = None,
    checks: Sequence[Check] | None = None,
    progress: Progress = lambda done: None,
    seconds: int = PATIENCE,
    whole_seconds: float = WHOLE,
    alone: bool = True,
) -> Grade:
    """Grade folder/assignment2/*.py and folder/trained/*.safetensors, which need not be safe to read, import or run.

    Every check of the manifest gets a verdict; a module that is missing or cannot be imported is the verdict on its checks.
    The sandbox's level stands in the grade's notes. UsageError only for what is no fault of the submission; of these GraderFailed
    means that something broke, and that it may be tried again, with alone: nothing else is graded on this machine meanwhile.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: unpack the submission first")
    wanted = checks_of(parts, hidden=hidden) if checks is None else tuple(checks)

    def run(submission: Path, checks: Sequence[Check]) -> Grade:
        return grade(
            checks, parts, progress=progress, launch=room.launch(recorded), submission=submission, impatient=True,
            seconds=seconds, whole_seconds=whole_seconds,
        )  # fmt: skip

    done = run(folder.resolve(), wanted)
    doubtful = [verdict for verdict in done.verdicts if verdict.outcome == NOT_GRADED]
    if doubtful:
        if not alone:
            raise GraderFailed(_told(doubtful))
        done = _decided(done, doubtful, folder.resolve(), run)
    return dataclasses.replace(done, notes=(*done.notes, f"sandbox: {room.level}"))


def _decided(done: Grade, doubtful: Sequence[Verdict], submission: Path, run: Run) -> Grade:
    """Return the grade with a verdict in place of each NOT_GRADED; GraderFailed if the machine is to blame.

    Nobody can see who has killed a process: the kernel for want of memory, or the submission itself. What has killed it, now that
    nothing else runs, twice at the same check, while a submission of ours passes that check and all the memory is free that a
    submission may take, is the submission.
    """
    second = run(submission, [verdict.check for verdict in doubtful])
    verdicts = {verdict.check.id: verdict for verdict in (*done.verdicts, *second.verdicts)}
    still = [verdict for verdict in second.verdicts if verdict.outcome == NOT_GRADED]
    if still:
        with innocent([verdict.check for verdict in still]) as folder:
            ours = run(folder, [verdict.check for verdict in still])
        if shortfall(ours, [part_of(verdict.check.function) for verdict in still]):
            raise GraderFailed(_told(still))
        if free_memory() < Limits.memory:
            free, promised = free_memory() / 2**20, Limits.memory / 2**20
            raise GraderFailed(
                f"{_told(still)}; {free:.0f} MB are free of the {promised:.0f} that a submission may take"
            )
        verdicts.update({v.check.id: dataclasses.replace(v, outcome="crashed") for v in still})
    seconds = done.seconds + second.seconds
    return dataclasses.replace(done, verdicts=tuple(verdicts[v.check.id] for v in done.verdicts), seconds=seconds)


def _told(doubtful: Sequence[Verdict]) -> str:
    return f"{doubtful[0].check.id}: {doubtful[0].message} (and at {len(doubtful) - 1} more checks)"
