"""`a2 release` and `a2 start`: what ships, what never ships, and the same bytes each time."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coursekit.errors import UsageError
from coursekit.grading import doctor
from coursekit.grading.holes import open_holes
from coursekit.parts import PARTS, ROOT, Part
from coursekit.staff import leaks
from coursekit.staff import release as releasing
from coursekit.staff.leaks import LeakError, solution_lines
from coursekit.staff.markers import MarkerError
from coursekit.staff.release import FOLDER, release, start
from tests.staff.test_arrows import imported

RUFF = shutil.which("ruff", path=Path(sys.executable).parent)
TOY = Part(1, "Toys", "toy", "1_toy", core=("f",), extension=("Net",))
SOLUTION = "return (x.abs() + 12).sum(dim=1)"
MODULE = f'''"""Part 1."""

import math


def f(x):
    """Add."""
    ### BEGIN SOLUTION
    {SOLUTION}
    ### END SOLUTION


class Net:
    def __init__(self):
        ### BEGIN SOLUTION
        self.depth = math.floor(3.5)
        ### END SOLUTION
'''
ANSWER = "### BEGIN SOLUTION\nBecause the softmax saturates.\n### END SOLUTION"
CELLS = [
    {"cell_type": "markdown", "id": "q", "metadata": {}, "source": [f"Why?\n{ANSWER}"]},
    {"cell_type": "code", "id": "c", "metadata": {}, "source": ["1"], "execution_count": 1, "outputs": []},
]
RUN = {"output_type": "stream", "name": "stdout", "text": ["1"]}
PLAYED = [{"cell_type": "code", "id": "p", "metadata": {}, "source": ["1"], "execution_count": 1, "outputs": [RUN]}]


@pytest.fixture
def staff(tmp_path: Path) -> Path:
    """A staff edition with one part, and with much that must not ship."""
    root = tmp_path / "staff"
    files = {name: f"{name}\n" if name.endswith((".md", ".txt", "LICENSE")) else "" for name in releasing.SINGLE}
    files |= {
        "pyproject.toml": (ROOT / "pyproject.toml").read_text(),
        "setup.sh": "#!/usr/bin/env bash\n",
        "docs/student/README.md": "# For students\n",
        "docs/student/CHANGELOG.md": "# What changed\n",
        "assignment2/toy.py": MODULE,
        "notebooks/0_play.ipynb": json.dumps({"cells": PLAYED, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
        "notebooks/1_toy.ipynb": json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
        "tests/manifest.json": "{}",
        "tests/toy/conftest.py": "",
        "tests/toy/test_f.py": "def test_f():\n    pass\n",
        "tests/toy/test_Net.py": "def test_net():\n    pass\n",
        "coursekit/vision/__init__.py": "",
        "coursekit/grading/report.html": "<html></html>",
        "data/reference/toy.json": '{"a": 1}',
        "data/zoo/net.safetensors": "weights",
    }
    private = {
        "README.md": "# For staff\n",
        "tests/hidden/toy/test_hidden_f.py": "secret = 1\n",
        "tests/staff/test_x.py": "secret = 1\n",
        "coursekit/staff/exercises/toy/f.py": "secret = 1\n",
        "coursekit/staff/__init__.py": "",
        "coursekit/vision/__pycache__/a.cpython-311.pyc": "secret",
        "coursekit/vision/.ipynb_checkpoints/b.py": "secret = 1\n",
        "coursekit/grading/notes.bak": "secret",
        "benchmarks/b.py": "secret = 1\n",
        "docs/decisions.md": "secret",
        ".ci/run": "secret",
        "data/zoo/net.ckpt": "secret",
        "data/zoo/.partial.json": "secret",
        "data/staff/answers.json": '{"secret": 1}',
        "data/hidden/fresh.npz": "secret",
        "data/SHA256SUMS": "secret",
        "assignment2/solution_draft.py": "secret = 1\n",
        "notebooks/0_draft.ipynb": "secret",
        "submission.zip": "secret",
    }
    for name, text in (files | private).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refusal(staff: Path, destination: Path) -> str:
    """Return the sentence that a release is refused with; nothing may be left behind, nor anything changed."""
    room = destination.parent
    before = sorted(room.rglob("*")) if room.exists() else None
    with pytest.raises(UsageError) as caught:
        release(destination, root=staff, parts=(TOY,))
    assert (sorted(room.rglob("*")) if room.exists() else None) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_edition_holds_what_the_table_says_and_nothing_else(staff: Path, tmp_path: Path):
    made = release(tmp_path / "student", root=staff, parts=(TOY,))

    files = files_of(made.path)
    assert set(files) == {
        *releasing.SINGLE,
        "CHANGELOG.md",
        "README.md",
        "assignment2/toy.py",
        "notebooks/0_play.ipynb",
        "notebooks/1_toy.ipynb",
        "tests/toy/conftest.py",
        "tests/toy/test_Net.py",
        "tests/toy/test_f.py",
        "coursekit/vision/__init__.py",
        "coursekit/grading/report.html",
        "data/SHA256SUMS",
        "data/reference/toy.json",
        "data/zoo/net.safetensors",
    }
    assert made.files == tuple(sorted(files))
    assert made.holes == ("f", "Net.__init__")
    assert files["README.md"] == b"# For students\n"
    assert b"secret" not in b"".join(files.values())
    assert b"saturates" not in files["notebooks/1_toy.ipynb"]
    assert json.loads(files["notebooks/0_play.ipynb"])["cells"][0]["outputs"] == []
    assert set(doctor.read_hashes(made.path)) == {"data/reference/toy.json", "data/zoo/net.safetensors"}


def test_modules_are_cut_and_lint_with_the_imports_that_only_the_solution_used(staff: Path, tmp_path: Path):
    made = release(tmp_path / "student", root=staff, parts=(TOY,))

    text = (made.path / "assignment2" / "toy.py").read_text()
    assert "import math" in text
    assert open_holes(ast.parse(text)) == ("f", "Net.__init__")
    assert made.linted == (RUFF is not None)


@pytest.mark.parametrize("table", ["", '\n[tool.ruff.lint.per-file-ignores]\n"tests/*" = ["B011"]\n'])
def test_the_lint_settings_of_the_exercises_are_added_once(table: str):
    settings = releasing._student_settings("[tool.ruff]\nline-length = 120\n" + table)

    assert settings.count(releasing.LINT_TABLE) == 1
    assert settings.count(releasing.STUDENT_LINT) == 1
    assert settings.index(releasing.LINT_TABLE) + len(releasing.LINT_TABLE) == settings.index(releasing.STUDENT_LINT)


def test_a_release_is_the_same_bytes_each_time_and_a_zip_the_same_files(staff: Path, tmp_path: Path):
    folder = release(tmp_path / "one", root=staff, parts=(TOY,)).path
    again = release(tmp_path / "two", root=staff, parts=(TOY,)).path
    os.utime(staff / "assignment2" / "toy.py", (0, 0))
    zips = [release(tmp_path / name, root=staff, parts=(TOY,)).path.read_bytes() for name in ("a.zip", "b.zip")]

    assert files_of(folder) == files_of(again)
    assert zips[0] == zips[1]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"{FOLDER}/{name}": content for name, content in files_of(folder).items()
        }
        modes = {i.filename.removeprefix(f"{FOLDER}/"): i.external_attr >> 16 & 0o777 for i in archive.infolist()}
    assert modes == {name: (folder / name).stat().st_mode & 0o777 for name in modes}
    assert modes.pop("setup.sh") == 0o755
    assert set(modes.values()) == {0o644}


def test_an_empty_folder_is_filled_and_missing_parents_are_made(staff: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()

    release(tmp_path / "empty", root=staff, parts=(TOY,))
    release(tmp_path / "deep" / "er" / "student.zip", root=staff, parts=(TOY,))

    assert files_of(tmp_path / "empty")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "empty", "staff"]
    assert [p.name for p in (tmp_path / "deep" / "er").iterdir()] == ["student.zip"]


def test_what_is_there_is_never_overwritten(staff: Path, tmp_path: Path):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "work.py").write_text("mine")
    (tmp_path / "a.zip").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    for name in ("taken", "a.zip", "link", "taken/work.py"):
        assert "exists and is never overwritten" in refusal(staff, tmp_path / name)
    assert "is a file" in refusal(staff, tmp_path / "a.zip" / "student")


@pytest.mark.parametrize("name", ["assignment2/student", "docs/x.zip", ".git/x", "data/x"])
def test_a_folder_of_the_repository_is_no_destination(staff: Path, name: str):
    assert "is a folder of this repository" in refusal(staff, staff / name)


def test_a_new_folder_inside_the_repository_is_one(staff: Path):
    made = release(staff / "out", root=staff, parts=(TOY,))
    again = release(staff / "again", root=staff, parts=(TOY,))

    assert made.files == again.files


@pytest.mark.parametrize("name", ["LICENSE", "docs/student/README.md", "assignment2/toy.py", "notebooks/1_toy.ipynb"])
def test_a_missing_file_is_named(staff: Path, tmp_path: Path, name: str):
    (staff / name).unlink()

    assert refusal(staff, tmp_path / "student").startswith(f"{name}: ")


def test_a_wrong_marker_stops_the_release_with_its_place(staff: Path, tmp_path: Path):
    replace(staff / "assignment2/toy.py", "### BEGIN SOLUTION", "### BEGIN SOLUTIONS")

    assert refusal(staff, tmp_path / "student").startswith("assignment2/toy.py:8: ")


def test_a_wrong_marker_in_a_notebook_stops_the_release_with_its_place(staff: Path, tmp_path: Path):
    replace(staff / "notebooks/1_toy.ipynb", "### END SOLUTION", "### End solution")

    assert refusal(staff, tmp_path / "student").startswith("notebooks/1_toy.ipynb, cell 1, line 4: ")


def test_a_function_without_markers_stops_the_release_for_it_would_ship_solved(staff: Path, tmp_path: Path):
    text = MODULE.replace(f"    ### BEGIN SOLUTION\n    {SOLUTION}\n    ### END SOLUTION", f"    {SOLUTION}")
    (staff / "assignment2/toy.py").write_text(text)

    with pytest.raises(MarkerError, match=r"assignment2/toy.py: f has no solution markers"):
        release(tmp_path / "student", root=staff, parts=(TOY,))


def test_markers_in_a_file_that_is_not_cut_stop_the_release(staff: Path, tmp_path: Path):
    (staff / "tests/toy/test_f.py").write_text("def test():\n    ### BEGIN SOLUTION\n    pass\n    ### END SOLUTION\n")

    assert refusal(staff, tmp_path / "student").startswith("tests/toy/test_f.py:2: ")


@pytest.mark.parametrize("name", ["tests/toy/test_f.py", "coursekit/vision/__init__.py", "docs/student/README.md"])
def test_a_solution_line_in_another_file_stops_the_release(staff: Path, tmp_path: Path, name: str):
    with (staff / name).open("a") as stream:
        stream.write(f"# {SOLUTION}\n")

    message = refusal(staff, tmp_path / "student")

    assert message.startswith(name.replace("docs/student/", "") + ":")
    assert "holds a line of the solution of f (assignment2/toy.py:9)" in message


def test_a_written_answer_elsewhere_stops_the_release(staff: Path, tmp_path: Path):
    (staff / "data" / "notes.md").write_text("Because the softmax saturates.\n")

    assert refusal(staff, tmp_path / "student").startswith("data/notes.md:1: holds a line of the solution of answer")


def test_an_edition_that_is_not_python_or_does_not_lint_stops_the_release(staff: Path, tmp_path: Path):
    (staff / "coursekit/vision/__init__.py").write_text("def f(:\n")
    assert refusal(staff, tmp_path / "student").startswith("coursekit/vision/__init__.py:1: ")

    (staff / "coursekit/vision/__init__.py").write_text("")
    replace(staff / "assignment2/toy.py", '"""Add."""', "print(undefined)")
    if RUFF:
        assert "does not lint: assignment2/toy.py:7:" in refusal(staff, tmp_path / "student")


def test_an_error_while_writing_leaves_nothing_behind(staff: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(folder: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(releasing, "write_hashes", full)

    with pytest.raises(OSError, match="disk full"):
        release(tmp_path / "student", root=staff, parts=(TOY,))
    assert [p.name for p in tmp_path.iterdir()] == ["staff"]


def test_start_shares_the_environment_and_says_the_first_steps(staff: Path, tmp_path: Path):
    (staff / ".venv" / "bin").mkdir(parents=True)

    made = start(tmp_path / "my work", root=staff, parts=(TOY,))

    assert made.shares_environment
    assert (tmp_path / "my work" / ".venv").resolve() == staff / ".venv"
    steps = "\n".join(made.lines())
    assert f"cd '{tmp_path}/my work'" in steps
    assert "complete f in assignment2/toy.py" in steps
    assert "./setup.sh grade 1" in steps


def test_start_works_without_an_environment_and_without_links(
    staff: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(self: Path, target: Path, target_is_directory: bool = False) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    first = start(tmp_path / "a", root=staff, parts=(TOY,))
    (staff / ".venv").mkdir()
    monkeypatch.setattr(Path, "symlink_to", refuse)
    second = start(tmp_path / "b", root=staff, parts=(TOY,))

    assert (first.shares_environment, second.shares_environment) == (False, False)
    assert "./setup.sh makes its environment first" in first.lines()[0]


def test_start_shares_an_environment_that_was_made_elsewhere(
    staff: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "a2-stamp").touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))

    made = start(tmp_path / "a", root=staff, parts=(TOY,))

    assert made.shares_environment
    assert (tmp_path / "a" / ".venv").resolve() == tmp_path / "venv"


def test_nobody_can_start_in_a_zip(staff: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="nobody can work in one"):
        start(tmp_path / "a.zip", root=staff, parts=(TOY,))


# The real repository


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The student edition of this repository."""
    return release(tmp_path_factory.mktemp("release") / "student").path


