"""What `a2 grade`, `a2 watch` and `a2 doctor` print: one line for each thing, and last what to do next."""

from __future__ import annotations

import pytest

from coursekit.checks.stored import KnownMistake
from coursekit.grading import terminal
from coursekit.grading.advice import completed, next_step
from coursekit.grading.doctor import Finding
from coursekit.grading.results import Check, Grade, Verdict
from coursekit.grading.watch import Turn
from coursekit.parts import PARTS, ROOT, part_of

CORE = {name for part in PARTS for name in part.core}


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def verdict(function: str, outcome: str, number: int = 0, message: str = "wrong", **more: object) -> Verdict:
    name = f"{part_of(function).tests_path.as_posix()}/test_{function}.py::test_number_{number}"
    return Verdict(Check(name, function, 2.0), outcome, message, **more)  # type: ignore[arg-type]


def whole(**outcomes: str) -> Grade:
    """A grade of every function: still to do, but for those that are named."""
    functions = [name for part in PARTS for name in part.functions]
    return Grade(tuple(verdict(name, outcomes.get(name, "todo")) for name in functions), 1.0)


def core_of(*numbers: int) -> dict[str, str]:
    return {name: "passed" for part in PARTS if part.number in numbers for name in part.core}


def printed(capsys: pytest.CaptureFixture[str], grade: Grade, **options: bool) -> list[str]:
    terminal.print_grade(grade, **options)  # type: ignore[arg-type]
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def test_without_a_part_there_is_one_line_a_part_and_the_next_step(capsys: pytest.CaptureFixture[str]):
    lines = printed(capsys, whole(saliency_map="passed", fgsm="failed"), overview=True)

    rows = [line for line in lines if any(part.title in line for part in PARTS)]
    assert [row.split()[:2] for row in rows] == [
        [{"saliency": "○", "adversarial": "✗"}.get(part.module, "○"), str(part.number)] for part in PARTS
    ]
    assert "2 of 8" in rows[0], "core"
    assert "0 of 12" in rows[0], "extension"
    assert lines[-1].startswith("Next: fix fgsm (1 of 1 check fails): assignment2/adversarial.py:")
    assert len(lines) == 1 + len(PARTS) + 3


def test_the_line_of_the_next_step_is_where_the_function_or_its_hole_stands():
    source = (ROOT / "assignment2" / "saliency.py").read_text(encoding="utf-8").splitlines()

    place = next_step(whole(grad_cam="failed")).rpartition(":")[2]

    assert source[int(place) - 1].startswith("def grad_cam(")
    raised = verdict("grad_cam", "failed", message="ValueError: x\n  at assignment2/saliency.py, line 7: x = 1")
    assert next_step(Grade((raised,), 1.0)).endswith("assignment2/saliency.py:7")


@pytest.mark.parametrize(
    ("grade", "done", "step"),
    [
        (whole(), "", "write saliency_map: assignment2/saliency.py:"),
        (whole(**core_of(1)), "core of part 1 complete", "write ascent_step: assignment2/class_visualization.py:"),
        (whole(**core_of(1, 2)), "core of parts 1 and 2 complete", "write fooling_image: "),
        (whole(**core_of(1), deconvnet="failed"), "core of part 1 complete", "fix deconvnet (1 of 1 check fails): "),
        (whole(**dict.fromkeys(CORE, "passed")), "core of all parts complete", "answer the questions"),
    ],
)
def test_the_next_step_is_what_is_wrong_then_the_core_then_the_next_part(grade: Grade, done: str, step: str):
    assert completed(grade) == done
    assert next_step(grade).startswith(step)


def test_when_the_core_of_the_part_is_complete_it_says_so_and_where_to_go(capsys: pytest.CaptureFixture[str]):
    names = PARTS[0].functions
    grade = Grade(tuple(verdict(n, "passed" if n in PARTS[0].core else "todo") for n in names), 1.0)

    said = " ".join(" ".join(printed(capsys, grade)).split())

    assert "core of part 1 complete. Next: part 2: notebooks/2_class_visualization.ipynb, then `a2 grade 2`" in said
    assert "or an extension, activation_gradient: assignment2/saliency.py:" in said


def test_a_function_alone_completes_no_part():
    alone = Grade((verdict("saliency_map", "passed"),), 1.0)

    assert completed(alone) == ""
    assert next_step(alone) == "`a2 grade 1` shows all of part 1"


def test_what_is_to_do_has_a_circle_and_only_what_is_wrong_a_cross(capsys: pytest.CaptureFixture[str]):
    grade = Grade((verdict("saliency_map", "passed"), verdict("grad_cam", "todo"), verdict("deconvnet", "failed")), 1.0)

    rows = {line.split()[2]: line.split()[1] for line in printed(capsys, grade) if " / " in line}

    assert rows == {"saliency_map": "✓", "grad_cam": "○", "deconvnet": "✗"}


def test_in_the_c_locale_every_sign_is_ascii(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LC_ALL", "C")

    for overview in (True, False):
        assert "\n".join(printed(capsys, whole(fgsm="failed", pgd="passed"), overview=overview)).isascii()


def test_a_turn_is_a_bar_what_changed_in_one_line_and_the_first_failure(capsys: pytest.CaptureFixture[str]):
    mistake = KnownMistake("fgsm", "no_sign", "Take the sign.", 1)
    lost = tuple(verdict("fgsm", "failed", i, recognised=(mistake,), printed="mine") for i in range(7))
    right = verdict("pgd", "passed")

    terminal.print_turn(Turn(Grade((*lost, right), 0.5), newly_passed=(right,), newly_failed=lost))

    lines = capsys.readouterr().out.splitlines()
    assert "score: 2 of 16 points (12 %), 0.50 s" in lines[0]
    assert lines[1:3] == ["✓ now passes: pgd: number 0", "✗ now fails: fgsm: number 0 (and 6 more)"]
    text = "\n".join(lines)
    assert text.count("now fails") == 1
    assert "✗ fgsm: not right yet, 0 of 7 checks pass" in text
    assert "hint: Take the sign." in text
    assert "mine" in text
    assert lines[-1].startswith("Next: fix fgsm")
    assert len(lines) < 15


def test_a_long_line_of_a_turn_goes_on_below_at_a_word(capsys: pytest.CaptureFixture[str]):
    words = "each map is divided by its own maximum also where nothing at all speaks for the class"
    check = Check(f"tests/saliency/test_grad_cam.py::test_{words.replace(' ', '_')}", "grad_cam", 2.0)
    lost = Verdict(check, "failed", "wrong")

    terminal.print_turn(Turn(Grade((lost,), 0.5), newly_failed=(lost,)))

    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    start = next(i for i, line in enumerate(lines) if "now fails" in line)
    assert " ".join(lines[start : start + 2]) == f"✗ now fails: grad_cam: {words}"
    start = next(i for i, line in enumerate(lines) if line.startswith("  each map"))
    assert (lines[start] + lines[start + 1][1:]).strip() == words
    assert max(map(len, lines)) <= 80


def test_the_doctor_ends_with_one_line(capsys: pytest.CaptureFixture[str]):
    terminal.print_findings([Finding("Python", True, "3.11"), Finding("data", False, "gone", "copy it again")])
    assert capsys.readouterr().out.splitlines()[-1] == "To fix: data"

    terminal.print_findings([Finding("Python", True, "3.11")])
    assert capsys.readouterr().out.splitlines()[-1] == "Everything is in order."
