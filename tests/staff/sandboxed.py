"""What the tests of the sandbox share: a few quick checks, a submission to grade, and the processes below another."""

from pathlib import Path

import pytest

from coursekit.parts import PARTS
from coursekit.staff.isolated.sandbox import refused
from coursekit.staff.isolation import checks_of
from tests.staff.zips import MODULE, solution

needs_sandbox = pytest.mark.skipif(bool(refused()), reason=refused())
CHECKS = checks_of(PARTS[:1])
SLOW = "test_saliency_of_a_linear_model_is_its_weights"
CHOSEN = tuple(c for c in CHECKS if c.id.endswith(SLOW) or c.function == "guided_relu_gradient")


def submission(folder, addition=""):
    """Write our solution of part 1 with something behind it."""
    path = folder / MODULE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(solution().decode() + addition)
    return folder


def below(pid):
    """The processes that a process has started, and those that they have."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *below(int(child))]
    return found
