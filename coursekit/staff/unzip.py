"""Open a zip, a zip in a zip, or a folder, as entries for coursekit.staff.intake; bounded in time, memory and disk."""

from __future__ import annotations

import io
import mmap
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from coursekit.staff.intake import Entry, Taken, Unreadable, take, too_large

MAX_ZIP = 2**30
MAX_INNER = 64 * 2**20  # a zip in a zip is read into memory
MAX_ENTRIES = 20_000
ENTRY_MARK = b"PK\1\2"  # one for each line of a zip's directory
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, OSError)
OTHER_KINDS = {b"Rar!": "a RAR", b"7z\xbc\xaf": "a 7z", b"\x1f\x8b": "a gzip", b"BZh": "a bzip2", b"\xfd7zXZ": "an xz"}
PACK = "pack it again with `a2 submit`"


def take_zip(path: Path) -> Taken:
    """Take the known files out of the zip at path, whatever it is; never an exception."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return Taken(problem="is a folder, not a zip: zip it")
        if not stat.S_ISREG(status.st_mode):
            return Taken(problem="is not a file (a pipe, a socket or a device)")
        if status.st_size > MAX_ZIP:
            return Taken(problem=too_large(status.st_size, MAX_ZIP))
        if not status.st_size:
            return Taken(problem="is empty: 0 bytes; upload it again")
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
            entries = _count_up_to(view, ENTRY_MARK, MAX_ENTRIES)
            return _take_stream(stream, view[:8], entries, wrapped=False)
    except OSError as error:
        return Taken(problem=f"cannot be read ({error.strerror or error})")


def _count_up_to(view: mmap.mmap | bytes, mark: bytes, most: int) -> int:
    count, place = 0, view.find(mark)
    while place >= 0 and count <= most:
        count, place = count + 1, view.find(mark, place + 4)
    return count


def _take_stream(stream: IO[bytes], start: bytes, entries: int, *, wrapped: bool) -> Taken:
    if entries > MAX_ENTRIES:
        return Taken(problem=f"has more than {MAX_ENTRIES:,} entries (is .venv packed in?): {PACK}")
    try:
        with zipfile.ZipFile(stream) as archive:
            taken = take(_entries(archive))
            if taken.inner:
                inner = _take_inner(taken, taken.inner, wrapped)
                inner.written = taken.written | inner.written
                return inner
            return taken
    except BROKEN as error:
        return Taken(problem=_why_broken(start, error))


def _take_inner(outer: Taken, inner: Entry, wrapped: bool) -> Taken:
    """Open the zip in the zip; one more inside that is too many."""
    if wrapped:
        return Taken(problem=f"is a zip in a zip in a zip: {PACK}")
    try:
        content = b"" if inner.trouble else inner.read(MAX_INNER + 1)
    except Unreadable as error:
        return Taken(problem=f"holds only {inner.name}, which {error}")
    if inner.trouble or len(content) > MAX_INNER:
        ending = inner.trouble or too_large(None, MAX_INNER)
        return Taken(problem=f"holds only {inner.name}, which {ending}")
    entries = _count_up_to(content, ENTRY_MARK, MAX_ENTRIES)
    taken = _take_stream(io.BytesIO(content), content[:8], entries, wrapped=True)
    taken.remarks[:0] = [*outer.remarks, f"wrapped twice: the submission is in {inner.name}"]
    if taken.problem and not taken.problem.startswith("is a zip in"):
        taken.problem = f"holds only {inner.name}, which {taken.problem}"
    return taken


def _why_broken(start: bytes, error: Exception) -> str:
    kind = next((name for mark, name in OTHER_KINDS.items() if start.startswith(mark)), "")
    if kind:
        return f"is {kind} archive, not a zip: {PACK}"
    if start.startswith(b"PK"):
        reason = str(error).split("\n")[0][:80] or type(error).__name__
        return f"is a damaged or truncated zip ({reason}): upload it again"
    return f"is not a zip, whatever its name says: {PACK}"


def _entries(archive: zipfile.ZipFile) -> Iterator[Entry]:
    for info in archive.infolist():
        if info.orig_filename.endswith(("/", "\\")):
            continue
        size = max(info.file_size, info.compress_size)
        yield Entry(info.orig_filename, size, _reader(archive, info), _trouble(info), (info.CRC,))


def _trouble(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.flag_bits & 0x41:
        return "is encrypted: pack it without a password"
    if stat.S_ISLNK(kind):
        return "is a link: pack the file itself"
    if kind and not stat.S_ISREG(kind) and info.create_system == 3:
        return "is not a file (a pipe, a folder or a device): pack the file itself"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is compressed by method {info.compress_type}, which not every zip program has: {PACK}"
    return ""


def _reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        try:
            with archive.open(info) as stream:
                content = stream.read(most)
                if len(content) < most and stream.read(1):
                    raise zipfile.BadZipFile("more content than announced")
                return content
        except BROKEN as error:
            raise Unreadable(f"is damaged in the zip ({str(error)[:80] or type(error).__name__}): {PACK}") from None

    return read


def take_folder(folder: Path) -> Taken:
    """Take the known files out of a folder, following no link; a single zip in it is opened."""
    entries = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (".venv", ".git", "__pycache__"))
        for name in sorted(names):
            path = Path(place) / name
            entries.append(_file_entry(path, path.relative_to(folder).as_posix()))
        if len(entries) > MAX_ENTRIES:
            return Taken(problem=f"has more than {MAX_ENTRIES:,} files: {PACK}")
    taken = take(entries)
    if taken.inner and not taken.inner.trouble:
        return take_zip(folder / taken.inner.name)
    return taken


def take_files(named: Sequence[tuple[str, Path]]) -> Taken:
    """Take the known files out of single files, each with the name that its student gave it."""
    return take([_file_entry(path, name) for name, path in named])


def _file_entry(path: Path, name: str) -> Entry:
    status = path.lstat()

    def read(most: int) -> bytes:
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
                return stream.read(most)
        except OSError as error:
            raise Unreadable(f"cannot be read ({error.strerror})") from None

    trouble = "" if stat.S_ISREG(status.st_mode) else "is a link or a device: hand in the file itself"
    return Entry(name, status.st_size, read, trouble)
