"""Cut a notebook: solutions of code cells become holes, written answers become prompts, outputs and private metadata go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from coursekit.staff.markers import (
    MarkerError,
    Place,
    Region,
    answer_regions,
    code_regions,
    cut_answers,
    cut_code,
    refuse_markers,
)

Notebook = dict[str, Any]

MAGIC = re.compile(r"^(\s*)(?:[%!?]|\w[\w, ]*=\s*[%!]).*$")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("tags",)  # what of a cell's metadata means something to a reader or to nbval


def cut_notebook(text: str, path: Path | str) -> str:
    """Return the student's version of a notebook, in one fixed form (cell ids kept, or made from the place)."""
    notebook = read_notebook(text, path)
    cells = [_cut_cell(cell, number, path) for number, cell in enumerate(notebook["cells"], 1)]
    made = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def notebook_solutions(text: str, path: Path | str) -> Iterator[tuple[int, Region, list[str]]]:
    """Yield every solution of a notebook: its cell (from 1), its region, and its lines."""
    for number, cell in enumerate(read_notebook(text, path)["cells"], 1):
        source = "".join(cell["source"])
        for region in _regions(cell["cell_type"], source, in_cell(path, number)):
            yield number, region, region.lines(source)


def read_notebook(text: str, path: Path | str) -> Notebook:
    """Parse a notebook of format 4; MarkerError if it is none, for then nobody can tell what to cut."""
    try:
        notebook = json.loads(text)
    except ValueError as error:
        raise MarkerError(f"{path}: not a notebook ({error}); save it again from Jupyter") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        raise MarkerError(f"{path}: not a notebook of format 4; save it again from Jupyter")
    return notebook


def in_cell(path: Path | str, number: int) -> Place:
    """Return the places of a cell: `notebooks/1_saliency.ipynb, cell 7, line 2`."""
    return lambda line: f"{path}, cell {number}, line {line}"


def _cut_cell(cell: Notebook, number: int, path: Path | str) -> Notebook:
    source, kind, place = "".join(cell["source"]), cell["cell_type"], in_cell(path, number)
    regions = _regions(kind, source, place)
    made: Notebook = {
        "cell_type": kind,
        "id": cell.get("id", f"cell-{number}"),
        "metadata": {key: cell["metadata"][key] for key in CELL_METADATA if key in cell.get("metadata", {})},
    }
    if kind == "code":
        made |= {"execution_count": None, "outputs": []}
        source = cut_code(source, regions)
    elif regions:
        source = cut_answers(source, regions)  # attached pictures belong to the answer, and go with it
    elif "attachments" in cell:
        made["attachments"] = cell["attachments"]
    return made | {"source": source.splitlines(keepends=True)}


def _regions(kind: str, source: str, place: Place) -> Sequence[Region]:
    if kind == "markdown":
        return answer_regions(source, place)
    if kind == "code" and not source.lstrip().startswith("%%"):
        return code_regions(without_magics(source), place, cell=True)
    refuse_markers(source, place)
    return ()


def without_magics(source: str) -> str:
    """Put `pass` where IPython's own lines stand (`%autoreload 2`, `!ls`), so that the rest parses as Python."""
    return "\n".join(MAGIC.sub(r"\1pass", line) for line in source.split("\n"))
