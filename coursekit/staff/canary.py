"""A submission of ours that goes first: what it loses, this machine or this edition would take from everybody.

Where the solution is there, that is the staff's own. Gradescope's autograder has none: there it is one that answers wrongly, but
needs what a right one needs.
"""

from __future__ import annotations

import ast
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from coursekit.grading.results import Check, Grade
from coursekit.parts import PARTS, ROOT, Part, part_of

POINTER = b"version https://git-lfs"
STORED = (".npz", ".json", ".safetensors", ".png")
MEMORY = 256  # MB: twice what a right submission takes beyond what the sandbox has when it starts (docs/measured.md)
WRONG = f"""
import torch

torch.set_num_threads(8)
torch.ones({MEMORY // 4}, 2**20).sum()
torch.set_num_threads(1)


def answer(*args, **kwargs):
    return torch.zeros(2, 3, 5, 7, dtype=torch.float64)


"""


def has_solution(parts: Sequence[Part]) -> bool:
    """Return whether this edition holds the solution; Gradescope's autograder does not."""
    return all((ROOT / part.module_path).exists() for part in parts)


def files(parts: Sequence[Part]) -> dict[str, bytes]:
    """Return the files of the submission for some parts."""
    if has_solution(parts):
        names = [name for part in parts for name in (part.module_path.as_posix(), *part.trained)]
        return {name: (ROOT / name).read_bytes() for name in names}
    wrong = {part: WRONG + "".join(f"{name} = answer\n" for name in part.functions) for part in parts}
    return {part.module_path.as_posix(): text.encode() for part, text in wrong.items()}


@contextmanager
def innocent(checks: Sequence[Check]) -> Iterator[Path]:
    """Lend a folder with the submission that some checks need; nobody's process is killed by it."""
    parts = [part for part in PARTS if any(part_of(check.function) == part for check in checks)]
    with tempfile.TemporaryDirectory(prefix="a2-canary-") as place:
        for name, content in files(parts).items():
            (Path(place) / name).parent.mkdir(exist_ok=True)
            (Path(place) / name).write_bytes(content)
        yield Path(place)


def shortfall(grade: Grade, parts: Sequence[Part]) -> str:
    """Return what is wrong with the grade of the submission, or nothing."""
    solved = has_solution(parts)
    lost = [v for v in grade.verdicts if v.outcome != "passed" and (solved or v.outcome != "failed")]
    if not lost:
        return ""
    first, points = lost[0], sum(verdict.check.points for verdict in lost)
    whose = "the staff's own solution loses" if solved else "a submission that every machine can run loses"
    told = (first.message.splitlines() or [first.outcome])[0]
    return f"{whose} {points:g} of {grade.max_score:g} points on this machine; the first in {first.check.id}: {told}"


def edition_problem(checks: Sequence[Check]) -> str:
    """Return what is wrong with the checks or with the stored outputs of this edition, and the remedy, or nothing."""
    for name in dict.fromkeys(check.id.split("::")[0] for check in checks):
        try:
            tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        except SyntaxError as error:
            return f"{name}, line {error.lineno}: {error.msg}; fix it"
        except (OSError, ValueError) as error:
            return f"{name} cannot be read ({error}); restore it"
        there = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
        wanted = [check for check in checks if check.id.split("::")[0] == name]
        gone = [check for check in wanted if check.id.split("::")[-1].partition("[")[0] not in there]
        if gone:
            told = "is listed in the manifest, but its file does not contain it"
            return f"{gone[0].id} {told}; `a2 reference` makes a new manifest"
    paths = [path for folder in ("tests", "data") for path in sorted((ROOT / folder).rglob("*"))]
    return next(filter(None, map(_damage, (path for path in paths if path.suffix in STORED))), "")


def _damage(path: Path) -> str:
    """Return what is wrong with a stored file, or nothing."""
    name, content = path.relative_to(ROOT).as_posix(), path.read_bytes()
    if content.startswith(POINTER):
        return f"{name} is a pointer of Git LFS and not the file; git lfs pull fetches it"
    try:
        if path.suffix == ".npz":
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                stored.files  # noqa: B018 (a damaged directory is seen here)
        elif path.suffix == ".json":
            json.loads(content)
    except Exception as error:  # noqa: BLE001 (a damaged zip raises anything)
        return f"{name} is damaged ({error}); git checkout {name} restores it"
    return ""
