"""A function that draws random numbers: it gets a generator with a seed, and what it draws is held to laws."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

SHIFT = 0  # added to every seed: how often a right solution fails by chance is counted with others (benchmarks/false_alarms.py)


def seed(number: int = 0) -> torch.Generator:
    """Make a generator that begins at a seed."""
    return torch.Generator().manual_seed(number + SHIFT)


def assert_goes_on(call: Callable[[torch.Generator], Tensor]) -> None:
    """Hold two calls, one after the other with one generator, to different results."""
    __tracebackhide__ = True
    drawn_from = seed()
    first, second = (call(drawn_from).double() for _ in range(2))
    assert not torch.allclose(first, second), (
        "the second call draws the numbers of the first: do not copy or reseed the generator"
    )


def assert_own_noise(result: Tensor, what: str = "noise") -> None:
    """Hold equal pictures to different results in every image and every channel."""
    __tracebackhide__ = True
    for i, j in itertools.combinations(range(3), 2):
        images_alike = torch.allclose(result[i], result[j])
        assert not images_alike, f"two images of a batch get the same {what}: draw it for each"
        channels_alike = torch.allclose(result[:, i], result[:, j])
        assert not channels_alike, f"the channels get the same {what}: draw it for each value"


def distance_from_uniform(values: Tensor) -> float:
    """Return the largest difference between the distribution of values and the uniform one on [0, 1]."""
    values = values.flatten().double().sort().values
    return (values - (torch.arange(len(values)) + 0.5) / len(values)).abs().max().item()
