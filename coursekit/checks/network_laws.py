"""Laws that hold for every network that is written as a module: named parameters, pure, repeatable, trainable."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.checks.expect import Expect
from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.small_networks import numbers


def assert_parameters(network: Any, wanted: dict[str, tuple[int, ...]]) -> None:
    """Hold a network's parameters to the names and shapes that the docstring gives."""
    __tracebackhide__ = True
    assert isinstance(network, nn.Module), f"the result is a {type(network).__name__}, expected an nn.Module"
    found = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    missing = [name for name in wanted if name not in found]
    told = ", ".join(found) or "none"
    assert not missing, f"there is no parameter {missing[0]}, only {told}; what a plain list holds is not found"
    extra = [name for name in found if name not in wanted]
    assert not extra, f"there is a parameter {extra[0]} that the docstring does not name"
    for name, shape in wanted.items():
        assert found[name] == shape, f"{name} has shape {found[name]}, expected {shape}"


def assert_network_behaves(expect: Expect, network: nn.Module, images: Tensor) -> None:
    """Hold a network to working as a module does: pure, repeatable, each image for itself, in float32, trainable."""
    __tracebackhide__ = True
    with expect.unchanged(model=network, images=images), torch.no_grad():
        first = network(images)
    with torch.no_grad():
        expect(network(images), first, "the same logits at the second call")
        alone = torch.cat([network(image[None]) for image in images])
        expect(alone, first, "the logits of an image do not depend on its batch mates")
        expect(network(strided(images)), first, ANY_STRIDES)
        expect(deepcopy(network)(images), first, "the same logits of a copy of the network")
        single = deepcopy(network).float()(images.float())
        expect(single, first.float(), "float32 images and network give float32 logits", tolerance=1e-3)
        expect(deepcopy(network).train()(images), first, "train mode changes nothing: there is nothing random in it")
    followed = images.clone().requires_grad_()
    logits = network(followed)
    assert logits.requires_grad, "the logits are detached from the parameters: they must be differentiable"
    frozen = [name for name, parameter in network.named_parameters() if not parameter.requires_grad]
    assert not frozen, f"{frozen[0]} has requires_grad=False: every parameter must be trainable"
    upstream = numbers(*logits.shape, seed=99)
    gradients = torch.autograd.grad((logits * upstream).sum(), [followed, *network.parameters()], allow_unused=True)
    for name, gradient in zip(["the images", *(n for n, _ in network.named_parameters())], gradients, strict=True):
        assert gradient is not None, f"no gradient reaches {name}"
        assert bool((gradient != 0).any()), f"the gradient of {name} is zero everywhere"
    directions = [numbers(*gradient.shape, seed=200 + i) for i, gradient in enumerate(gradients)]
    moved = [_moved_logits(network, images, directions, step) for step in (1e-8, -1e-8)]
    slope = ((moved[0] - moved[1]) * upstream).sum() / 2e-8
    along = sum((gradient * direction).sum() for gradient, direction in zip(gradients, directions, strict=True))
    expect(along, slope, "the gradient is the slope of the logits, in the images and the parameters", tolerance=1e-4)


def _moved_logits(network: nn.Module, images: Tensor, directions: Sequence[Tensor], step: float) -> Tensor:
    """Return the logits after a step of the images and of every parameter."""
    moved = deepcopy(network)
    with torch.no_grad():
        for parameter, direction in zip(moved.parameters(), directions[1:], strict=True):
            parameter.add_(step * direction)
        return moved(images + step * directions[0])


def delta(conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Make a 3 x 3 convolution copy its first input channel into each output channel."""
    with torch.no_grad():
        conv.weight.zero_()
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
        conv.weight[:, 0, conv.kernel_size[0] // 2, conv.kernel_size[1] // 2] = 1
