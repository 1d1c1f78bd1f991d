"""Two laws that hold for every student function: it leaves no trace, and it works however it is called."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from coursekit.grading.expect import Expect
from coursekit.grading.networks import Boom, broken


def assert_no_trace(
    expect: Expect, call: Callable[[nn.Module], Any], network: nn.Module, *, breaks_at: str = "", **tensors: Tensor
) -> None:
    """Hold call(network) to leaving everything as it was, also when the network breaks at the layer `breaks_at`."""
    __tracebackhide__ = True
    with expect.unchanged(model=network, **tensors):
        result = call(network)
    for output in result if isinstance(result, tuple) else (result,):
        expect.new(output, **tensors)
    for when in ("forward", "backward"):
        bad = broken(network, when, breaks_at)
        try:
            with expect.unchanged(model=bad, **tensors):
                call(bad)
        except Boom:
            continue
        pytest.fail(f"the network broke in its {when} pass and the error was swallowed: let it through", pytrace=False)


def assert_same_however_called(expect: Expect, call: Callable[[nn.Module], Tensor], network: nn.Module) -> None:
    """Hold call(network) to the same result a second time, under no_grad and on a copy of the network."""
    __tracebackhide__ = True
    first = call(network)
    expect(call(network), first, "the same result at the second call")
    with torch.no_grad():
        expect(call(network), first, "the same result under the caller's torch.no_grad()")
    expect(call(deepcopy(network)), first, "the same result on a copy of the network")
    assert isinstance(first, Tensor), f"the result is a {type(first).__name__}, expected a torch tensor"
    assert not first.requires_grad, "the result is still joined to the autograd graph: detach it"
