"""Any zip: what is known is taken, whatever is wrong has its own sentence, in bounded time, memory and disk."""

import json
import os
import tracemalloc
import zipfile

import pytest

from coursekit.grading.holes import PROMPT
from coursekit.grading.submit import submit
from coursekit.parts import PARTS, ROOT
from coursekit.staff.contents import source_digest
from coursekit.staff.cut_notebooks import cut_notebook
from coursekit.staff.intake import CAPS, MOST_WEIGHTS
from coursekit.staff.unzip import MAX_ENTRIES, take_folder, take_zip
from tests.staff.zips import DEVICE, FIFO, LINK, MODULE, encrypted, solution, special, with_false_size, zeros, zipped

GOOD = solution()


@pytest.fixture
def take(tmp_path):
    def taken_from(content):
        path = tmp_path / "alice.zip"
        path.write_bytes(content)
        before = sorted(tmp_path.rglob("*"))
        taken = take_zip(path)
        assert sorted(tmp_path.rglob("*")) == before, "nothing is unpacked to the disk"
        return taken

    return taken_from


@pytest.mark.usefixtures("warm_programs")
def test_the_zip_of_a2_submit_is_taken_whole(tmp_path):
    made = submit(ROOT, tmp_path / "submission.zip")

    taken = take_zip(made.path)

    weights = [name for part in PARTS for name in part.trained if (ROOT / name).is_file()]
    assert sorted(taken.files) == sorted([part.module_path.as_posix() for part in PARTS] + weights)
    assert sorted(taken.written) == sorted({part.notebook_path.as_posix() for part in PARTS})
    assert all(len(book.answers) >= 3 for book in taken.written.values())
    assert not taken.problem
    assert not taken.problems
    assert not [remark for remark in taken.remarks_on() if "changed" in remark or "ignored" in remark]


@pytest.mark.parametrize("wrap", ["", "alice/", "Assignment 2/alice/", "./", "C/"])
def test_a_folder_round_the_assignment_does_no_harm(take, wrap):
    assert take(zipped((f"{wrap}{MODULE}", GOOD))).files == {MODULE: GOOD}


NOTHING = {
    "an empty zip": (zipped(), "is empty: there is no file"),
    "no module": (zipped(("report.pdf", b"%PDF"), ("notes.txt", b"hello")), "holds none of the modules"),
    "only a notebook": (zipped(("notebooks/1_saliency.ipynb", b"{}")), "holds none of the modules"),
    "zero bytes": (b"", "is empty: 0 bytes"),
    "no zip": (b"hello, this is a text" * 10, "is not a zip, whatever its name says"),
    "a RAR": (b"Rar!\x1a\x07\x01\x00" + bytes(100), "is a RAR archive, not a zip"),
    "a tar.gz": (b"\x1f\x8b\x08\x00" + bytes(100), "is a gzip archive, not a zip"),
    "truncated": (zipped((MODULE, GOOD))[:-40], "is a damaged or truncated zip"),
    "only its start": (zipped((MODULE, GOOD))[:400], "is a damaged or truncated zip"),
    "twice the assignment": (zipped((f"old/{MODULE}", GOOD), (f"new/{MODULE}", GOOD)), "contains the assignment 2 times (new, old)"),
    "too deep": (zipped(("a/" * 500 + MODULE, GOOD)), "holds none of the modules"),
    "three wraps": (zipped(("b.zip", zipped(("c.zip", zipped(("d.zip", zipped((MODULE, GOOD)))))))), "is a zip in a zip in a zip"),
    "a wrap with nothing": (zipped(("b.zip", zipped(("a.txt", b"")))), "holds only b.zip, which holds none of the modules"),
    "a wrap that is encrypted": (encrypted("b.zip"), "holds only b.zip, which is encrypted"),
    "a wrap of zeros": (zeros("b.zip", 80 * 2**20), "holds only b.zip, which is too large"),
    "only unsafe names": (zipped((f"../../{MODULE}", GOOD)), "is empty"),
}  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", NOTHING)
def test_a_zip_with_nothing_to_grade_says_why(name, take):
    content, sentence = NOTHING[name]

    taken = take(content)

    assert sentence in taken.problem
    assert not taken.files


