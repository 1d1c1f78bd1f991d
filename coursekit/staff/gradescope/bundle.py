"""Pack the autograder that Gradescope builds an image from: two scripts, and of this edition what grading needs.

No solution, no known mistake and no other submission is in it: the decider speaks to a worker, and compares with stored outputs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.grading.archive import zip_bytes
from coursekit.parts import NUMBERS, ROOT
from coursekit.staff.canary import edition_problem
from coursekit.staff.classroom.gradebook import max_score
from coursekit.staff.classroom.job import Order
from coursekit.staff.classroom.record import write_whole
from coursekit.staff.isolation import checks_of

SCRIPTS = ("setup.sh", "run_autograder")
SINGLE = (
    "setup.sh",
    "requirements.txt",
    "coursekit/constraints.txt",
    "coursekit/staff/requirements.txt",
    "pyproject.toml",
    "LICENSE",
    "assignment2/__init__.py",
)
TREES = {
    "coursekit": (".py", ".json", ".html", ".css"),
    "data": (".safetensors", ".json", ".npz", ".png"),
    "tests": (".py", ".json", ".npz"),
}
LEFT_OUT = ("coursekit/staff/exercises/", "tests/staff/")
SETTINGS = "gradescope.json"


def pack(destination: Path, numbers: Sequence[int] = NUMBERS) -> list[str]:
    """Write the bundle for some parts, the same bytes each time; return what to say about it."""
    if destination.suffix != ".zip":
        raise UsageError(f"{destination} is not a name for a zip file; choose one such as autograder.zip")
    if destination.exists():
        raise UsageError(f"{destination} is there already; remove it, or choose another name")
    if not destination.absolute().parent.is_dir():
        raise UsageError(
            f"{destination.absolute().parent} is not a folder; make it or choose another place for the zip"
        )
    problem = edition_problem(checks_of(Order(parts=tuple(numbers)).chosen, hidden=True))
    if problem:
        raise UsageError(f"nothing was packed, since this edition is damaged: {problem}")
    files = {name: (Path(__file__).parent / name).read_bytes() for name in SCRIPTS}
    files |= {f"edition/{name}": (ROOT / name).read_bytes() for name in (*SINGLE, *_trees())}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name not in SCRIPTS}
    settings = {
        "parts": list(numbers),
        "hashes": {name.removeprefix("edition/"): told for name, told in hashes.items()},
    }
    files[f"edition/{SETTINGS}"] = (json.dumps(settings, indent=0) + "\n").encode()
    content = zip_bytes(files, frozenset({*SCRIPTS, "edition/setup.sh"}))
    write_whole(destination, content)
    parts = ", ".join(map(str, numbers))
    points = max_score(Order(parts=tuple(numbers)))
    return [
        f"{destination}: {len(files)} files, {len(content) / 2**20:.1f} MB, parts {parts}",
        "upload it at Gradescope under Configure Autograder; give it 2 CPUs, 3 GB and a time limit of 10 minutes",
        f"its Autograder Points: {points:g} (extensions and hidden checks included)",
    ]


def _trees() -> Iterator[str]:
    """Name the files of the edition that are packed."""
    for folder, kinds in TREES.items():
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            hidden = any(step.startswith((".", "__pycache__")) for step in Path(name).parts)
            if path.suffix in kinds and path.is_file() and not hidden and not name.startswith(LEFT_OUT):
                yield name
