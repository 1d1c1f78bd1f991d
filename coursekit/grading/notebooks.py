"""`a2 notebooks`: run notebooks from a fresh kernel with nbval, and hold marked cells to what the staff's notebook shows.

A cell with `# NBVAL_CHECK_OUTPUT` must print what `a2 reference` stored for it. A notebook whose outputs were cleared would
pass nbval, so the run uses a copy into which the stored outputs are written; the notebook itself is not touched.

Notebooks run side by side, as many as the machine has cores and memory for, with one thread each: their tensors are small,
and two threads that wait for each other can be slower than one.

With A2_MODEL set, the notebooks that look at one network take that one, and nothing is compared: what is stored is
of the networks that they take by themselves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from coursekit.errors import UsageError
from coursekit.grading.terminal import console, progress_bar
from coursekit.memory import KEEP_MEMORY
from coursekit.parts import PARTS, ROOT, Part, notebooks_of
from coursekit.width import KERNELS, how_many_fit

MARK = "# NBVAL_CHECK_OUTPUT"
CELL_SECONDS = 600
# Ours before nbval: it loads nbval without what takes a second.
PLUGINS = ("no:cacheprovider", "coursekit.grading.cell_results", "nbval.plugin", "pytest_timeout")
QUIET = ("-qq", "--no-header", "--no-summary", "--tb=no", "-o", "console_output_style=classic")  # cell_results speaks
ANY_NETWORK = ("load_model()", "load_worlds()")  # how a notebook asks for the network that A2_MODEL names
EXPECTED = Path("data") / "reference" / "notebooks.json"  # notebook -> cell id -> outputs


def run_notebooks(parts: Sequence[Part], *, root: Path = ROOT) -> int:
    """Run the notebooks of some parts; return 0 if every cell runs and every marked cell prints what it should.

    With A2_MODEL set to another network than tiny_vgg, 0 means that every cell runs.
    """
    other = _other_network(parts, root)
    if other:
        why = "outputs are not compared, because the stored ones come from other networks"
        print(f"A2_MODEL={other}: every cell must run; {why}", flush=True)
    expected = json.loads((root / EXPECTED).read_text(encoding="utf-8"))
    folder = root / ".a2" / "notebooks" / (other or "")
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for path in notebooks_of(parts):
        notebook = read_notebook(root / path)
        fill(notebook, expected[path.stem], path)
        for cell in marked_cells(notebook).values() if other else ():  # nbval compares no cell then
            cell["source"] = "".join(cell["source"]).replace(MARK, "# not compared")
        copies.append(folder / path.name)
        copies[-1].write_text(json.dumps(notebook), encoding="utf-8")
    return _run(copies, root)


def _run(copies: Sequence[Path], root: Path) -> int:
    """Run the copies with nbval, side by side if they fit; what is said of them comes in their order."""
    limits = [f"--nbval-cell-timeout={CELL_SECONDS}", f"--timeout={CELL_SECONDS}"]
    # Said to pytest, whose output is piped; nbval colours that, too.
    coloured = console.is_terminal and not console.no_color
    colour = f"--color={'yes' if coloured else 'no'}"
    options = [*(f"-p{name}" for name in PLUGINS), *QUIET, "--nbval-lax", "--nbval-current-env", colour, *limits]
    settings = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    settings["PYTHONPATH"] = f"{root}{os.pathsep}{ROOT}"  # the plugin is this edition's
    environment = {**KEEP_MEMORY, "OMP_NUM_THREADS": "1", **os.environ, **settings}

    def run(*paths: Path, **how: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", *options, *map(str, paths)]
        return subprocess.run(command, cwd=root, env=environment, check=False, text=True, **how)

    at_once = min(len(copies), how_many_fit(KERNELS))
    if at_once == 1:
        return min(run(*copies).returncode, 1)
    failed = 0
    with ThreadPoolExecutor(at_once) as pool, progress_bar(f"{at_once} notebooks at a time", len(copies)) as move:
        each = pool.map(lambda path: run(path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT), copies)
        for count, done in enumerate(each, 1):
            print(done.stdout.strip(), flush=True)
            failed |= min(done.returncode, 1)
            move(count)
    return failed


def open_in_lab(path: Path) -> int:
    """Open a notebook in JupyterLab, started at the edition's root: from there the modules can be opened as well."""
    if not (ROOT / path).is_file():
        raise UsageError(f"{path.as_posix()} is missing: restore it from the assignment you were given")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}", str(ROOT / path)]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, check=False).returncode


def _other_network(parts: Sequence[Part], root: Path) -> str | None:
    """Return the network that A2_MODEL names, None if it is tiny_vgg; UsageError if it, or a notebook, will not do."""
    name = os.environ.get("A2_MODEL") or "tiny_vgg"
    if name == "tiny_vgg":
        return None
    unable = [path.name for path in notebooks_of(parts) if not _takes_any_network(root / path)]
    if unable:
        there = [path for path in notebooks_of(PARTS) if (root / path).is_file()]
        able = [path.name for path in there if _takes_any_network(root / path)]
        raise UsageError(
            f"A2_MODEL={name} is only for {', '.join(able)}; {', '.join(unable)} needs the networks that ship with it: "
            "name another notebook, or unset A2_MODEL"
        )
    from coursekit.vision import load_model, three_layers

    three_layers(load_model())  # what is wrong with it is said here in one line, and not in a kernel
    return name


def _takes_any_network(path: Path) -> bool:
    cells = read_notebook(path)["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return any(call in code for call in ANY_NETWORK)


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook; UsageError if it is missing or not JSON."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(f"{path} is missing: restore it from the assignment you were given") from None
    except ValueError as error:
        raise UsageError(f"{path} is not a notebook ({error}): open and save it in Jupyter, or restore it") from None


def marked_cells(notebook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the cells whose output is checked, by their id."""
    return {c["id"]: c for c in notebook["cells"] if c["cell_type"] == "code" and MARK in "".join(c["source"])}


def fill(notebook: dict[str, Any], expected: dict[str, Any], path: Path) -> None:
    """Write the stored outputs into the marked cells, as if they had run; UsageError if a marked cell is gone."""
    cells = marked_cells(notebook)
    for cell_id, outputs in expected.items():
        if cell_id not in cells:
            raise UsageError(f"{path}: the cell {cell_id} with {MARK!r} is gone; restore the notebook")
        cells[cell_id] |= {"outputs": outputs, "execution_count": 1}  # nbval refuses outputs of a cell that never ran


def expected_outputs(parts: Sequence[Part], root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return what the marked cells of the staff's notebooks print; UsageError for one that shows nothing."""
    found = {}
    for path in notebooks_of(parts):
        cells = marked_cells(read_notebook(root / path))
        silent = [name for name, cell in cells.items() if not cell["outputs"]]
        if silent or not cells:
            raise UsageError(f"{path}: cell {silent or 'with ' + MARK} shows no output; run the notebook and save it")
        found[path.stem] = {name: _text_of(cell["outputs"]) for name, cell in cells.items()}
    return found


def _text_of(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join what was printed in pieces, as nbval does with what it compares."""
    text = "".join("".join(o["text"]) for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout")
    return [{"output_type": "stream", "name": "stdout", "text": text}]
