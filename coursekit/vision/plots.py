"""Draw pictures and maps in a notebook. Colour maps are perceptually uniform and safe for colour-blind eyes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

COLORMAP = "viridis"


def show_grid(
    images: Tensor | Sequence[Tensor],
    titles: Sequence[str] | None = None,
    *,
    columns: int = 6,
    cell: float = 1.6,
    suptitle: str | None = None,
) -> None:
    """Draw images in rows, as the current figure of pyplot: a notebook shows it below the cell.

    Args:
        images: (N, 3, H, W) in [0, 1], or (N, H, W) maps, each scaled from its own smallest to its own largest value; or
            a list of (3, H, W) and (H, W), of any sizes.
        titles: N short lines, set above the images.
        columns: images in a row.
        cell: inches of an image's side.

    Raises:
        ValueError: no images, another rank, or titles of another number.
    """
    import matplotlib.pyplot as plt

    pictures = [image.detach().float().cpu() for image in images]
    if not pictures or columns < 1:
        raise ValueError(f"{len(pictures)} images in {columns} columns: there is nothing to draw")
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"{len(titles)} titles for {len(pictures)} images: give one each")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    title_height = 0.25 if titles else 0.0
    figure = plt.figure(
        figsize=(columns * cell, rows * (cell + title_height) + (0.3 if suptitle else 0)), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for index, axis in enumerate(axes):
        axis.set_axis_off()
        if index < len(pictures):
            _draw(axis, pictures[index])
            if titles is not None:
                axis.set_title(titles[index], fontsize=8)
    if suptitle:
        figure.suptitle(suptitle, fontsize=10)


def overlay(image: Tensor, heat: Tensor, *, opacity: float = 0.6) -> Tensor:
    """Lay a heat map over a picture.

    Args:
        image: (3, H, W) in [0, 1], or (N, 3, H, W); drawn grey, so that every colour is the map's.
        heat: (H, W), or (N, H, W); clamped to [0, 1]. Its value is the colour and, times opacity, how much it covers.

    Returns:
        The shape of image, in [0, 1].
    """
    from matplotlib import colormaps

    if image.shape[-2:] != heat.shape[-2:] or image.ndim != heat.ndim + 1:
        raise ValueError(f"image {tuple(image.shape)} and heat {tuple(heat.shape)}: give (3, H, W) and (H, W)")
    heat = heat.detach().float().cpu().clamp(0, 1)
    colors = torch.from_numpy(colormaps["magma"](heat.numpy())[..., :3]).float().movedim(-1, -3)
    gray = image.detach().float().cpu().mean(dim=-3, keepdim=True)
    cover = opacity * heat.sqrt().unsqueeze(-3)
    return ((1 - cover) * gray + cover * colors).clamp(0, 1)


def signed(gradient: Tensor, *, percentile: float = 99.5) -> Tensor:
    """Scale a signed map to [0, 1], zero to grey 0.5, so that it can be shown as a picture.

    Args:
        gradient: (N, 3, H, W) or (3, H, W), any range.
        percentile: of each picture's absolute values, the one that becomes black or white; the few beyond are clipped.

    Returns:
        The shape of gradient, float32; an all-zero picture is all 0.5.
    """
    values = gradient.detach().float().cpu()
    flat = values.abs().flatten(-3)
    limit = flat.quantile(percentile / 100, dim=-1)
    limit = torch.where(limit > 0, limit, flat.amax(dim=-1))[..., None, None, None]
    return (0.5 + 0.5 * values / limit.clamp(min=torch.finfo(torch.float32).tiny)).clamp(0, 1)


def _draw(axis: Any, picture: Tensor) -> None:
    """Draw one (3, H, W) picture or one (H, W) map on matplotlib's axes."""
    if picture.ndim == 3 and picture.shape[0] == 3:
        axis.imshow(picture.clamp(0, 1).permute(1, 2, 0).numpy(), interpolation="nearest")
    elif picture.ndim == 2:
        axis.imshow(picture.numpy(), cmap=COLORMAP, interpolation="nearest")
    else:
        raise ValueError(f"an image of shape {tuple(picture.shape)}: give (3, H, W), or (H, W) for a map")
