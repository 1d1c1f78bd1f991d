"""`a2 feedback RESULTS`: what students get back, as a zip for each, and as one zip that Canvas or Moodle takes in bulk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.grading.answers import ANSWERS
from coursekit.grading.archive import zip_bytes
from coursekit.staff.classroom.cells import count
from coursekit.staff.classroom.finished import Finished, finished
from coursekit.staff.classroom.record import Record, write_whole

PAGES = ("report.html", ANSWERS)
# Canvas knows its files by what stands before the name.
PREFIX = re.compile(r"(.+?_\d+_|(?:LATE_)?anon_[A-Za-z0-9]+_)\d+_", re.DOTALL)


@dataclass(frozen=True)
class Feedback:
    """What was written."""

    folder: Path
    students: int
    bulk: tuple[Path, ...]

    def lines(self) -> list[str]:
        said = [f"{self.folder}: {count(self.students, 'zip')}, one for each student"]
        where = {
            "canvas": "Gradebook, the assignment's menu, Upload Submissions",
            "moodle": "Submissions, Actions, Upload multiple feedback files in a zip",
        }
        return said + [f"{path}: for {where[path.stem.rpartition('-')[2]]}" for path in self.bulk]


def feedback(out: Path) -> Feedback:
    """Write the zips beside the results, the same bytes each time."""
    graded = finished(out)
    folder = out / "feedback"
    folder.mkdir(exist_ok=True)
    bulk: dict[str, dict[str, bytes]] = {"canvas": {}, "moodle": {}}
    written = set()
    for record in graded.records:
        pages = _pages(graded, record)
        write_whole(folder / f"{record.folder}.zip", zip_bytes(pages))
        written.add(f"{record.folder}.zip")
        prefix = PREFIX.match(record.file)
        for name, content in pages.items():
            if record.platform == "Canvas" and prefix:
                bulk["canvas"][f"{prefix[0]}{name}"] = content
            elif record.platform == "Moodle":
                bulk["moodle"][f"{record.student}_assignsubmission_file_/{name}"] = content
    for path in folder.glob("*.zip"):  # of somebody who was renamed
        if path.name not in written:
            path.unlink()
    paths = [out / f"feedback-{name}.zip" for name, files in bulk.items() if files]
    for path in paths:
        write_whole(path, zip_bytes(bulk[path.stem.rpartition("-")[2]]))
    return Feedback(folder, len(written), tuple(paths))


def _pages(graded: Finished, record: Record) -> dict[str, bytes]:
    place = graded.out / "students" / record.folder
    try:
        return {name: (place / name).read_bytes() for name in PAGES}
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be read ({error.strerror}): a2 classroom with --regrade writes it again"
        ) from None
