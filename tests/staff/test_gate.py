"""The autograder is held to its promises, and the rooms to their arrows."""

import ast
from dataclasses import replace

import pytest

from coursekit.errors import UsageError
from coursekit.parts import PARTS, ROOT, part_of
from coursekit.staff.check import hint_problems, hold, told_once
from coursekit.staff.edits import Edit, mistake, split, untouched
from coursekit.staff.trials import run_trials

ARROWS = {  # a room -> what it must not import
    "coursekit/vision": ("assignment2", "coursekit.grading", "coursekit.staff"),
    "coursekit/grading": ("assignment2", "coursekit.staff"),
    "coursekit/staff": ("assignment2",),
    "assignment2": ("coursekit.grading", "coursekit.staff"),
}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "part",
    [PARTS[0], *(pytest.param(part, marks=pytest.mark.slow) for part in PARTS[1:])],
    ids=lambda part: part.module,
)
def test_the_gate_holds(part):
    gate = hold([part])

    assert gate.holds, "\n".join(gate.problems)
    assert [row.function for row in gate.rows] == list(part.functions)


@pytest.mark.parametrize("room", ARROWS)
def test_imports_point_one_way(room):
    for path in sorted((ROOT / room).rglob("*.py")):
        for name in imported(path):
            wrong = [taboo for taboo in ARROWS[room] if name == taboo or name.startswith(taboo + ".")]
            assert not wrong, f"{path.relative_to(ROOT)} imports {name}"


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_an_edit_that_no_longer_applies_is_an_error():
    with pytest.raises(UsageError, match="stands 0 times"):
        mistake("saliency_map", "stale", ".sum(axis=7)", ".sum(1)", hint="x").function_source()


def test_an_edit_that_changes_nothing_is_an_error():
    with pytest.raises(UsageError, match="changes nothing"):
        mistake("saliency_map", "comment only", "# (N, H, W)", "# a map", hint="x").function_source()


def test_the_name_of_no_function_is_told_with_its_place(monkeypatch):
    stranger = Edit("saliency_mapp", "no abs", body="return 1")
    with pytest.raises(
        UsageError, match=r"'saliency_mapp/no abs': no function is called 'saliency_mapp'; near: saliency_map"
    ):
        run_trials([(stranger,)], PARTS[:1])

    kept = replace(PARTS[0], core=PARTS[0].core[1:])
    monkeypatch.setattr("coursekit.parts.PARTS", (kept, *PARTS[1:]))
    with pytest.raises(UsageError, match=r"tests/test_saliency.py::\w+: no function is called 'saliency_map'"):
        run_trials([()], [kept])


def test_a_hint_that_tells_the_code_is_found():
    telling = mistake("saliency_map", "no abs", "gradient.abs()", "gradient", hint="You forgot abs here.")

    assert hint_problems(telling) == ["tells the code word 'abs' in its hint"]


def test_a_cause_that_many_share_is_told_once():
    stale = [(f"fgsm/{number}", ["is taken for nothing known; run a2 reference"]) for number in range(60)]

    told = list(told_once([("the solution", ["fails a check"]), *stale, ("pgd/no clamp", ["is not rejected"])]))

    assert told == [
        "the solution fails a check",
        "fgsm/0 is taken for nothing known; run a2 reference (and 59 more: fgsm/1, fgsm/2, fgsm/3 ...)",
        "pgd/no clamp is not rejected",
    ]


def test_the_solution_can_be_split_and_put_together():
    before, solution, after = split("saliency_map")

    assert before.startswith("@checked\ndef saliency_map(")
    assert "BEGIN SOLUTION" in before
    assert "BEGIN" not in solution
    assert after == "", "nothing but the marker follows"
    assert Edit("saliency_map", "same", body=solution + "    unused = 1\n").function_source()


def test_the_solution_of_a_class_are_its_methods():
    before, solution, after = split("FCN")

    assert before.startswith("class FCN(Network):")
    assert solution.startswith("    def __init__(")
    assert "def forward(" in solution
    assert after == ""
    (empty,) = (edit for edit in untouched(part_of("FCN")) if edit.function == "FCN")
    assert 'raise NotImplementedError("FCN: your code here")' in empty.function_source()
