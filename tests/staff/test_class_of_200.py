"""A sample of the class of class_of_200.py: right verdicts for everything, through two kills."""

import pytest

from coursekit.staff.isolated.sandbox import refused
from tests.staff.class_of_200 import WRITTEN, judge, run
from tests.staff.submissions import hand_in


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(bool(refused()), reason=refused())
def test_everybody_gets_the_right_verdict_in_a_run_that_is_killed_twice(tmp_path):
    made = hand_in(tmp_path / "zips", every=24)

    ran = run(tmp_path / "zips", tmp_path / "out", workers=2, kills=(len(made) // 4, len(made) // 2))

    assert ran.code == 0, ran.output
    assert ran.graded[0] < ran.graded[1] < ran.graded[2] == len(made), "it was not killed on the way"
    assert judge(made, tmp_path / "out") == {}
    assert ran.processes == []
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(WRITTEN)
