"""One zip on its way from the folder to a record."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from coursekit.parts import PARTS, Part
from coursekit.staff.classroom.handed_in import HandedIn
from coursekit.staff.classroom.job import Work
from coursekit.staff.classroom.record import Outcome, Record
from coursekit.staff.contents import source_digest
from coursekit.staff.intake import Taken
from coursekit.staff.unzip import take_files, take_folder, take_zip

HERE = ".".join(platform.python_version_tuple()[:2])
MOST_CAUSES = 3


@dataclass
class Attempt:
    """A submission on its way."""

    one: HandedIn
    parts: tuple[int, ...] = ()  # those to grade
    tries: int = 0
    work: Work | None = None
    remarks: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    python: str = ""  # that the submission was made with
    archive: str = ""
    stamp: tuple[int, int] = (0, 0)  # as the zip was before it was read

    def open(self, parts: Sequence[Part] = PARTS) -> None:
        """Open the zip; what is wrong with it becomes a sentence, if it concerns one of the parts."""
        self.stamp = self.one.stamp()
        if self.one.problem:
            self.work = Work(problem=self.one.problem)
        else:
            taken = take_handed_in(self.one)
            self.archive = self.one.digest()
            self.sources = {n: source_digest(c) for n, c in taken.files.items() if n.endswith(".py")}
            problem = f"{self.one.file} {taken.problem}" if taken.problem else ""
            self.remarks, self.python = (*filter(None, [self.one.note]), *taken.remarks_on(parts)), taken.python
            self.work = Work(taken.files, taken.problems, problem, written=taken.written)
        modules = [sentence for name, sentence in self.work.problems.items() if name.endswith(".py")]
        said = (f"student: {self.one.student}", self.work.problem, *modules, *self.remarks)
        self.work = replace(self.work, notes=tuple(text for text in said if text), student=self.one.student)

    def record(self, outcome: Outcome, stamps: dict[str, str]) -> Record:
        work = self.work or Work()
        modules = [sentence for name, sentence in work.problems.items() if name.endswith(".py")]
        made = f" (made with Python {self.python}, graded with {HERE})" if self.python not in ("", HERE) else ""
        failed = {path: why for path, why in outcome.unloaded.items() if path in work.files}
        modules += [f"{path} could not be imported: {why}{made}" for path, why in failed.items()]
        modules += [f"{count} checks lost: {what}" for what, count in outcome.lacking.items()][:MOST_CAUSES]
        late = [f"{outcome.timed_out} checks over their time limit"] if outcome.timed_out else []
        return Record(
            student=self.one.student,
            folder=self.one.folder,
            file=self.one.file,
            late=self.one.late,
            status="no submission" if work.problem else "graded",
            remarks=tuple(text for text in (work.problem, *modules, *late, *self.remarks) if text),
            archive=self.archive,
            size=self.stamp[0],
            changed=self.stamp[1],
            sources=self.sources,
            outcome=outcome,
            stamps=stamps,
            platform=self.one.platform,
            number=self.one.number,
            when=self.one.when,
        )


def is_of(record: Record, one: HandedIn) -> bool:
    """Return whether a record is of this zip as it is now, and of this student, whose folder it stands in."""
    if record.student != one.student or record.file != one.file:
        return False
    if one.problem:
        return one.problem in record.remarks
    return (record.size, record.changed) == one.stamp() or (bool(record.archive) and record.archive == one.digest())


def take_handed_in(one: HandedIn) -> Taken:
    """Take the known files out of what a student handed in."""
    if one.loose:
        return take_files(one.loose)
    path = one.path or Path()
    return take_folder(path) if one.is_folder else take_zip(path)
