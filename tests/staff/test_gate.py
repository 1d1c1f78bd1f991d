"""The autograder is held to its promises."""

import json
from dataclasses import replace

import pytest

from coursekit.checks.stored import KnownMistake
from coursekit.errors import UsageError
from coursekit.parts import PARTS, ROOT, part_of
from coursekit.staff.check import also_lost, hint_problems, hold, inventory_problems, mistake_problems, told_once
from coursekit.staff.edits import Edit, mistake, split, untouched
from coursekit.staff.exercises import exercise, mistakes_of, strays, variants_of
from coursekit.staff.trials import Outcome, Trial, run_trials


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.module)
def test_the_gate_holds(part):
    gate = hold([part])

    assert gate.holds, "\n".join(gate.problems)
    assert [row.function for row in gate.rows] == list(part.functions)


def test_the_gate_holds_for_a_sample():
    wrong = [edit for part in PARTS for edit in mistakes_of(part)][::50]
    right = [edit for part in PARTS for edit in variants_of(part)][::30]

    trials = run_trials([(edit,) for edit in (*wrong, *right)], PARTS).trials

    for trial in trials:
        edit = trial.edits[0]
        problems = mistake_problems(trial) if edit.hint else [o for o in trial.outcomes if o.score < o.max_score]
        assert not problems, f"{edit}: {problems}"


def of(function, edit):
    """An edit as the record of a function would hold it."""
    return replace(edit, function=function)


def hole_of(function):
    return next(edit for edit in untouched(part_of(function)) if edit.function == function)


def test_an_edit_that_no_longer_applies_is_an_error():
    with pytest.raises(UsageError, match="stands 0 times"):
        of("saliency_map", mistake("stale", ".sum(axis=7)", ".sum(1)", hint="x")).function_source()


def test_an_edit_that_changes_nothing_is_an_error():
    with pytest.raises(UsageError, match="changes nothing"):
        of("saliency_map", mistake("comment only", "# (N, H, W)", "# a map", hint="x")).function_source()


def test_the_name_of_no_function_is_told_with_its_place(monkeypatch):
    stranger = Edit("saliency_mapp", "no abs", body="return 1")
    with pytest.raises(
        UsageError, match=r"'saliency_mapp/no abs': no function is called 'saliency_mapp'; near: saliency_map"
    ):
        run_trials([(stranger,)], PARTS[:1])

    kept = replace(PARTS[0], core=PARTS[0].core[1:])
    monkeypatch.setattr("coursekit.parts.PARTS", (kept, *PARTS[1:]))
    with pytest.raises(
        UsageError, match=r"tests/saliency/test_saliency_map.py::\w+: no function is called 'saliency_map'"
    ):
        run_trials([()], [kept])


def test_a_hint_that_tells_the_code_is_found():
    telling = of("saliency_map", mistake("no abs", "gradient.abs()", "gradient", hint="You forgot abs here."))

    assert hint_problems(telling) == ["has the code word 'abs' in its hint"]


def test_a_hint_may_use_the_words_of_the_docstring_and_of_the_field():
    step = "(images.detach() + eps * direction).clamp(0, 1)"
    plain = of("fgsm", mistake("bare step", step, "images.detach() + direction", hint="Multiply by eps, then clamp."))

    assert hint_problems(plain) == []


def test_a_function_without_a_record_is_told_where_to_write_it(monkeypatch):
    new = replace(PARTS[0], extension=(*PARTS[0].extension, "new_one"))
    monkeypatch.setattr("coursekit.parts.PARTS", (new, *PARTS[1:]))
    monkeypatch.setattr("coursekit.staff.check.split", lambda function: ("", "", ""))

    assert inventory_problems(new) == [
        f"new_one has 0 {kind} in coursekit/staff/exercises/saliency/new_one.py, {least} are wanted"
        for kind, least in (("hints", 3), ("mistakes", 6), ("variants", 3))
    ]


