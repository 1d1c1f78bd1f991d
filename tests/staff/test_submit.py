"""`a2 submit`: what is packed, what is refused, and with which sentence."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save

from coursekit import __version__
from coursekit.cli import main
from coursekit.errors import UsageError
from coursekit.grading import imported, rehearsal
from coursekit.grading import submit as submitting
from coursekit.grading.answers import ANSWERS
from coursekit.grading.holes import PROMPT
from coursekit.grading.submit import MANIFEST, submit, submitted_files
from coursekit.grading.terminal import print_submission
from coursekit.parts import PARTS, Part

PART = Part(1, "Toys", "toy", "1_toy", core=("f", "Net"), extension=("g",))
SECOND = Part(2, "More toys", "more", "2_more", core=("h",), extension=())
MODULE = "assignment2/toy.py"
NOTEBOOK = "notebooks/1_toy.ipynb"
SOLVED = (
    "def f():\n    return 1\n\n\nclass Net:\n    def forward(self):\n        return 2\n\n\ndef g():\n    return 3\n"
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch):
    """Toys need no torch, which takes seconds to load."""
    monkeypatch.setattr(imported, "LIBRARIES", ())
    monkeypatch.setenv("A2_IMPORT_SECONDS", "1")


@pytest.fixture
def edition(tmp_path: Path) -> Path:
    """A student edition with one part, solved."""
    root = tmp_path / "edition"
    (root / "assignment2").mkdir(parents=True)
    (root / "notebooks").mkdir()
    (root / "assignment2" / "__init__.py").write_text("")
    (root / MODULE).write_text(SOLVED)
    write_notebook(root, "It saturates.")
    return root


def write_notebook(root: Path, *answers: str, name: str = NOTEBOOK) -> None:
    cells = [{"cell_type": "markdown", "id": f"c{i}", "metadata": {}, "source": [a]} for i, a in enumerate(answers)]
    (root / name).write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def refusal(root: Path, parts: tuple[Part, ...] = (PART,)) -> str:
    """Return the sentence that a submission is refused with; nothing may be left behind."""
    before = sorted(root.rglob("*"))
    with pytest.raises(UsageError) as caught:
        submit(root, parts=parts)
    assert sorted(root.rglob("*")) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_zip_holds_the_listed_files_and_a_manifest_and_nothing_else(edition: Path):
    (edition / "assignment2" / "diary.py").write_text("x = 1\n")
    (edition / "notebooks" / "private.ipynb").write_text("{}")

    made = submit(edition, parts=(PART,))

    assert made.path == edition / "submission.zip"
    with zipfile.ZipFile(made.path) as archive:
        assert archive.namelist() == [ANSWERS, MODULE, MANIFEST, NOTEBOOK]
        assert archive.read(MODULE) == (edition / MODULE).read_bytes()
        manifest = json.loads(archive.read(MANIFEST))
    assert manifest["tool"] == f"a2 {__version__}"
    assert manifest["parts"] == [1]
    assert manifest["files"].keys() == {MODULE, NOTEBOOK}
    assert manifest["files"][MODULE]["sha256"] == hashlib.sha256(SOLVED.encode()).hexdigest()
    assert (made.todo, made.missing, made.kept) == ((), (), None)
    assert sorted(p.name for p in edition.iterdir()) == ["assignment2", "notebooks", "submission.zip"]


def test_the_list_of_files_follows_the_table_of_parts():
    assert submitted_files((PART,)) == (MODULE, NOTEBOOK)
    assert len(submitted_files()) == len(PARTS) + len({part.notebook for part in PARTS})


def test_two_modules_of_one_part_share_a_notebook_that_is_handed_in_once(edition: Path):
    (edition / "assignment2" / "second.py").write_text(SOLVED)
    second = replace(PART, module="second")

    made = submit(edition, parts=(PART, second))

    assert submitted_files((PART, second)) == (MODULE, NOTEBOOK, "assignment2/second.py")
    with zipfile.ZipFile(made.path) as archive:
        assert json.loads(archive.read(MANIFEST))["parts"] == [1]


def test_trained_weights_are_handed_in_and_missing_ones_are_said(edition: Path):
    part = replace(PART, trained=("trained/net.safetensors",))

    without = submit(edition, parts=(part,))
    (edition / "trained").mkdir()
    weights = save({"head.weight": np.zeros(3, dtype=np.float16)})
    (edition / "trained" / "net.safetensors").write_bytes(weights)
    made = submit(edition, parts=(part,))

    assert without.untrained == ("trained/net.safetensors",)
    assert made.untrained == ()
    with zipfile.ZipFile(made.path) as archive:
        assert archive.read("trained/net.safetensors") == weights


@pytest.mark.parametrize("content", [b"", bytes(100), b"\xff" * 100, b'\x08\0\0\0\0\0\0\0{"a": 1}'])
def test_trained_weights_that_are_no_safetensors_file_are_refused(edition: Path, content: bytes):
    part = replace(PART, trained=("trained/net.safetensors",))
    (edition / "trained").mkdir()
    (edition / "trained" / "net.safetensors").write_bytes(content)

    told = refusal(edition, (part,))

    assert told.startswith("trained/net.safetensors: not a safetensors file (")
    assert "save it again" in told


def test_trained_weights_of_more_than_four_megabytes_are_refused(edition: Path):
    part = replace(PART, trained=("trained/net.safetensors",))
    (edition / "trained").mkdir()
    (edition / "trained" / "net.safetensors").write_bytes(bytes(4 * 2**20 + 1))

    with pytest.raises(UsageError, match=r"net\.safetensors has 4\.0 MB and 4 MB is the limit"):
        submit(edition, parts=(part,))


def test_the_same_files_give_the_same_bytes(edition: Path, tmp_path: Path):
    first = submit(edition, tmp_path / "a.zip", parts=(PART,)).path.read_bytes()
    (edition / MODULE).touch()

    assert submit(edition, tmp_path / "b.zip", parts=(PART,)).path.read_bytes() == first


def test_an_older_zip_is_kept_under_a_number_and_named(edition: Path):
    for version in range(4):
        (edition / MODULE).write_text(SOLVED + f"VERSION = {version}\n")
        made = submit(edition, parts=(PART,))

    assert made.kept == edition / "submission-3.zip"
    contents = []
    for name in ("submission-1.zip", "submission-2.zip", "submission-3.zip", "submission.zip"):
        with zipfile.ZipFile(edition / name) as archive:
            contents.append(archive.read(MODULE).decode().splitlines()[-1])
    assert contents == [f"VERSION = {version}" for version in range(4)]


def test_the_same_submission_again_makes_no_second_zip(edition: Path):
    submit(edition, parts=(PART,))

    assert submit(edition, parts=(PART,)).kept is None
    assert not (edition / "submission-1.zip").exists()


def test_what_is_still_to_do_is_said_and_is_no_reason_to_refuse(edition: Path):
    (edition / MODULE).write_text(
        'def f():\n    raise NotImplementedError("f: your code here")\n\n\n'
        'class Net:\n    def __init__(self):\n        raise NotImplementedError("Net.__init__: your code here")\n'
        '    def forward(self):\n        raise NotImplementedError("Net.forward: your code here")\n'
    )
    write_notebook(edition, f"**1.** Why?\n\n{PROMPT}", "**2.** How?", "So it is.", "**3.** Where?", PROMPT)

    made = submit(edition, parts=(PART,))

    assert made.todo == ("f", "Net"), "a class with two holes is one exercise"
    assert made.missing == ("g",)
    assert made.unrun == (NOTEBOOK,)


def test_it_says_in_few_lines_what_is_in_the_zip_and_what_is_missing(
    edition: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(edition)
    part = replace(PART, trained=("trained/net.safetensors",))
    (edition / MODULE).write_text('def f():\n    raise NotImplementedError("f: your code here")\n')
    write_notebook(edition, f"**1.** Why?\n\n{PROMPT}", "**2.** How?", "# Thus\n\nSo it is.", "**3.** Where?", PROMPT)
    submit(edition, parts=(part,))
    (edition / MODULE).write_text((edition / MODULE).read_text() + "\n\nVERSION = 2\n")

    print_submission(submit(edition, parts=(part,)), 3, 5, ["2 points would be LOST"])

    lines = capsys.readouterr().out.splitlines()
    text = " ".join(" ".join(lines).split())
    assert "submission.zip: 1 module, 1 notebook, your written answers" in lines[0]
    assert "the older submission.zip is now submission-1.zip" in text
    assert "3 of 5 points, not counting the hidden checks" in text
    assert "2 points would be LOST" in text
    assert "still to do (1): f" in text
    assert "no longer defined (2): Net, g" in text
    assert "trained/net.safetensors is missing: the notebook of its part trains it and saves this file" in text
    assert "not run, so without pictures: 1_toy" in text
    assert "words in your written answers: 1_toy none, 5, none (the graders read answers.html in the zip)" in text
    assert lines[-1] == f"Hand in this file: {edition / 'submission.zip'}"
    assert len(lines) < 15
    assert max(map(len, lines[:-1])) <= 80


def test_text_under_no_question_is_said_where_an_answer_is_missing(edition: Path, capsys: pytest.CaptureFixture[str]):
    write_notebook(edition, "It saturates.", "**1.** Why?", PROMPT)

    made = submit(edition, parts=(PART,))
    print_submission(made, 0, 1)

    assert "you also wrote text outside the answers" in " ".join(capsys.readouterr().out.split())
    with zipfile.ZipFile(made.path) as archive:
        assert "It saturates." in archive.read(ANSWERS).decode()


def test_a_notebook_with_an_output_counts_as_run(edition: Path):
    book = json.loads((edition / NOTEBOOK).read_text())
    run = {"cell_type": "code", "id": "run", "metadata": {}, "source": ["1"], "execution_count": 1}
    book["cells"].append({**run, "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1"]}]})
    (edition / NOTEBOOK).write_text(json.dumps(book))

    assert submit(edition, parts=(PART,)).unrun == ()


@pytest.mark.parametrize("name", [MODULE, NOTEBOOK])
def test_a_missing_file_is_named(edition: Path, name: str):
    (edition / name).unlink()

    assert refusal(edition).startswith(f"{name}: not there; ")


def test_a_folder_of_a_files_name_counts_as_missing(edition: Path):
    (edition / MODULE).unlink()
    (edition / MODULE).mkdir()

    assert refusal(edition).startswith(f"{MODULE}: not there; ")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"x = 1\ndef f(:\n", "line 2"),
        (b"x = 1\n\n  y = 2\n", "line 3: unexpected indent"),
        (b"x = 1\nreturn x\n", "line 2: 'return' outside function"),
        (b"x = '\xff'\n", "line 1"),
        (b"x = 1\0", "null bytes"),
        (b"x = " + b"(" * 5000 + b")" * 5000, "toy.py"),
    ],
)
def test_a_syntax_error_is_refused_with_file_and_line(edition: Path, source: bytes, words: str):
    (edition / MODULE).write_bytes(source)

    message = refusal(edition)

    assert message.startswith(MODULE)
    assert words in message


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"nbformat": 3}', '{"nbformat": 4}', '{"nbformat": 4, "nbformat_minor": 5, "cells": [1]}'],
)
def test_a_notebook_that_is_none_is_refused(edition: Path, text: str):
    (edition / NOTEBOOK).write_text(text)

    assert refusal(edition).startswith(f"{NOTEBOOK}: not ")


def test_more_than_the_limit_is_refused_and_the_largest_file_is_named(edition: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(submitting, "MAX_BYTES", 2**20)
    write_notebook(edition, "x" * (2**20 + 1))

    message = refusal(edition)

    assert NOTEBOOK in message
    assert "clear its outputs" in message


SIDE_EFFECTS = {
    "print('hello', 1)": "prints 'hello'",
    "import sys; sys.stdout.write('hello')": "prints 'hello'",
    "open('notes.txt', 'w')": "writes the file 'notes.txt'",
    "from pathlib import Path; Path('a.txt').write_text('x')": "writes the file 'a.txt'",
    "import os; os.mkdir('folder')": "makes a folder",
    "import os; os.system('true')": "starts a program",
    "import subprocess; subprocess.run(['true'])": "starts a program",
    "import socket; socket.socket().connect(('127.0.0.1', 9))": "ConnectionRefusedError",
    "import sys; sys.exit(0)": "ends Python",
    "import os; os._exit(0)": "ends Python",
    "exit()": "ends Python",
    "raise SystemExit": "ends Python",
    "raise KeyboardInterrupt": "raises KeyboardInterrupt",
    "undefined": "raises NameError: name 'undefined' is not defined",
    "input()": "raises EOFError",
    "import assignment2.diary": "No module named 'assignment2.diary'; only the files of the assignment are handed in",
    "import diary": "No module named 'diary'; only the files of the assignment are handed in",
    "while True: pass": "does not come to an end (an endless loop?)",
    "import time; time.sleep(60)": "does not come to an end (an endless loop?)",
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("statement", SIDE_EFFECTS)
def test_a_module_that_does_something_when_it_is_imported_is_refused(edition: Path, statement: str):
    (edition / "assignment2" / "diary.py").write_text("x = 1\n")
    (edition / "diary.py").write_text("x = 1\n")
    (edition / MODULE).write_text(f"{SOLVED}\n{statement}\n")

    message = refusal(edition)

    assert SIDE_EFFECTS[statement] in message
    if "_exit" in statement:
        assert message.startswith(f"{MODULE}: importing it ")  # it leaves no trace of the line
    else:
        line = SOLVED.count("\n") + 2
        assert message.startswith(f"{MODULE}, line {line}: importing it ")


def test_the_module_that_misbehaves_is_named_among_several(edition: Path):
    write_notebook(edition, "x", name="notebooks/2_more.ipynb")
    (edition / "assignment2" / "more.py").write_text("from assignment2.toy import f\n\nwhile f():\n    pass\n")

    assert refusal(edition, (PART, SECOND)).startswith("assignment2/more.py, line ")


def test_an_import_may_take_long_by_the_clock_but_not_forever(edition: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("A2_IMPORT_SECONDS", "0.4")  # of processor time; six times as long by the clock
    (edition / MODULE).write_text(f"import time\n\ntime.sleep(0.8)\n{SOLVED}")
    assert submit(edition, parts=(PART,)).todo == ()

    (edition / MODULE).write_text(f"import time\n\ntime.sleep(60)\n{SOLVED}")
    assert refusal(edition).startswith(f"{MODULE}, line 3: importing it does not come to an end")


def test_the_warnings_and_caches_of_libraries_are_no_side_effects(edition: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("A2_IMPORT_SECONDS")  # on a slow machine, importing numpy alone takes more than one
    (edition / MODULE).write_text(
        "import json, os, sys, tempfile, warnings\nimport numpy as np\n\nwarnings.warn('old')\n"
        f"print('to the log', file=sys.stderr)\nopen(os.devnull, 'w').close()\n{SOLVED}"
    )

    assert submit(edition, parts=(PART,)).todo == ()


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("warm_programs")
def test_a_module_that_changes_torch_for_everybody_is_refused(edition: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imported, "LIBRARIES", ("torch",))
    monkeypatch.setenv("A2_IMPORT_SECONDS", "30")
    (edition / MODULE).write_text(f"import torch\n\ntorch.set_default_dtype(torch.float64)\n{SOLVED}")

    assert "importing it changes torch's default dtype" in refusal(edition)


def test_a_link_out_of_the_folder_is_refused(edition: Path, tmp_path: Path):
    (tmp_path / "secret.py").write_text(SOLVED)
    (edition / MODULE).unlink()
    (edition / MODULE).symlink_to(tmp_path / "secret.py")

    assert refusal(edition).startswith(f"{MODULE} is a link out of this folder")


def test_a_linked_folder_is_refused(edition: Path, tmp_path: Path):
    (edition / "notebooks").rename(tmp_path / "elsewhere")
    (edition / "notebooks").symlink_to(tmp_path / "elsewhere")

    assert refusal(edition).startswith(f"{NOTEBOOK} is a link out of this folder")


@pytest.mark.parametrize("name", ["notes.txt", "assignment2", "nowhere/submission.zip"])
def test_a_destination_that_is_no_place_for_a_zip_is_refused(edition: Path, name: str):
    with pytest.raises(UsageError, match="zip"):
        submit(edition, edition / name, parts=(PART,))


def test_a_folder_called_zip_is_left_alone(edition: Path):
    (edition / "submission.zip").mkdir()

    assert "is not a name for a zip file" in refusal(edition)


def test_a_submit_that_is_stopped_says_whether_there_is_a_zip(tmp_path, monkeypatch, capsys):
    path = tmp_path / "mine.zip"

    def stopped(*_, **__):
        raise KeyboardInterrupt

    def written(**_):
        path.write_bytes(b"packed")
        return SimpleNamespace(path=path)

    said = []
    for pack, grade in ((stopped, stopped), (written, stopped), (stopped, stopped)):
        monkeypatch.setattr(submitting, "submit", pack)
        monkeypatch.setattr(rehearsal, "rehearse", grade)
        assert main(["submit", "--out", str(path)]) == 2
        said.append(capsys.readouterr().err.strip())

    assert said == [
        f"a2 submit: stopped; {path} is not written yet",
        f"a2 submit: stopped; {path} is written and can be handed in; only its trial grading was stopped",
        f"a2 submit: stopped; no new zip was written; {path} is an older one",
    ]
