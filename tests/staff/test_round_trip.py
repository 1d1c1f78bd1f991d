"""The way of a student and back: release, solve, grade 100 %, submit, unpack, grade 100 %; untouched, 0 %."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coursekit.parts import PARTS, ROOT
from coursekit.staff.release import FOLDER, release

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # every check of every part, three times

TODO = re.compile(r"NotImplementedError: ([\w.]+): your code here")
FULL_MARKS, POINTS_LOST = 0, 1


@dataclass(frozen=True)
class Graded:
    """What `a2 grade` said about an edition."""

    exit_code: int
    results: dict[str, Any]
    said: str

    @property
    def most(self) -> float:
        return float(sum(test["max_score"] for test in self.results["tests"]))


def a2(edition: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an edition, with the edition's own coursekit."""
    environment = os.environ | {"PYTHONPATH": str(edition), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "coursekit", *arguments]
    return subprocess.run(command, cwd=edition, env=environment, capture_output=True, text=True, check=False)


def grade(edition: Path) -> Graded:
    (edition / "results.json").unlink(missing_ok=True)
    done = a2(edition, "grade")
    said = done.stdout + done.stderr
    assert (edition / "results.json").is_file(), said
    return Graded(done.returncode, json.loads((edition / "results.json").read_text(encoding="utf-8")), said)


def student_files() -> list[Path]:
    """What a student hands in: modules, notebooks, and the weights that a notebook trains."""
    return [path for part in PARTS for path in (part.module_path, part.notebook_path, *map(Path, part.trained))]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student edition as it is handed out: from a zip."""
    room = tmp_path_factory.mktemp("round-trip")
    made = release(room / "student.zip")
    with zipfile.ZipFile(made.path) as archive:
        archive.extractall(room)
    return room / FOLDER


def test_an_untouched_edition_gets_nothing_and_each_reason_is_the_hole(untouched: Path):
    graded = grade(untouched)

    assert graded.exit_code == POINTS_LOST, graded.said
    assert graded.results["score"] == 0
    assert graded.most > 0
    functions = {name for part in PARTS for name in part.functions}
    for test in graded.results["tests"]:
        hole = TODO.search(test["output"])
        assert test["score"] == 0, test
        assert test["status"] == "failed", test
        assert hole, test
        assert hole[1].split(".")[0] in functions, test


def test_a_solved_edition_gets_everything_and_so_does_its_submission_unpacked_elsewhere(
    untouched: Path, tmp_path: Path
):
    solved = tmp_path / "solved"
    shutil.copytree(untouched, solved, ignore=shutil.ignore_patterns("results.json", ".a2"))
    for path in student_files():
        (solved / path).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / path, solved / path)

    first = grade(solved)
    handed_in = a2(solved, "submit")

    assert handed_in.returncode == 0, handed_in.stderr
    received = tmp_path / "received"
    shutil.copytree(untouched, received, ignore=shutil.ignore_patterns("results.json", ".a2"))
    with zipfile.ZipFile(solved / "submission.zip") as archive:
        assert set(archive.namelist()) == {path.as_posix() for path in student_files()} | {
            "manifest.json",
            "answers.html",
        }
        archive.extractall(received)
    second = grade(received)

    for graded in (first, second):
        lost = [test for test in graded.results["tests"] if test["score"] != test["max_score"]]
        assert not lost, "\n".join([graded.said, *(test["output"] for test in lost)])
        assert graded.exit_code == FULL_MARKS, graded.said
        assert graded.results["score"] == pytest.approx(graded.most)
    assert [t["name"] for t in first.results["tests"]] == [t["name"] for t in second.results["tests"]]
    assert "still to do" not in handed_in.stdout
