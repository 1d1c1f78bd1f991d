"""The pytest plugin of `a2 notebooks`: of nbval's report only what a person can act on, the cell as Jupyter counts it and the lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

import coursekit.grading.quick_nbformat  # noqa: F401  # before nbval, which imports nbformat

# isort: split
import nbval.kernel
from nbval.plugin import IPyNbCell, NbCellError

from coursekit.grading.cells import place_of_hole
from coursekit.grading.holes import HOLE_ENDING

REPLY = pytest.StashKey[dict[str, Any]]()  # what the kernel answered to a cell
FAILED = pytest.StashKey[bool]()
COLOR = re.compile(r"\x1b\[[0-9;]*m")
FRAME = re.compile(r"^(?:Cell In ?\[\d+\], line \d+|Input In \[\d+\].*|File (?P<file>.+?):(?P<line>\d+)(?:, in .*)?)$")
ARROW = re.compile(r"^-+> *(\d+) (.*)")
MOST = 8  # lines below the sentence
ROLES = "expected", "yours"
start_once = nbval.kernel.start_new_kernel


def start_kernel(*args: Any, **kwargs: Any) -> Any:
    """Start a kernel, once more if it dies at once: another process may take a port that was free when it was chosen."""
    try:
        return start_once(*args, **kwargs)
    except RuntimeError as error:
        if "died" not in str(error):
            raise
    return start_once(*args, **kwargs)


nbval.kernel.start_new_kernel = start_kernel


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: IPyNbCell) -> None:
    """Leave out the cells after one that failed; say on a terminal which cell runs."""
    if item.parent.stash.get(FAILED, False):
        pytest.skip("an earlier cell failed")
    reporter = _reporter(item)
    if reporter.isatty:
        reporter.rewrite(f"{_name(item)}: cell [{number(item)}] ...", erase=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: IPyNbCell) -> Iterator[None]:
    """Fail a cell that ended in an error of which nothing was shown but a card: an exercise that is still to do."""
    kernel, receive = item.parent.kernel, item.parent.kernel.get_message

    def get_message(*args: Any, **kwargs: Any) -> dict[str, Any]:
        message: dict[str, Any] = receive(*args, **kwargs)
        if message["msg_type"] == "execute_reply":
            item.stash[REPLY] = message["content"]
        return message

    kernel.get_message = get_message
    try:
        yield
    finally:
        kernel.get_message = receive
    if item.stash.get(REPLY, {}).get("status") == "error":
        raise NbCellError(item.cell_num, "the cell ended in an error", item.cell.source)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: IPyNbCell, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if report.failed:
        item.parent.stash[FAILED] = True
        first, *lines = explain(item, call.excinfo.value if call.excinfo else None)
        _say(item, f"cell [{number(item)}]: {first}", bold=True, red=True)
        for line in lines:
            _reporter(item).write_line(f"    {line}")
    elif call.when == "teardown" and item is _cells(item)[-1] and not item.parent.stash.get(FAILED, False):
        _say(item, "every cell runs", green=True)
    return report


def pytest_report_teststatus() -> tuple[str, str, str]:
    """Print no letter for a cell."""
    return "", "", ""


def number(item: IPyNbCell) -> int:
    """Return the number that Jupyter shows beside a cell after Run All: empty cells have none."""
    codes = [cell for cell in item.parent.nb.cells if cell.cell_type == "code"]
    return sum(bool(cell.source.strip()) for cell in codes[: item.cell_num + 1])


def explain(item: IPyNbCell, error: BaseException | None) -> list[str]:
    """Return a sentence, and the lines of the notebook and of assignment2 on which the error arose, or those that differ."""
    reply = item.stash.get(REPLY, {})
    if reply.get("status") == "error":
        name, value = reply["ename"], COLOR.sub("", reply["evalue"])
        if name == "NotImplementedError" and value.endswith(HOLE_ENDING):
            place = place_of_hole(value.removesuffix(HOLE_ENDING))
            return [f"{place.function} is not written yet: {place.path.as_posix()}:{place.line}"]
        return [f"{name}: {value}".splitlines()[0], *own_lines(reply["traceback"])]
    if str(error) != "Cell outputs differ":
        return [*str(error).splitlines()[:MOST]] or ["it did not run"]
    pairs = zip_longest(_printed(item.cell.outputs), _printed(item.test_outputs), fillvalue="(nothing)")
    different = [(right, own) for right, own in pairs if right != own][: MOST // 2]
    return [
        "it does not print what a right solution prints",
        *(f"{k}: {v}" for p in different for k, v in zip(ROLES, p, strict=True)),
    ]


def _printed(outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    streams = (o["text"] for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout")
    return "".join(streams).splitlines()


def own_lines(traceback: list[str]) -> list[str]:
    """Return of an IPython traceback the lines of cells and of assignment2, each with its place."""
    found, place = [], ""
    for line in COLOR.sub("", "\n".join(traceback)).splitlines():
        frame, arrow = FRAME.match(line), ARROW.match(line)
        if frame:
            path = Path(frame["file"] or "")
            place = f"assignment2/{path.name}:{frame['line']}" if path.parent.name == "assignment2" else ""
            place = place if frame["file"] else "in this cell, line "
        elif arrow and place:
            found.append(f"{place}{'' if place.startswith('assignment2') else arrow[1]}: {arrow[2].strip()}")
            place = ""
    return found


def _say(item: IPyNbCell, text: str, **style: bool) -> None:
    """Write a line, over the one that said which cell runs."""
    reporter, line = _reporter(item), f"{_name(item)}: {text}"
    if reporter.isatty:
        reporter.rewrite(line, erase=True, **style)
        reporter.write_line("")
    else:
        reporter.write_line(line, **style)


def _cells(item: IPyNbCell) -> list[IPyNbCell]:
    return [other for other in item.session.items if other.parent is item.parent]


def _reporter(item: IPyNbCell) -> Any:
    return item.config.pluginmanager.getplugin("terminalreporter")


def _name(item: IPyNbCell) -> str:
    return f"notebooks/{Path(str(item.path)).name}"