BROKEN = {
    "a symbolic link": (special(MODULE, LINK), "is a link: pack the file itself"),
    "a pipe": (special(MODULE, FIFO), "is not a file (a pipe"),
    "a device": (special(MODULE, DEVICE), "is not a file (a pipe"),
    "encrypted": (encrypted(MODULE), "is encrypted"),
    "bzip2": (zipped((MODULE, GOOD), method=zipfile.ZIP_BZIP2), "is compressed by method 12"),
    "lzma": (zipped((MODULE, GOOD), method=zipfile.ZIP_LZMA), "is compressed by method 14"),
    "twice, different": (zipped((MODULE, GOOD), (MODULE, b"x = 1\n")), "is there 2 times with different content"),
    "two spellings": (zipped(("assignment2/Saliency.py", b"x = 1\n"), ("Assignment2/saliency.py", b"y = 1\n")), "is there 2 times"),
    "UTF-16": (zipped((MODULE, GOOD.decode().encode("utf-16"))), "is not text (it contains zero bytes; UTF-16?)"),
    "Latin-1": (zipped((MODULE, GOOD + "\n# Größe\n".encode("latin-1"))), "is not text in UTF-8: byte 0xf6 in line"),
    "an odd codec": (zipped((MODULE, b"# coding: rot13\n" + GOOD)), "declares the encoding 'rot13'"),
    "an unknown codec": (zipped((MODULE, b"#!/usr/bin/python\n# coding: utf-99\n" + GOOD)), "declares the encoding 'utf-99'"),
    "a slow codec": (zipped((MODULE, b"# coding: idna " + b"a." * 200_000)), "declares the encoding 'idna'"),
    "too large": (zeros(MODULE, 64 * 2**20), "is too large: it has 64.0 MB, and 0.5 MB is the limit"),
    "too large, with a false size": (with_false_size(zeros(MODULE, 64 * 2**20), 1000), MODULE),
    "larger than it says": (with_false_size(zipped((MODULE, b"x = 1\n")), 3), "is damaged in the zip"),
}  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", BROKEN)
def test_a_module_that_cannot_be_taken_says_why(name, take):
    content, sentence = BROKEN[name]

    taken = take(content)

    assert sentence in taken.problems[MODULE]
    assert MODULE not in taken.files


def test_an_encoding_that_python_reads_is_taken_by_any_of_its_names(take):
    for name in ("utf8", "UTF-8", "latin1", "windows-1252", "gbk", "shift_jis", "euc-kr"):
        content = f"# -*- coding: {name} -*-\n".encode() + GOOD
        assert take(zipped((MODULE, content))).files == {MODULE: content}, name


def test_damaged_content_is_found_out_and_the_neighbours_are_taken(take):
    other = PARTS[1].module_path.as_posix()
    content = bytearray(zipped((MODULE, GOOD), (other, solution(other)), method=zipfile.ZIP_STORED))
    content[content.index(GOOD[:50]) + 10] ^= 0xFF

    taken = take(bytes(content))

    assert "is damaged in the zip (Bad CRC-32" in taken.problems[MODULE]
    assert taken.files == {other: solution(other)}


