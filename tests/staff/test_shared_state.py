"""What a check changes for the whole process ends with it."""

import textwrap
import warnings

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules import module as torch_modules

from coursekit.checks.shared_state import shared_state
from coursekit.checks.small_networks import Linear, SmallConvNet
from coursekit.checks.unchanged import function_modes
from coursekit.parts import part_of
from coursekit.staff.edits import Edit, split
from coursekit.staff.trials import run_trials
from coursekit.vision import relu_rule

HOOK = "torch.nn.modules.module.register_module_forward_hook(lambda m, given, out: 0 * out)"
MESS = {
    "a class": "type(model).forward = lambda self, images: 1 / 0",
    "torch's functions": "F.relu = torch.relu = nn.ReLU.forward = torch.Tensor.relu = lambda x, *rest: 1 / 0",
    "settings": f"torch.set_default_dtype(torch.float16); {HOOK}",
}


def test_what_was_replaced_hidden_or_switched_is_as_before():
    def state():
        methods = F.relu, torch.relu, torch.Tensor.relu, nn.ReLU.forward, SmallConvNet.forward, Linear.__call__
        hooks = len(torch_modules._global_forward_hooks)
        return *methods, hooks, len(warnings.filters), torch.get_default_dtype(), function_modes()

    before, put_back = state(), shared_state()

    F.relu = torch.relu = torch.Tensor.relu = nn.ReLU.forward = SmallConvNet.forward = lambda x, *rest: x
    Linear.__call__ = lambda self, images: images
    torch_modules.register_module_forward_hook(lambda *given: None)
    warnings.simplefilter("ignore")
    torch.set_default_dtype(torch.float64)
    relu_rule(lambda upstream, relu_input: upstream).__enter__()
    changed = state()
    put_back()

    assert all(one != other for one, other in zip(before, changed, strict=True))
    assert state() == before


def test_what_one_function_leaves_costs_no_check_of_another():
    """Checks of guided_backprop run before those of guided_grad_cam, in one process."""
    solution = textwrap.dedent(split("guided_backprop")[1])
    edits = [Edit("guided_backprop", name, body=f"{text}\n{solution}") for name, text in MESS.items()]

    trials = run_trials([(edit,) for edit in edits], [part_of("guided_backprop")]).trials

    for trial in trials:
        assert {o.function for o in trial.outcomes} == {"guided_backprop", "guided_grad_cam"}
        failed = {o.function: o.message for o in trial.outcomes if o.outcome != "passed"}
        assert failed.keys() == {"guided_backprop"}, failed
