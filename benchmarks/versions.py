"""The checks on other versions: makes an environment for each pair of Python and torch, grades the staff edition in it, prints a table.

    python benchmarks/versions.py [PYTHON:TORCH ...]      for instance 3.10:2.6.0 3.13: (no number: the newest that installs)

Each environment takes some minutes and 6 GB, in a temporary folder, one after the other. Grading runs three times, with one thread,
with two, and with one again: the scores must be equal. A row that says less than all points is a failure, and so is the exit code.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WANTED = ("3.10:2.6.0", "3.12:", "3.13:", "3.14:")
FACTS = "import sys, torch, torchvision, numpy; print(sys.version.split()[0], torch.__version__, torchvision.__version__, numpy.__version__)"


def main() -> int:
    """Measure every pair that was asked for."""
    print(
        "| Python | torch | torchvision | numpy | points | the same, three runs | checks, s |\n|---|---|---|---|---|---|---|"
    )
    rows = [measure(*pair.split(":")) for pair in sys.argv[1:] or WANTED]
    return 0 if all(rows) else 1


def measure(version: str, torch: str) -> bool:
    """Print the row of one pair; say whether every point was got (a Python that is not here counts as said, not as failed)."""
    python = interpreter(version)
    if python is None:
        print(f"| {version} | not on this machine | | | | | |", flush=True)
        return True
    with tempfile.TemporaryDirectory(prefix="a2-versions-") as room:
        subprocess.run([python, "-m", "venv", room], check=True)
        inside = Path(room) / "bin" / "python"
        wanted = [f"torch=={torch}"] if torch else []
        command = [inside, "-m", "pip", "install", "-q", *wanted, "-r", ROOT / "requirements.txt"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"| {version} | {torch or 'newest'}: {done.stderr.strip().splitlines()[-1]} | | | | | |", flush=True)
            return False
        facts = subprocess.run([inside, "-c", FACTS], capture_output=True, text=True, check=True).stdout.split()
        runs = [grade(inside, threads) for threads in (1, 2, 1)]
    scores = [[(test["name"], test["score"]) for test in run["tests"]] for run in runs]
    got, most = runs[0]["score"], sum(test["max_score"] for test in runs[0]["tests"])
    equal = all(score == scores[0] for score in scores)
    seconds = ", ".join(f"{run['execution_time']:.1f}" for run in runs)
    print(f"| {' | '.join(facts)} | {got:g} of {most:g} | {'yes' if equal else 'NO'} | {seconds} |", flush=True)
    return equal and got == most


def interpreter(version: str) -> str | None:
    """Return a Python of that version, or None: a shim that stands on the path without one behind it is none."""
    for path in (
        shutil.which(f"python{version}"),
        *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")),
    ):
        if path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
            return str(path)
    return None


def grade(python: Path, threads: int) -> dict[str, Any]:
    """Return results.json of one grading in a copy of the edition."""
    with tempfile.TemporaryDirectory(prefix="a2-versions-") as room:
        edition = Path(room) / "edition"
        edition.mkdir()
        names = ("assignment2", "coursekit", "data", "tests", "trained", "pyproject.toml")
        for name in names:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, edition / name)
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(edition)}
        command = [python, "-m", "coursekit", "grade"]
        done = subprocess.run(command, cwd=edition, env=environment, capture_output=True, text=True, check=False)
        results = edition / "results.json"
        graded = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {"score": 0}
        if graded["score"] == 0:
            raise SystemExit((done.stdout + done.stderr)[-3000:])
        return graded


if __name__ == "__main__":
    raise SystemExit(main())
