"""How a wrong result relates to the right one: a sentence that is true, or none."""

import numpy as np
import pytest

from coursekit.checks.expect import CheckFailed, Expect
from coursekit.checks.relation import relation_of
from coursekit.checks.stored import Store

RIGHT = np.random.default_rng(0).normal(size=(3, 4, 5))
PER_IMAGE = np.abs(RIGHT).max(axis=(1, 2), keepdims=True)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (-RIGHT, "yours is what is expected, with the other sign"),
        (abs(RIGHT), "yours is the absolute value of what is expected"),
        (RIGHT.clip(min=0), "yours is what is expected, with 0 for every negative value"),
        (1 - RIGHT, "yours is 1 minus what is expected"),
        (RIGHT**2, "yours is the square of what is expected"),
        (np.sign(RIGHT), "yours is the sign of what is expected"),
        (RIGHT * np.where(np.arange(5) < 2, -1, 1), "only signs are wrong"),
        (RIGHT + 0.25, "yours is what is expected plus 0.25, everywhere"),
        (RIGHT / 35, "yours is 1/35 of what is expected"),
        (RIGHT * 3, "yours is 3 times what is expected"),
        (RIGHT * 0.1234, "yours is 0.1234 times what is expected, everywhere"),
        (RIGHT[:, ::-1], "yours is what is expected, upside down"),
        (RIGHT[[2, 1, 0]], "along the first axis [1] is right, the others are not"),
        (RIGHT[[2, 0, 1]], "yours is what is expected in the order [2, 0, 1] of the first axis"),
        (RIGHT / PER_IMAGE, "along the first axis yours are "),
        (np.where(np.arange(5) < 2, 0, RIGHT), "where yours is wrong, it is 0"),
        (np.zeros_like(RIGHT), "yours is 0 everywhere"),
        (RIGHT.transpose(0, 2, 1), "transpose(0, 2, 1) of it is right"),
        (np.random.default_rng(1).normal(size=(3, 4, 5)), ""),
        (RIGHT * (1 + 1e-9), ""),
        (RIGHT * 1e300, "times what is expected"),
        (RIGHT * 1e-300, "times what is expected"),
    ],
)
def test_the_sentence_says_what_the_wrong_result_is(wrong, words):
    found = relation_of(wrong, RIGHT)

    assert words in found
    assert bool(words) == bool(found)


def test_of_a_single_number_only_what_is_no_chance_is_said():
    right = np.array(72.02)

    assert relation_of(right / 3, right) == "yours is 1/3 of what is expected"
    assert relation_of(-right, right) == "yours is what is expected, with the other sign"
    assert relation_of(right**0.5, right) == "yours is the square root of what is expected"
    assert relation_of(np.array(8.1234), right) == ""


def test_a_step_is_compared_with_the_step():
    start = np.full_like(RIGHT, 7.0)

    assert relation_of(start + RIGHT / 2, start + RIGHT) == ""
    found = relation_of(start + RIGHT / 2, start + RIGHT, start=start)
    assert found == "of the steps from where it begins: yours is 1/2 of what is expected"


def test_wrong_borders_and_images_without_an_axis():
    wide = np.random.default_rng(2).normal(size=(8, 9))
    border = wide.copy()
    border[[0, -1]] += 1
    spot = wide.copy()
    spot[0, 3] += 1

    assert relation_of(border, wide) == "yours is right but for the outermost 1 pixel"
    assert relation_of(spot, wide) == "", "a single place is no border"
    assert relation_of(np.where(wide > 0, wide, 0) + (wide > 9), wide).startswith("yours is what is expected, with 0")


def test_the_sentence_stands_in_the_message_between_the_values_and_the_formula(tmp_path):
    import torch

    with pytest.raises(CheckFailed) as caught:
        Expect("x", Store(tmp_path, "x"))(torch.tensor([-1.0, 2.0]), torch.tensor([1.0, -2.0]), "the law")

    lines = str(caught.value).splitlines()
    assert lines[1:] == ["  yours is what is expected, with the other sign", "  expected: the law"]
