"""The notebooks run from a fresh kernel, show what they must, and fail for a wrong solution or a marked cell that is gone."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from jupyter_client.manager import run_kernel

from coursekit.errors import UsageError
from coursekit.grading import notebooks
from coursekit.grading.notebooks import EXPECTED, expected_outputs, fill, marked_cells, read_notebook, run_notebooks
from coursekit.parts import PARTS, ROOT, notebooks_of

ONE_EACH = tuple({part.notebook: part for part in PARTS}.values())  # modules may share a notebook


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "part",
    [pytest.param(part, marks=pytest.mark.slow) for part in ONE_EACH],
    ids=lambda part: part.notebook,
)
def test_a_notebook_runs_from_a_fresh_kernel(part):
    assert run_notebooks([part]) == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_wrong_solution_fails_its_notebook(small_edition):
    for name in ("notebooks", "data"):
        (small_edition.root / name).mkdir(exist_ok=True)
    notebook = read_notebook(ROOT / PARTS[0].notebook_path)
    on_saliency = list(marked_cells(notebook))[2]  # what comes after it takes minutes
    ids = [cell["id"] for cell in notebook["cells"]]
    notebook["cells"] = notebook["cells"][: ids.index(on_saliency) + 1]
    (small_edition.root / PARTS[0].notebook_path).write_text(json.dumps(notebook), encoding="utf-8")
    shutil.copytree(ROOT / "data", small_edition.root / "data", dirs_exist_ok=True)
    every = json.loads((ROOT / EXPECTED).read_text(encoding="utf-8"))[PARTS[0].notebook]
    stored = {PARTS[0].notebook: {name: every[name] for name in marked_cells(notebook)}}
    (small_edition.root / EXPECTED).write_text(json.dumps(stored), encoding="utf-8")
    small_edition.edit("return gradient.abs().sum(dim=1)  # (N, H, W)", "return gradient.abs().sum(dim=1).flip(1)")

    done = small_edition.python("-m", "coursekit", "notebooks", "1")

    assert done.returncode == 1, done.stdout
    assert "\x1b" not in done.stdout, "no colours in a pipe"
    lines = done.stdout.splitlines()
    assert re.match(
        r"notebooks/1_saliency\.ipynb: cell \[\d+\]: it does not print what a right solution prints", lines[0]
    )
    assert len(lines) < 12, "what differs, and nothing of pytest"


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


def toys(folder, **sources):
    """Write notebooks of one cell each that a student has not run, and what staff's print; return what names them."""
    cells = {name: [CODE | {"id": "a", "source": f"# NBVAL_CHECK_OUTPUT\n{s}"}] for name, (s, _) in sources.items()}
    return write_notebooks(folder, cells, {name: {"a": text} for name, (_, text) in sources.items()})


CODE = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}


def write_notebooks(folder, cells, printed):
    """Write notebooks (name -> cells), and what staff's cells print (name -> id -> text); return what names them."""
    (folder / "notebooks").mkdir()
    (folder / EXPECTED).parent.mkdir(parents=True)
    for name, own in cells.items():
        notebook = {"cells": own, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (folder / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook))
    expected = {
        name: {i: [{"output_type": "stream", "name": "stdout", "text": text}] for i, text in texts.items()}
        for name, texts in printed.items()
    }
    (folder / EXPECTED).write_text(json.dumps(expected))
    return [replace(PARTS[0], notebook=name) for name in cells]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("printed", "verdict"), [(6, 0), (7, 1)])
def test_a_notebook_that_a_student_has_not_run_yet_is_held_to_what_is_stored(printed, verdict, tmp_path, capfd):
    """The student edition's notebooks are cleared: no outputs, and no cell has ever run."""
    assert run_notebooks(toys(tmp_path, toy=(f"print({printed})", "6\n")), root=tmp_path) == verdict
    said = capfd.readouterr().out.split()
    differ = "cell [1]: it does not print what a right solution prints expected: 6 yours: 7"
    assert " ".join(said) == f"notebooks/toy.ipynb: {differ if verdict else 'every cell runs'}"


