"""A network, or a function, that remembers every picture it is shown: how a check looks at a function that iterates."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


class Recorder(nn.Module):
    """Wrap a network; `shown` holds a detached copy of every batch that went through it, in order.

    It behaves like the network that it wraps: same logits, same gradients, same layers (under the prefix "network.").
    A deep copy of it, on which a function may work, writes into the same list.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.shown: list[Tensor] = []
        self.train(network.training)

    def forward(self, images: Tensor) -> Tensor:
        self.shown.append(images.detach().clone())
        return self.network(images)

    def __deepcopy__(self, memo: dict[int, Any]) -> Recorder:
        copy = memo[id(self)] = type(self).__new__(type(self))
        memo[id(self.shown)] = self.shown
        copy.__dict__ = deepcopy(self.__dict__, memo)
        return copy

    def distinct(self) -> list[Tensor]:
        """Return what was shown without immediate repetitions: showing a picture twice in a row is no mistake."""
        assert self.shown, "the network was never shown a picture: ask it at every step"
        kept: list[Tensor] = []
        for images in self.shown:
            if not kept or images.shape != kept[-1].shape or not torch.equal(images, kept[-1]):
                kept.append(images)
        return kept


class BlackBox:
    """Something that one can only ask: it logs the pictures, and its answers carry no gradient."""

    def __init__(self, answer: Callable[[Tensor], Tensor]) -> None:
        self.answer = answer
        self.log: list[Tensor] = []

    def __call__(self, images: Tensor) -> Tensor:
        self.log.append(images.detach().clone())
        with torch.no_grad():
            return self.answer(images.detach())

    def shown(self) -> Tensor:
        assert self.log, "predict was never called"
        return torch.cat(self.log)
