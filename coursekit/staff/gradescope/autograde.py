"""Grade the submission in Gradescope's folder and write results.json, whatever happens.

The hidden checks draw the stored numbers: for fresh ones the solution would have to be on a machine that runs student code.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from coursekit.errors import UsageError
from coursekit.parts import ROOT
from coursekit.staff.classroom import job as jobs
from coursekit.staff.classroom.record import write_whole
from coursekit.staff.gradescope.bundle import SETTINGS
from coursekit.staff.unzip import take_folder

SECONDS = 480  # Gradescope itself stops after ten minutes


def autograde(root: Path, job: jobs.Job = jobs.grade_work) -> dict[str, Any]:
    """Grade root/submission into root/results/results.json; return what stands there."""
    path = root / "results" / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, _text(_failed("it was stopped before it came to an end")))
    try:
        results = _grade(root / "submission", job)
    except UsageError as error:
        results = _failed(str(error))
    except Exception as error:  # noqa: BLE001 (the student must not pay for it, and somebody must read it)
        results = _failed(f"{type(error).__name__}: {error}")
    write_whole(path, _text(results))
    return results


def _grade(submission: Path, job: jobs.Job) -> dict[str, Any]:
    settings = json.loads((ROOT / SETTINGS).read_text(encoding="utf-8")) if (ROOT / SETTINGS).exists() else {}
    numbers = tuple(settings.get("parts", jobs.NUMBERS))
    # Root gives a worker a user of its own, which also holds where Docker allows no namespaces; others need bubblewrap.
    order = jobs.Order(parts=numbers, stored=True, trust=os.geteuid() == 0, seconds=SECONDS)
    order = jobs.with_checks(order)
    taken = take_folder(submission)
    problem = f"Your submission {taken.problem}" if taken.problem else ""
    work = jobs.Work(taken.files, taken.problems, problem, tuple([problem] if problem else taken.remarks))
    outcome = jobs.without_grading(work, order) if problem else job(work, order)
    jobs.close_rooms()
    results: dict[str, Any] = json.loads(outcome.files["results.json"])
    for test in results["tests"]:
        if test["extra_data"]["id"].startswith("tests/hidden/"):
            test["visibility"] = "after_published"
    return results


def _failed(reason: str) -> dict[str, Any]:
    """Return a result that says that nothing was graded."""
    told = f"The autograder could not grade this: {reason}. Tell the course's staff; you need not change anything."
    return {"score": 0, "output": told, "visibility": "visible", "tests": []}


def _text(results: dict[str, Any]) -> str:
    return json.dumps(results, indent=1) + "\n"


if __name__ == "__main__":
    print(autograde(Path(sys.argv[1]))["output"])