WAITS = """from pathlib import Path
from time import monotonic, sleep

end = monotonic() + 60
while not Path({flag!r}).exists() and monotonic() < end:
    sleep(0.05)
print(Path({flag!r}).exists())"""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("width", [2, 1])
def test_notebooks_run_side_by_side_where_they_fit_and_are_told_in_their_order(width, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(notebooks, "how_many_fit", lambda need: width)
    flag = str(tmp_path / "flag")
    waits = WAITS.format(flag=flag) if width == 2 else "print(True)"
    sources = {"first": (waits, "True\n"), "second": (f"open({flag!r}, 'w').close()\nprint(6)", "7\n")}

    assert run_notebooks(toys(tmp_path, **sources), root=tmp_path) == 1

    assert [line.strip() for line in capfd.readouterr().out.splitlines() if width == 2 or line.strip()] == [
        "notebooks/first.ipynb: every cell runs",
        "notebooks/second.ipynb: cell [1]: it does not print what a right solution prints",
        "expected: 7",
        "yours: 6",
    ]


TAKES_A_PORT = """import socket
from pathlib import Path
from jupyter_client.connect import ConnectionFileMixin

write = ConnectionFileMixin.write_connection_file

def write_and_take(self, **options):
    write(self, **options)
    try:
        Path({flag!r}).touch(exist_ok=False)
    except FileExistsError:
        return
    self.other = socket.create_server(("127.0.0.1", self.shell_port))

ConnectionFileMixin.write_connection_file = write_and_take"""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("width", [2, 1])
def test_a_kernel_whose_port_another_process_took_is_started_again(width, tmp_path, capfd, monkeypatch):
    flag = tmp_path / "flag"
    (tmp_path / "takes_a_port.py").write_text(TAKES_A_PORT.format(flag=str(flag)))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-ptakes_a_port")
    monkeypatch.setattr(notebooks, "how_many_fit", lambda need: width)

    assert run_notebooks(toys(tmp_path, one=("print(6)", "6\n"), two=("print(7)", "7\n")), root=tmp_path) == 0

    assert flag.exists()
    assert [line.strip() for line in capfd.readouterr().out.splitlines() if line.strip()] == [
        "notebooks/one.ipynb: every cell runs",
        "notebooks/two.ipynb: every cell runs",
    ]


def test_a_failing_cell_is_named_as_jupyter_counts_it_with_the_line_in_it(tmp_path, capfd):
    text = {"cell_type": "markdown", "metadata": {}, "id": "t", "source": "# Toy"}
    sources = ["x = 1", "", "# NBVAL_CHECK_OUTPUT\nprint(6)", "y = 2\nz = y / 0", "print('not run')"]
    cells = [text, *(CODE | {"id": f"c{i}", "source": source} for i, source in enumerate(sources))]

    assert run_notebooks(write_notebooks(tmp_path, {"toy": cells}, {"toy": {"c2": "6\n"}}), root=tmp_path) == 1

    assert [line.strip() for line in capfd.readouterr().out.splitlines() if line.strip()] == [
        "notebooks/toy.ipynb: cell [3]: ZeroDivisionError: division by zero",
        "in this cell, line 2: z = y / 0",
    ]


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


FIRST_CELLS = {
    part.notebook: "".join(read_notebook(ROOT / part.notebook_path)["cells"][1]["source"]) for part in ONE_EACH
}


@pytest.mark.parametrize("where", ["notebooks", ".", ".."])
def test_the_first_cell_finds_the_assignment_from_inside_and_from_the_folder_it_was_unzipped_in(
    where, tmp_path, monkeypatch
):
    edition = tmp_path / "content" / "assignment-2"
    (edition / "notebooks").mkdir(parents=True)
    (edition / "coursekit").mkdir()
    monkeypatch.chdir(edition / where)

    for name, source in FIRST_CELLS.items():
        assert found_by(source) == edition, name


def test_the_first_cell_says_what_to_do_where_there_is_no_assignment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    for source in FIRST_CELLS.values():
        with pytest.raises(AssertionError, match="unzip the assignment here"):
            found_by(source)


def test_every_first_cell_runs_in_silence_in_the_layout_of_colab_without_a_network(tmp_path, monkeypatch):
    """A warning there (tqdm.auto's, where ipywidgets is not installed) is the first thing that a student would see."""
    (tmp_path / "assignment-2").symlink_to(ROOT, target_is_directory=True)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    shown = []

    def keep(message):
        if message["msg_type"] == "error" or message["content"].get("name") == "stderr":
            shown.append(message["content"])

    with run_kernel(cwd=str(tmp_path)) as client:
        for source in FIRST_CELLS.values():
            client.execute_interactive(source, output_hook=keep, timeout=60)

    assert shown == []


def found_by(source):
    """Run the lines of a first cell that look for the assignment."""
    lines = [line for line in source.splitlines() if line.startswith(("HERE =", "ROOT =", "assert ROOT"))]
    names = {"Path": Path}
    exec("\n".join(lines), names)  # noqa: S102 (our own notebook)
    return names["ROOT"]
