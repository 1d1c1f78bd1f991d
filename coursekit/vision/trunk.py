"""Given code for part 5: the convolutions of a network alone, for pictures of any size, and a look at a descent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


def trunk(model: Any) -> nn.Sequential:
    """Return the convolutions of a network, with its normalisation: pictures (N, 3, H, W) of any size -> maps.

    The layers keep their names ("features.11"); weights are shared with model.

    Raises:
        ValueError: a network that has no `features`, as a ResNet: it takes pictures of any size as it is (a transformer does not).
    """
    features = getattr(model, "features", None)
    if not isinstance(features, nn.Sequential):
        name = type(model).__name__
        raise ValueError(f"a {name} has no chain of layers `features`: give the network itself, if it takes any size")
    parts = [("normalize", getattr(model, "normalize", nn.Identity())), ("features", features)]
    return nn.Sequential(OrderedDict(parts)).train(model.training)


@contextmanager
def watch_steps(model: nn.Module, num_steps: int, *, size: tuple[int, int] | None = None) -> Iterator[list[Tensor]]:
    """Show a progress bar while something descends on pictures, and keep every picture that the network is shown.

    Args:
        model: what the pictures are shown to; hooked inside the `with` block only.
        num_steps: how many steps the bar counts.
        size: keep pictures of this (H, W) only, so that a style of another size is left out.

    Yields:
        a list that fills with (N, 3, H, W) copies, in order: what was computed before the first step comes first.
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
