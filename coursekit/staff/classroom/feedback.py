"""`a2 feedback RESULTS`: what students get back, as a zip for each, and as one zip that Canvas or Moodle takes in bulk."""

from __future__ import annotations

import re
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.grading.answers import ANSWERS
from coursekit.grading.archive import zip_bytes
from coursekit.staff.classroom.cells import count
from coursekit.staff.classroom.finished import Finished, finished
from coursekit.staff.classroom.record import Record, write_whole

PAGES = ("report.html", ANSWERS)
UPLOAD = {  # platform -> where it takes the one zip
    "canvas": "Gradebook, the assignment's menu, Upload Submissions",
    "moodle": "Submissions, Actions, Upload multiple feedback files in a zip",
}
# Canvas knows its files by what stands before the name.
PREFIX = re.compile(r"(.+?_\d+_|(?:LATE_)?anon_[A-Za-z0-9]+_)\d+_", re.DOTALL)


def feedback(out: Path) -> list[str]:
    """Write the zips beside the results, the same bytes each time; return what to say about it."""
    graded = finished(out)
    folder = out / "feedback"
    folder.mkdir(exist_ok=True)
    bulk: dict[str, dict[str, bytes]] = {platform: {} for platform in UPLOAD}
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
    said = [f"{folder}: {count(len(written), 'zip')}, one for each student"]
    for platform, files in bulk.items():
        if files:
            path = out / f"feedback-{platform}.zip"
            write_whole(path, zip_bytes(files))
            said.append(f"{path}: for {UPLOAD[platform]}")
    return said


def _pages(graded: Finished, record: Record) -> dict[str, bytes]:
    place = graded.out / "students" / record.folder
    try:
        return {name: (place / name).read_bytes() for name in PAGES}
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be read ({error.strerror}): a2 classroom with --regrade writes it again"
        ) from None
