"""The zoo's four small architectures, each the drawing of a well-known one, for 96 x 96 scenes of 24 classes.

Every network subtracts a mean and divides by a standard deviation inside (`normalize`), so images are always in [0, 1].
`tiny_alexnet` and `tiny_vgg` end in linear layers and take 96 x 96; the two that pool globally take any size of at
least 32 x 32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IMAGE_SIZE = 96
NUM_CLASSES = 24


class Normalize(nn.Module):
    """Subtract a mean and divide by a standard deviation, channel by channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float] = (0.5, 0.5, 0.5), std: Sequence[float] = (0.25, 0.25, 0.25)) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (images - mean) / std, same shape."""
        return (images - self.mean) / self.std


class ConvNet(nn.Module):
    """Convolutions, then linear layers: AlexNet's and VGG's form."""

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential) -> None:
        super().__init__()
        self.normalize = Normalize()
        self.features = features
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of images (N, 3, 96, 96)."""
        maps = self.features(self.normalize(images))  # (N, C, h, w)
        wanted = next(layer for layer in self.classifier if isinstance(layer, nn.Linear)).in_features
        if maps[0].numel() != wanted:
            size = tuple(images.shape[-2:])
            raise ValueError(f"images are {size}, but the linear layers were built for {(IMAGE_SIZE, IMAGE_SIZE)}")
        return self.classifier(maps)


class PooledNet(nn.Module):
    """Convolutions, then the mean over all positions: SqueezeNet's and ResNet's form."""

    def __init__(self, features: nn.Sequential, head: nn.Module) -> None:
        super().__init__()
        self.normalize = Normalize()
        self.features = features
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of images (N, 3, H, W)."""
        maps = self.features(self.normalize(images))  # (N, C, h, w)
        return self.head(maps.mean(dim=(2, 3)))


class Fire(nn.Module):
    """Squeeze to few channels, then expand by 1 x 1 and 3 x 3 convolutions side by side (SqueezeNet's module)."""

    def __init__(self, in_channels: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(*_conv(in_channels, squeeze, 1))
        self.expand1x1 = nn.Sequential(*_conv(squeeze, expand, 1))
        self.expand3x3 = nn.Sequential(*_conv(squeeze, expand, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 2 * expand, H, W)."""
        x = self.squeeze(x)
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a skip connection round them (ResNet's module)."""

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or in_channels != channels:
            self.skip = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H / stride, W / stride)."""
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.skip(x))


def tiny_alexnet() -> ConvNet:
    """Build AlexNet's drawing: a large first kernel, overlapping pools, 3 x 3 convolutions, dropout, linear layers."""
    features = nn.Sequential(
        *_conv(3, 32, 7, stride=2),  # (N, 32, 48, 48)
        nn.MaxPool2d(3, 2, padding=1),  # (N, 32, 24, 24)
        *_conv(32, 64, 5),
        nn.MaxPool2d(3, 2, padding=1),  # (N, 64, 12, 12)
        *_conv(64, 96, 3),
        *_conv(96, 64, 3),
        nn.MaxPool2d(3, 2, padding=1),  # (N, 64, 6, 6)
    )
    return ConvNet(features, _classifier(64 * 6 * 6, 192, dropout=0.3))


def tiny_vgg() -> ConvNet:
    """Build VGG's drawing: four stages of two 3 x 3 convolutions and a pool, 16 to 128 channels, linear layers."""
    layers: list[nn.Module] = []
    for in_channels, channels in ((3, 16), (16, 32), (32, 64), (64, 128)):
        layers += [*_conv(in_channels, channels, 3), *_conv(channels, channels, 3), nn.MaxPool2d(2, 2)]
    return ConvNet(nn.Sequential(*layers), _classifier(128 * 6 * 6, 128, dropout=0.2))


def tiny_squeezenet() -> PooledNet:
    """Build SqueezeNet's drawing: fire modules, a 1 x 1 convolution to the classes without a ReLU, their mean."""
    features = nn.Sequential(
        *_conv(3, 32, 3, stride=2),  # (N, 32, 48, 48)
        nn.MaxPool2d(3, 2, padding=1),  # (N, 32, 24, 24)
        Fire(32, 16, 48),
        Fire(96, 16, 48),
        nn.MaxPool2d(3, 2, padding=1),  # (N, 96, 12, 12)
        Fire(96, 32, 80),
        Fire(160, 32, 80),
        nn.MaxPool2d(3, 2, padding=1),  # (N, 160, 6, 6)
        Fire(160, 48, 128),
        nn.Conv2d(256, NUM_CLASSES, 1),  # (N, K, 6, 6)
    )
    return PooledNet(features, nn.Identity())


def tiny_resnet() -> PooledNet:
    """Build ResNet's drawing: a strided stem, four basic blocks of 24 to 128 channels, the mean, one linear layer.

    The one network that keeps its batch norm: it shows what train mode would do to a picture.
    """
    features = nn.Sequential(
        nn.Conv2d(3, 24, 3, stride=2, padding=1, bias=False),  # (N, 24, 48, 48)
        nn.BatchNorm2d(24),
        nn.ReLU(inplace=True),
        BasicBlock(24, 24),
        BasicBlock(24, 48, stride=2),  # (N, 48, 24, 24)
        BasicBlock(48, 96, stride=2),  # (N, 96, 12, 12)
        BasicBlock(96, 128, stride=2),  # (N, 128, 6, 6)
    )
    return PooledNet(features, nn.Linear(128, NUM_CLASSES))


ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "tiny_alexnet": tiny_alexnet,
    "tiny_vgg": tiny_vgg,
    "tiny_squeezenet": tiny_squeezenet,
    "tiny_resnet": tiny_resnet,
    "tiny_vgg_robust": tiny_vgg,
    "tiny_vgg_stylized": tiny_vgg,
}


def _conv(in_channels: int, channels: int, kernel_size: int, *, stride: int = 1) -> list[nn.Module]:
    """Return a convolution that keeps the size (divides it by stride), and its ReLU, in place as torchvision's are."""
    conv = nn.Conv2d(in_channels, channels, kernel_size, stride=stride, padding=kernel_size // 2)
    return [conv, nn.ReLU(inplace=True)]


def _classifier(in_features: int, hidden: int, *, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(in_features, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(hidden, NUM_CLASSES),
    )
