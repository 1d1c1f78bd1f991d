"""What pytest does differently when student code runs in a worker: proxies, and a living worker for every check."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from coursekit.checks import small_networks
from coursekit.checks.stored import load_store
from coursekit.checks.unchanged import WITNESSES
from coursekit.errors import CheckEnded, UsageError
from coursekit.grading.plugin import append, points_of
from coursekit.grading.results import CHECK_SECONDS, NOT_GRADED
from coursekit.parts import PARTS, ROOT
from coursekit.staff.isolated.decider import Session, ZygoteClient
from coursekit.staff.isolated.fresh import Fresh, load
from coursekit.staff.isolated.peer import Line
from coursekit.staff.isolated.proxy import put_in_place
from coursekit.staff.isolated.wire import WorkerGone

SESSION = pytest.StashKey[Session]()
ZYGOTE: ZygoteClient | None = None  # of the warm process, which has one before it forks
FRESH = pytest.StashKey[Fresh | None]()  # this term's numbers for the hidden checks
MAX_FILE = 20 * 2**20
SCARCE = (errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EFBIG)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("a2")
    group.addoption("--a2-submission", metavar="FOLDER", help="the folder with assignment2/, run in a worker")
    group.addoption(
        "--a2-recorded", metavar="FILE", type=Path, help="this term's numbers for the hidden checks (fresh.py)"
    )


def pytest_configure(config: pytest.Config) -> None:
    assert ZYGOTE is not None, "warm_room.py has one before it forks"
    recorded = config.getoption("--a2-recorded")
    config.stash[FRESH] = load(recorded) if recorded else None
    folder = Path(config.getoption("--a2-submission")).resolve()
    session = config.stash[SESSION] = Session(ZYGOTE, folder, submitted(folder), [part.module for part in PARTS])
    with _refused(config):
        session.fresh()
    put_in_place([part.module for part in PARTS], session.line, lambda: session.problems)
    WITNESSES.append(lambda thing, law: session.line().repeat.witness(thing, law))


@contextlib.contextmanager
def _refused(config: pytest.Config) -> Iterator[None]:
    """Tell the grader when it is the sandbox that fails."""
    try:
        yield
    except UsageError as error:
        append(config, {"refused": str(error)})
        raise


def submitted(folder: Path) -> dict[str, bytes]:
    """Read what a worker gets of a submission: the modules of the parts, and the weights that are graded."""
    names = [path for part in PARTS for path in (part.module_path, *map(Path, part.trained))]
    files = {n.as_posix(): (folder / n).read_bytes() for n in names if (folder / n).is_file()}
    small = {name: content for name, content in files.items() if len(content) <= MAX_FILE}
    return {"assignment2/__init__.py": b"", **small}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    folder = config.stash[SESSION].folder
    modules = {item.module for item in items if isinstance(item, pytest.Function)}
    beside = {item.path.parent / "conftest.py" for item in items}
    shared = (p for p in config.pluginmanager.get_plugins() if Path(getattr(p, "__file__", "")) in beside)
    for module in (*modules, *shared):
        cloudpickle.register_pickle_by_value(module)
        if hasattr(module, "TRAINED"):  # the weights that are graded are the submission's
            module.TRAINED, module.ROOT = folder / module.TRAINED.relative_to(module.ROOT), folder


def _draw_fresh_numbers(node: pytest.Item | pytest.Collector) -> Fresh | None:
    """Let a hidden check draw this term's numbers, and any other one the usual ones; return what is used."""
    fresh = node.config.stash[FRESH] if (ROOT / "tests" / "hidden") in node.path.parents else None
    small_networks.FRESH = fresh.shift if fresh else 0
    return fresh


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Let the hidden checks draw this term's numbers, also where they draw while they are imported."""
    fresh = _draw_fresh_numbers(collector)
    if fresh and isinstance(collector, pytest.Module):
        load_store(collector.path.parent).arrays.update(fresh.arrays)
    report: Any = yield
    if report.failed and isinstance(collector, pytest.Module):
        _say_whose_fault(collector, str(report.longrepr))
    return report


def _say_whose_fault(collector: pytest.Module, told: str) -> None:
    """Say whether a test file could not be loaded for the submission's sake, perhaps for its sake, or for ours."""
    session = collector.config.stash[SESSION]
    reason = told.strip().splitlines()[-1].removeprefix("E").strip()
    theirs = [name for name, problem in session.problems.items() if reason in problem]
    if not theirs and "'assignment2." not in reason:
        append(collector.config, {"refused": f"{collector.nodeid} cannot be loaded ({reason}): fix it"})
    elif session.doubtful.intersection(theirs):
        append(collector.config, {"doubtful": collector.nodeid})


def _fresh_line(config: pytest.Config) -> Line:
    """Return the line to a worker that answers, with the time that a check has."""
    session = config.stash[SESSION]
    with _refused(config):
        session.fresh()
    line = session.line()
    line.limit(config.getoption("--a2-seconds") or CHECK_SECONDS)
    return line


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    _draw_fresh_numbers(item)
    if points_of(item):
        session = item.config.stash[SESSION]
        line = _fresh_line(item.config)
        with _doubts(session):
            try:
                line.forget()
            except WorkerGone:  # nothing of this check has run: a worker that does not even begin it is replaced, once
                _fresh_line(item.config).forget()
    with _doubts(item.config.stash[SESSION]):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """End a check whose worker is gone, even if the check itself did not mind."""
    session = item.config.stash[SESSION]
    with _doubts(session):
        result: Any = yield
    session.line().listen_for_nothing()
    if session.line().gone is not None:
        raise session.why_gone()
    return result


@contextlib.contextmanager
def _doubts(session: Session) -> Iterator[None]:
    """Give no verdict where a worker was killed, or where this process itself had no room; isolation.py decides."""
    try:
        yield
    except WorkerGone:
        raise session.why_gone() from None
    except (MemoryError, OSError, RuntimeError) as error:
        scarce = isinstance(error, MemoryError) or getattr(error, "errno", None) in SCARCE
        if hasattr(error, "student_place") or not (scarce or "DefaultCPUAllocator" in str(error)):
            raise
        raise CheckEnded(f"the deciding process had no room: {error or type(error).__name__}", NOT_GRADED) from error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Put our own objects back as they were, after the check's fixtures have put back theirs."""
    result: Any = yield
    line = item.config.stash[SESSION].line()
    line.repeat.forget()
    line.listen_for_nothing()
    return result


def pytest_unconfigure(config: pytest.Config) -> None:
    if SESSION in config.stash:
        config.stash[SESSION].close()