def test_the_real_edition_is_the_same_each_time_as_folder_and_as_zip(edition: Path, tmp_path: Path):
    again = release(tmp_path / "again")
    zipped = release(tmp_path / "student.zip")

    assert files_of(again.path) == files_of(edition)
    with zipfile.ZipFile(zipped.path) as archive:
        assert {n.removeprefix(f"{FOLDER}/"): archive.read(n) for n in archive.namelist()} == files_of(edition)


def test_the_real_edition_has_no_staff_file(edition: Path):
    names = [path.relative_to(edition) for path in edition.rglob("*")]

    assert not [n for n in names if {"staff", "hidden", "docs", "benchmarks", ".ci", "__pycache__"} & set(n.parts)]
    assert not [n for n in names if n.suffix in (".pyc", ".zip")]
    assert os.access(edition / "setup.sh", os.X_OK)


def test_what_the_real_edition_imports_of_itself_is_in_it(edition: Path):
    paths = sorted([*edition.glob("coursekit/**/*.py"), *edition.glob("tests/**/*.py")])
    wanted = {(name, path.name) for path in paths for name in imported(path.read_text(encoding="utf-8"))}
    own = [(name, path) for name, path in wanted if name.startswith(("coursekit.", "assignment2."))]

    assert len(own) > 100
    for name, path in own:
        # staff is asked for only where it is there, and __version__ is no module.
        if not name.startswith("coursekit.staff.") and name != "coursekit.__version__":
            place = edition.joinpath(*name.split("."))
            assert place.with_suffix(".py").is_file() or (place / "__init__.py").is_file(), f"{path} imports {name}"


