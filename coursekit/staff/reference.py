"""`a2 reference`: run the solution and every known mistake on the checks' inputs, and store what comes out, and hints."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coursekit.checks.stored import failure_record, load_store
from coursekit.errors import UsageError
from coursekit.grading.doctor import write_hashes
from coursekit.grading.hint import LADDERS
from coursekit.grading.notebooks import EXPECTED, expected_outputs
from coursekit.grading.report import HIDDEN
from coursekit.grading.written import GIVEN, given_in
from coursekit.parts import PARTS, ROOT, Part, notebooks_of
from coursekit.staff.cut_notebooks import cut_notebook
from coursekit.staff.edits import Edit
from coursekit.staff.exercises import exercise, mistakes_of
from coursekit.staff.trials import Trial, run_trials


@dataclass(frozen=True)
class Change:
    """A stored file, and whether writing it changed it."""

    path: Path
    size: int
    changed: bool


def make_references(parts: Sequence[Part] = PARTS) -> tuple[Change, ...]:
    """Store the solution's outputs, the mistakes' fingerprints, the hints and the manifests; return what changed."""
    changes = []
    for hidden in (False, True):
        entries: list[dict[str, Any]] = []
        for part in PARTS:
            if hidden and not (ROOT / part.hidden_path).exists():
                continue
            if part in parts:
                changes += _store_part(part, hidden)
            found = run_trials([()], [part], hidden=hidden).manifest
            entries += sorted(found, key=lambda entry: part.functions.index(entry["function"]))
        folder = ROOT / "tests" / ("hidden" if hidden else ".")
        text = "[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n"
        changes.append(_write(folder / "manifest.json", text.encode()))
    changes.append(_write(HIDDEN, (json.dumps(_points(entries), indent=1) + "\n").encode()))  # the last: hidden
    shown = json.dumps(expected_outputs(PARTS), indent=1) + "\n"
    changes.append(_write(ROOT / EXPECTED, shown.encode()))
    ladders = {name: exercise(name).hints for part in PARTS for name in part.functions}
    changes.append(_write(ROOT / LADDERS, (json.dumps(ladders, indent=1) + "\n").encode()))
    changes.append(_write(ROOT / GIVEN, given_text(PARTS).encode()))
    write_hashes(ROOT)
    return tuple(changes)


def _points(entries: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    points = dict.fromkeys((name for part in PARTS for name in part.functions), 0.0)
    for entry in entries:
        points[entry["function"]] += entry["points"]
    return points


def given_text(parts: Sequence[Part]) -> str:
    """Return what the notebooks are handed out with, as it is stored for finding what a student added to them."""
    given = {}
    for path in notebooks_of(parts):
        cut = cut_notebook((ROOT / path).read_text(encoding="utf-8"), path)
        given[path.as_posix()] = given_in(json.loads(cut))
    return json.dumps(given, indent=0, ensure_ascii=False) + "\n"


def _store_part(part: Part, hidden: bool) -> list[Change]:
    store = load_store(ROOT / (part.hidden_path if hidden else part.tests_path))
    (right,) = run_trials([()], [part], hidden=hidden, recording=True).trials
    failed = [f"{o.check}: {o.message}" for o in right.outcomes if o.outcome != "passed"]
    if failed:
        raise UsageError(f"the solution fails {len(failed)} checks, so nothing was stored; first {failed[0]}")
    arrays = _write(store.arrays_path, _npz(right.recorded))
    edits = mistakes_of(part)
    wrong = run_trials([(edit,) for edit in edits], [part], hidden=hidden).trials
    return [arrays, _write(store.mistakes_path, _mistakes_text(edits, wrong).encode())]


def _mistakes_text(edits: Sequence[Edit], trials: Sequence[Trial]) -> str:
    failures: dict[str, dict[str, Any]] = {}
    for edit, trial in zip(edits, trials, strict=True):
        for outcome in trial.outcomes:
            if outcome.failure is not None and outcome.function == edit.function:
                failures.setdefault(outcome.check, {})[str(edit)] = failure_record(outcome.failure)
    return json.dumps({"hints": {str(edit): edit.hint for edit in edits}, "failures": failures}, indent=0) + "\n"


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    """Return an .npz file that is the same to the byte whenever its arrays are."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            single = io.BytesIO()
            np.save(single, arrays[name], allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), single.getvalue(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _write(path: Path, content: bytes) -> Change:
    changed = not path.exists() or path.read_bytes() != content
    if changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Change(path.relative_to(ROOT), len(content), changed)
