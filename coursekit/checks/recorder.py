"""A network that remembers every picture it is shown: how a check looks at a function that iterates."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Recorder(nn.Module):
    """Wrap a network; `shown` holds a detached copy of every batch that went through it, in order.

    It behaves like the network that it wraps: same logits, same gradients, same layers (under the prefix "network.").
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.shown: list[Tensor] = []
        self.train(network.training)

    def forward(self, images: Tensor) -> Tensor:
        self.shown.append(images.detach().clone())
        return self.network(images)

    def distinct(self) -> list[Tensor]:
        """Return what was shown without immediate repetitions: showing a picture twice in a row is no mistake."""
        kept: list[Tensor] = []
        for images in self.shown:
            if not kept or images.shape != kept[-1].shape or not torch.equal(images, kept[-1]):
                kept.append(images)
        return kept


def true_gradient(network: nn.Module, image: Tensor, target: int) -> Tensor:
    """Return the gradient of a logit at one picture, by the book: the direction that a step is held to."""
    image = image.detach().clone().requires_grad_()
    with torch.enable_grad():
        logit = network(image[None])[0, target]
        (gradient,) = torch.autograd.grad(logit, image)
    return gradient
