"""Given code: which map is computed from which, and by what kernel, stride, padding and dilation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from coursekit.vision.operations import NOWHERE, SAME, Axes, Call, Unknown, Window, Windows, where

Pair = tuple[int, int]  # (vertical, horizontal)
IMAGE = 0  # the number of the map that is the image itself


@dataclass(frozen=True)
class Step:
    """One operation: it reads the maps with the numbers `inputs`, all of `size` (h, w), and makes map number `output`.

    Map 0 is the image. kernel is None if every unit depends on the whole of the inputs (flatten, a linear layer, global
    pooling). An operation on single pixels (ReLU, batch norm, a sum of two branches) has kernel (1, 1). A crop has a
    negative padding. The stride is 0 if all units depend on the same rows or columns. Neither is a special case: a
    formula for ordinary steps holds for both.
    """

    inputs: tuple[int, ...]
    output: int
    size: Pair
    kernel: Pair | None = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)


def spatial_steps(model: nn.Module, layer: str, image_size: Pair) -> tuple[Step, ...]:
    """List the steps from the image (map 0) to the output of a layer, in the order of the forward pass.

    Args:
        model: in eval mode; runs once on a grey picture.
        layer: a qualified module name.
        image_size: (H, W).

    Returns:
        The steps that the layer's output depends on; the last step makes the layer's output.

    Raises:
        ValueError: the layer does not run, or depends on an operation that no such step describes (it is named).
    """
    parameter = next(model.parameters(), torch.empty(0))
    image = torch.full((1, 3, *image_size), 0.5, dtype=parameter.dtype, device=parameter.device)
    recorder = _Recorder(image)
    handle = model.get_submodule(layer).register_forward_hook(lambda _m, _i, output: recorder.mark(layer, output))
    try:
        with torch.no_grad(), recorder:
            model(image)
    finally:
        handle.remove()
    return recorder.steps_to_mark(layer)


@dataclass(frozen=True)
class _Map:
    """A map by its number, and which dimensions of the tensor hold its rows and columns."""

    number: int
    axes: Axes


class _Recorder(TorchDispatchMode):
    """Number every map that is computed from the image, and write down how."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.maps: dict[int, _Map] = {}
        self.size: list[Pair] = []
        self.alive: list[Tensor] = []  # an id is only unique while its tensor lives
        self.steps: list[Step] = []
        self.unknown: dict[int, str] = {}  # map -> the operation that nobody knows
        self.marked: int | None = None
        self._number(image, (2, 3), _size(image, (2, 3), (1, 1)))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Spare the 1.3 s that importing torch's compiler takes: nothing is compiled here."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        given = dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | (kwargs or {})
        sources = {id(t): (argument, t) for argument, value in given.items() for t in _tensors(value)}
        if name == "copy_":  # what was there before is gone
            del sources[id(given["self"])]
        sources = {key: source for key, source in sources.items() if key in self.maps}
        if not sources or name.endswith("_like") or name.startswith("new_"):  # only a shape is read
            return result
        for part, output in enumerate(_tensors(result)):
            if output.is_floating_point() or output.is_complex():
                call = (name, torch.Tag.pointwise in func.tags, given)
                self._note(list(sources.values()), output, part, call)
                if func._schema.is_mutable and output._base is not None and len(sources) + (name == "copy_") > 1:
                    self._refuse(list(sources.values()), output._base, "writing into a part of a map")
        return result

    def _note(self, sources: list[tuple[str, Tensor]], output: Tensor, part: int, call: tuple[str, bool, Any]) -> None:
        """Write down the step from the sources to one result, in parts where they are of different sizes."""
        links = []
        try:
            for argument, tensor in sources:
                known = self.maps[id(tensor)]
                asked = Call(*call, argument, tuple(tensor.shape), part, tuple(output.shape))
                links.append((known.number, *where(asked, known.axes, self.size[known.number])))
            axes = _same_axes([found for _, found, _ in links], call[0])
        except Unknown as unknown:
            self._refuse(sources, output, str(unknown))
            return
        size = _size(output, axes, next((self.size[n] for n, found, _ in links if found == axes), (1, 1)))
        if len(links) == 1:
            ((source, _, windows),) = links
            self._number(output, axes, size, self._step((source,), windows))
            return
        inputs = [
            n if (found, windows) == (axes, (SAME, SAME)) else self._spread(n, found, windows, axes, size)
            for n, found, windows in links
        ]
        self._number(output, axes, size, self._step(tuple(dict.fromkeys(inputs)), (SAME, SAME)))

    def _spread(self, source: int, found: Axes, windows: Windows, axes: Axes, size: Pair) -> int:
        """Make a map as large as the others of one whose rows, or columns, are all the same."""
        pairs = zip(found, axes, windows, strict=True)
        one, other = (Window(stride=0) if a is None and b is not None and w == SAME else w for a, b, w in pairs)
        return self._add(size, self._step((source,), (one, other)))

    def _refuse(self, sources: list[tuple[str, Tensor]], output: Tensor, name: str) -> None:
        """Note that nobody knows what the result's units see. All of them together see the whole of the sources."""
        numbers = [self.maps[id(tensor)].number for _, tensor in sources]
        if len(numbers) > 1:
            numbers = [self._add((1, 1), Step((n,), len(self.size), self.size[n], None)) for n in numbers]
        count = output.dim()
        same = next((self.maps[id(t)].axes for _, t in sources if t.dim() == count), NOWHERE)
        axes: Axes = NOWHERE if count < 3 else same if same != NOWHERE else (max(count - 2, 2), count - 1)
        step = Step(tuple(numbers), len(self.size), self.size[numbers[0]], None)
        self._number(output, axes, _size(output, axes, (0, 0)), step)
        if axes != NOWHERE:
            self.unknown[step.output] = name

    def _step(self, inputs: tuple[int, ...], windows: Windows) -> Step:
        size = self.size[inputs[0]]
        if size != (1, 1) and windows == tuple(Window(kernel=side, stride=0) for side in size):
            return Step(inputs, len(self.size), size, None)
        kernel, stride, padding, dilation = zip(*windows, strict=True)
        return Step(inputs, len(self.size), size, kernel, stride, padding, dilation)

    def _add(self, size: Pair, step: Step) -> int:
        self.steps.append(step)
        self.size.append(size)
        return step.output

    def _number(self, output: Tensor, axes: Axes, size: Pair, step: Step | None = None) -> None:
        """Give a tensor the next number; in-place operations give the same tensor a new one."""
        rows, columns = axes
        one_place = rows is None or output.shape[rows] == 1, columns is None or output.shape[columns] == 1
        axes = None if one_place[0] else rows, None if one_place[1] else columns
        self.maps[id(output)] = _Map(len(self.size), axes)
        self.alive.append(output)
        if step is None:
            self.size.append(size)
        else:
            self._add(size, step)

    def mark(self, layer: str, output: Any) -> None:
        """Remember that this is what the layer returned, as (N, C, h, w) or flat."""
        if not isinstance(output, Tensor):
            found = f"a {type(output).__name__}, not a tensor"
            raise ValueError(f"layer {layer!r} returns {found}: choose a layer inside it")
        known = self.maps.get(id(output))
        self.marked = len(self.size)
        if known is None:  # no path joins it to the image
            self._add((1, 1), Step((), self.marked, (1, 1)))
        elif output.dim() == 2:
            kernel = (1, 1) if known.axes == NOWHERE else None
            self._add((1, 1), Step((known.number,), self.marked, self.size[known.number], kernel))
        else:
            size = _size(output, (2, 3), (1, 1))
            step = Step((known.number,), self.marked, self.size[known.number])
            if output.dim() != 4 or known.axes[0] not in (None, 2) or known.axes[1] not in (None, 3):
                self.unknown[self.marked] = "a change of axes"
                self._add(size, step)
            else:
                self._add(size, replace(step, stride=(int(known.axes[0] is not None), int(known.axes[1] is not None))))

    def steps_to_mark(self, layer: str) -> tuple[Step, ...]:
        """Return the steps that the marked output depends on; a map that is needed as a whole may come from anywhere."""
        if self.marked is None:
            raise ValueError(f"layer {layer!r} does not run when the network does: choose another layer")
        needed, kept, unknown = {self.marked: False}, [], ""  # map -> is all of it needed?
        for step in reversed(self.steps):
            if step.output not in needed:
                continue
            whole = needed[step.output] or (step.kernel is None and step.output not in self.unknown)
            unknown = unknown if needed[step.output] else self.unknown.get(step.output, unknown)
            needed.update({source: whole or needed.get(source, False) for source in step.inputs})
            kept.append(step)
        if unknown:
            behind = f"layer {layer!r} lies behind {unknown}"
            raise ValueError(f"{behind}, which no window of rows and columns describes: choose a layer before it")
        return tuple(reversed(kept))


def _same_axes(found: list[Axes], name: str) -> Axes:
    """Find where all sources have their rows and columns in the result; a source of one place has them anywhere."""
    rows, columns = ({axes[i] for axes in found} - {None} for i in (0, 1))
    if len(rows) > 1 or len(columns) > 1:
        raise Unknown(name)
    return next(iter(rows), None), next(iter(columns), None)


def _size(tensor: Tensor, axes: Axes, pixels: Pair) -> Pair:
    """Return (h, w) of a map. Where one dimension runs over all pixels it does not say it: pixels does."""
    rows, columns = (1 if dim is None or tensor.dim() <= dim else int(tensor.shape[dim]) for dim in axes)
    if axes[0] is not None and axes[0] == axes[1]:
        return pixels if pixels[0] * pixels[1] == rows else (rows, 1)
    return rows, columns


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [t for one in value for t in _tensors(one)] if isinstance(value, (list, tuple)) else []
