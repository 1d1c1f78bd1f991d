"""What a right solution may do besides: work on a deep copy of the network, look at the pictures once more. It keeps every point."""

import importlib
import inspect
import textwrap

import pytest

from coursekit.parts import PARTS
from coursekit.staff.edits import Edit, split
from coursekit.staff.trials import run_trials

NETWORKS, PICTURES = ("model", "substitute"), ("images", "image", "content")
# Its result is joined to the given network itself, and in train mode a look moves batch norm's statistics.
OF_THE_NETWORK_ITSELF = ("adversarial_loss",)


def on_a_copy(network, pictures):
    return f"from copy import deepcopy\n{network} = deepcopy({network})\n"


def after_a_look(network, pictures):
    return f"{network}({pictures}[None] if {pictures}.dim() == 3 else {pictures})\n" if pictures else ""


def edits_of(part, front):
    """Our solutions of a part with something harmless in front, where they are given a network."""
    module = importlib.import_module(f"assignment2.{part.module}")
    for name in part.functions:
        parameters = inspect.signature(getattr(module, name)).parameters
        network, pictures = (next((p for p in known if p in parameters), None) for known in (NETWORKS, PICTURES))
        text = front(network, pictures) if network and name not in OF_THE_NETWORK_ITSELF else ""
        if text:
            yield Edit(name, front.__name__, body=text + textwrap.dedent(split(name)[1]))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("hidden", [False, pytest.param(True, marks=pytest.mark.slow)], ids=("shipped", "hidden"))
def test_a_solution_with_something_harmless_in_front_keeps_every_point(hidden):
    edits = {part: [e for front in (on_a_copy, after_a_look) for e in edits_of(part, front)] for part in PARTS}
    parts = [part for part, found in edits.items() if found]

    trials = run_trials([(edit,) for part in parts for edit in edits[part]], parts, hidden=hidden).trials

    lost = [f"{t.edits[0]} fails {o.check}: {o.message}" for t in trials for o in t.outcomes if o.outcome != "passed"]
    assert len(trials) > 30
    assert not lost, "\n".join(lost)
