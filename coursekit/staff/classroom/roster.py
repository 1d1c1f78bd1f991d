"""Who handed in what: student ids from the names that Canvas, Moodle and Blackboard give to downloaded files.

Canvas      doejane_LATE_1234_56789_submission-1.zip                      -> doejane_1234, late
Moodle      Jane Doe_4711_assignsubmission_file_/submission.zip (or in one name)   -> Jane Doe_4711
Blackboard  Assignment 2_s123456_attempt_2026-11-20-12-00-00_x.zip        -> s123456
a folder    jane/whatever.zip                                             -> jane
otherwise   jane_doe.zip                                                  -> jane_doe, the whole name
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from coursekit.errors import UsageError

CANVAS = re.compile(r"(?P<student>[^_]+)(?P<late>_LATE)?_(?P<number>\d+)_\d+_.*", re.DOTALL)
MOODLE = re.compile(r"(?P<student>.+?)_assignsubmission_file(_.*)?", re.DOTALL)
BLACKBOARD = re.compile(r".*?_(?P<student>[^_]+)_attempt_\d{4}-\d\d-\d\d.*", re.DOTALL)
MARKED = re.compile(r"-[0-9a-f]{6}$")  # so end the folders of names that cannot stand as they are
ARCHIVES = {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zipx"}


@dataclass(frozen=True)
class HandedIn:
    """One student's zip; without a path there is a problem instead."""

    student: str
    path: Path | None
    late: bool = False
    problem: str = ""

    @property
    def folder(self) -> str:
        """A folder's name for this student on every system, one for each student."""
        plain = re.sub(r"[^\w.@ -]", "_", unicodedata.normalize("NFC", self.student)).strip(" .")
        if (
            plain == self.student
            and len(plain.encode()) <= 100
            and plain == plain.casefold()
            and not MARKED.search(plain)
        ):
            return plain
        mark = hashlib.sha256(
            unicodedata.normalize("NFC", self.student).encode("utf-8", "surrogateescape")
        ).hexdigest()[:6]
        return f"{plain.encode()[:90].decode(errors='ignore')}-{mark}" if plain else f"student-{mark}"


@dataclass(frozen=True)
class Roster:
    """All that was handed in, in the order of the gradebook, and the files that are nobody's."""

    students: tuple[HandedIn, ...]
    others: tuple[str, ...]


def read_roster(folder: Path) -> Roster:
    """Find the zips in a folder and in its folders; UsageError if there are none."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name the folder with the students' zips")
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))
        found, others = _sort(paths)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read ({error.strerror}): mend its permissions") from None
    if not found:
        raise UsageError(f"no zips in {folder}: name the folder that holds one zip for each student")
    students = [_one(group) for group in found.values()]
    return Roster(tuple(sorted(students, key=lambda s: (s.student.casefold(), s.student))), tuple(others))


def _sort(paths: list[Path]) -> tuple[dict[str, list[HandedIn]], list[str]]:
    found: dict[str, list[HandedIn]] = defaultdict(list)
    others = []
    for path in paths:
        for one in [_from_folder(path)] if _is_students_folder(path) else [_from_name(path)]:
            if one is None:
                others.append(path.name)
            else:
                found[unicodedata.normalize("NFC", one.student).casefold()].append(one)
    return found, others


def _is_students_folder(path: Path) -> bool:
    return path.is_dir() and path.suffix.casefold() not in ARCHIVES


def _from_folder(folder: Path) -> HandedIn:
    student, late = student_of(folder.name)
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        return HandedIn(student, None, late, f"the student's folder cannot be read ({error.strerror})")
    zips = [path for path in paths if path.suffix.casefold() in ARCHIVES and path.name[0] not in "._"]
    if len(zips) == 1:
        return HandedIn(student, zips[0], late)
    if zips:
        return HandedIn(student, None, late, f"holds {len(zips)} zips ({_names(zips)}): keep one, then run again")
    loose = [path for path in paths if path.name[0] not in "._"]
    if loose:
        return HandedIn(student, None, late, f"holds no zip, but {_names(loose)}: zip what is in it, then run again")
    return HandedIn(student, None, late, "nothing was handed in: the student's folder is empty")


def _from_name(path: Path) -> HandedIn | None:
    if path.suffix.casefold() not in ARCHIVES:
        return None
    student, late = student_of(path.stem)
    return HandedIn(student, path, late)


def student_of(name: str) -> tuple[str, bool]:
    """Return the student's id, and whether the name says that it was late."""
    moodle, board, canvas = MOODLE.fullmatch(name), BLACKBOARD.fullmatch(name), CANVAS.fullmatch(name)
    if moodle:
        return moodle["student"], False
    if board:
        return board["student"], False
    if canvas:
        return f"{canvas['student']}_{canvas['number']}", bool(canvas["late"])
    return name, False


def _one(group: list[HandedIn]) -> HandedIn:
    """Return a student's only zip, or the fact that there are more."""
    if len(group) == 1:
        return group[0]
    paths = [one.path for one in group if one.path]
    names = _names(paths) if paths else "their folders"
    return HandedIn(
        group[0].student,
        None,
        any(one.late for one in group),
        f"handed in {len(group)} times ({names}): keep one, then run again",
    )


def _names(paths: list[Path]) -> str:
    return ", ".join(path.name for path in paths[:4]) + (", ..." if len(paths) > 4 else "")
