"""Given code: look at a layer while a network runs, and give every ReLU another gradient. Nothing stays behind."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

ReluRule = Callable[[Tensor, Tensor], Tensor]  # (upstream, relu_input) -> gradient at the ReLU's input


@contextmanager
def record_outputs(model: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Record the outputs of the named layers of model. They stay joined to the autograd graph.

    Use it as `with record_outputs(model, ["features.3"]) as outputs:`, call model inside the block, then read
    outputs["features.3"], also after the block. Of a layer that runs twice, the last output is kept. An in-place ReLU
    that follows does not change a recorded output. The hooks are removed at the end of the block.
    """
    if (closed := closed_module(model)) is not None:
        where = closed or "the network"
        raise ValueError(f"{where} is compiled or traced, so no layer can be recorded: give what it was made from")
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Tensor], Tensor]:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
            if not isinstance(output, Tensor):
                found = f"a {type(output).__name__}, not a tensor"
                raise ValueError(f"layer {name!r} returns {found}: choose a layer inside it")
            outputs[name] = output
            return output.clone()  # what follows works on a copy, so an in-place ReLU leaves ours alone

        return hook

    with ExitStack() as hooks:
        for name in layers:
            handle = model.get_submodule(name).register_forward_hook(keep(name))
            hooks.callback(handle.remove)
        yield outputs


def closed_module(model: nn.Module) -> str | None:
    """Name the first module whose inside runs where Python sees no layer and no ReLU; "" is the network, None is none."""
    for name, module in model.named_modules():
        compiled = "_orig_mod" in module._modules or module._compiled_call_impl is not None
        if compiled or isinstance(module, torch.jit.ScriptModule):
            return name
    return None


class relu_rule(TorchFunctionMode):
    """Use rule(upstream, relu_input) as the gradient of every ReLU that runs inside the `with` block.

    The backward pass may come after the block. The rule belongs to the calls in the block, so the network is not
    changed. It holds for nn.ReLU, F.relu, torch.relu and their in-place forms, also for a ReLU that is used twice or
    whose input feeds a skip connection. ReLU6 is min(ReLU(x), 6): the rule acts on its ReLU, the min keeps its ordinary
    gradient. Any other activation keeps its ordinary gradient, and a warning names it.
    """

    def __init__(self, rule: ReluRule) -> None:
        super().__init__()
        self.rule = rule
        self.kept: set[str] = set()  # the activations of another kind that ran

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        call = _relu_call(func, args, kwargs)
        if call is None:
            name = getattr(func, "__name__", "").removesuffix("_")
            if name in _OTHER_ACTIVATIONS and name not in self.kept:
                self.kept.add(name)
                warnings.warn(f"the ReLU rule leaves {name} alone: it is another activation", stacklevel=2)
            return func(*args, **kwargs)
        relu_input, cap, inplace = call
        output = _RuledReLU.apply(relu_input, self.rule, inplace)
        if cap == math.inf:
            return output
        return F.hardtanh(output, -math.inf, cap, inplace)  # min(., cap): zero gradient at and above the cap


_OTHER_ACTIVATIONS = frozenset(
    ("celu", "elu", "gelu", "hardswish", "leaky_relu", "mish", "prelu", "rrelu", "selu", "silu", "softplus")
)
_INPLACE = (torch.relu_, Tensor.relu_, F.hardtanh_)
_PARAMETERS: dict[Any, tuple[str, ...]] = {
    **dict.fromkeys((F.relu, F.relu6), ("input", "inplace")),
    **dict.fromkeys((torch.relu, torch.relu_, Tensor.relu, Tensor.relu_), ("input",)),
    F.hardtanh: ("input", "min_val", "max_val", "inplace"),  # what nn.ReLU6 calls
    F.hardtanh_: ("input", "min_val", "max_val"),
}


def _relu_call(func: Any, args: Any, kwargs: Any) -> tuple[Tensor, float, bool] | None:
    """Read a call of ReLU or ReLU6 as (input, cap, in place); None if it is another call."""
    if func not in _PARAMETERS:
        return None
    given = dict(zip(_PARAMETERS[func], args, strict=False)) | kwargs
    inplace = func in _INPLACE or bool(given.get("inplace"))
    if func in (F.hardtanh, F.hardtanh_):
        return (given["input"], given.get("max_val", 1.0), inplace) if given.get("min_val") == 0 else None
    return given["input"], 6.0 if func is F.relu6 else math.inf, inplace


class _RuledReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, relu_input: Tensor, rule: ReluRule, inplace: bool) -> Tensor:
        ctx.rule = rule
        ctx.save_for_backward(relu_input.clone())  # an in-place operation may follow on the input itself
        if not inplace:
            return relu_input.clamp(min=0)
        ctx.mark_dirty(relu_input)
        return relu_input.clamp_(min=0)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        return ctx.rule(upstream[0], *ctx.saved_tensors), None, None
