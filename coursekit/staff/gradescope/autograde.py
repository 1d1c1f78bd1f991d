"""Grade the submission in Gradescope's folder and write results.json; where that cannot be done, write none and say why.

Without results.json Gradescope shows no score but that the autograder failed; what is printed here is shown to staff alone.
The hidden checks draw the stored numbers: for fresh ones the solution would have to be on a machine that runs student code.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from coursekit.errors import GraderFailed, UsageError
from coursekit.parts import NUMBERS, ROOT
from coursekit.staff import canary
from coursekit.staff.classroom import job as jobs
from coursekit.staff.classroom.kept import KEPT, unpack
from coursekit.staff.classroom.record import Outcome, write_whole
from coursekit.staff.gradescope.bundle import SETTINGS
from coursekit.staff.isolation import checks_of
from coursekit.staff.unzip import take_folder

SECONDS = 420  # Gradescope itself stops after ten minutes, and a submission of ours goes first
TRIES = 2


class NotGraded(Exception):
    """There is no result: why, for the staff."""


def autograde(root: Path, job: jobs.Job = jobs.grade_work) -> dict[str, Any]:
    """Grade root/submission into root/results/results.json; return what stands there. NotGraded, and no file, if that fails."""
    path = root / "results" / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        results = _grade(root / "submission", job)
    except Exception as error:
        told = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
        raise NotGraded(f"not graded, for no fault of the submission: {told}") from error
    finally:
        jobs.close_rooms()
    write_whole(path, json.dumps(results, indent=1) + "\n")
    return results


def _grade(submission: Path, job: jobs.Job) -> dict[str, Any]:
    settings = json.loads((ROOT / SETTINGS).read_text(encoding="utf-8")) if (ROOT / SETTINGS).exists() else {}
    numbers = tuple(settings.get("parts", NUMBERS))
    # Root gives a worker a user of its own, which also holds where Docker allows no namespaces; others need bubblewrap.
    order = jobs.Order(parts=numbers, stored=True, trust=os.geteuid() == 0, seconds=SECONDS, alone=True)
    order = jobs.with_checks(order)
    taken = take_folder(submission)
    problem = f"Your submission {taken.problem}" if taken.problem else ""
    work = jobs.Work(taken.files, taken.problems, problem, tuple([problem] if problem else taken.remarks_on()))
    if not problem:
        _refuse(order, settings.get("hashes", {}), job)
    outcome = jobs.without_grading(work, order) if problem else _tried(job, work, order)
    results: dict[str, Any] = json.loads(outcome.files["results.json"])
    for test in results["tests"]:
        if test["extra_data"]["id"].startswith("tests/hidden/"):
            test["visibility"] = "after_published"
    return results


def _refuse(order: jobs.Order, hashes: dict[str, str], job: jobs.Job) -> None:
    """Raise UsageError unless the files are those that were packed, and a submission of ours can be graded here.

    Not covered, since there is no solution: a check that fails here although the answer is right, as with another release of torch.
    """
    for name, told in hashes.items():
        if not (ROOT / name).is_file() or hashlib.sha256((ROOT / name).read_bytes()).hexdigest() != told:
            raise UsageError(f"{name} is not as it was packed: upload the zip of `a2 gradescope` again")
    problem = canary.edition_problem(checks_of(order.chosen, hidden=True))
    if not problem:
        first = jobs.with_checks(dataclasses.replace(order, parts=order.parts[:1]))  # each submission pays for it
        grade = unpack(_tried(job, jobs.Work(canary.files(first.chosen)), first).files[KEPT])
        problem = canary.shortfall(grade, first.chosen) if grade else "its grade cannot be read"
    if problem:
        raise UsageError(problem)


def _tried(job: jobs.Job, work: jobs.Work, order: jobs.Order) -> Outcome:
    for _ in range(TRIES - 1):
        try:
            return job(work, order)
        except GraderFailed:
            continue
    return job(work, order)


if __name__ == "__main__":
    try:
        print(autograde(Path(sys.argv[1]))["output"])
    except NotGraded as error:
        print(error)
        raise SystemExit(1) from None
