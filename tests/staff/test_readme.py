"""Every command of README.md is run, as it stands there and in that order, by the shell, in a copy of this repository.

Those that take long end early by what is appended (one module instead of all); `RUN_ELSEWHERE` names who runs the others.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.parts import ROOT
from tests.staff.test_docs import commands_in

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.name == "nt", reason="the stand-in for .venv is a POSIX script"),
]

MODULE = "upsampling"  # the quickest
STAFF, STUDENT = "a2", "my-a2"  # folders; the README's first command makes the second beside the first
AT_WORK = {"grade 1", "watch 1", "hint saliency_map", "submit"}  # what the README says of your own edition
APPENDED = {
    "test": f"-q tests/{MODULE}",
    "check": MODULE,
    "reference": MODULE,
    "classroom zips --out results": f"--parts {MODULE} --trust",
}
RUN_ELSEWHERE = {"notebooks 1": "test_pretrained.py", "train tiny_vgg": "test_zoo.py"}  # downloaded weights; long
LEFT_BEHIND = {  # the command -> what it wrote, in the folder where it ran
    f"start ../{STUDENT}": f"../{STUDENT}/assignment2/saliency.py",
    "grade": "report.html",
    "submit": "submission.zip",
    "release a2.zip": "a2.zip",
    "classroom zips --out results": "results/gradebook.csv",
    "gradescope autograder.zip": "autograder.zip",
}


def commands() -> list[str]:
    words = commands_in((ROOT / "README.md").read_text(encoding="utf-8"))
    return list(dict.fromkeys(" ".join(typed) for typed in words))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of this repository, and with an environment that is the one of these tests."""
    shelf = tmp_path_factory.mktemp("shelf")
    own = ("*.zip", "zips", "results", "results.json")  # of somebody who has followed the README here
    hidden = shutil.ignore_patterns(".git", ".venv", ".a2", ".*_cache", "__pycache__", *own)
    shutil.copytree(ROOT, shelf / STAFF, ignore=hidden)
    stamp = [f"python {sys.version.split()[0]}", f"place {(shelf / 'venv').resolve()}"]
    for path in ("requirements.txt", "coursekit/staff/requirements.txt", "tests/staff/requirements.txt"):
        content = b"".join((ROOT / name).read_bytes() for name in (path, "coursekit/constraints.txt"))
        stamp.append(subprocess.run(["cksum"], input=content, capture_output=True, check=True).stdout.decode().strip())
    python = shelf / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    python.chmod(0o755)
    (shelf / "venv" / "a2-stamp").write_text("\n".join([*stamp, ""]))
    (shelf / STAFF / "zips").mkdir()
    (shelf / STAFF / "report.html").unlink(missing_ok=True)
    return shelf


def started(typed: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["bash", "-c", f"exec ./setup.sh {typed}"], cwd=folder, env=os.environ | {"A2_VENV": str(folder.parent / "venv")},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 (as in test_watch)
    )  # fmt: skip


def run(typed: str, folder: Path) -> str:
    """Run one command; return what it said. Points may be lost (1), but nothing may be wrong with the command (2)."""
    process = started(f"{typed} {APPENDED.get(typed, '')}", folder)
    if typed.startswith("watch"):
        said = ""
        while process.stdout and "Ctrl-C stops" not in said:
            said += process.stdout.readline() or pytest.fail(f"{typed} ended by itself:\n{said}")
        process.send_signal(signal.SIGINT)
    said, _ = process.communicate()
    lost = int(folder.name == STUDENT and typed.startswith("grade"))
    assert process.returncode == lost, f"{typed}: {process.returncode}\n{said}"
    return said


def test_every_command_of_the_readme_runs(shelf: Path):
    ran = set()
    for typed in commands():
        if typed in RUN_ELSEWHERE:
            continue
        if typed.startswith("classroom"):
            shutil.copy(shelf / STUDENT / "submission.zip", shelf / STAFF / "zips" / "ada.zip")
        for folder in (STUDENT,) if typed in AT_WORK else (STAFF, STUDENT) if typed == "grade" else (STAFF,):
            if (shelf / folder).is_dir():
                said = run(typed, shelf / folder)
                assert said.strip(), typed
                assert (shelf / folder / LEFT_BEHIND.get(typed, "README.md")).is_file(), typed
                ran.add(typed)

    assert len(ran) >= 12, ran
    assert ran | set(RUN_ELSEWHERE) == set(commands())
    assert AT_WORK | set(APPENDED) | set(LEFT_BEHIND) <= ran, "the README has changed: a command is not there any more"
