"""No code that ships is an answer, and the gate would see one."""

import ast
import textwrap

import pytest

from coursekit.parts import part_of
from coursekit.staff.pasted import Stopped, _answer, earned, pastes
from coursekit.staff.shipped import parameters, shipped

ANSWER = """
    import pytest
    import torch


    @pytest.fixture
    def right_rule():
        one = 1

        def bound(x):
            return x.clamp(min=0)

        def rule(upstream, relu_input):
            return bound(upstream) * (relu_input > 0) * one

        return rule


    SIGNS = {"deconvnet": lambda above, _: above.relu()}


    class Rules:
        def guided(self, upstream, relu_input):
            return upstream * ((upstream > 0) & (relu_input > 0))

        def wrong(self, upstream, relu_input):
            return upstream * (relu_input > 0)
"""
EARNING = (
    ("guided_relu_gradient", "rule"),
    ("guided_relu_gradient", "guided"),
    ("deconvnet_relu_gradient", "lambda"),
)


@pytest.mark.timeout(300)
def test_answers_are_found_inside_a_fixture_as_a_lambda_and_as_a_method():
    planted = {"tests/planted/conftest.py": textwrap.dedent(ANSWER)}

    found = {(o.function, o.message.split(": ")[1]) for o in earned(part_of("guided_relu_gradient"), planted)}

    assert found == {(name, answer) for name, answer in EARNING}


def test_all_that_ships_is_pasted():
    texts = shipped()

    assert {"tests/saliency/conftest.py", "coursekit/vision/hooks.py", "notebooks/1_saliency.ipynb"} <= texts.keys()
    assert "assignment2/saliency.py" in texts
    assert "BEGIN SOLUTION" not in "".join(texts.values())
    assert not any("hidden" in path or "/staff/" in path for path in texts)
    for path, text in texts.items():
        compile(text, path, "exec")


def test_what_wants_files_or_processes_is_not_pasted():
    text = "import os\n\ndef leave(code: int):\n    os._exit(code)\n\ndef save(path: Path):\n    path.touch()\n"
    fine = "def square(value: float):\n    return value**2\n"

    assert [edit.name for edit in pastes("rotate_kernel", {"coursekit/some.py": text + fine})] == [
        "coursekit/some.py, line 8: square"
    ]


def test_a_paste_that_never_ends_is_stopped():
    def endless():
        while True:
            pass

    assert _answer(endless, (), {}, 0.05) is Stopped
    assert _answer(lambda x: x + 1, (1,), {}, 0.05) == 2
    assert _answer(lambda: pytest.fail("no"), (), {}, 0.05) is pytest.fail.Exception


@pytest.mark.parametrize(
    ("shipped", "given"),
    [
        ("def f(x, z): ...", "x, y"),
        ("def f(y, x): ...", "y=y, x=x"),
        ("def f(self, x, z=1): ...", "x=x"),
        ("def f(z, size=3): ...", "x, y"),
        ("def f(*rest, size=3): ...", "x, y"),
        ("def f(z, w, *, eps): ...", "x, y, eps=eps"),
        ("def f(z, w, size): ...", "x, y, eps"),
        ("lambda z, w: z", "x, y"),
        ("def f(x, y, *, size): ...", ""),
        ("def f(z): ...", ""),
        ("def f(x, y, z, w): ...", ""),
    ],
)
def test_a_function_fits_a_hole_if_it_can_be_called_with_what_that_is_given(shipped, given):
    hole, function = (ast.parse(text).body[0] for text in ("def hole(x, y, *, eps=1): ...", shipped))
    function = function.value if isinstance(function, ast.Expr) else function

    assert parameters(function).given(parameters(hole)) == given
