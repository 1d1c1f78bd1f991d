"""A sample of thousand.py: on a machine that fails, a verdict is right or there is none; A2_WHOLE=1 takes all of it."""

import os

import pytest

from coursekit.staff.isolated.sandbox import refused
from tests.staff.thousand import EVERY, hand_in, judge, machine, run

COUNT = 1000 if os.environ.get("A2_WHOLE") else 20


@pytest.mark.slow
@pytest.mark.timeout(120 * COUNT)
@pytest.mark.skipif(bool(refused()), reason=refused())
def test_every_verdict_is_right_or_there_is_none(tmp_path):
    made = hand_in(tmp_path / "zips", COUNT)

    with machine(tmp_path) as here:
        codes, said = run(tmp_path / "zips", here, max(3, COUNT // EVERY))
        problems, graded = judge(made, here.out)

    assert here.met, "nothing happened to it"
    assert problems == {}
    assert codes[-1] == 0, said
    assert graded == COUNT
