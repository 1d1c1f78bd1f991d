"""Imports point one way, from room to room, as section 2 of the design says."""

import ast
import json

import pytest

from coursekit.parts import PARTS, ROOT

MAY_IMPORT = {  # a room -> what it may use of this repository, besides itself
    "coursekit/vision": ("coursekit.errors", "coursekit.parts"),
    "coursekit/checks": ("coursekit.errors", "coursekit.parts", "coursekit.vision"),
    "coursekit/grading": (
        "coursekit.__version__",
        *(f"coursekit.{name}" for name in ("errors", "memory", "parts", "vision", "checks", "width")),
    ),
    "coursekit": ("coursekit",),
    "assignment2": ("coursekit.vision",),
    "notebooks": (
        "assignment2",
        "coursekit.vision",
        "coursekit.grading.notebook",
        "coursekit.grading.play",
    ),  # check and hint
    **{
        path.as_posix(): ("assignment2", "coursekit.checks", "coursekit.parts", "coursekit.vision")
        for part in PARTS
        for path in (part.tests_path, part.hidden_path)
    },
}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_one_way(room):
    own = room.replace("/", ".")
    allowed = {own, *MAY_IMPORT[room]}
    found = [(path, name) for path in files_of(room) for name in imported(source_of(path))]

    assert found, f"no file of {room} imports anything: is this room still there?"
    for path, name in found:
        ours = name.split(".")[0] in ("assignment2", "benchmarks", "coursekit", "tests")
        fits = any(name == one or name.startswith(f"{one}.") for one in allowed)
        assert fits or not ours, f"{path.relative_to(ROOT)} imports {name}"


def files_of(room):
    place = ROOT / room
    return [place] if place.is_file() else sorted([*place.rglob("*.py"), *place.rglob("*.ipynb")])


def source_of(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    code = [line for cell in json.loads(text)["cells"] if cell["cell_type"] == "code" for line in cell["source"]]
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in code if not line.startswith(("%", "!")))


def imported(source):
    """Name every module that a text imports; what stands in `from coursekit import grading` is named in full."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from whole if node.module in ("coursekit", "tests") else [node.module]
