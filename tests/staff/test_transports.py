"""One set of checks, two transports: the same submission gets the same verdict in process and in a sandbox, check by check."""

import ast
import os
import shutil

import pytest

from coursekit.parts import PARTS, ROOT
from coursekit.staff.edits import untouched
from coursekit.staff.exercises import mistakes_of
from coursekit.staff.isolated.sandbox import refused
from coursekit.staff.isolation import checks_of, grade_submission
from coursekit.staff.trials import run_trials

pytestmark = pytest.mark.skipif(bool(refused()), reason=refused())


@pytest.fixture
def submit(tmp_path):
    """Write a submission: our solution with some functions edited."""

    def write(part, edits):
        text = (ROOT / part.module_path).read_text(encoding="utf-8")
        for edit in edits:
            text = replace_function(text, edit)
        path = tmp_path / part.module_path
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for trained in part.trained:
            (tmp_path / trained).parent.mkdir(exist_ok=True)
            shutil.copyfile(ROOT / trained, tmp_path / trained)
        return tmp_path

    return write


def replace_function(text, edit):
    lines = text.splitlines(keepends=True)
    node = next(n for n in ast.parse(text).body if getattr(n, "name", "") == edit.function)
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    after = lines[node.end_lineno :]
    if after and "### END SOLUTION" in after[0]:
        after = after[1:]
    return "".join([*lines[: first - 1], edit.function_source(), *after])


def compare(part, trials, submit, room):
    """Return, for each trial, where the two transports disagree."""
    problems = []
    for trial in trials:
        names = {o.check: o for o in trial.outcomes}
        checks = [c for c in checks_of([part]) if c.id in names]
        grade = grade_submission(submit(part, trial.edits), [part], room=room, checks=checks)
        for verdict in grade.verdicts:
            there = names[verdict.check.id]
            if (verdict.outcome, verdict.score) != (there.outcome, there.score):
                edit = trial.edits[0] if trial.edits else "solution"
                problems.append(
                    f"{edit}: {verdict.check.id}: in process {there.outcome} ({there.message[:300]}), isolated {verdict.outcome} ({verdict.message[:300]})"
                )
    return problems


@pytest.mark.sampled(4)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.module)
def test_solution_and_untouched_edition_get_equal_verdicts(part, submit, room):
    trials = run_trials([(), untouched(part)], [part]).trials

    assert not compare(part, trials, submit, room)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.module)
def test_a_sample_of_the_mistakes_gets_equal_verdicts(part, submit, room):
    trials = run_trials([(edit,) for edit in sample(mistakes_of(part))], [part]).trials

    assert not (problems := compare(part, trials, submit, room)), "\n".join(problems)


def sample(edits):
    """Take every tenth mistake and the first of each function; A2_WHOLE=1 takes all, ten minutes more."""
    if os.environ.get("A2_WHOLE"):
        return edits
    first = {edit.function: edit for edit in reversed(edits)}
    return [edit for i, edit in enumerate(edits) if i % 10 == 0 or first[edit.function] is edit]
