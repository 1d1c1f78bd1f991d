"""Fixtures for the hidden checks of part 2: a fresh picture, another network, correct siblings. Staff only."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from coursekit.checks.small_networks import pictures, seeded


class Smooth(nn.Module):
    """A network without kinks, so that a step is the same to the last digits on every machine."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.mix = nn.Conv2d(4, 6, 3)
        self.head = nn.Linear(6, 4)

    def forward(self, images):
        return self.head(torch.tanh(self.mix(torch.tanh(self.stem(images - 0.5)))).mean((2, 3)))


@pytest.fixture
def formula():
    return "the docstring's definition, on another picture and another network"


@pytest.fixture
def size():
    return 8, 11


@pytest.fixture
def model():
    return seeded(Smooth(), seed=33)


@pytest.fixture
def image(size):
    return pictures(1, seed=61, size=size)[0]


def _step(model, image, target, *, step_size, l2_weight):
    image = image.detach().requires_grad_()
    score = model(image[None])[0, target] - l2_weight * (image - 0.5).square().sum()
    (slope,) = torch.autograd.grad(score, image)
    return (image + step_size * slope / slope.norm()).detach()


def _blur(image, sigma):
    radius = math.ceil(3 * sigma)
    bell = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=image.dtype) / sigma) ** 2)
    bell = bell / bell.sum()
    wide = F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")
    return F.conv2d(wide, (bell[:, None] * bell)[None, None])[:, 0]


def _greyed(image, measure, fraction):
    """Grey where the measure is among the smallest."""
    order = measure.flatten().argsort()[: int(fraction * measure.numel())]
    return image.detach().flatten(1).index_fill(1, order, 0.5).view(image.shape)


def _small_pixels(image, fraction):
    return _greyed(image, (image - 0.5).norm(dim=0), fraction)


def _small_contributions(image, gradient, fraction):
    return _greyed(image, ((image - 0.5) * gradient).sum(dim=0).abs(), fraction)


@pytest.fixture
def right_siblings(monkeypatch):
    """Put right siblings in the module, so that a mistake loses points in one exercise only."""
    from assignment2 import class_visualization as part2

    monkeypatch.setattr(part2, "ascent_step", _step)
    monkeypatch.setattr(part2, "blur", _blur)
    monkeypatch.setattr(part2, "zero_small_pixels", _small_pixels)
    monkeypatch.setattr(part2, "zero_small_contributions", _small_contributions)
