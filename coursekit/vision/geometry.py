"""Given code: which map is computed from which, and by what kernel, stride, padding and dilation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

Pair = tuple[int, int]  # (vertical, horizontal)
IMAGE = 0  # the number of the map that is the image itself


@dataclass(frozen=True)
class Step:
    """One operation: `output` is computed from the maps `inputs`, each of `size` (h, w).

    kernel is None where every unit sees the whole of the inputs (flatten, a linear layer, global pooling). An operation
    on single pixels (ReLU, batch norm, a sum of two branches) has a kernel of (1, 1).
    """

    inputs: tuple[int, ...]
    output: int
    size: Pair
    kernel: Pair | None = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)


def spatial_steps(model: nn.Module, layer: str, image_size: Pair) -> tuple[Step, ...]:
    """List the steps from the image (map 0) to the output of a layer, in the order in which they are computed.

    Args:
        model: in eval mode; runs once on a grey picture.
        layer: a qualified module name.
        image_size: (H, W).

    Returns:
        The steps that the layer's output depends on; the last step's output is the layer's.
    """
    parameter = next(model.parameters(), torch.empty(0))
    image = torch.full((1, 3, *image_size), 0.5, dtype=parameter.dtype, device=parameter.device)
    recorder = _Recorder(image)
    handle = model.get_submodule(layer).register_forward_hook(lambda _m, _i, output: recorder.mark(output))
    try:
        with torch.no_grad(), recorder:
            model(image)
    finally:
        handle.remove()
    return recorder.steps_to_mark()


class _Recorder(TorchDispatchMode):
    """Number every map that is computed from the image, and write down how."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.number = {id(image): IMAGE}
        self.size: dict[int, Pair] = {IMAGE: _size(image)}
        self.alive = [image]  # an id is only unique while its tensor lives
        self.steps: list[Step] = []
        self.marked: int | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Spare the 1.3 s that importing torch's compiler takes: nothing is compiled here."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        sources = tuple(dict.fromkeys(self.number[id(t)] for t in _tensors(args) if id(t) in self.number))
        outputs = [t for t in _tensors((result,)) if t.is_floating_point()]
        if sources and outputs:
            self._note(sources, outputs[0], func, args)
        return result

    def _note(self, sources: tuple[int, ...], output: Tensor, func: Any, args: Any) -> None:
        size = self.size[sources[0]]
        window = _window(func, args)
        step = Step(inputs=sources, output=len(self.size), size=size, **(window or {}))
        if window is None and _size(output) != size:  # flatten, a linear layer, global pooling
            step = replace(step, kernel=None)
        self.steps.append(step)
        self.number[id(output)] = step.output  # in-place operations give the same tensor a new number
        self.size[step.output] = _size(output)
        self.alive.append(output)

    def mark(self, output: Tensor) -> None:
        source = self.number.get(id(output), IMAGE)
        self.marked = len(self.size)
        self.steps.append(Step(inputs=(source,), output=self.marked, size=_size(output)))
        self.size[self.marked] = _size(output)

    def steps_to_mark(self) -> tuple[Step, ...]:
        needed, kept = {self.marked}, []
        for step in reversed(self.steps):
            if step.output in needed:
                needed.update(step.inputs)
                kept.append(step)
        return tuple(reversed(kept))


def _window(func: Any, args: Any) -> dict[str, Pair] | None:
    name = func.overloadpacket.__name__
    if name in ("convolution", "_convolution", "mkldnn_convolution"):
        weight, (stride, padding, dilation) = args[1], args[3:6]
        return _pairs(kernel=weight.shape[2:], stride=stride, padding=padding, dilation=dilation)
    if name in ("max_pool2d_with_indices", "avg_pool2d"):
        kernel = args[1]
        stride = args[2] if len(args) > 2 and args[2] else kernel
        padding = args[3] if len(args) > 3 else (0, 0)
        dilation = args[4] if name.startswith("max") and len(args) > 4 else (1, 1)
        return _pairs(kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    if name == "constant_pad_nd":  # (left, right, top, bottom): what lies below and on the right moves nothing
        left, _, top, _ = (*args[1], 0, 0)[:4]
        return {"padding": (int(top), int(left))}
    return None


def _pairs(**values: Any) -> dict[str, Pair]:
    return {name: (int(v[0]), int(v[-1])) for name, v in values.items()}


def _size(tensor: Tensor) -> Pair:
    """Return (h, w) of a map, also of one whose channels stand in groups; a flat layer is one place."""
    return (int(tensor.shape[-2]), int(tensor.shape[-1])) if tensor.dim() in (4, 5) else (1, 1)


def _tensors(values: Any) -> list[Tensor]:
    found = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found.extend(_tensors(value))
    return found
