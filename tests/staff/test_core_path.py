"""With the core functions right and no extension written, a notebook runs from top to bottom and shows its core pictures."""

from __future__ import annotations

import ast
import importlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from assignment2 import robustness
from coursekit.grading import cells
from coursekit.grading.notebooks import read_notebook
from coursekit.grading.quick_nbformat import nbformat
from coursekit.parts import PARTS, ROOT, notebooks_of
from coursekit.staff.markers import cut_code, find_regions
from coursekit.staff.release import release
from coursekit.vision import MODEL_NAMES, evaluation_scenes, load_model

NOTEBOOKS = tuple(path.stem for path in notebooks_of(PARTS))
# Core functions that a notebook uses through another one, and how a cell does.
THROUGH = {
    "guided_relu_gradient": "saliency.guided_backprop(",
    "ascent_step": "part2.class_visualization(",
    "blur": '"blur_every": 1',
}
# What a cell of an extension makes anew: without it, the value of the core path stays.
STAND_INS = {
    "2_class_visualization": {"DEFAULT", "drawn"},
    "4_robustness": {"parts", "errors", "made"},
    "6_segmentation": {"cross_entropy"},
}
# The cells with a picture that a run without any extension shows.
CORE_PICTURES = {
    "1_saliency": [
        "cell-02-photos", "cell-02", "cell-05-photos", "cell-05", "cell-10-guided", "cell-18-photos", "cell-18",
        "cell-20-collage",
    ],
    "2_class_visualization": [
        "p2-real", "p2-grey", "p2-l2-figure", "p2-tricks-core", "p2-all-figure", "p2-all-names", "p2-small-24-figure",
        "p2-opinion-table", "p2-robust-figure", "p2-robust-24",
    ],
    "3_adversarial": ["cell-04-photos", "cell-04", "cell-06", "cell-09", "cell-12", "cell-15-accuracy"],
    "4_robustness": ["cell-06", "cell-09-mce", "cell-12", "cell-15", "cell-17", "cell-20"],
    "5_style_transfer": ["p5-add-figure", "p5-gram-figure", "p5-style-loss"],
    "6_segmentation": ["cell-11-whole", "cell-03", "cell-06", "cell-07-rough", "cell-20", "cell-23-unet", "cell-30", "cell-31"],
}  # fmt: skip
EXTENSIONS = {name for part in PARTS for name in part.extension}


@dataclass
class Run:
    """What a run from top to bottom would do: the cells that run, those that are skipped, and what each needs."""

    running: dict[str, ast.Module] = field(default_factory=dict)
    skipped: dict[str, ast.Module] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def code_cells(notebook: str) -> dict[str, dict[str, Any]]:
    found = read_notebook(ROOT / "notebooks" / f"{notebook}.ipynb")["cells"]
    return {cell["id"]: cell for cell in found if cell["cell_type"] == "code"}


def parsed(cell: dict[str, Any]) -> ast.Module:
    return ast.parse("\n".join(line for line in "".join(cell["source"]).splitlines() if not line.startswith("%")))


def walk(notebook: str) -> Run:
    """Send the cells of a notebook through the transformer, as a kernel does, and note which names were made by whom."""
    namespace: dict[str, Any] = {}
    skip, run = cells.SkipExtensions(namespace), Run()
    made_by_running: set[str] = set()
    last_skipped: dict[str, str] = {}  # a name -> the skipped cell that would have made it last
    for cell_id, cell in code_cells(notebook).items():
        tree = parsed(cell)
        made, read = cells.names_of(tree)
        if skip.visit(tree) is not tree:
            run.skipped[cell_id] = tree
            last_skipped |= dict.fromkeys(made, cell_id)
            continue
        run.running[cell_id] = tree
        for name in read & last_skipped.keys():
            if name not in made_by_running:
                run.faults.append(f"{cell_id} needs {name}, which only {last_skipped[name]} makes")
            elif name not in STAND_INS.get(notebook, ()):
                run.faults.append(f"{cell_id} reads {name} as it was before {last_skipped[name]}: a stand-in?")
        made_by_running |= made
        for name in made:
            last_skipped.pop(name, None)
        namespace |= dict.fromkeys(made) | modules_in(tree)
    return run


def modules_in(tree: ast.Module) -> dict[str, Any]:
    """Import the student modules that a cell imports, under the names that it gives them."""
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "assignment2"]
    names = [alias for node in froms for alias in node.names]
    return {alias.asname or alias.name: importlib.import_module(f"assignment2.{alias.name}") for alias in names}


def checked_in(cell: dict[str, Any]) -> list[str]:
    calls = [node for node in ast.walk(parsed(cell)) if isinstance(node, ast.Call)]
    return [call.args[0].value for call in calls if isinstance(call.func, ast.Name) and call.func.id == "check"]  # type: ignore[attr-defined]


@pytest.fixture
def no_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "is_unwritten", EXTENSIONS.__contains__)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
@pytest.mark.usefixtures("no_extension")
def test_no_cell_of_the_core_path_needs_what_only_a_skipped_cell_makes(notebook: str):
    run = walk(notebook)

    assert run.faults == []
    assert run.skipped, "nothing was skipped: is the transformer at work?"


