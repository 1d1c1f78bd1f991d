"""What one student handed in, and where it is."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coursekit.staff.classroom.names import ARCHIVES

MARKED = re.compile(r"-[0-9a-f]{6}$")  # so end the folders of names that cannot stand as they are
LARGE = 2**30  # bytes
LEFT_OUT = (".git", ".venv", "__pycache__", "__MACOSX")


@dataclass(frozen=True)
class HandedIn:
    """One student's zip or folder, or the files of one that came without a folder; else there is a problem instead."""

    student: str
    path: Path | None
    late: bool = False
    problem: str = ""
    loose: tuple[tuple[str, Path], ...] = ()  # name in the submission -> where it is
    platform: str = ""
    number: str = ""  # by which the platform knows the student
    when: str = ""  # the attempt, where the platform says
    note: str = ""

    @property
    def file(self) -> str:
        """The name of what was handed in."""
        return self.path.name if self.path else self.loose[0][1].name if self.loose else ""

    @property
    def is_folder(self) -> bool:
        return self.path is not None and is_folder(self.path)

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield every file of it, with the name that it has there; in a folder no link is followed."""
        if self.path is None or not self.is_folder:
            yield from self.loose if self.path is None else [(self.path.name, self.path)]
            return
        for place, folders, names in os.walk(self.path):
            folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
            for path in (Path(place) / name for name in sorted(names)):
                if not path.is_symlink():
                    yield path.relative_to(self.path).as_posix(), path

    def stamp(self) -> tuple[int, int]:
        """Return the size and the last change of all of it."""
        found = []
        for _, path in self.files():
            with suppress(OSError):
                status = path.stat()
                found.append((status.st_size, status.st_mtime_ns))
        return sum(size for size, _ in found), max((changed for _, changed in found), default=0)

    def digest(self) -> str:
        """Return the SHA-256 of all of it, of a zip that of the file; nothing for what cannot be read."""
        if self.path and not self.is_folder:
            return _sha256(self.path)
        lines = [f"{_sha256(path)} {name}\n" for name, path in self.files()]
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest() if lines else ""

    @property
    def folder(self) -> str:
        """A folder's name for this student on every system, one for each student."""
        name = unicodedata.normalize("NFC", self.student)
        plain = re.sub(r"[^\w.@ -]", "_", name).strip(" .")
        if self.student == plain == plain.casefold() and len(plain.encode()) <= 100 and not MARKED.search(plain):
            return plain
        mark = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:6]
        return f"{plain.encode()[:90].decode(errors='ignore')}-{mark}" if plain else f"student-{mark}"


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder, and none that is called like a zip."""
    return path.is_dir() and path.suffix.casefold() not in ARCHIVES


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or nothing for what is no readable file; of more than anybody hands in, the size."""
    whole = hashlib.sha256()
    try:
        if not path.is_file():
            return ""
        if path.stat().st_size > LARGE:
            return f"{path.stat().st_size} bytes"
        with path.open("rb") as stream:
            while chunk := stream.read(2**20):
                whole.update(chunk)
    except OSError:
        return ""
    return whole.hexdigest()
