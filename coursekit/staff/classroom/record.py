"""What is kept of one graded submission: everything that the gradebook and the class page say, as JSON on one line."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.grading.results import Grade
from coursekit.parts import part_of

FORMAT = 2
RECORD = "record.json"
LACKING = ("ModuleNotFoundError: ", "ImportError: ", "FileNotFoundError: ")
LONGEST_CAUSE = 160  # characters; a student's code may raise anything


@dataclass(frozen=True)
class Outcome:
    """What a worker found out about one submission; plain values, so that it may come from another machine."""

    points: dict[str, float]  # check -> points, of every check that counts
    outcomes: dict[str, str]  # check -> outcome
    mistakes: tuple[tuple[str, str], ...]  # function, name of the known mistake that explains its failures best
    wrong: dict[str, str]  # check -> hash of a wrong answer, where no known mistake explains it
    seconds: float
    sandbox: str
    files: dict[str, bytes] = field(default_factory=dict)  # by name: results.json, report.html ...
    unloaded: dict[str, str] = field(default_factory=dict)  # module -> why it could not be imported
    lacking: dict[str, int] = field(default_factory=dict)  # what was looked for and is not there -> checks lost to it

    @property
    def timed_out(self) -> int:
        return sum(outcome == "timeout" for outcome in self.outcomes.values())


def outcome_of(grade: Grade, sandbox: str, files: dict[str, bytes]) -> Outcome:
    """Sum a grade up."""
    blamed = {f.function: f.blame for f in grade.functions}
    named = tuple((function, blame.mistake.name) for function, blame in blamed.items() if blame and blame.certain)
    # Without numbers, as where a return is missing, equal sentences tell nothing.
    unexplained = [v for v in grade.verdicts if v.outcome == "failed" and not v.recognised and "worst at" in v.message]
    return Outcome(
        points={v.check.id: v.score for v in grade.verdicts},
        outcomes={v.check.id: v.outcome for v in grade.verdicts},
        mistakes=named,
        wrong={v.check.id: hashlib.sha256(v.message.encode()).hexdigest()[:16] for v in unexplained},
        seconds=round(grade.seconds, 3),
        sandbox=sandbox,
        files=files,
        unloaded={
            part_of(v.check.function).module_path.as_posix(): _first_line(v.message)
            for v in grade.verdicts
            if v.outcome == "not loaded"
        },
        lacking=dict(Counter(_first_line(v.message) for v in grade.verdicts if v.message.startswith(LACKING))),
    )


def _first_line(message: str) -> str:
    line = (message.splitlines() or [""])[0]
    return line if len(line) <= LONGEST_CAUSE else f"{line[:LONGEST_CAUSE]}..."


@dataclass(frozen=True)
class Record:
    """A student's line in the gradebook, and what the class page compares."""

    student: str
    folder: str
    file: str
    late: bool
    status: str  # graded, or no submission (a zip that gives nothing to grade), or not graded (our fault: tried again)
    remarks: tuple[str, ...]
    archive: str  # SHA-256 of the zip
    size: int
    changed: int  # its time of modification
    sources: dict[str, str]  # module -> hash of its normalised source
    outcome: Outcome
    stamps: dict[str, str] = field(default_factory=dict)  # part -> which checks it was held to, in which round
    platform: str = ""  # where it was downloaded from
    number: str = ""  # by which the platform knows the student
    when: str = ""  # the platform's time of the attempt
    format: int = FORMAT

    @property
    def score(self) -> float:
        return sum(self.outcome.points.values())

    def to_json(self) -> str:
        """Return the record without the files, which stand beside it."""
        content = asdict(self)
        del content["outcome"]["files"]
        return json.dumps(content, ensure_ascii=True) + "\n"


def read_record(path: Path) -> Record | None:
    """Read a record; None if there is none, or another version's or half of one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return None
        outcome = content.pop("outcome")
        outcome["mistakes"] = tuple((function, name) for function, name in outcome["mistakes"])
        content["remarks"] = tuple(content["remarks"])
        return Record(outcome=Outcome(**outcome), **content)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_records(out: Path) -> Iterator[Record]:
    """Yield the records in a folder of results, in the order of their folders."""
    for path in sorted((out / "students").glob(f"*/{RECORD}")):
        if record := read_record(path):
            yield record


def keep(record: Record, room: Path) -> None:
    """Write a student's folder: the files first, the record last, each whole or not at all."""
    folder = room / record.folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in record.outcome.files.items():
        write_whole(folder / name, content)
    write_whole(folder / RECORD, record.to_json().encode())


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file in one step; a full disk is a UsageError and leaves what was there."""
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        again = "and run the same command again"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UsageError(f"the disk of {path.parent} is full: make room {again}; nothing graded is lost") from None
        raise UsageError(f"{path} cannot be written ({error.strerror}): fix that {again}") from None


def digest_of(parts: Sequence[bytes]) -> str:
    """Return one hash of several byte strings."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()
