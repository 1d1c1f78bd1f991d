"""The documents name commands that exist, the README's table is the parts table, every command explains itself."""

import argparse
import ast
import json
import re
import shlex
from dataclasses import replace

import pytest

from coursekit.cli import build_parser, main
from coursekit.errors import UsageError
from coursekit.grading.hint import ladder, next_hint, reset_hints
from coursekit.grading.results import read_manifest
from coursekit.parts import PARTS, ROOT, notebooks_of
from coursekit.staff.readme import table_problems

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/staff.md", "docs/student/README.md", "data/README.md"]
SET_FOR_IT = r"(?:[A-Z][A-Z0-9_]*=[^\s`]+ )*"  # A2_MODEL=squeezenet1_1
PLACEHOLDERS = {
    "NAME": "tiny_vgg",
    "RESULTS.json": "r.json",
    "REPORT.html": "r.html",
    "FOLDER": "folder",
    "FUNCTION": "saliency_map",
    "PART": "1",
}


def commands_in(text):
    """The commands that a text tells a reader to type, without comments and without the variables set for them."""
    typed = rf"^\s*{SET_FOR_IT}(\./setup\.sh [^\n`#]*)|`{SET_FOR_IT}((?:\./setup\.sh|a2) [^`\n]*)`"
    for line in re.findall(typed, text, flags=re.MULTILINE):
        words = shlex.split("".join(line).split("#")[0].replace("[", "").replace("]", ""))
        yield [PLACEHOLDERS.get(word, word) for word in words[1:] if word not in ("...", "COMMAND...")]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_in_a_document_is_one(name):
    found = [words for words in commands_in((ROOT / name).read_text(encoding="utf-8")) if words]

    for words in found:
        if words[0] == "test":  # setup.sh's own
            continue
        if len(words) == 1:  # a command's bare name, in a sentence
            assert words[0] in (*subcommands(), "--version"), words
        else:
            assert build_parser().parse_args(words).run, words
    assert found or name == "data/README.md", "no command was found: has the form changed?"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_variable_that_a_document_sets_is_read_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    code = "".join(p.read_text(encoding="utf-8") for p in [ROOT / "setup.sh", *(ROOT / "coursekit").rglob("*.py")])

    found = re.findall(r"\b([A-Z][A-Z0-9_]+)=[^\s`]+ (?:\./setup\.sh|\.venv/bin/|a2 )", text)

    assert all(re.search(rf"[\"${{]{variable}\b", code) for variable in found), found
    assert found or name != "docs/student/README.md", "A2_MODEL and PHOTOS are explained there"


def subcommands():
    (action,) = (a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return action.choices


@pytest.mark.parametrize("name", list(subcommands()))
def test_every_command_has_an_example_that_parses(name):
    text = subcommands()[name].format_help()
    example = re.search(r"example: (a2 .*)", text)

    assert example, text
    assert build_parser().parse_args(shlex.split(example[1])[1:]).command == name


def test_the_readmes_table_is_the_parts_table():
    assert table_problems() == []


def sum_of_points(part=None, *, extension=False, hidden=False):
    """The points of the core functions, with the extension's if wanted: at home or with the hidden checks, of a part or all."""
    functions = {name for p in PARTS if part in (None, p.number) for name in (p.functions if extension else p.core)}
    folders = [ROOT / "tests", *([ROOT / "tests" / "hidden"] if hidden else [])]
    checks = [check for folder in folders for check in read_manifest(folder / "manifest.json")]
    return sum(check.points for check in checks if check.function in functions)


def sentences_with_sums(name):
    """What a document says about sums of points, with the sums as they are."""
    home, first, classroom = sum_of_points(), sum_of_points(1), sum_of_points(hidden=True)
    trained = [c for c in read_manifest(ROOT / "tests" / "manifest.json") if "trained_network_reaches" in c.id]
    said = {
        "README.md": [f"the {home:g} points that everybody is graded on"],  # a2 readme writes it
        "docs/student/README.md": [
            f"(part 1 has {first:g} points, all six parts together have {home:g})",
            f"{sum(c.points for c in trained):g} of its points are for its mean IoU",
        ],
        "docs/staff.md": [
            f"`max_core` is {classroom:g} with the hidden checks; without them, as in the student edition, it is {home:g}"
        ],
    }
    return said.get(name, [])


NOTEBOOKS = [path.as_posix() for path in notebooks_of(PARTS)]


@pytest.mark.parametrize("name", [*DOCUMENTS, *NOTEBOOKS])
def test_every_sum_of_points_in_a_document_is_that_of_the_table(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    if name in NOTEBOOKS:
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
    text = " ".join(text.split())  # a sentence may be wrapped anywhere

    for sentence in sentences_with_sums(name):
        assert sentence in text, f"{name} should say: {sentence}"
        text = text.replace(sentence, "")
    untested = re.findall(r"\d+ (?:\w+ ){0,2}points", text)
    assert not untested, f"{name} names sums that no test holds: add their sentences to sentences_with_sums"


@pytest.mark.parametrize("folder", ["tests", "tests/hidden"])
def test_every_check_is_shown_as_a_sentence_of_at_most_a_hundred_characters(folder):
    for check in read_manifest(ROOT / folder / "manifest.json"):
        path, name = check.id.split("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        (written,) = (ast.get_docstring(node) for node in tree.body if getattr(node, "name", "") == name)

        assert written, f"{check.id} has no docstring: its first line is what a student reads"
        assert check.title == written.splitlines()[0], f"{check.id}: its docstring is another one, run a2 reference"
        assert len(check.title) <= 100, f"{check.id}: {len(check.title)} characters"
        assert check.title.endswith("."), f"{check.id} is not a sentence: {check.title}"
        assert not check.title.lower().startswith("test"), check.id


def test_the_readme_is_short_and_its_pictures_are_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 120
    for path in re.findall(r"!?\[[^\]]*\]\(([^)#]+)\)", text):
        assert (ROOT / path).exists(), path


def test_an_unknown_command_and_an_unknown_function_are_usage_errors(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["grande"])
    assert stopped.value.code == 2
    assert main(["hint", "saliency_mapp"]) == 2
    assert "no function is called 'saliency_mapp'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("grade 1 --submission FOLDER", "--submission needs --isolated"),
        ("grade 1 --results nowhere/r.json", "nowhere/r.json cannot be written"),
        ("grade 1 --report nowhere/r.html", "nowhere/r.html cannot be written"),
        ("grade 99", "'99'"),
        ("classroom zips", "--out"),
        ("classroom --out out --parts 1 tests", "zips (write it before --parts, "),
        ("gradescope --parts 1 autograder.zip", "destination (write it before --parts, "),
        ("classroom tests --out out --workers two", "'two'"),
        ("classroom tests --out out --scheduler localhost", "--scheduler localhost is not an address"),
        ("train tiny_vgg --epochs 0", "--epochs 0"),
        ("train tiny_vgg --device quantum", "--device quantum"),
        ("grande", "'grande'"),
    ],
)
def test_a_wrong_argument_is_one_line_that_names_it(typed, named, capsys, monkeypatch, tmp_path):
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path)
    try:
        code = main(shlex.split(typed))
    except SystemExit as stopped:
        code = stopped.code

    told = capsys.readouterr().err
    assert code == 2
    assert told.count("\n") == 1
    assert len(told) < 400
    assert named in told


