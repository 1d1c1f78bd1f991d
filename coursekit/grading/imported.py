"""Import what is handed in before it is handed in: a module may only define things, and only with what the staff have too."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from coursekit.errors import UsageError
from coursekit.grading.import_probe import ONLY_DEFINE, PATIENCE, SECONDS
from coursekit.grading.only_required import NOT_REQUIRED

LIBRARIES = ("torch", "coursekit.vision")  # what takes long to import, loaded before the clock starts
START_SECONDS = 120  # torch takes seconds to load, a minute on a slow disk


def refuse_side_effects(root: Path, modules: Mapping[str, bytes]) -> None:
    """Import the modules where nothing but they and coursekit can be found; UsageError if one does more than define."""
    with tempfile.TemporaryDirectory(prefix="a2-submit-") as room:
        folder = Path(room).resolve() / "submission"
        init = root / "assignment2" / "__init__.py"
        files = {"assignment2/__init__.py": init.read_bytes() if init.is_file() else b"", **modules}
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        report = folder.parent / "report"
        _run_probe(report, folder, [name.removesuffix(".py").replace("/", ".") for name in modules])
        _judge(report.read_text(encoding="utf-8") if report.exists() else "", list(modules))


def _run_probe(report: Path, folder: Path, modules: Sequence[str]) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "coursekit.grading.import_probe", str(report), str(folder)]
    command += [",".join(LIBRARIES), *modules]
    limit = START_SECONDS + PATIENCE * SECONDS * len(modules)
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True}
    with contextlib.suppress(subprocess.TimeoutExpired):  # the report says how far it came
        subprocess.run(command, cwd=folder, env=environment, timeout=limit, check=False, **quiet)


def _judge(report: str, names: Sequence[str]) -> None:
    """Turn the probe's report into the first sentence that there is to say."""
    lines = report.splitlines()
    done = [json.loads(line) for line in lines if line.startswith('{"done"')]
    for name, entry in zip(names, done, strict=False):
        if entry["problem"]:
            _refuse_import(name, entry["problem"], entry["line"])
    if len(done) == len(names):
        return
    if not lines:
        raise UsageError("the modules could not be tried: Python with torch does not start; run `a2 doctor`")
    name = names[len(done)]
    stopped = any(line.startswith(("Timeout", "Stack ")) for line in lines)
    places = [line for line in lines if PurePosixPath(name).name in line and ", line " in line]
    line_number = int(places[0].split(", line ")[1].split()[0]) if places else None
    _refuse_import(name, "does not come to an end (an endless loop?)" if stopped else "ends Python", line_number)


def _refuse_import(name: str, problem: str, line: int | None) -> None:
    place = f"{name}, line {line}" if line else name
    if NOT_REQUIRED in problem:
        remedy = "write the code without it"
    elif "No module named" in problem:
        remedy = "only the files of the assignment are handed in, so move that code into this file"
    elif problem.startswith("raises"):
        remedy = "fix that, and try `a2 grade`"
    else:
        remedy = ONLY_DEFINE
    raise UsageError(f"{place}: importing it {problem}; {remedy}")
