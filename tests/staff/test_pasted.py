"""No function that ships is an answer, and the gate would see one."""

import ast
import textwrap

import pytest

from coursekit.parts import part_of
from coursekit.staff.pasted import earned, parameters

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
"""


@pytest.mark.timeout(300)
def test_an_answer_inside_a_fixture_is_found(monkeypatch, tmp_path):
    folder = tmp_path / "tests" / "planted"
    folder.mkdir(parents=True)
    (folder / "conftest.py").write_text(textwrap.dedent(ANSWER))
    monkeypatch.setattr("coursekit.staff.pasted.ROOT", tmp_path)

    found = {(o.function, o.message.split(": ")[1]) for o in earned(part_of("guided_relu_gradient"), ["tests/planted"])}

    assert ("guided_relu_gradient", "rule") in found
    assert {name for _, name in found} == {"rule"}


@pytest.mark.parametrize(
    ("shipped", "fits"),
    [
        ("def f(x, y): ...", True),
        ("def f(self, x, y=1): ...", True),
        ("def f(*rest, size=3): ...", True),
        ("def f(x, y, *, eps): ...", True),
        ("def f(x, y, *, size): ...", False),
        ("def f(x): ...", False),
        ("def f(x, y, z): ...", False),
    ],
)
def test_a_function_fits_a_hole_if_it_can_be_called_like_it(shipped, fits):
    hole, function = (ast.parse(text).body[0] for text in ("def hole(x, y, *, eps=1): ...", shipped))

    assert parameters(function).fit(parameters(hole)) == fits
