"""The notebooks run from a fresh kernel, show what they must, and fail for a wrong solution or a marked cell that is gone."""

import json
from dataclasses import replace

import pytest

from coursekit.errors import UsageError
from coursekit.grading.notebooks import EXPECTED, expected_outputs, fill, marked_cells, read_notebook, run_notebooks
from coursekit.parts import PARTS, ROOT, notebooks_of

ONE_EACH = tuple({part.notebook: part for part in PARTS}.values())  # modules may share a notebook


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "part",
    [ONE_EACH[0], *(pytest.param(part, marks=pytest.mark.slow) for part in ONE_EACH[1:])],
    ids=lambda part: part.notebook,
)
def test_a_notebook_runs_from_a_fresh_kernel(part):
    assert run_notebooks([part]) == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_wrong_solution_fails_its_notebook(small_edition):
    for name in ("notebooks", "data"):
        (small_edition.root / name).mkdir(exist_ok=True)
    (small_edition.root / "notebooks" / "1_saliency.ipynb").write_bytes((ROOT / PARTS[0].notebook_path).read_bytes())
    for name in ("sprites.png", "weights"):
        if not (small_edition.root / "data" / name).exists():
            (small_edition.root / "data" / name).symlink_to(ROOT / "data" / name)
    small_edition.edit("return gradient.abs().sum(dim=1)  # (N, H, W)", "return gradient.abs().sum(dim=1).flip(1)")

    done = small_edition.python("-m", "coursekit", "notebooks", "1")

    assert done.returncode == 1, done.stdout


@pytest.mark.parametrize("part", ONE_EACH, ids=lambda part: part.notebook)
def test_the_stored_outputs_are_what_the_notebook_shows(part):
    stored = json.loads((ROOT / EXPECTED).read_text(encoding="utf-8"))

    assert stored[part.notebook] == expected_outputs([part])[part.notebook]
    printed = "".join(o["text"] for outputs in stored[part.notebook].values() for o in outputs)
    assert "False" not in printed, "a measured claim does not hold"


@pytest.mark.parametrize("part", ONE_EACH, ids=lambda part: part.notebook)
def test_no_output_of_a_notebook_is_an_error_or_a_warning(part):
    for cell in read_notebook(ROOT / part.notebook_path)["cells"]:
        for output in cell.get("outputs", ()):
            assert output["output_type"] != "error", output
            assert output.get("name") != "stderr", output


def test_a_marked_cell_that_is_gone_is_told():
    notebook = read_notebook(ROOT / PARTS[0].notebook_path)
    name = next(iter(marked_cells(notebook)))
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != name]

    with pytest.raises(UsageError, match=f"the cell {name} with"):
        fill(notebook, {name: []}, PARTS[0].notebook_path)


def test_a_cleared_notebook_of_the_staff_is_told(tmp_path):
    path = tmp_path / PARTS[0].notebook_path
    path.parent.mkdir(parents=True)
    notebook = read_notebook(ROOT / PARTS[0].notebook_path)
    for cell in notebook["cells"]:
        cell["outputs"] = []
    path.write_text(json.dumps(notebook))

    with pytest.raises(UsageError, match="shows no output"):
        expected_outputs(PARTS[:1], root=tmp_path)


@pytest.mark.parametrize(("content", "sentence"), [("{", "is not a notebook"), (None, "is missing")])
def test_a_damaged_notebook_is_an_error_of_one_line(tmp_path, content, sentence):
    path = tmp_path / "n.ipynb"
    if content is not None:
        path.write_text(content)

    with pytest.raises(UsageError, match=sentence):
        read_notebook(path)


def test_rows_that_share_a_notebook_have_it_once():
    shared = replace(PARTS[0], module="other")

    assert notebooks_of([PARTS[0], shared]) == (PARTS[0].notebook_path,)
    assert expected_outputs([PARTS[0], shared]) == expected_outputs(PARTS[:1])