@pytest.mark.parametrize("notebook", NOTEBOOKS)
@pytest.mark.usefixtures("no_extension")
def test_every_core_function_is_used_and_every_core_picture_is_there(notebook: str):
    run = walk(notebook)

    sources = "\n".join(map(ast.unparse, run.running.values())).replace("'", '"')
    for name in (name for part in PARTS if part.notebook == notebook for name in part.core):
        assert THROUGH.get(name, f".{name}(") in sources, f"no cell of the core path uses {name}"
    pictures = [
        i for i in run.running if any(o["output_type"] == "display_data" for o in code_cells(notebook)[i]["outputs"])
    ]
    assert pictures == CORE_PICTURES[notebook]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_cell_that_shows_something_has_it_stored(notebook: str):
    """A cell that was split off and never run would leave the staff's notebook without a picture."""
    for cell_id, cell in code_cells(notebook).items():
        source = "".join(cell["source"])
        if not cell_id.startswith("check-") and ("\nprint(" in source or "show_grid(" in source.split("def ")[-1]):
            assert cell["outputs"], cell_id


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_exercise_is_checked_in_one_cell_which_has_no_output(notebook: str):
    functions = [name for part in PARTS if part.notebook == notebook for name in part.functions]

    checks = {cell_id: checked_in(cell) for cell_id, cell in code_cells(notebook).items()}

    assert sorted(name for names in checks.values() for name in names) == sorted(functions)
    for cell_id, names in checks.items():
        cell = code_cells(notebook)[cell_id]
        assert not names or (cell["outputs"], cell["execution_count"]) == ([], None), cell_id
        assert not names or "".join(cell["source"]).count("\n") + 1 == len(names), "a line for each function"


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_with_everything_written_nothing_is_skipped(notebook: str):
    assert list(walk(notebook).skipped) == []


def test_needs_and_attributes_and_what_a_skipped_cell_makes(no_extension: None):
    skip = cells.SkipExtensions({"saliency": importlib.import_module("assignment2.saliency"), "kept": 1})

    def is_run(source: str) -> bool:
        tree = ast.parse(source)
        return skip.visit(tree) is tree

    assert is_run("a = saliency.saliency_map(1)")
    assert not is_run("b, kept = saliency.deconvnet(a), 2")
    assert not is_run("c = [x + b for x in a]"), "b is missing"
    assert not is_run("def f():\n    return c"), "so is c"
    assert is_run("def g(b):\n    return b"), "an argument is no missing name"
    assert is_run("d = kept"), "an older value stands in"
    assert not is_run('needs("top_patches")\ne = 1')
    assert is_run("b = 1"), "made by a cell that runs"
    assert is_run("h = b")


def test_the_stored_corruption_errors_are_those_of_the_solution():
    """One corruption, one network, two groups of scenes: notebook 4 measures the others."""
    stored = json.loads((ROOT / "data" / "corruption_errors.json").read_text(encoding="utf-8"))
    scenes, network = evaluation_scenes(96), load_model("tiny_squeezenet")
    noisy = [
        robustness.gaussian_noise(scenes.images, s, generator=torch.Generator().manual_seed(10 + s))
        for s in range(1, 6)
    ]

    with torch.no_grad():
        wrong = torch.stack([network(images[:48]).argmax(dim=1) != scenes.label[:48] for images in noisy])  # (5, 48)

    assert list(stored) == list(MODEL_NAMES)
    assert torch.tensor(list(stored.values())).shape == (6, 4, 7, 5)
    found, told = wrong.unflatten(1, (2, 24)).sum(dim=2).T, torch.tensor(stored["tiny_squeezenet"])[:2, 0]
    assert (found - told).abs().max() <= 1, "another machine rounds"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_notebook_1_in_a_kernel_with_the_core_alone(tmp_path: Path):
    from nbclient import NotebookClient

    edition = tmp_path / "edition"
    release(edition)
    for part in PARTS:
        text = (ROOT / part.module_path).read_text(encoding="utf-8")
        extensions = [region for region in find_regions(text, part.module_path) if region.function in part.extension]
        core = cut_code(text, extensions)
        (edition / part.module_path).write_text(core, encoding="utf-8")
    path = edition / "notebooks" / "1_saliency.ipynb"
    notebook = nbformat.read(path, 4)

    client = NotebookClient(
        notebook, timeout=600, allow_errors=True, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()

    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert [(i, o.evalue) for i, made in outputs.items() for o in made if o.output_type == "error"] == []
    pictures = [i for i, made in outputs.items() if any("image/jpeg" in o.get("data", {}) for o in made)]
    assert pictures == CORE_PICTURES["1_saliency"]
    shown = {
        i: "".join(o.data["text/plain"] for o in made if "text/html" in o.get("data", {}))
        for i, made in outputs.items()
    }
    assert shown["cell-10"] == "extension: skipped until you write activation_gradient"
    assert shown["check-1"] == "saliency_map: correct, 6 of 6 checks"
    assert (
        "extension, not written yet: deconvnet (optional; to write it, open assignment2/saliency.py at line"
        in shown["check-2"]
    )
