"""Given code: random numbers from a generator, drawn on the generator's device and then moved to where they are needed."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(*shape: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """Return random numbers of this shape, uniform in [0, 1), on the device and in the dtype of `like`.

    They are drawn on the generator's device: the same numbers wherever `like` is.
    """
    return torch.rand(shape, generator=generator, device=generator.device, dtype=like.dtype).to(like.device)


def normal(*shape: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """Return random numbers of this shape from N(0, 1), on the device and in the dtype of `like`.

    They are drawn on the generator's device: the same numbers wherever `like` is.
    """
    return torch.randn(shape, generator=generator, device=generator.device, dtype=like.dtype).to(like.device)
