"""Find lines of solutions in the text of a student edition.

The rule. Every line between the markers, of modules and notebooks, written answers too, is compared without its white
space and without a comment behind code. A line *counts* if 12 characters or more are left, among them an operator, a bracket
or a dot (so `return images` and `else:` do not count: they say nothing), or if it is a comment or a written answer of that
length. A counting line may not be *contained* in any line of any text file of the edition, in no cell of a notebook and in no
string of a JSON file. What counts and yet gives nothing away is excused by name in EXCUSED, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from coursekit.errors import UsageError
from coursekit.staff.cut_notebooks import in_cell, notebook_solutions
from coursekit.staff.markers import find_regions, in_file

MIN_LENGTH = 12
TELLING = re.compile(r"[-+*/@<>=&|^~%()\[\]{}.]")
COMMENT = re.compile(r"\s+#\s.*$")
SPACE = re.compile(r"\s+")

EXCUSED = {
    "images=images.detach().requires_grad_()": "how one asks for a gradient, in the lecture and in every library",
    "model(images)": "calling the network answers nothing",
    "model.eval()": "how a network is put into eval mode, everywhere",
    "optimizer.zero_grad()": "every training loop has it",
    "optimizer.step()": "every training loop has it",
    "returnnetwork.eval()": "likewise",
    "withtorch.no_grad():": "how one leaves gradients out, everywhere",
}


class LeakError(UsageError):
    """The student edition would show a solution: says where, and whose."""


@dataclass(frozen=True)
class SolutionLine:
    """A line that counts: its text without white space, where it stands in the staff edition, and the function's name."""

    text: str
    place: str
    function: str


def solution_lines(name: str, text: str) -> Iterator[SolutionLine]:
    """Yield the lines that count of a staff module or notebook."""
    if name.endswith(".ipynb"):
        for number, region, lines in notebook_solutions(text, name):
            place, prose = in_cell(name, number), region.function == "answer"
            yield from _counting(lines, prose, region.start_line, place, region.function)
    else:
        for region in find_regions(text, name):
            yield from _counting(region.lines(text), False, region.start_line, in_file(name), region.function)


def refuse_leaks(edition: Mapping[str, bytes], solutions: Iterable[SolutionLine]) -> None:
    """Raise a LeakError if a file of the edition (name -> content) contains a solution line."""
    wanted = {line.text: line for line in solutions if line.text not in EXCUSED}
    for name, content in edition.items():
        shown = [(place, SPACE.sub("", line)) for place, line in _readable_lines(name, content)]
        whole = "\n".join(line for _, line in shown)
        for text, solution in wanted.items():
            if text in whole:
                place = next(place for place, line in shown if text in line)
                raise LeakError(
                    f"{place}: holds a line of the solution of {solution.function} ({solution.place}); "
                    "reword it, or excuse it with a reason in coursekit/staff/leaks.py"
                )


def _counting(lines: Iterable[str], prose: bool, start: int, place: Any, function: str) -> Iterator[SolutionLine]:
    for number, line in enumerate(lines, start + 1):
        comment = prose or line.lstrip().startswith("#")
        text = SPACE.sub("", line if comment else COMMENT.sub("", line))
        if len(text) >= MIN_LENGTH and (comment or TELLING.search(text)):
            yield SolutionLine(text, place(number), function)


def _readable_lines(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield (place, line) of a text file; of a notebook or JSON file also the lines of the strings in it."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return
    if "\0" in text:
        return
    for number, line in enumerate(text.split("\n"), 1):
        yield f"{name}:{number}", line
    if PurePosixPath(name).suffix == ".ipynb":
        for number, cell in enumerate(json.loads(text)["cells"], 1):
            for line_number, line in enumerate("".join(cell["source"]).split("\n"), 1):
                yield in_cell(name, number)(line_number), line
    elif PurePosixPath(name).suffix == ".json":
        for string in _strings(json.loads(text)):
            yield from ((name, line) for line in string.split("\n"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _strings(item)
