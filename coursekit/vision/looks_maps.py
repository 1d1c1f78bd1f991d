"""Given code: what the aliases of `arguments` look at where maps, kernels, layers' features and tables belong together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.vision.checked import Look, shown
from coursekit.vision.looks import (
    SEED,
    Sizes,
    finite_values,
    has_values,
    in_unit_range,
    is_number,
    is_size,
    is_whole,
    shaped,
)

PICTURE = shaped("one picture (3, h, w)", thing="picture")
FEATURES = shaped("a layer's maps (N, C, H, W)", thing="feature")


# lists with one entry a layer, a picture, a corruption


def features(name: str, value: Sequence[Tensor]) -> None:
    if isinstance(value, Tensor) or not len(value):
        found = f"one tensor {tuple(value.shape)}" if isinstance(value, Tensor) else "empty"
        raise ValueError(f"{name} is {found}: give a list with the (N, C, H, W) of at least one layer")
    for i, one in enumerate(value):
        FEATURES(f"{name}[{i}]", one, sizes={})
        finite_values(f"{name}[{i}]", one)


def like_features(meaning: str) -> Look:
    """Make the look at a list of tensors, one for each (N, C, H, W) of the features."""
    entry = shaped(meaning)

    def look(name: str, value: Sequence[Tensor], *, features: Sequence[Tensor]) -> None:
        if isinstance(value, Tensor) or len(value) != len(features):
            found = f"one tensor {tuple(value.shape)}" if isinstance(value, Tensor) else f"a list of {len(value)}"
            raise ValueError(f"{name} is {found}, features has {len(features)} entries: give one tensor each")
        for i, (one, feature) in enumerate(zip(value, features, strict=True)):
            sizes: Sizes = {}
            FEATURES(f"features[{i}]", feature, sizes=sizes)
            entry(f"{name}[{i}]", one, sizes=sizes)
            finite_values(f"{name}[{i}]", one)

    return look


def _one_each(name: str, value: Sequence[float], owner: str, count: int) -> None:
    if len(value) != count:
        raise ValueError(f"{name} has {len(value)} entries, {owner} has {count}: give one number each")
    for i, weight in enumerate(value):
        if isinstance(weight, bool) or not is_number(weight) or not math.isfinite(weight):
            raise ValueError(f"{name}[{i}] is {weight!r}, expected a number")


def feature_weights(name: str, value: Any, *, features: Any) -> None:
    _one_each(name, value, "features", len(features))


def content_weights(name: str, value: Any, *, content_layers: Any) -> None:
    _one_each(name, value, "content_layers", len(content_layers))


def style_weights(name: str, value: Any, *, style_layers: Any) -> None:
    _one_each(name, value, "style_layers", len(style_layers))


def styles(name: str, value: Sequence[Tensor], *, generator: torch.Generator | None, fraction: float) -> None:
    if not len(value):
        raise ValueError(f"{name} is empty: give at least one picture (3, h, w)")
    for i, one in enumerate(value):
        PICTURE(f"{name}[{i}]", one, sizes={})
        finite_values(f"{name}[{i}]", one)
        in_unit_range(f"{name}[{i}]", one)
    if generator is None and (len(value) > 1 or fraction not in (0, 1)):
        drawn = f"one of {len(value)} styles" if len(value) > 1 else f"{fraction:g} of the images"
        raise ValueError(f"{drawn} is drawn and there is no generator: give {SEED}")


def corruptions(name: str, value: Any) -> None:
    if callable(value) or isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, expected a list of corruptions: [{getattr(value, '__name__', value)}]")
    if not len(value):
        raise ValueError(f"{name} is empty: give at least one corruption")
    wrong = [corruption for corruption in value if not callable(corruption)]
    if wrong:
        raise ValueError(f"{name} contains {shown(wrong[0])}, expected functions such as gaussian_noise")


# tables of error rates


def is_rate(value: Any) -> bool:
    return 0 <= float(value.detach() if isinstance(value, Tensor) else value) <= 1


def rates(name: str, value: Tensor) -> None:
    if not bool(((value >= 0) & (value <= 1)).all()):  # NaN fails too
        raise ValueError(f"{name} has values from {float(value.min()):g} to {float(value.max()):g}, expected 0 to 1")


def divides(name: str, value: Tensor, *, baseline_clean: Any = None) -> None:
    above = value.detach() - (0 if baseline_clean is None else baseline_clean)
    zero = (above.sum(dim=1).abs() < 1e-6).nonzero().flatten().tolist()
    if zero:
        what = "no error" if baseline_clean is None else "no more errors than on clean images"
        raise ValueError(f"{name} makes {what} under corruption {zero[0]}: leave that row out of both tables")


# maps and kernels


def fits_in_maps(name: str, value: int, *, maps: Tensor) -> None:
    if value > min(room := tuple(maps.shape[-2:])):
        raise ValueError(f"{name} is {value}, but x has {room} pixels: no window lies inside; take a smaller one")


def holds_indices(name: str, value: tuple[int, int], *, indices: Tensor) -> None:
    low, high = int(indices.min()), int(indices.max())
    if low < 0 or high >= value[0] * value[1]:
        wrong = f"indices contains {low if low < 0 else high}, outside a plane of {value[0]} x {value[1]}"
        raise ValueError(f"{wrong}: {name} is the size of what was pooled")


def leaves_something(name: str, value: int, *, maps: Tensor, kernel: Tensor, stride: int) -> None:
    sides = zip(maps.shape[-2:], kernel.shape[-2:], strict=True)
    left = tuple((side - 1) * stride + length - 2 * value for side, length in sides)
    if min(left) < 1:
        raise ValueError(f"{name} is {value}: the result would have the size {left}; give a smaller one")


# networks of maps


def map_size(name: str, value: Any, *, linear: nn.Linear, in_channels: int) -> bool:
    h, w = sides = (value, value) if isinstance(value, int) else value if is_size(value) else (0, 0)
    if not is_size(sides):
        return False
    if linear.in_features != (given := in_channels * h * w):
        read = f"{given} numbers, but the layer reads {linear.in_features}"
        raise ValueError(f"{name} is {value}: {in_channels} channels of {h} x {w} are {read}")
    return True


def classifier(name: str, value: Any) -> None:
    parts = [part for part in ("normalize", "features", "classifier") if not hasattr(value, part)]
    if not isinstance(value, nn.Module) or parts:
        missing = f", it has no {', '.join(parts)}" if parts else ""
        raise ValueError(
            f"{name} is a {type(value).__name__}{missing}: give a network such as load_model('tiny_vgg'), or "
            "linear_head(model) of one that pools globally"
        )
    head = value.get_submodule("classifier")
    linears = [layer for layer in head.modules() if isinstance(layer, nn.Linear)]
    if not isinstance(head, nn.Sequential):
        raise ValueError(f"{name}.classifier is a {type(head).__name__}, expected an nn.Sequential of layers")
    if not linears:
        raise ValueError(f"{name}.classifier has no Linear: there is nothing to turn into a convolution")
    read = linears[0].in_features
    channels = [conv.out_channels for conv in value.get_submodule("features").modules() if isinstance(conv, nn.Conv2d)]
    if not channels or read % channels[-1]:
        raise ValueError(f"{name}.classifier reads {read} numbers, which is no map of the features' channels")
    if hasattr(value, "input_size") and read == channels[-1]:
        why = "averages each map to one number before its classifier: give linear_head(model), whose mean can slide"
        raise ValueError(f"{name} is a {type(value).__name__}, which {why}")


def is_stages(value: Any) -> bool:
    return not isinstance(value, Tensor) and len(value) > 0 and all(isinstance(stage, nn.Module) for stage in value)


def stage_channels(name: str, value: Sequence[int], *, stages: Sequence[nn.Module]) -> bool:
    if len(value) != len(stages):
        raise ValueError(f"{name} names {len(value)} numbers for {len(stages)} stages: give one each")
    return all(is_whole(channels, 1) for channels in value)


def fewer_than_stages(name: str, value: int, *, stages: Sequence[nn.Module]) -> None:
    if value >= len(stages):
        raise ValueError(f"{name} is {value}, but {len(stages)} stages have {len(stages) - 1} finer maps")


def is_widths(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and len(value) > 1 and all(is_whole(width, 1) for width in value)


# label maps


def pixel_classes(
    name: str,
    value: Tensor,
    *,
    label_maps: Tensor | None = None,
    logit_maps: Tensor | None = None,
    num_classes: int | None = None,
    ignore_index: int | None = None,
) -> None:
    """Refuse values that are no class, where the labels do not say that the pixel is ignored."""
    known = num_classes if logit_maps is None else logit_maps.shape[1]
    if known is None or not has_values(value):
        return
    low, high = value.aminmax()
    if int(low) >= 0 and int(high) < known:
        return
    outside = ((value < 0) | (value >= known)) & ((value if label_maps is None else label_maps) != ignore_index)
    if bool(outside.any()):
        wanted = f"expected 0 to {known - 1} or ignore_index: mend the masks or num_classes"
        raise ValueError(f"{name} contains label {int(value[outside][0])}, {wanted}: {shown(value)}")
