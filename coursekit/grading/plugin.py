"""The pytest plugin of the course: points, the fixture `expect`, hints for recognised mistakes, a line for each result."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from coursekit.checks.expect import CheckFailed, Expect
from coursekit.checks.shared_state import shared_state
from coursekit.checks.small_networks import seed_global_generators
from coursekit.checks.stored import Failure, KnownMistake, load_store
from coursekit.errors import CheckEnded
from coursekit.grading.failures import failure_of, message_of, place_of
from coursekit.grading.holes import HOLE_ENDING
from coursekit.grading.import_probe import ONLY_DEFINE, changes, settings
from coursekit.grading.picture import save_picture
from coursekit.grading.results import last_lines, not_run
from coursekit.grading.time_limit import out_of_time, processor_time
from coursekit.parts import ROOT

RECORD = pytest.StashKey[dict[str, Any]]()
EXPECT = pytest.StashKey[Expect]()
FAILURE = pytest.StashKey[Failure]()
PUT_BACK = pytest.StashKey[Callable[[], None]]()
SHOWN = pytest.StashKey[set[str]]()  # functions of which a right result was kept for drawing
STOPPED = pytest.StashKey[set[str]]()  # functions of which a check ran out of time
TOTALS = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("a2")
    group.addoption("--a2-results", metavar="FILE", help="append one line of JSON for each graded check")
    group.addoption("--a2-checks", metavar="FILE", help="run only the checks that are named in it, one a line")
    group.addoption("--a2-seconds", type=float, help="of processor time, for one check")
    group.addoption("--a2-impatient", action="store_true", help="after a timeout skip the function's other checks")


def check_id(item: pytest.Item) -> str:
    """Return the name under which a check stands in the manifest: file::test, without folders of this machine."""
    return f"{Path(str(item.path)).relative_to(ROOT).as_posix()}::{item.name}"


def points_of(item: pytest.Item) -> tuple[float, str] | None:
    """Return the points of a check and the student function that it belongs to; None for a test that is not graded."""
    marker = item.get_closest_marker("points")
    if marker is None:
        return None
    points, function = marker.args
    return float(points), str(function)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the chosen checks. (Pytest itself runs nothing at all if one of those named is in a file that fails to load.)"""
    path = config.getoption("--a2-checks")
    if path:
        chosen = set(Path(path).read_text(encoding="utf-8").splitlines())
        items[:] = [item for item in items if check_id(item) in chosen]


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Expect:
    """Compare results, in one check."""
    item = request.node
    fixture = Expect(check_id(item), load_store(item.path.parent))
    item.stash[EXPECT] = fixture
    return fixture


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    graded = points_of(item)
    if graded is None:
        return report
    record = item.stash.setdefault(RECORD, _new_record(item, *graded))
    record["seconds"] += call.duration
    if call.excinfo is not None:
        record.update(describe(item, call.excinfo.value), printed=last_lines(report.capstdout))
        if record["hints"]:
            likeliest_hint = min(record["hints"], key=lambda known: known["checks"])["hint"]
            report.sections.append(("hint", likeliest_hint))
    elif report.when == "call" and report.outcome == "passed" and not hasattr(report, "wasxfail"):
        record.update(outcome="passed", score=record["max_score"], picture=_keep_first(item, graded[1]))
    if hasattr(report, "wasxfail") or report.outcome == "skipped":
        record.update(outcome="skipped", score=0, message="the check was skipped, which counts as not passed")
    if report.when == "teardown":
        item.config.stash[TOTALS].append(record)
        if record["outcome"] == "timeout":
            item.config.stash[STOPPED].add(record["function"])
        append(item.config, record)
    return report


def _new_record(item: pytest.Item, points: float, function: str) -> dict[str, Any]:
    check = {"id": check_id(item), "function": function, "max_score": points}
    texts = dict.fromkeys(("message", "picture", "printed"), "")
    return {**check, **texts, "outcome": "crashed", "score": 0.0, "hints": [], "seconds": 0.0}


def describe(item: pytest.Item, error: BaseException) -> dict[str, Any]:
    """Say in what way a check failed, and which known mistakes fail in the same way."""
    fixture = item.stash.get(EXPECT, None)
    failure = item.stash[FAILURE] = failure_of(error, -1 if fixture is None else fixture.site)
    todo = isinstance(error, NotImplementedError) and str(error).endswith(HOLE_ENDING)
    mistakes: tuple[KnownMistake, ...] = ()
    if not todo:
        mistakes = load_store(item.path.parent).recognise(check_id(item), failure)
    ended = error.outcome if isinstance(error, CheckEnded) else "failed"
    return {
        "outcome": "todo" if todo else "timeout" if out_of_time(error) else ended,
        "score": 0.0,
        "message": message_of(error) + ("" if todo else place_of(error)),
        "hints": [asdict(mistake) for mistake in mistakes],
        "picture": _save(item, error.actual, error.expected) if isinstance(error, CheckFailed) else "",
    }