@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
def test_the_real_edition_lints_as_a_whole(edition: Path):
    done = subprocess.run(
        [str(RUFF), "check", "--no-cache", "."], cwd=edition, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_the_real_edition_leaves_every_function_of_the_table_to_do(edition: Path):
    for part in PARTS:
        holes = open_holes(ast.parse((edition / part.module_path).read_text()))

        assert {name.split(".")[0] for name in holes} == set(part.functions)


def test_every_line_that_is_excused_is_still_a_line_of_a_solution():
    paths = [path.as_posix() for part in PARTS for path in (part.module_path, part.notebook_path)]
    lines = {line.text for path in paths for line in solution_lines(path, (ROOT / path).read_text(encoding="utf-8"))}

    assert set(leaks.EXCUSED) <= lines


def test_a_planted_solution_line_is_found_in_the_real_edition(edition: Path):
    files = files_of(edition)
    for part in PARTS:
        name = part.module_path.as_posix()
        lines = [s for s in solution_lines(name, (ROOT / name).read_text()) if s.text not in leaks.EXCUSED]

        assert lines
        leaks.refuse_leaks(files, lines)
        for line in lines[:: max(1, len(lines) // 5)]:
            with pytest.raises(LeakError):
                leaks.refuse_leaks(files | {"README.md": line.text.encode()}, lines)


CALL_EVERY_FUNCTION = """
import importlib, inspect, json
from coursekit.parts import PARTS, ROOT

said = {"": str(ROOT)}
for part in PARTS:
    module = importlib.import_module(f"assignment2.{part.module}")
    for name in part.functions:
        function = inspect.unwrap(getattr(module, name))
        if inspect.isclass(function):  # past the checks of the arguments, as a copy is made
            function = function.__init__.__get__(function.__new__(function))
        needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
        try:
            function(*[None for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD],
                     **{p.name: None for p in needed if p.kind is p.KEYWORD_ONLY})
            said[name] = "nothing"
        except BaseException as error:
            said[name] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


@pytest.mark.timeout(120)  # torch is loaded
def test_every_function_of_the_real_edition_says_that_it_is_to_do(edition: Path):
    environment = os.environ | {"PYTHONPATH": str(edition), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", CALL_EVERY_FUNCTION]

    done = subprocess.run(command, cwd=edition, env=environment, capture_output=True, text=True, check=True)

    said = json.loads(done.stdout)
    assert said.pop("") == str(edition)
    for part in PARTS:
        holes = open_holes(ast.parse((edition / part.module_path).read_text()))
        for name in part.functions:
            wanted = {f"NotImplementedError: {h}: your code here" for h in holes if h.split(".")[0] == name}
            assert said[name] in wanted
