"""Small networks in float64 for the checks: H differs from W, values are fixed by a seed, answers agree to the last digits."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

NUM_CLASSES = 5
SIZE = (9, 13)  # (H, W) of the checks' images
SMALL = (4, 6)  # where a check tries every pixel in turn
MANY = (40, 50)  # where shares are counted
FRESH = 0  # added to every seed; staff's hidden checks may draw other numbers in every term (coursekit.staff.isolated.fresh)


def seed_global_generators() -> None:
    """Begin a check where each check begins: code that draws from a global generator then fails, or passes, every time."""
    random.seed(0)
    np.random.seed(0)
    torch.default_generator.manual_seed(0)  # torch.manual_seed also notes a traceback for each kind of device: 1 ms


def warm_up() -> None:
    """Let torch set up what it needs for a gradient, with one thread: a fork of this process finds it done."""
    torch.set_num_threads(1)  # threads that are begun here would be missing on the far side of a fork
    image = pictures(1).requires_grad_()
    torch.autograd.grad(F.cross_entropy(seeded(SmallConvNet())(image), torch.tensor([1])), image)


def numbers(*shape: int, seed: int) -> Tensor:
    """Draw float64 numbers from N(0, 1)."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed + FRESH), dtype=torch.float64)


def pictures(num_images: int, *, seed: int = 0, size: tuple[int, int] = SIZE) -> Tensor:
    """Draw float64 images (N, 3, H, W), uniform in [0, 1]."""
    generator = torch.Generator().manual_seed(1000 + seed + FRESH)
    return torch.rand(num_images, 3, *size, generator=generator, dtype=torch.float64)


def plain(value: float, num_images: int = 3, size: tuple[int, int] = MANY) -> Tensor:
    """Make pictures of one grey."""
    return torch.full((num_images, 3, *size), value, dtype=torch.float64)


def seeded(network: nn.Module, seed: int = 0) -> nn.Module:
    """Fill a network with float64 values from a seed, batch-norm statistics included, and put it in eval mode."""
    network = network.double()
    for i, (name, value) in enumerate(sorted(network.state_dict().items())):
        if not value.is_floating_point():
            continue
        drawn = numbers(*value.shape, seed=10_000 * seed + i)
        fan_in = value[0].numel() if value.dim() > 1 else 4
        value.copy_(drawn.abs() + 0.5 if name.endswith("running_var") else drawn * (2 / fan_in) ** 0.5)
    return network.eval()


class Linear(nn.Module):
    """Logits that are linear in the pixels: every gradient is the weight itself."""

    def __init__(self, size: tuple[int, int] = SIZE, num_classes: int = NUM_CLASSES) -> None:
        super().__init__()
        self.head = nn.Linear(3 * size[0] * size[1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(images.flatten(1))

    def weights(self) -> Tensor:
        """Return the weights as pictures (K, 3, H, W)."""
        return self.head.weight.detach().unflatten(1, (3, *SIZE))


class OneHidden(nn.Module):
    """V relu(W x): the smallest network in which the three ReLU rules differ."""

    def __init__(self, relu: Any = None, width: int = 11) -> None:
        super().__init__()
        self.first = nn.Linear(3 * SIZE[0] * SIZE[1], width)
        self.relu = nn.ReLU() if relu is None else relu
        self.second = nn.Linear(width, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        return self.second(self.relu(self.first(images.flatten(1))))


class Beside(nn.Module):
    """A ReLU, and its input added to what it lets through: both get one upstream gradient."""

    def forward(self, hidden: Tensor) -> Tensor:
        return F.relu(hidden) + hidden


class SmallConvNet(nn.Module):
    """Two stages of convolution, in-place ReLU and max pooling, then two linear layers: a tiny VGG."""

    def __init__(self, inplace: bool = True) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.ReLU(inplace),
            nn.Conv2d(4, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(inplace),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 5, 3, padding=1),
            nn.ReLU(inplace),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(5 * 4 * 6, 7), nn.ReLU(inplace), nn.Linear(7, NUM_CLASSES)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


class TwoConvolutions(nn.Module):
    """Two convolutions with in-place ReLUs and two linear layers, for pictures of SMALL size."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(True), nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3), nn.ReLU(True)
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(3 * 2 * 4, 6), nn.ReLU(True), nn.Linear(6, NUM_CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))


class Waves(nn.Module):
    """Logits that are sums of sines of the pixels: not linear, and the slope is known by hand at every picture."""

    def __init__(self, size: tuple[int, int] = SIZE) -> None:
        super().__init__()
        self.heights = nn.Parameter(torch.empty(NUM_CLASSES, 3, *size))
        self.heights.data = numbers(NUM_CLASSES, 3, *size, seed=7)

    def forward(self, images: Tensor) -> Tensor:
        return (self.heights * torch.sin(2 * images[:, None])).flatten(2).sum(2)

    def slope(self, image: Tensor, target: int) -> Tensor:
        """Return the slope of a logit at a picture."""
        return 2 * self.heights.detach()[target] * torch.cos(2 * image)


class ReluEverywhere(nn.Module):
    """ReLUs of every kind: a module used twice, functional, a method, in place, and one whose input feeds a skip."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.block = nn.Conv2d(4, 4, 3, padding=1)
        self.down = nn.Conv2d(4, 6, 3, stride=2)
        self.last = nn.Conv2d(6, 6, 1)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(6, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        skip = self.stem(images)
        hidden = self.block(F.relu(skip)) + skip
        hidden = self.relu(hidden)
        hidden = self.relu(self.down(hidden))
        hidden = torch.relu(self.last(hidden)).add(0.1).sub(0.3).relu()
        return self.head(hidden.mean((2, 3)))


class Dead(nn.Module):
    """Logits that the picture does not reach through its ReLU: every gradient is zero."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(F.relu(self.features(images) - 1e3).mean((2, 3)))


class Blind(nn.Module):
    """Logits that are computed beside the picture, from parameters alone: for autograd the picture is unused."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3, padding=1)
        self.start = nn.Parameter(torch.empty(1, 4))
        self.head = nn.Linear(4, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        self.features(images)
        return self.head(self.start.expand(len(images), -1))


def cancelling() -> Linear:
    """Return a linear network whose gradient is not zero, though its entries add up to zero and the first is zero."""
    network = Linear()
    seeded(network)
    size = network.head.weight.shape[1]
    with torch.no_grad():
        network.head.weight[:] = (2.0 * torch.arange(size) - (size - 1)).roll(-(size // 2))
    return network


class Wrapped:
    """A network behind a plain call: nothing that is asked of a module will be found."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def __call__(self, images: Tensor) -> Any:
        return self.network(images)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"model is a function here, without {name!r}: use nothing of it but the call")


class Boom(RuntimeError):
    """What a failing network raises."""


def broken(network: nn.Module, when: str, at: str = "") -> nn.Module:
    """Copy a network so that it breaks at a layer: in the "forward" pass, or not until the "backward" pass."""

    def break_now(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        if when == "forward":
            raise Boom("the network broke in its forward pass")
        return _BreakBackward.apply(output)

    copy = deepcopy(network)
    copy.get_submodule(at).register_forward_hook(break_now)
    return copy


class _BreakBackward(torch.autograd.Function):
    generate_vmap_rule = True  # a solution may use torch.func

    @staticmethod
    def forward(logits: Tensor) -> Tensor:
        return logits.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep nothing: the backward pass never gets that far."""

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Tensor:
        raise Boom("the network broke in its backward pass")
