"""Given code: refuse maps, kernels and networks of maps that make no sense, before a student's function runs.

The names mean the same in both modules of part 6; `checked` (for pictures and classifiers) knows other meanings of some of
them: here labels are label maps (N, H, W). Gradients are left as the caller has them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.vision.checked import Arguments, Function, counted

Checker = Callable[[str, Any, Arguments], None]


def checked_maps(function: Function) -> Function:
    """Check the arguments of a function by their names, those that are None excepted."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        _look_at(bound.arguments)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


class Network(nn.Module):
    """A network that refuses a constructor's arguments and images that make no sense.

    Nothing of a class that derives from it is wrapped or replaced: a notebook's %autoreload writes what a student saves into
    the class's own methods. The constructor's arguments are looked at in `__new__`, the images before torch's `__call__`; a
    copy and a pickle make their object without arguments, which is left to `__init__` (or to nobody).
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        signature = inspect.signature(cls.__init__)
        try:
            bound = signature.bind(None, *args, **kwargs)
        except TypeError:  # a copy; or a call that Python itself will refuse
            return super().__new__(cls)
        bound.apply_defaults()
        _look_at(bound.arguments)
        return super().__new__(cls)

    def __call__(self, images: Tensor) -> Any:
        _network_input(self, images)
        return super().__call__(images)


def _look_at(given: Arguments) -> None:
    for name, value in given.items():
        if name in CHECKS and value is not None:
            CHECKS[name](name, value, given)


def _maps(name: str, value: Any, given: Arguments) -> None:
    if not isinstance(value, Tensor) or value.dim() != 4 or not value.is_floating_point():
        raise ValueError(f"{name} is {_kind(value)}, expected a floating-point tensor (N, C, H, W)")
    if 0 in value.shape:
        raise ValueError(f"{name} has shape {tuple(value.shape)}: there is nothing in it")


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype}"
    return f"a {type(value).__name__}"


def _kernel_size(name: str, value: Any, given: Arguments) -> None:
    counted(1)(name, value, given)
    size = tuple(given["x"].shape[-2:])
    if value > min(size):
        raise ValueError(f"{name} is {value}, but x has {size} pixels: no window lies inside; take a smaller one")


def _indices(name: str, indices: Any, given: Arguments) -> None:
    values = given["values"]
    if not isinstance(indices, Tensor) or indices.dtype != torch.int64:
        raise ValueError(f"{name} is {_kind(indices)}, expected torch.int64, as max_pool returns it")
    if indices.shape != values.shape:
        raise ValueError(
            f"{name} has shape {tuple(indices.shape)}, values {tuple(values.shape)}: unpool with the indices of the "
            "pooling that made a map of this size"
        )


def _output_size(name: str, size: Any, given: Arguments) -> None:
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(isinstance(s, int) and s > 0 for s in size):
        raise ValueError(f"{name} is {size!r}, expected (H, W), both 1 or more")
    low, high = int(given["indices"].min()), int(given["indices"].max())
    if low < 0 or high >= size[0] * size[1]:
        wrong = low if low < 0 else high
        raise ValueError(
            f"indices contains {wrong}, outside a plane of {size[0]} x {size[1]}: give the size of what was pooled"
        )


def _kernel(name: str, weight: Any, given: Arguments) -> None:
    _maps(name, weight, given)
    x = given.get("x")
    if x is not None and (weight.shape[0] != x.shape[1] or weight.dtype != x.dtype):
        raise ValueError(
            f"{name} is {_kind(weight)} and x {_kind(x)}: give (C_in, C_out, kh, kw) with x's {x.shape[1]} channels first, "
            "of x's dtype"
        )


def _padding(name: str, padding: Any, given: Arguments) -> None:
    counted(0)(name, padding, given)
    if "weight" in given and "x" in given:
        stride, sides = given["stride"], zip(given["x"].shape[-2:], given["weight"].shape[-2:], strict=True)
        size = [(side - 1) * stride + kernel - 2 * padding for side, kernel in sides]
        if min(size) < 1:
            raise ValueError(f"{name} is {padding}: of the result {tuple(size)} would be left, nothing; give less")


def _linear(name: str, linear: Any, given: Arguments) -> None:
    if not isinstance(linear, nn.Linear):
        raise ValueError(f"{name} is a {type(linear).__name__}, expected an nn.Linear")


def _size(name: str, size: Any, given: Arguments) -> None:
    h, w = [size] * 2 if isinstance(size, int) else size
    counted(1)(name, h, given)
    counted(1)(name, w, given)
    linear, channels = given["linear"], given["in_channels"]
    if linear.in_features != channels * h * w:
        raise ValueError(
            f"{channels} channels of {h} x {w} are {channels * h * w} numbers, but the layer reads {linear.in_features}"
        )


def _classifier(name: str, model: Any, given: Arguments) -> None:
    parts = [part for part in ("normalize", "features", "classifier") if not hasattr(model, part)]
    if not isinstance(model, nn.Module) or parts:
        missing = f", it has no {', '.join(parts)}" if parts else ""
        raise ValueError(f"{name} is a {type(model).__name__}{missing}: give a network such as load_model('tiny_vgg')")
    features, classifier = model.get_submodule("features"), model.get_submodule("classifier")
    linears = [layer for layer in classifier.modules() if isinstance(layer, nn.Linear)]
    if not isinstance(classifier, nn.Sequential):
        raise ValueError(f"{name}.classifier is a {type(classifier).__name__}, expected an nn.Sequential of layers")
    if not linears:
        raise ValueError(f"{name}.classifier has no Linear: there is nothing to turn into a convolution")
    convolutions = [layer for layer in features.modules() if isinstance(layer, nn.Conv2d)]
    if not convolutions or linears[0].in_features % convolutions[-1].out_channels:
        raise ValueError(
            f"{name}.classifier reads {linears[0].in_features} numbers, which is no map of the features' channels"
        )
    if hasattr(model, "input_size") and linears[0].in_features == convolutions[-1].out_channels:
        raise ValueError(
            f"{name} is a {type(model).__name__}, which averages each map to one number before its classifier: there is "
            "no map that a kernel could slide over"
        )


def _logits(name: str, logits: Any, given: Arguments) -> None:
    _maps(name, logits, given)
    if logits.shape[1] < 2:
        raise ValueError(f"{name} has {logits.shape[1]} class, expected (N, K, H, W) with K of 2 or more")


def _label_maps(name: str, labels: Any, given: Arguments) -> None:
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64 or labels.dim() != 3:
        raise ValueError(
            f"{name} is {_kind(labels)}, expected (N, H, W) of torch.int64: use torch.as_tensor(...).long()"
        )
    if not labels.numel():
        raise ValueError(f"{name} has shape {tuple(labels.shape)}: there is no pixel in it")
    first = given.get("logits", given.get("predictions"))
    if isinstance(first, Tensor):
        shape = (first.shape[0], *first.shape[-2:])
        if tuple(labels.shape) != shape:
            raise ValueError(f"{name} has shape {tuple(labels.shape)}, expected {shape}: one label a pixel")
    known = given["logits"].shape[1] if "logits" in given else given.get("num_classes")
    if known is not None:
        _in_range(name, labels, known, labels, given.get("ignore_index"))


def _in_range(name: str, values: Tensor, num_classes: int, labels: Tensor, ignored: int | None) -> None:
    """Refuse values that are no class, where labels do not say that the pixel is ignored."""
    if int(values.min()) >= 0 and int(values.max()) < num_classes:
        return
    outside = (values < 0) | (values >= num_classes)
    if ignored is not None:
        outside &= labels != ignored
    if bool(outside.any()):
        raise ValueError(
            f"{name} contains label {int(values[outside][0])}, expected 0 to {num_classes - 1} or ignore_index: mend the masks or "
            "num_classes"
        )


def _predictions(name: str, predictions: Any, given: Arguments) -> None:
    if not isinstance(predictions, Tensor) or predictions.dtype != torch.int64 or predictions.dim() != 3:
        raise ValueError(f"{name} is {_kind(predictions)}, expected (N, H, W) of torch.int64: logits.argmax(dim=1)")


def _num_classes(name: str, num_classes: Any, given: Arguments) -> None:
    counted(2)(name, num_classes, given)
    predictions, labels = given.get("predictions"), given.get("labels")
    if predictions is None or labels is None:
        return
    _in_range("predictions", predictions, num_classes, labels, given["ignore_index"])


def _whole(name: str, value: Any, given: Arguments) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}, expected a whole number")


def _stages(name: str, stages: Any, given: Arguments) -> None:
    if isinstance(stages, Tensor) or not stages or not all(isinstance(stage, nn.Module) for stage in stages):
        raise ValueError(f"{name} is {stages!r}, expected the trunk as a list of modules, one for each halving")
    channels = given.get("channels")
    if channels is not None and len(channels) != len(stages):
        raise ValueError(f"channels names {len(channels)} numbers for {len(stages)} stages: give one each")


def _num_skips(name: str, num_skips: Any, given: Arguments) -> None:
    counted(0)(name, num_skips, given)
    stages = given.get("stages")
    if stages is not None and num_skips >= len(stages):
        raise ValueError(f"{name} is {num_skips}, but {len(stages)} stages have {len(stages) - 1} finer maps to offer")


def _widths(name: str, widths: Any, given: Arguments) -> None:
    if (
        not isinstance(widths, (tuple, list))
        or len(widths) < 2
        or not all(isinstance(w, int) and w > 0 for w in widths)
    ):
        raise ValueError(
            f"{name} is {widths!r}, expected channels for each level, two levels or more, such as (16, 32, 64)"
        )


def _channels(name: str, channels: Any, given: Arguments) -> None:
    for number in channels if isinstance(channels, (tuple, list)) else (channels,):
        counted(1)(name, number, given)


def _padding_of_blocks(name: str, padding: Any, given: Arguments) -> None:
    _padding(name, padding, given)
    if "widths" in given and padding > 1:
        raise ValueError(f"{name} is {padding}, expected 1 (the size stays) or 0 (the paper's valid convolutions)")


def _path(name: str, path: Any, given: Arguments) -> None:
    if not isinstance(path, (str, Path)):
        raise ValueError(f"{name} is a {type(path).__name__}, expected the path of a .safetensors file")


def _network_input(network: nn.Module, images: Any) -> None:
    """Refuse images of another number of channels, of another dtype, or with a side below the network's total stride."""
    _maps("images", images, {})
    first = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None:
        return
    if images.shape[1] != first.in_channels:
        raise ValueError(f"images have {images.shape[1]} channels, but the network reads {first.in_channels}")
    levels = next((getattr(network, n) for n in ("down", "encoder", "stages") if hasattr(network, n)), ())
    least = 2 ** len(levels)
    if min(images.shape[-2:]) < least:
        raise ValueError(
            f"images of {tuple(images.shape[-2:])} are smaller than the network's total stride, {least}: enlarge them"
        )
    if hasattr(network, "down") and first.padding == (0, 0):
        _room_for_valid_convolutions(tuple(images.shape[-2:]), len(levels))


def _room_for_valid_convolutions(size: tuple[int, ...], depth: int) -> None:
    for side in size:
        left = side
        for _ in range(depth):
            left = (left - 4) // 2
        left -= 4
        for _ in range(depth):
            left = 2 * left - 4
        if left < 1:
            raise ValueError(f"images of {size} are too small for {depth} levels of valid convolutions: enlarge them")


CHECKS: dict[str, Checker] = {
    "x": _maps,
    "values": _maps,
    "kernel_size": _kernel_size,
    "stride": counted(1),
    "indices": _indices,
    "output_size": _output_size,
    "weight": _kernel,
    "padding": _padding_of_blocks,
    "channels": _channels,
    "factor": counted(1),
    "linear": _linear,
    "in_channels": counted(1),
    "size": _size,
    "model": _classifier,
    "stages": _stages,
    "num_skips": _num_skips,
    "widths": _widths,
    "logits": _logits,
    "predictions": _predictions,
    "labels": _label_maps,
    "num_classes": _num_classes,
    "ignore_index": _whole,
    "background": _whole,
    "path": _path,
}
