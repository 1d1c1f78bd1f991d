"""Given code for part 2: what photographs have in common, put into the steps of an ascent.

In photographs the three colours rise and fall together, and slow changes are stronger than fast ones. A step that has the
same statistics paints surfaces instead of grain (preconditioning; Olah et al. 2017, "Feature Visualization").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

STAGES = ((144, 40), (184, 40), (224, 40))  # (side in pixels, steps): large shapes come first
STEP_SIZE = 20 / 224  # of a step, a pixel of the side
START_NOISE = 0.03  # standard deviation round grey
JITTER = 1 / 14  # of the side
BLUR_EVERY, BLUR_SIGMA = 2, 1.0


def grow(
    ascent_step: Callable[..., Tensor],
    blur: Callable[[Tensor, float], Tensor],
    model: Any,
    target: int,
    covariance: Tensor,
    *,
    seed: int = 0,
    stages: tuple[tuple[int, int], ...] = STAGES,
) -> Tensor:
    """Paint a class from a small picture to a large one, with the steps and the blur of part 2.

    Each step is taken at a shifted place, made like photographs (`natural_step`), and counts most in the middle.

    Args:
        ascent_step: as in part 2; only the direction of its step is used.
        blur: as in part 2.
        covariance: (3, 3), as `colour_covariance` returns it.

    Returns:
        (3, H, W) in [0, 1], of the last stage's side.
    """
    generator = torch.Generator().manual_seed(seed)
    picture = 0.5 + START_NOISE * torch.randn(3, stages[0][0], stages[0][0], generator=generator)
    for side, num_steps in stages:
        picture = F.interpolate(picture[None], (side, side), mode="bicubic").clamp(0, 1)[0]
        window, most = center_window((side, side)), round(JITTER * side)
        for done in range(num_steps):
            down, right = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
            rolled = picture.roll((down, right), (1, 2))
            move = ascent_step(model, rolled, target, step_size=1.0, l2_weight=0.0) - rolled
            move = window * natural_step(move.roll((-down, -right), (1, 2)), covariance)
            picture = picture + STEP_SIZE * side * move / move.norm().clamp(min=1e-12)
            if done % BLUR_EVERY == 1:
                picture = blur(picture, BLUR_SIGMA)
            picture = picture.clamp(0, 1)
    return picture


def colour_covariance(images: Tensor) -> Tensor:
    """Return the covariance of the colour channels over all pixels of images (N, 3, H, W): (3, 3), scaled to trace 3."""
    values = images.transpose(0, 1).flatten(1)  # (3, N * H * W)
    covariance = values.cov()
    return covariance * 3 / covariance.trace()


def natural_step(step: Tensor, covariance: Tensor, *, decay: float = 0.5, colour: float = 0.7) -> Tensor:
    """Give a step the colours and the smoothness of photographs; only its direction matters, not its length.

    Args:
        step: (3, H, W), a move of a picture. Not modified.
        covariance: (3, 3), as `colour_covariance` returns it.
        decay: each frequency f (in cycles per pixel) is multiplied by f^-decay; 0 changes nothing.
        colour: how much of the covariance is mixed in; 0 leaves the colours independent, 1 binds them as photographs do.

    Returns:
        (3, H, W).
    """
    height, width = step.shape[-2:]
    rows = torch.fft.fftfreq(height, device=step.device)[:, None]
    columns = torch.fft.rfftfreq(width, device=step.device)[None]
    frequency = (rows.square() + columns.square()).sqrt().clamp(min=1 / max(height, width))
    smooth = torch.fft.irfft2(torch.fft.rfft2(step) * frequency**-decay, s=(height, width))
    mixed = colour * covariance.to(step) + (1 - colour) * torch.eye(3, dtype=step.dtype, device=step.device)
    return torch.einsum("ij,jhw->ihw", mixed, smooth)


def center_window(size: tuple[int, int], width: float = 0.5) -> Tensor:
    """Return (H, W) weights, 1 in the middle and falling like a Gaussian: the picture's subject grows there.

    Args:
        width: standard deviation, as a share of half the side.
    """
    down, across = (torch.linspace(-1, 1, side).square() for side in size)
    return (-(down[:, None] + across[None]) / (2 * width**2)).exp()


def stretched(picture: Tensor, deviation: float = 0.17) -> Tensor:
    """Stretch the contrast of a picture about grey for showing: its values get this standard deviation, then clamp to [0, 1].

    Args:
        picture: (3, H, W) in [0, 1]. Not modified.
    """
    return (0.5 + (picture - 0.5) * (deviation / picture.std().clamp(min=1e-6))).clamp(0, 1)
