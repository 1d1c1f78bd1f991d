"""A function may work on a deep copy of the network: our own solutions, with a copy in front, keep every point."""

import importlib
import inspect
import textwrap

import pytest

from coursekit.parts import PARTS
from coursekit.staff.edits import Edit, split
from coursekit.staff.trials import run_trials

# Their results follow the given network itself: its graph, and the parameters' gradients.
OF_THE_NETWORK_ITSELF = ("adversarial_loss",)


def on_a_copy(module, function):
    """The solution with a deep copy of the network in front; None if it is given none."""
    parameters = inspect.signature(getattr(importlib.import_module(f"assignment2.{module}"), function)).parameters
    network = {"model", "substitute"} & parameters.keys()
    if not network or function in OF_THE_NETWORK_ITSELF:
        return None
    (name,) = network
    copied = f"from copy import deepcopy\n{name} = deepcopy({name})\n"
    return Edit(function, "on a deep copy", body=copied + textwrap.dedent(split(function)[1]))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("hidden", (False, pytest.param(True, marks=pytest.mark.slow)), ids=("shipped", "hidden"))
def test_a_solution_on_a_deep_copy_of_the_network_keeps_every_point(hidden):
    edits = {part: [e for name in part.functions if (e := on_a_copy(part.module, name))] for part in PARTS}
    parts = [part for part, found in edits.items() if found]

    trials = run_trials([(edit,) for part in parts for edit in edits[part]], parts, hidden=hidden).trials

    lost = [f"{t.edits[0]} fails {o.check}: {o.message}" for t in trials for o in t.outcomes if o.outcome != "passed"]
    assert len(trials) > 15
    assert not lost, "\n".join(lost)
