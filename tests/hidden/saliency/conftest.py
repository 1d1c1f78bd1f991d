"""Fixtures for the hidden checks of part 1: fresh images and another network. Staff only."""

import pytest
import torch
from torch import nn

from coursekit.checks.small_networks import pictures, seeded


class Wide(nn.Module):
    """Another shape of network: strides, a dilation, a concatenation, average pooling."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 5, (3, 5), stride=(1, 2), padding=(1, 2)), nn.ReLU(inplace=True))
        self.left = nn.Conv2d(5, 3, 3, padding=2, dilation=2)
        self.right = nn.Conv2d(5, 2, 1)
        self.mix = nn.Conv2d(5, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.AvgPool2d(2)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 4 * 2, 4))

    def forward(self, images):
        stem = self.stem(images)
        both = torch.cat([self.relu(self.left(stem)), torch.relu(self.right(stem))], dim=1)
        return self.head(self.pool(self.relu(self.mix(both))))


@pytest.fixture
def formula():
    return "the docstring's definition, on other pictures and another network"


@pytest.fixture
def model():
    return seeded(Wide(), seed=41)


@pytest.fixture
def images():
    return pictures(4, seed=77, size=(11, 14))


@pytest.fixture
def labels():
    return torch.tensor([1, 3, 0, 3])