def _keep_first(item: pytest.Item, function: str) -> str:
    """Write what a right function made, once for each function; a class of a thousand needs no pictures of what is right."""
    shown: set[str] = item.config.stash.setdefault(SHOWN, set())
    fixture = item.stash.get(EXPECT, None)
    if function in shown or fixture is None or fixture.first is None or item.config.getoption("--a2-submission", None):
        return ""
    name = _save(item, *fixture.first)
    if name:
        shown.add(function)
    return name


def _save(item: pytest.Item, actual: Any, expected: Any) -> str:
    """Write the arrays of a comparison beside the results; return the name of the file, or nothing."""
    results = item.config.getoption("--a2-results")
    return save_picture(Path(results).parent, re.sub(r"\W", "_", item.name), actual, expected) if results else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Stop a check that computes for too long; where its code runs in another process, that one has the limit."""
    elsewhere = item.config.getoption("--a2-submission", None)
    with processor_time(None if elsewhere else item.config.getoption("--a2-seconds")):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """End what a check left behind, so that one function never pays for another."""
    if PUT_BACK in item.stash:
        item.stash[PUT_BACK]()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[Any]:
    """Note what a student's module changes for everybody when its tests import it; `a2 submit` would refuse it."""
    if not isinstance(collector, pytest.Module):  # a folder imports nothing
        return (yield)
    name, before = collector.path.parent.name, settings()
    report: Any = yield
    for what in changes(before)[:1]:
        append(collector.config, {"note": f"assignment2/{name}.py: importing it changes {what}; {ONLY_DEFINE}"})
    if report.failed and f"assignment2.{name}" not in sys.modules:
        told = [line for line in str(report.longrepr).splitlines() if line.startswith("E ")]
        collector.session.stash[UNLOADED].setdefault(collector.path.parent, told[-1] if told else str(report.longrepr))
    return report


class OneImport:
    """Imports a student's module that cannot be imported once, and not again for each file of its checks."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> pytest.CollectReport | None:
        reason = collector.session.stash[UNLOADED].get(collector.path.parent)
        if reason is None or not isinstance(collector, pytest.Module):
            return None
        return pytest.CollectReport(collector.nodeid, "failed", reason, [])


UNLOADED = pytest.StashKey[dict[Path, str]]()  # the folder of a module's checks -> why the module cannot be imported


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(OneImport())


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Keep why a test file could not be loaded: mostly a syntax error in the student's module."""
    if report.failed:
        _COLLECT_ERRORS.append((report.nodeid, str(report.longrepr)))


_COLLECT_ERRORS: list[tuple[str, str]] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    _COLLECT_ERRORS.clear()
    session.stash[UNLOADED] = {}
    session.config.stash[TOTALS] = []
    session.config.stash[STOPPED] = set()
    append(session.config, {"session": True})  # from here on only the student's code can take long


def append(config: pytest.Config, record: dict[str, Any]) -> None:
    """Write one line of what coursekit.grading.grade reads.

    {"session"} begins; then {"start": check} and the record of that check, or {"file", "message"} for what cannot be loaded,
    and {"note"} for the whole run. The sandbox adds {"refused"}, its own fault, and {"doubtful": file}, perhaps its own.
    """
    path = config.getoption("--a2-results")
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tell the grader which check begins, so that it knows which one a crash belongs to."""
    graded = points_of(item)
    if graded:
        append(item.config, {"start": check_id(item)})
        seed_global_generators()
        if not item.config.getoption("--a2-submission", None):  # else its code runs in another process, which does this
            item.stash[PUT_BACK] = shared_state()
        torch.set_num_threads(1)  # tiny networks: on a busy machine two threads wait for each other for seconds
        if item.config.getoption("--a2-impatient") and graded[1] in item.config.stash[STOPPED]:
            raise CheckEnded(not_run(graded[1]), "timeout")


def pytest_sessionfinish(session: pytest.Session) -> None:
    for nodeid, message in _COLLECT_ERRORS:
        append(session.config, {"file": nodeid, "message": message})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    records = config.stash.get(TOTALS, [])
    if records:
        got, most = sum(r["score"] for r in records), sum(r["max_score"] for r in records)
        terminalreporter.write_line(f"points: {got:g} of {most:g}")
