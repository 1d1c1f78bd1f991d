"""A grade as a file, so that one part can be graded again and the others stay what they were."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coursekit.checks.stored import KnownMistake
from coursekit.grading.picture import Picture
from coursekit.grading.results import Check, Grade, Verdict

KEPT = "verdicts.npz"


def pack(grade: Grade) -> bytes:
    """Write a grade: verdicts as JSON, their pictures as arrays."""
    told, arrays = [], {}
    for number, verdict in enumerate(grade.verdicts):
        if verdict.picture:
            arrays[f"{number} actual"], arrays[f"{number} expected"] = verdict.picture.actual, verdict.picture.expected
        told.append(dataclasses.asdict(dataclasses.replace(verdict, picture=None)))
    text = json.dumps({"seconds": grade.seconds, "notes": grade.notes, "verdicts": told}).encode()
    stream = io.BytesIO()
    np.savez_compressed(stream, grade=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def unpack(file: Path | bytes) -> Grade | None:
    """Read what pack wrote; None where there is none, or another version's or half of one."""
    try:
        with np.load(io.BytesIO(file) if isinstance(file, bytes) else file, allow_pickle=False) as stored:
            told = json.loads(stored["grade"].tobytes())
            verdicts = tuple(_verdict(number, entry, stored) for number, entry in enumerate(told["verdicts"]))
        return Grade(verdicts, told["seconds"], tuple(told["notes"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _verdict(number: int, entry: dict[str, Any], stored: np.lib.npyio.NpzFile) -> Verdict:
    recognised = tuple(KnownMistake(**known) for known in entry.pop("recognised"))
    picture = None
    if f"{number} actual" in stored.files:
        picture = Picture(stored[f"{number} actual"], stored[f"{number} expected"])
    return Verdict(Check(**entry.pop("check")), **entry | {"recognised": recognised, "picture": picture})


def renewed(old: Grade, new: Grade, order: Sequence[str]) -> Grade:
    """Return a grade with the new verdicts where there are some and the old ones elsewhere, in the order of the checks."""
    verdicts = {v.check.id: v for v in (*old.verdicts, *new.verdicts)}
    notes = dict.fromkeys((*new.notes, *(note for note in old.notes if note.startswith("sandbox: "))))
    return Grade(tuple(verdicts[name] for name in order), max(old.seconds, new.seconds), tuple(notes))
