"""A class that was graded, as the folder of results has it, for the commands that come after grading."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.staff.classroom.attempt import is_of, take_handed_in
from coursekit.staff.classroom.cells import cell
from coursekit.staff.classroom.record import Record, read_records
from coursekit.staff.classroom.roster import read_roster
from coursekit.staff.intake import Taken


@dataclass(frozen=True)
class Finished:
    """The folder, the run's seed and parts, where the submissions are, and the records of those who stand in the gradebook."""

    out: Path
    seed: int
    parts: tuple[int, ...]
    zips: Path
    records: tuple[Record, ...]

    def submissions(self) -> Iterator[tuple[Record, Taken]]:
        """Yield each record with the files of its submission, if that is still what was graded; UsageError if none is."""
        kept, left = {record.student: record for record in self.records}, True
        found = {latest: read_roster(self.zips, self.out, latest=latest).students for latest in (False, True)}
        for plain, last in zip(found[False], found[True], strict=True):
            record = kept.get(plain.student)
            one = next((one for one in (plain, last) if record and is_of(record, one) and not one.problem), None)
            if record and one:
                left = False
                yield record, take_handed_in(one)
        if left:
            raise UsageError(f"{self.out}: the submissions are no longer where they were graded; put them back")


def finished(out: Path) -> Finished:
    """Read the results of a class; UsageError if there are none."""
    try:
        run = json.loads((out / "run.json").read_text(encoding="utf-8"))
        with (out / "gradebook.csv").open(encoding="utf-8", newline="") as stream:
            listed = {row["student"] for row in csv.DictReader(stream)}
        seed, parts, zips = int(run["seed"]), tuple(map(int, run["parts"])), Path(run["zips"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"{out} holds no graded class: name the folder that `a2 classroom ZIPS --out FOLDER` wrote"
        ) from None
    records = tuple(record for record in read_records(out) if cell(record.student) in listed)
    return Finished(out, seed, parts, zips, records)