def test_the_record_of_no_function_is_named(monkeypatch, tmp_path):
    folder = tmp_path / "coursekit" / "staff" / "exercises" / "saliency"
    folder.mkdir(parents=True)
    for name in ("shared", "saliency_map", "saliency_mapp"):
        (folder / f"{name}.py").touch()
    monkeypatch.setattr("coursekit.staff.exercises.ROOT", tmp_path)

    assert [path.name for path in strays(PARTS[0])] == ["saliency_mapp.py"]
    assert strays(PARTS[1]) == []


def test_stored_hints_that_are_not_those_of_the_records_are_stale(monkeypatch, tmp_path):
    assert inventory_problems(PARTS[0]) == []
    stored = json.loads((ROOT / "data" / "hints.json").read_text(encoding="utf-8"))
    stored["saliency_map"][0] = "An older hint."
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hints.json").write_text(json.dumps(stored))
    monkeypatch.setattr("coursekit.grading.hint.ROOT", tmp_path)

    assert inventory_problems(PARTS[0]) == ["data/hints.json has other hints of saliency_map: run a2 reference"]


def test_a_mistake_that_is_told_an_older_hint_is_named():
    edit = exercise("saliency_map").mistakes[0]

    def problems(hint):
        known = (KnownMistake("saliency_map", edit.name, hint, 1),)
        failed = Outcome("tests/x.py::test_x", "saliency_map", "failed", 0.0, 1.0, "differs", known, 0.0, None)
        return mistake_problems(Trial((edit,), (failed,)))

    assert problems(edit.hint) == []
    assert problems("An older hint.") == ["gets another hint than its record has; run a2 reference"]


def test_a_function_that_falls_with_another_is_named_unless_it_is_graded_with_it():
    def outcome(function, result):
        return Outcome(f"tests/x.py::test_{function}", function, result, 0.0, 1.0, "differs", (), 0.0, None)

    def holed(function, *outcomes):
        return also_lost(Trial((hole_of(function),), outcomes))

    own, fallen = outcome("gram_matrix", "todo"), outcome("style_loss", "failed")
    assert holed("gram_matrix", own, outcome("style_loss", "passed")) == []
    assert holed("gram_matrix", own, fallen) == ["also loses tests/x.py::test_style_loss: differs"]
    assert holed("UNet", outcome("trained_unet", "failed")) == []


def test_of_a_mistake_its_own_checks_are_run_and_of_a_hole_those_that_rest_on_it():
    wrong = exercise("gram_matrix").mistakes[0]

    mistaken, emptied = run_trials([(wrong,), (hole_of("gram_matrix"),)], [part_of("gram_matrix")]).trials

    assert {o.function for o in mistaken.outcomes} == {"gram_matrix"}
    assert {o.function for o in emptied.outcomes} >= {"gram_matrix", "style_loss", "style_transfer"}
    assert {o.outcome for o in emptied.outcomes if o.function != "gram_matrix"} == {"passed"}
    assert {o.outcome for o in emptied.outcomes if o.function == "gram_matrix"} == {"todo"}


def test_a_cause_that_many_share_is_told_once():
    stale = [(f"fgsm/{number}", ["is recognised as no known mistake; run a2 reference"]) for number in range(60)]

    told = list(told_once([("the solution", ["fails a check"]), *stale, ("pgd/no clamp", ["is not rejected"])]))

    assert told == [
        "the solution fails a check",
        "fgsm/0 is recognised as no known mistake; run a2 reference (and 59 more: fgsm/1, fgsm/2, fgsm/3 ...)",
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
    assert 'raise NotImplementedError("FCN: your code here")' in hole_of("FCN").function_source()


def test_grad_cam_by_two_hooks_fails_where_an_in_place_relu_follows_and_nowhere_else():
    stored = json.loads((ROOT / "data" / "reference" / "saliency.json").read_text(encoding="utf-8"))

    failed = [check for check, mistakes in stored["failures"].items() if "grad_cam/two hooks" in mistakes]

    assert [check.split("::")[1] for check in failed] == [
        "test_grad_cam_takes_the_layers_own_output_before_an_in_place_relu"
    ]
    assert "record_outputs" in stored["hints"]["grad_cam/two hooks"]
