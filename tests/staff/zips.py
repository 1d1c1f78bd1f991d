"""Zips for the tests of the class: good ones, and every way of being broken."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile

from coursekit.parts import PARTS, ROOT

MODULE = PARTS[0].module_path.as_posix()


def solution(name=MODULE):
    return (ROOT / name).read_bytes()


def zipped(*files, method=zipfile.ZIP_DEFLATED):
    """A zip of (name or ZipInfo, content), also of names that appear twice."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def special(name, mode, content=b"/etc/passwd"):
    """A zip with an entry that claims to be a link, a pipe or a device."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (mode | 0o777) << 16
    return zipped((info, content))


def encrypted(name):
    """A zip whose only entry says that it is encrypted."""
    content = bytearray(zipped((name, b"x = 1\n")))
    for mark, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def zeros(name, size):
    """A zip with an entry of zeros: a thousand times smaller than what it unpacks to."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open(name, "w", force_zip64=True) as stream,
    ):
        block = bytes(2**20)
        for _ in range(size // len(block)):
            stream.write(block)
    return buffer.getvalue()


def with_false_size(content, claimed):
    """The same zip, whose directory claims another size of its first entry."""
    changed = bytearray(content)
    place = changed.index(b"PK\1\2")
    struct.pack_into("<I", changed, place + 24, claimed)
    return bytes(changed)


LINK, FIFO, DEVICE = stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR
