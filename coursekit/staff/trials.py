"""Run the checks on edited solutions: torch is imported and the checks are collected once, each edit runs in a fork."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import multiprocessing
import os
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from coursekit.checks.shared_state import shared_state
from coursekit.checks.stored import Failure, KnownMistake, load_store
from coursekit.errors import UsageError
from coursekit.grading.grade import LEAN
from coursekit.grading.plugin import EXPECT, FAILURE, RECORD, check_id, points_of
from coursekit.grading.time_limit import by_the_clock
from coursekit.grading.warm import COMPILER
from coursekit.memory import prepare_for_forks
from coursekit.parts import ROOT, Part, part_of
from coursekit.staff.edits import Edit, concerned, split
from coursekit.vision import make_scenes


@dataclass(frozen=True)
class Outcome:
    """How one check ended in one trial."""

    check: str
    function: str
    outcome: str
    score: float
    max_score: float
    message: str
    recognised: tuple[KnownMistake, ...]
    seconds: float
    failure: Failure | None


@dataclass
class Trial:
    """The edits that are made together (none: the solution itself) and what came of them."""

    edits: tuple[Edit, ...]
    outcomes: tuple[Outcome, ...] = ()
    recorded: dict[str, np.ndarray] = field(default_factory=dict)


class Trials:
    """A pytest plugin that replaces the loop over the checks by a loop over trials, two at a time."""

    def __init__(self, trials: Sequence[tuple[Edit, ...]], *, recording: bool = False) -> None:
        self.trials = [Trial(edits) for edits in trials]
        self.recording = recording
        self.manifest: list[dict[str, Any]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = [item for item in session.items if points_of(item)]
        self.manifest = [_entry(item) for item in self.items]
        if session.testsfailed:
            raise UsageError("the checks could not be collected; run pytest tests to see why")
        global _RUNNING
        _RUNNING = self
        # An optimizer's first step loads torch's compiler, and some operations sympy: here once, and not in every fork.
        importlib.import_module(COMPILER)
        # What every fork would read again is cached here, once: the solutions' texts, who calls whom, what is stored.
        for edit in chain.from_iterable(trial.edits for trial in self.trials):
            split(edit.function)
            concerned(edit)
        for folder in {item.path.parent for item in self.items}:
            load_store(folder)
        shared_state()
        prepare_for_forks()
        context = multiprocessing.get_context("fork")
        with context.Pool(min(2, os.cpu_count() or 1), maxtasksperchild=1) as pool:
            self.trials = pool.map(_run_trial, range(len(self.trials)), chunksize=1)
        return True

    def run(self, trial: Trial) -> Trial:
        """Run the checks of the module that a trial is about; called in the fork."""
        torch.set_num_threads(1)
        for edit in trial.edits:
            apply(edit)
        items = [item for item in self.items if _concerns(item, trial.edits)]
        for item in items:
            item.stash[RECORDING] = trial.recorded if self.recording else None
        return Trial(trial.edits, tuple(self.run_item(item) for item in items), trial.recorded)

    def run_item(self, item: pytest.Item) -> Outcome:
        """Run a check once more in this process, as if for the first time."""
        earlier: tuple[pytest.StashKey[Any], ...] = (RECORD, EXPECT, FAILURE)
        for key in earlier:
            if key in item.stash:
                del item.stash[key]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return _outcome(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Let `expect` record from the moment it is there: other fixtures may replay what it has recorded."""
        result = yield
        if fixturedef.argname == "expect":
            result.recording = request.node.stash.get(RECORDING, None)
        return result


RECORDING = pytest.StashKey[Any]()
_RUNNING: Trials | None = None


def _run_trial(number: int) -> Trial:
    assert _RUNNING is not None
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        return _RUNNING.run(_RUNNING.trials[number])


def apply(edit: Edit) -> None:
    module = sys.modules[f"assignment2.{part_of(edit.function).module}"]
    exec(compile(edit.function_source(), f"<{edit}>", "exec"), vars(module))  # noqa: S102 (our own text)


def _concerns(item: pytest.Item, edits: Sequence[Edit]) -> bool:
    """Say whether edits could change a check."""
    graded = points_of(item)
    return graded is not None and (not edits or any(graded[1] in concerned(edit) for edit in edits))


def _entry(item: pytest.Item) -> dict[str, Any]:
    points, function = points_of(item) or (0.0, "")
    title = (inspect.getdoc(getattr(item, "obj", None)) or "").partition("\n")[0]
    return {"id": check_id(item), "function": function, "points": points} | ({"title": title} if title else {})


def _outcome(item: pytest.Item) -> Outcome:
    record = item.stash[RECORD]
    told = {name: record[name] for name in ("function", "outcome", "score", "max_score", "message", "seconds")}
    recognised = tuple(KnownMistake(**known) for known in record["hints"])
    return Outcome(check=record["id"], recognised=recognised, failure=item.stash.get(FAILURE, None), **told)


def run_trials(
    edits: Sequence[tuple[Edit, ...]],
    parts: Sequence[Part],
    *,
    hidden: bool = False,
    recording: bool = False,
    kind: type[Trials] = Trials,
) -> Trials:
    """Collect the checks of some parts and run them once for each set of edits."""
    for edit in chain.from_iterable(edits):
        _refuse_unknown(edit.function, f"the mistake or variant {str(edit)!r}")
    trials = kind(edits, recording=recording)
    if any(part.trained for part in parts):
        make_scenes(1, seed=0, background="photo")  # reads the sprites and the photos, once and not in every fork
    paths = [ROOT / (part.hidden_path if hidden else part.tests_path) for part in parts]
    limit = f"--a2-seconds=30 -o timeout={by_the_clock(30):g}"  # what a hanging mistake costs
    options = f"{' '.join(LEAN)} {limit} --rootdir {ROOT} -c {ROOT / 'pyproject.toml'}".split()
    # Not without its terminal, for pytest-timeout writes to it: a check that hangs then fails as it does at home.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        code = pytest.main([*options, *map(str, paths)], plugins=[trials])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or not trials.manifest:
        raise UsageError(f"the checks of {', '.join(map(str, paths))} could not be run: pytest ended with {code!r}")
    for entry in trials.manifest:
        _refuse_unknown(entry["function"], entry["id"])
    return trials


def _refuse_unknown(function: str, where: str) -> None:
    """Raise a UsageError for the name of a function that is misspelt, or was taken out of the table of parts."""
    try:
        part_of(function)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
