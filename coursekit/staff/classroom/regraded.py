"""After a regrade: the points before and after, side by side. `--regrade` and `--regrade-part` keep what there was in before.json."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.staff.classroom.cells import cell, csv_text, number
from coursekit.staff.classroom.record import Record, read_records, write_whole

BEFORE, TABLE = "before.json", "regraded.csv"


def remember(out: Path) -> None:
    """Write down the points of everybody, before some are graded again."""
    points = {record.student: record.outcome.points for record in read_records(out)}
    write_whole(out / BEFORE, json.dumps(points) + "\n")


def compare(out: Path, records: Iterable[Record], ids: Mapping[int, list[str]]) -> str:
    """Return a table of those whose points are others than before the last regrade, or nothing where there was none."""
    path = out / BEFORE
    if not path.exists():
        return ""
    try:
        before = {student: dict[str, float](points) for student, points in json.loads(path.read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        raise UsageError(f"{path} is damaged: remove it; nothing else is lost") from None
    parts = [f"part {n} {when}" for n in ids for when in ("before", "after")]
    rows: list[list[object]] = [["student", "before", "after", "change", *parts, "checks won", "checks lost"]]
    for record in records:
        old, new = before.get(record.student), record.outcome.points
        if old is None or old == new:
            continue
        sums = [(_sum(old, names), _sum(new, names)) for names in ids.values()]
        won, lost = ([n for n in new if sign * (new[n] - old.get(n, 0.0)) > 0] for sign in (1, -1))
        whole = sum(old.values()), sum(new.values())
        points = [*whole, whole[1] - whole[0], *(value for pair in sums for value in pair)]
        rows.append([cell(record.student), *map(number, points), cell(" ".join(won)), cell(" ".join(lost))])
    return csv_text(rows, quoting=csv.QUOTE_NONNUMERIC)


def _sum(points: Mapping[str, float], names: Iterable[str]) -> float:
    return sum(points.get(name, 0.0) for name in names)
