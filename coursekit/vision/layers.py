"""Given code: which layers of a network, whatever its architecture, are worth looking at."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from coursekit.errors import UsageError
from coursekit.vision.hooks import record_outputs
from coursekit.vision.networks import Normalize

_POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d)
_NOT_YET = (Normalize, nn.Conv2d, nn.BatchNorm2d, nn.Dropout, nn.ModuleList, *_POOLS)  # a ReLU, or a block, is to come


def map_layers(model: Any) -> tuple[str, ...]:
    """Name the layers that end in maps (N, C, h, w), from the first to the last: ReLUs, and blocks as a whole.

    Raises:
        UsageError: a network that computes no maps, such as a vision transformer.
    """
    features = getattr(model, "features", None)
    chain, prefix = (features, "features.") if isinstance(features, nn.Sequential) else (model, "")
    names = [prefix + name for name, layer in chain.named_children() if not isinstance(layer, _NOT_YET)]
    grey = torch.full((1, 3, *model.input_size), 0.5).to(next(model.parameters()))
    with torch.no_grad(), record_outputs(model, names) as outputs:
        model(grey)
    shapes = {name: tuple(outputs[name].shape[1:]) for name in names if name in outputs}
    # A map of a square picture is square; what a transformer returns has its channels last.
    found = tuple(name for name, shape in shapes.items() if len(shape) == 3 and 1 < shape[1] == shape[2])
    if not found:
        raise UsageError(
            f"a {type(model).__name__} computes no maps (N, C, h, w), so there is no layer to look into: take a "
            "convolutional network, such as squeezenet1_1 or resnet18"
        )
    return found


def three_layers(model: Any) -> dict[str, str]:
    """Name an early, a middle and a late layer: those at a quarter, at half and at the end of `map_layers`."""
    names = map_layers(model)
    last = len(names) - 1
    return {"early": names[last // 4], "middle": names[last // 2], "late": names[last]}


def cam_layer(model: Any) -> str:
    """Name the layer for Grad-CAM: the one with the last maps.

    If these come from a ReLU6 directly after a convolution, name the convolution: its maps are signed. Negative values
    speak against a class, and on EfficientNet-Lite0 the maps before the ReLU6 locate a class better.
    """
    last = map_layers(model)[-1]
    chain, _, number = last.rpartition(".")
    if not isinstance(model.get_submodule(last), nn.ReLU6):
        return last
    before = f"{chain}.{int(number) - 1}"
    return before if isinstance(model.get_submodule(before), nn.Conv2d) else last


def style_layers(model: Any) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Name layers for style transfer: five for the style, one for the content, and five from the first to the last.

    The style layers lie in the first third of `map_layers`: receptive fields there have the size of a stroke or a tile.
    """
    names = map_layers(model)
    style = tuple(dict.fromkeys(names[min(i, len(names) - 1)] for i in (0, 1, 2, 3, 5)))
    depths = tuple(dict.fromkeys(names[round(i * (len(names) - 1) / 4)] for i in range(5)))
    return style, (names[min(3, len(names) - 1)],), depths