REMARKS = {
    "names that lead elsewhere": ([("../evil.py", b""), ("/etc/x", b""), ("C:\\x", b"")], "ignored 3 names that point outside the zip's folder"),
    "other files": ([("tests/conftest.py", b""), ("sitecustomize.py", b"")], "ignored 2 other files: sitecustomize.py, tests/conftest.py"),
    "another spelling": ([("assignment2/SALIENCY.py", b"")], "in other spellings too, which are ignored"),
    "a notebook that is not JSON": ([("notebooks/1_saliency.ipynb", b"{ half")], "notebooks/1_saliency.ipynb is not JSON"),
    "a nested notebook": ([("notebooks/1_saliency.ipynb", b"[" * 100_000)], "notebooks/1_saliency.ipynb is not JSON"),
    "a notebook that is none": ([("notebooks/1_saliency.ipynb", b"[1]")], "is JSON, but no notebook"),
    "a notebook of 200 MB": ([("notebooks/1_saliency.ipynb", bytes(200 * 2**20))], "is too large: it has 200.0 MB"),
    "an encrypted notebook's neighbour": ([("b/" * 3 + "saliency.py", b"")], "ignored 1 other file"),
    "a false manifest": ([("manifest.json", b"[]")], "manifest.json is not the one"),
    "a changed file": ([("manifest.json", json.dumps({"files": {MODULE: {"sha256": "0"}}}).encode())], f"changed after a2 submit: {MODULE}"),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", REMARKS)
def test_what_costs_nothing_is_remarked(name, take):
    files, sentence = REMARKS[name]

    taken = take(zipped((MODULE, GOOD), *files))

    assert taken.files == {MODULE: GOOD}
    assert not taken.problem
    assert any(sentence in remark for remark in taken.remarks_on()), taken.remarks_on()


def test_backslashes_doubles_wraps_and_bare_modules_are_understood(take):
    windows = zipfile.ZipInfo("x")
    windows.filename = "alice\\assignment2\\saliency.py"

    assert take(zipped((windows, GOOD))).files == {MODULE: GOOD}
    assert take(zipped((MODULE, GOOD), (MODULE, GOOD))).files == {MODULE: GOOD}
    assert take(zipped(("saliency.py", GOOD))).files == {MODULE: GOOD}
    notebook = json.dumps({"cells": [{"cell_type": "markdown", "source": "**1.** Why?"}]}).encode()
    bare = take(zipped(("saliency.py", GOOD), ("1_saliency.ipynb", notebook)))
    assert (bare.files, list(bare.written)) == ({MODULE: GOOD}, ["notebooks/1_saliency.ipynb"])
    assert not [remark for remark in bare.remarks_on() if "ignored" in remark]
    assert take(zipped((f"__MACOSX/._{MODULE}", b""), (MODULE, GOOD))).remarks_on() == []
    twice = take(zipped(("alice.zip", zipped((MODULE, GOOD)))))
    assert twice.files == {MODULE: GOOD}
    assert "wrapped twice: the submission is in alice.zip" in twice.remarks_on()


NOTEBOOK = PARTS[0].notebook_path.as_posix()


def notebook_with(answer, name=NOTEBOOK):
    """A notebook as it is handed out, with an answer in place of the first prompt."""
    notebook = json.loads(cut_notebook((ROOT / name).read_text(encoding="utf-8"), name))
    next(cell for cell in notebook["cells"] if PROMPT in "".join(cell["source"]))["source"] = answer
    return notebook


def packed(answer, name=NOTEBOOK):
    return json.dumps(notebook_with(answer, name)).encode()


def first_answers(taken, name=NOTEBOOK):
    return taken.written[name].answers[0][1] if name in taken.written else None


ANYWHERE = (
    "1_saliency.ipynb",
    "assignment2/1_saliency.ipynb",
    "notebooks/mine/1_saliency.ipynb",
    "notebooks/Copy of 1_saliency.ipynb",
    "notebooks/1_saliency (1).ipynb",
    "notebooks/1_saliency-Copy1.ipynb",
    "Part one, Ada.ipynb",
    "../1_saliency.ipynb",
    "../notebooks/1_saliency.ipynb",
    "notebooks/.ipynb_checkpoints/1_saliency-checkpoint.ipynb",
)


@pytest.mark.parametrize("name", ANYWHERE)
def test_a_notebook_is_read_wherever_it_stands_and_whatever_it_is_called(take, name):
    taken = take(zipped((f"alice/{MODULE}", GOOD), (f"alice/{name}".replace("alice/../", ""), packed("Because."))))

    assert taken.files == {MODULE: GOOD}
    assert first_answers(taken) == "Because."
    (remark,) = [remark for remark in taken.remarks_on() if NOTEBOOK in remark]
    assert "there; it has 3 questions without an answer" in remark
    assert not [remark for remark in taken.remarks_on() if "ignored" in remark]


def test_a_notebook_without_its_questions_is_known_by_the_name_of_its_file(take):
    cells = [{"cell_type": "markdown", "source": "Because."}]

    taken = take(zipped((MODULE, GOOD), ("Copy of 1_Saliency.ipynb", json.dumps({"cells": cells}).encode())))

    assert taken.written[NOTEBOOK].elsewhere == "Because."


def test_a_zip_of_notebooks_only_has_no_points_and_all_its_answers(take):
    second = PARTS[1].notebook_path.as_posix()

    taken = take(zipped((NOTEBOOK, packed("Because.")), (second, packed("So.", second))))

    assert "holds none of the modules" in taken.problem
    assert (first_answers(taken), first_answers(taken, second)) == ("Because.", "So.")


def test_notebooks_beside_a_zip_with_the_modules_are_read_too(take):
    taken = take(zipped((NOTEBOOK, packed("Because.")), ("code.zip", zipped((MODULE, GOOD)))))

    assert taken.files == {MODULE: GOOD}
    assert first_answers(taken) == "Because."


def test_answers_are_read_where_the_assignment_stands_there_twice(take):
    one, two = zipped(), [(f"{folder}/{name}", content) for folder in ("old", "new") for name, content in
                          ((MODULE, GOOD), (NOTEBOOK, packed(folder)))]  # fmt: skip

    taken = take(zipped(*two))

    assert "contains the assignment 2 times" in taken.problem
    assert sorted(book.answers[0][1] for book in taken.written.values()) == ["new", "old"]
    assert take(one).written == {}


def test_of_copies_that_differ_each_is_shown_and_an_untouched_one_is_not(take):
    copy = "notebooks/1_saliency-Copy1.ipynb"

    both = take(zipped((MODULE, GOOD), (NOTEBOOK, packed("Old.")), (copy, packed("New."))))
    untouched = take(zipped((MODULE, GOOD), (NOTEBOOK, packed("Old.")), (copy, packed(PROMPT))))
    twice = take(zipped((MODULE, GOOD), (NOTEBOOK, packed("Old.")), (NOTEBOOK, packed("New."))))

    assert (first_answers(both), first_answers(both, copy)) == ("Old.", "New.")
    assert f"{copy} is another copy of {NOTEBOOK}: its answers are shown too" in both.remarks_on()
    assert list(untouched.written) == [NOTEBOOK]
    assert len(twice.written) == 2


def test_a_cell_without_a_text_costs_no_other_cell(take):
    notebook = notebook_with("Because.")
    notebook["cells"].insert(0, {"cell_type": "markdown", "source": None})

    taken = take(zipped((MODULE, GOOD), (NOTEBOOK, json.dumps(notebook).encode())))

    assert first_answers(taken) == "Because."


def test_text_under_no_question_is_remarked_where_an_answer_is_missing(take):
    notebook = notebook_with(PROMPT)
    notebook["cells"].insert(0, {"cell_type": "markdown", "source": "My answers: ..."})

    taken = take(zipped((MODULE, GOOD), (NOTEBOOK, json.dumps(notebook).encode())))

    assert taken.written[NOTEBOOK].elsewhere == "My answers: ..."
    assert any(
        "4 questions without an answer, and other text outside the answers" in remark for remark in taken.remarks_on()
    )


def test_an_accent_written_in_two_ways_is_one_name(take):
    composed, decomposed = "Caf\u00e9/", "Cafe\u0301/"

    taken = take(zipped((composed + MODULE, GOOD), (decomposed + MODULE, GOOD)))

    assert taken.files == {MODULE: GOOD}


def test_a_name_with_a_zero_byte_leads_nowhere(take):
    taken = take(zipped((MODULE, GOOD), (MODULE + "X.txt", b"x = 1")).replace(b"yX.txt", b"y\0.txt"))

    assert taken.files == {MODULE: GOOD}
    assert any("point outside the zip's folder" in remark for remark in taken.remarks_on())


def test_ten_thousand_files_are_ignored_and_more_than_twice_that_is_refused(take):
    many = [(f"venv/{i}", b"") for i in range(10_000)]

    assert any("ignored 10,000 other files" in remark for remark in take(zipped((MODULE, GOOD), *many)).remarks_on())
    assert (
        f"more than {MAX_ENTRIES:,} entries" in take(zipped(*[(str(i), b"") for i in range(MAX_ENTRIES + 1)])).problem
    )


@pytest.mark.timeout(30)
def test_names_as_long_as_they_may_be_take_neither_time_nor_memory(take):
    many = [(f"{i}/" + "a/" * 2040, b"") for i in range(4000)]
    names = [(name + "b", content) for name, content in many]

    tracemalloc.start()
    taken = take(zipped((MODULE, GOOD), *names, method=zipfile.ZIP_STORED))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken.files == {MODULE: GOOD}
    assert peak < 120 * 2**20


@pytest.mark.timeout(30)
def test_a_module_that_is_slow_to_read_is_compared_as_it_stands():
    assert source_digest(b"x = '" + b"\\'" * 250_000) != source_digest(b"y = '" + b"\\'" * 250_000)


def test_weights_are_taken_up_to_a_number(take):
    files = [(f"trained/net{i}.safetensors", b"w") for i in range(MOST_WEIGHTS + 1)]

    taken = take(zipped((MODULE, GOOD), *files, ("trained/../x.safetensors", b""), ("trained/a b.safetensors", b"")))

    assert sum(name.startswith("trained/") for name in taken.files) == MOST_WEIGHTS
    assert any("is one file too many" in remark for remark in taken.remarks_on())


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_four_gigabytes_of_zeros_take_no_memory(take):
    content = with_false_size(zeros(MODULE, 4 * 2**30 - 2**20), 1000)

    tracemalloc.start()
    taken = take(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert MODULE in taken.problems
    assert peak < len(content) + 20 * CAPS[".py"]


def test_what_is_no_file_is_said(tmp_path):
    (tmp_path / "folder.zip").mkdir()
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "gone.zip").symlink_to("nowhere")
    with (tmp_path / "huge.zip").open("wb") as stream:
        stream.truncate(2**31)

    assert take_zip(tmp_path / "folder.zip").problem == "is a folder, not a zip: zip it"
    assert "is not a file (a pipe" in take_zip(tmp_path / "pipe.zip").problem
    assert "cannot be read (No such file" in take_zip(tmp_path / "gone.zip").problem
    assert "is too large: it has 2,048.0 MB" in take_zip(tmp_path / "huge.zip").problem


def test_an_unreadable_zip_is_said(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped((MODULE, GOOD)))
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything

        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(type(path), "open", refuse)

    assert take_zip(path).problem == "cannot be read (Permission denied)"


def test_a_folder_is_taken_like_a_zip_and_its_links_are_not_followed(tmp_path):
    (tmp_path / "assignment2").mkdir()
    (tmp_path / MODULE).write_bytes(GOOD)
    (tmp_path / PARTS[1].module_path).symlink_to("/etc/passwd")

    taken = take_folder(tmp_path)

    assert taken.files == {MODULE: GOOD}
    assert "is a link" in taken.problems[PARTS[1].module_path.as_posix()]


def test_layout_comments_and_docstrings_do_not_change_a_modules_hash():
    one = b'def f(x):\n    """Say."""\n    return x + 1\n'
    same = b"# copied\n\ndef f( x ) :\n        # so\n        return x+1\n"
    other = b"def f(x):\n    return x + 2\n"

    assert source_digest(one) == source_digest(same) != source_digest(other)
    assert source_digest(b"def f(:\n  '") != source_digest(b"def g(:\n  '")


def test_a_folder_for_each_part_is_one_submission(take):
    other = PARTS[1].module_path

    apart = take(zipped(("part0/saliency.py", GOOD), (f"part1/{other.name}", b"x = 1\n")))
    whole = take(zipped((f"part0/{MODULE}", GOOD), (f"part1/{other.as_posix()}", b"x = 1\n")))
    both = take(zipped((f"part0/{MODULE}", GOOD), (f"part1/{MODULE}", b"x = 1\n")))

    assert apart.files == whole.files == {MODULE: GOOD, other.as_posix(): b"x = 1\n"}
    assert "contains the assignment 2 times" in both.problem


def test_weights_without_their_folder_are_taken(take):
    (name,) = [name for part in PARTS for name in part.trained]

    bare = take(zipped(("saliency.py", GOOD), ("unet.safetensors", b"w")))
    beside = take(zipped((f"x/{MODULE}", GOOD), ("x/unet.safetensors", b"w")))

    assert bare.files == beside.files == {MODULE: GOOD, name: b"w"}
    assert not bare.remarks_on()
