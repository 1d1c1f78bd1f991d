"""`check("saliency_map")` in a notebook, in a plain Python, and with a name that is not there."""

from __future__ import annotations

import json

import pytest

from coursekit.checks.stored import KnownMistake
from coursekit.grading import notebook
from coursekit.grading.results import Check, Grade, Verdict, of_checks

IN_A_NOTEBOOK = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
with capture_output() as captured:
    result = shell.run_cell('from coursekit.grading.notebook import check\\ncheck("saliency_map")')
outputs = [output.data for output in captured.outputs]
json.dump({"outputs": outputs, "printed": captured.stdout, "ok": result.success, "value": result.result}, sys.stdout)
"""
WITHOUT_IPYTHON = """
import sys
sys.modules["IPython"] = sys.modules["IPython.display"] = sys.modules["IPython.core.getipython"] = None
from coursekit.grading.notebook import check
check("guided_relu_gradient")
"""


def test_in_a_notebook_it_shows_the_part_of_the_report(small_edition):
    small_edition.edit("return gradient.abs().sum(dim=1)", "return gradient.sum(dim=1)")

    done = small_edition.python("-c", IN_A_NOTEBOOK)

    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["ok"], shown["value"], shown["printed"]) == (True, None, "")
    (output,) = shown["outputs"]
    assert '<div class="a2 card bad">' in output["text/html"]
    assert "data:image/png;base64," in output["text/html"]
    assert "The saliency map of a linear model is |w_label|" in output["text/html"]
    assert "grad_cam" not in output["text/html"]
    assert "failed: The saliency map of a linear model is |w_label|" in output["text/plain"]


def test_without_ipython_it_prints_text(small_edition):
    small_edition.edit(" * relu_input.clamp(min=0).sign()", "")

    done = small_edition.python("-c", WITHOUT_IPYTHON)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("guided_relu_gradient: not right yet, ")
    assert "hint: " in done.stdout
    assert "<" not in done.stdout.replace("< 0", "")


@pytest.mark.parametrize(
    ("name", "advice"),
    [("saliencymap", "did you mean 'saliency_map'?"), ("xyz", "there are saliency_map, "), (None, "there are ")],
)
def test_an_unknown_name_is_answered_in_one_line(capsys: pytest.CaptureFixture[str], name: str, advice: str):
    notebook.check(name)

    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert printed.startswith(f"no function is called {name!r}: {advice}")


def test_text_of_a_right_and_of_an_untouched_function():
    right = Verdict(Check("tests/saliency/test_saliency_map.py::test_a", "saliency_map", 2.0), "passed")
    todo = Verdict(
        Check("tests/saliency/test_grad_cam.py::test_b", "grad_cam", 1.0), "todo", "NotImplementedError: ..."
    )

    first, second = Grade((right, todo), 0.1).functions

    assert notebook.as_text(first) == "saliency_map: correct, 1 of 1 check"
    assert (
        notebook.as_text(second)
        == 'grad_cam: not written yet\n  failed: b\n    NotImplementedError: ...\n  one more hint: hint("grad_cam")'
    )


def test_a_hint_that_is_about_a_later_check_is_a_possibility_and_names_it():
    known = KnownMistake("blur", "still in the graph", "It drags the whole computation behind it.", 2)
    wrong = Verdict(Check("tests/x/test_blur.py::test_blur_is_wide", "blur", 1.0), "failed", "3 of 9 values are wrong")
    joined = Verdict(
        Check("tests/x/test_blur.py::test_blur_leaves_no_trace", "blur", 1.0), "failed", recognised=(known,)
    )

    (alone,), (later,) = (Grade((*first, joined, joined), 0.1).functions for first in ((), (wrong,)))
    (once,) = Grade((wrong, joined), 0.1).functions

    assert alone.hint == known.hint
    assert later.hint == f'a possibility, by 2 of 3 checks that failed ("blur leaves no trace"): {known.hint}'
    assert once.hint == "", "what one later check alone looks like is no answer"


def test_a_hidden_check_that_no_mistake_is_known_for_makes_no_doubt_of_a_hint():
    """Its numbers are this term's: what fails it is known from nowhere."""
    known = KnownMistake("blur", "half as wide", "Look at the width again.", 2)
    wide = Verdict(Check("tests/x/test_blur.py::test_blur_is_wide", "blur", 1.0), "failed", recognised=(known,))
    place = "tests/hidden/x/test_hidden_blur.py::test_blur_of_fresh_pictures"
    fresh = Verdict(Check(place, "blur", 1.0), "failed", "3 of 9 values are wrong")
    shown = Verdict(Check(place.replace("hidden/", ""), "blur", 1.0), "failed", "3 of 9 values are wrong")

    (alone,), (both,), (doubtful,) = (Grade((*first, wide, wide), 0.1).functions for first in ((), (fresh,), (shown,)))

    assert alone.hint == both.hint == known.hint
    assert doubtful.hint.startswith("a possibility, by 2 of 3 checks")


def test_the_first_failed_check_is_open_and_equal_messages_are_said_once():
    messages = "is wrong at (0, 1)", "an IndexError", "is wrong at (0, 1)", "an IndexError"
    checks = [Check(f"tests/x/test_blur.py::test_{name}", "blur", 1.0) for name in "abcd"]
    pairs = zip(checks, messages, strict=True)
    (function,) = Grade(tuple(Verdict(check, "failed", text) for check, text in pairs), 0.1).functions

    card, text = notebook.fragment(function), notebook.as_text(function)

    for shown in card, text:
        assert [shown.count(message) for message in set(messages)] == [1, 1]
    before, _, folded = card.partition("<details>")
    assert "is wrong at (0, 1)" in before
    assert "Same message in c." in before
    assert folded.count("</details>") == 1
    assert "an IndexError" in folded
    assert "Same message in d." in folded
    assert "    same message in: c" in text.splitlines()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((1, 1), "1 of 1 check passes"),
        ((0, 1), "0 of 1 check passes"),
        ((1, 6), "1 of 6 checks passes"),
        ((0, 6), "0 of 6 checks pass"),
    ],
)
def test_the_number_of_checks_is_grammatical(counts: tuple[int, int], words: str):
    assert of_checks(*counts, "passes", "pass") == words
