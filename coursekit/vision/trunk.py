"""Given code for part 5: the convolutions of a network alone, for pictures of any size, and a look at a descent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


def trunk(model: Any) -> nn.Sequential:
    """Return the convolutions of a network, with its normalisation. They map pictures (N, 3, H, W) of any size to maps.

    The layers keep their names ("features.11"); weights are shared with model.

    Raises:
        ValueError: the network has no `features` (a ResNet). If it takes pictures of any size, use the network itself.
    """
    features = getattr(model, "features", None)
    if not isinstance(features, nn.Sequential):
        name = type(model).__name__
        raise ValueError(f"a {name} has no chain of layers `features`: give the network itself, if it takes any size")
    parts = [("normalize", getattr(model, "normalize", nn.Identity())), ("features", features)]
    return nn.Sequential(OrderedDict(parts)).train(model.training)


@contextmanager
def watch_steps(model: nn.Module, num_steps: int, *, size: tuple[int, int] | None = None) -> Iterator[list[Tensor]]:
    """Show a progress bar while pictures are optimised, and keep a copy of every picture that model is called with.

    Args:
        model: the network that the optimisation calls. The hook is removed after the `with` block.
        num_steps: the length of the bar.
        size: keep pictures of this (H, W) only, for example to leave out a style picture of another size.

    Yields:
        a list of (N, 3, H, W) copies, in the order of the calls; those made before the first step come first.
    """
    from tqdm import tqdm

    shown: list[Tensor] = []
    with tqdm(total=num_steps, unit="step") as bar:

        def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            if size is None or tuple(inputs[0].shape[-2:]) == size:
                shown.append(inputs[0].detach().clone())
                bar.update(inputs[0].requires_grad)

        handle = model.register_forward_pre_hook(keep)
        try:
            yield shown
        finally:
            handle.remove()
