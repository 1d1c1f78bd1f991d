"""Given code: what `checked` looks at in the arguments of part 5, where features, targets and weights belong together."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Arguments = dict[str, Any]
OPTIMIZERS = ("lbfgs", "adam")


def _features(name: str, features: Any, given: Arguments) -> None:
    if "weights" not in given:  # gram_matrix takes one layer
        _maps(name, features)
        return
    if isinstance(features, Tensor) or not len(features):
        raise ValueError(f"{name} is {_kind(features)}: give a list with the (N, C, H, W) of at least one layer")
    for i, layer in enumerate(features):
        _maps(f"{name}[{i}]", layer)


def _targets(name: str, targets: Any, given: Arguments) -> None:
    for i, (feature, target) in enumerate(_pairs(name, targets, given)):
        if target.shape != feature.shape:
            raise ValueError(
                f"{name}[{i}] has shape {tuple(target.shape)}, features[{i}] {tuple(feature.shape)}: give the same"
            )


def _grams(name: str, grams: Any, given: Arguments) -> None:
    for i, (feature, gram) in enumerate(_pairs(name, grams, given)):
        batch, channels = feature.shape[:2]
        if tuple(gram.shape) not in ((batch, channels, channels), (1, channels, channels)):
            wanted = f"({batch}, {channels}, {channels}) or (1, {channels}, {channels})"
            raise ValueError(f"{name}[{i}] has shape {tuple(gram.shape)}, features[{i}] wants {wanted}")


def _weights(name: str, weights: Any, given: Arguments) -> None:
    owner = "features" if name == "weights" else name.replace("weights", "layers")
    count, wanted = len(weights), len(given[owner])
    if count != wanted:
        raise ValueError(f"{name} has {count} entries, {owner} has {wanted}: give one number each")
    for i, weight in enumerate(weights):
        if isinstance(weight, (str, bool)) or not math.isfinite(weight):
            raise ValueError(f"{name}[{i}] is {weight!r}, expected a number")


def _style(name: str, style: Any, given: Arguments) -> None:
    _floating(name, style)
    if style.dim() != 4 or style.shape[:2] != (1, 3) or 0 in style.shape:
        raise ValueError(f"{name} has shape {tuple(style.shape)}, expected one picture (1, 3, h, w)")
    _like(name, style, given["content"])


def _styles(name: str, styles: Any, given: Arguments) -> None:
    if not len(styles):
        raise ValueError(f"{name} is empty: give at least one picture (3, h, w)")
    for i, style in enumerate(styles):
        _floating(f"{name}[{i}]", style)
        if style.dim() != 3 or style.shape[0] != 3 or 0 in style.shape:
            raise ValueError(f"{name}[{i}] has shape {tuple(style.shape)}, expected one picture (3, h, w)")
    if given.get("generator") is None and (len(styles) > 1 or given["fraction"] not in (0, 1)):
        drawn = f"one of {len(styles)} styles" if len(styles) > 1 else f"{given['fraction']:g} of the images"
        raise ValueError(f"{drawn} is drawn and there is no generator: give torch.Generator().manual_seed(0)")


def _init(name: str, init: Any, given: Arguments) -> None:
    _floating(name, init)
    if init.shape != given["content"].shape:
        raise ValueError(f"{name} has shape {tuple(init.shape)}, expected content's {tuple(given['content'].shape)}")
    _like(name, init, given["content"])


def _optimizer(name: str, optimizer: Any, given: Arguments) -> None:
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"{name} is {optimizer!r}, expected one of {', '.join(OPTIMIZERS)}")


def _pairs(name: str, values: Any, given: Arguments) -> list[tuple[Tensor, Tensor]]:
    features = given["features"]
    if isinstance(values, Tensor) or len(values) != len(features):
        raise ValueError(f"{name} is {_kind(values)}, features has {len(features)} entries: give one tensor each")
    for i, value in enumerate(values):
        _floating(f"{name}[{i}]", value)
        _like(f"{name}[{i}]", value, features[i])
    return list(zip(features, values, strict=True))


def _maps(name: str, features: Any) -> None:
    _floating(name, features)
    if features.dim() != 4 or 0 in features.shape:
        raise ValueError(f"{name} has shape {tuple(features.shape)}, expected a layer's maps (N, C, H, W)")


def _floating(name: str, value: Any) -> None:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise ValueError(f"{name} is {getattr(value, 'dtype', _kind(value))}, expected a floating-point tensor")
    if torch._C._functorch.is_functorch_wrapped_tensor(value):
        return  # inside torch.func.vmap or grad there are no values to look at
    if not finite(value.detach()):
        raise ValueError(f"{name} contains NaN or infinity: look at where it was made")


def finite(values: Tensor) -> bool:
    """Say whether every value is finite. Their sum tells nearly always, at a tenth of the cost; only it may overflow."""
    return bool(values.sum().isfinite()) or bool(values.isfinite().all())


def _like(name: str, value: Tensor, other: Tensor) -> None:
    if value.dtype != other.dtype:
        raise ValueError(f"{name} is {value.dtype}, what it belongs to {other.dtype}: use {name}.to({other.dtype})")


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"one tensor {tuple(value.shape)}"
    return f"a {type(value).__name__}" + (f" of {len(value)}" if hasattr(value, "__len__") else "")


STYLE_CHECKS: dict[str, Callable[[str, Any, Arguments], None]] = {
    "features": _features,
    "targets": _targets,
    "grams": _grams,
    "weights": _weights,
    "content_weights": _weights,
    "style_weights": _weights,
    "style": _style,
    "styles": _styles,
    "init": _init,
    "optimizer": _optimizer,
}
