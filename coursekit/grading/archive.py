"""Zip files that are the same bytes whenever, wherever and however often they are made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

FIRST_ZIP_DAY = (1980, 1, 1, 0, 0, 0)


def zip_bytes(files: Mapping[str, bytes], executable: frozenset[str] = frozenset()) -> bytes:
    """Return a zip of files (name in the zip -> content), sorted by name.

    One fixed time, permissions 644 (755 for executable ones), and no compression: zlib's output differs from version to
    version.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, FIRST_ZIP_DAY)
            entry.create_system = 3  # Unix, also when made on Windows
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()