def test_an_exercise_that_was_taken_out_of_the_table_is_named_until_the_manifest_is_stored_again(
    capsys, monkeypatch, tmp_path
):
    monkeypatch.setattr("coursekit.parts.PARTS", PARTS[1:])

    for command in ("grade", f"classroom {ROOT / 'tests'} --out {tmp_path / 'out'}", f"release {tmp_path / 'student'}"):
        assert main(command.split()) == 2
        assert "has checks of activation_gradient, which no part has: `a2 reference`" in capsys.readouterr().err
    assert not (tmp_path / "student").exists()


def test_an_exercise_without_hints_or_checks_is_told_what_it_lacks(capsys, monkeypatch):
    first = replace(PARTS[0], extension=(*PARTS[0].extension, "new_one"))
    monkeypatch.setattr("coursekit.parts.PARTS", (first, *PARTS[1:]))

    for command, lacks in (("hint", "has no hints"), ("grade", "has no check")):
        assert main([command, "new_one"]) == 2
        assert f"new_one {lacks}" in capsys.readouterr().err


@pytest.mark.parametrize("function", [name for part in PARTS for name in part.functions])
def test_hints_come_one_by_one_and_are_remembered(function, tmp_path):
    hints = ladder(function)

    shown = [next_hint(function, root=tmp_path) for _ in range(len(hints) + 1)]

    assert len(hints) >= 3
    assert "=" in hints[-1] or "<-" in hints[-1], "the last hint is a line of mathematics"
    assert hints[0] in shown[0]
    assert hints[1] not in shown[0]
    assert all(hint in shown[-1] for hint in hints)
    reset_hints(function, root=tmp_path)
    assert next_hint(function, root=tmp_path) == shown[0]
    for memory in ("{ half", "[1]", f'{{"{function}": "x"}}', f'{{"{function}": -7}}'):
        (tmp_path / ".a2" / "hints.json").write_text(memory)
        assert next_hint(function, root=tmp_path) == shown[0], "a lost memory begins again"


@pytest.mark.parametrize("function", [name for part in PARTS for name in part.functions])
def test_hints_fit_into_eighty_columns_and_lose_no_word(function, capsys, monkeypatch):
    hints = " ".join(ladder(function))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("coursekit.grading.hint.next_hint", lambda _: hints)

    assert main(["hint", function]) == 0

    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert printed.split() == hints.split()


def test_hints_that_cannot_be_remembered_are_refused_in_one_line(tmp_path):
    (tmp_path / ".a2").touch()

    with pytest.raises(UsageError, match=r"hints\.json cannot be written .*: fix or remove it$"):
        next_hint("saliency_map", root=tmp_path)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.module)
def test_a_student_module_is_read_in_small_pieces(part):
    """No body has more than forty lines, no docstring more than twelve."""
    for node in ast.walk(ast.parse((ROOT / part.module_path).read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            told = len((ast.get_docstring(node) or "").splitlines())
            assert told <= 12, f"{node.name}: {told} lines of docstring"
        if isinstance(node, ast.FunctionDef):
            first = node.body[1 if ast.get_docstring(node) else 0].lineno if len(node.body) > 1 else node.lineno
            assert node.end_lineno - first < 40, f"{node.name} has {node.end_lineno - first + 1} lines"
