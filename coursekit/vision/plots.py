"""Draw pictures and maps in a notebook. Colour maps are perceptually uniform and safe for colour-blind eyes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

COLORMAP = "viridis"
FONT = 11  # points
LINE = 0.2  # inches of a line of text
SMOOTH = 90  # pixels: a smaller picture shows its pixels as squares


def use_jpeg(*, dpi: int = 144, quality: int = 72) -> None:
    """Store a notebook's figures as JPEG, dpi pixels per inch (a screen has about 72), with labels of 11 points."""
    import matplotlib.pyplot as plt
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("jpeg", pil_kwargs={"quality": quality, "optimize": True})
    plt.rcParams["figure.dpi"] = dpi
    plt.rcParams["font.size"] = FONT
    plt.rc("axes", titlesize=FONT, labelsize=FONT)
    plt.rc("xtick", labelsize=FONT)
    plt.rc("ytick", labelsize=FONT)
    plt.rc("legend", fontsize=FONT)


def use_png() -> None:
    """Store the figures from here on as PNG: charts and masks are smaller so, and their edges stay sharp."""
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("png")


def show_grid(
    images: Tensor | Sequence[Tensor],
    titles: Sequence[str] | None = None,
    *,
    rows: Sequence[str] | None = None,
    columns: int = 6,
    cell: float = 1.6,
    suptitle: str | None = None,
) -> None:
    """Draw images in rows, as the current figure of pyplot: a notebook shows it below the cell.

    Args:
        images: (N, 3, H, W) in [0, 1]; or maps (N, H, W), each scaled from its own minimum to its own maximum; or a
            list of (3, H, W) and (H, W), of any sizes.
        titles: short lines above the images: one per image or, with rows, one per column.
        rows: a name for each row, written on its left.
        columns: images per row.
        cell: the width of an image in inches.

    Raises:
        ValueError: no images, another rank, or titles or rows of another number.
    """
    import matplotlib.pyplot as plt

    pictures = [image.detach().float().cpu() for image in images]
    if not pictures or columns < 1:
        raise ValueError(f"{len(pictures)} images in {columns} columns: there is nothing to draw")
    columns = min(columns, len(pictures))
    num_rows = -(-len(pictures) // columns)
    above = list(titles or [])
    if titles is not None and len(above) not in (len(pictures), columns if rows else len(pictures)):
        raise ValueError(f"{len(above)} titles for {len(pictures)} images: give one each")
    if rows is not None and len(rows) != num_rows:
        raise ValueError(f"{len(rows)} names for {num_rows} rows of images: give one each")
    in_rows = [above[i : i + columns] for i in range(0, len(above), columns)]
    lines = sum(max(title.count("\n") + 1 for title in row) for row in in_rows)
    tallest = cell * max(picture.shape[-2] / picture.shape[-1] for picture in pictures)
    height = num_rows * tallest + lines * LINE + 2 * LINE * bool(suptitle)
    figure = plt.figure(figsize=(columns * cell + LINE * bool(rows), height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)  # type: ignore[union-attr, call-arg]
    axes = figure.subplots(num_rows, columns, squeeze=False).flatten()
    for index, axis in enumerate(axes):
        axis.set(xticks=[], yticks=[], frame_on=False)
        if index < len(pictures):
            _draw(axis, pictures[index])
        if index < len(above):
            axis.set_title(above[index], fontsize=FONT)
        if rows is not None and index % columns == 0:
            axis.set_ylabel(rows[index // columns], fontsize=FONT)
    if suptitle:
        figure.suptitle(suptitle, fontsize=FONT + 1)


def overlay(image: Tensor, heat: Tensor, *, opacity: float = 0.6) -> Tensor:
    """Draw a heat map over a picture.

    Args:
        image: (3, H, W) in [0, 1], or (N, 3, H, W). It is drawn in grey, so that all colours come from the heat map.
        heat: (H, W), or (N, H, W); clamped to [0, 1]. A value sets the colour; opacity * sqrt(value) is how much of the
            picture it covers.

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
    """Scale a signed map to [0, 1] for showing it as a picture: zero becomes grey 0.5.

    Args:
        gradient: (N, 3, H, W) or (3, H, W), any range.
        percentile: this percentile of each picture's absolute values becomes black (negative) or white (positive).
            Larger values are clipped.

    Returns:
        The shape of gradient, float32; a picture of zeros becomes 0.5 everywhere.
    """
    values = gradient.detach().float().cpu()
    flat = values.abs().flatten(-3)
    limit = flat.quantile(percentile / 100, dim=-1)
    limit = torch.where(limit > 0, limit, flat.amax(dim=-1))[..., None, None, None]
    return (0.5 + 0.5 * values / limit.clamp(min=torch.finfo(torch.float32).tiny)).clamp(0, 1)


def _draw(axis: Any, picture: Tensor) -> None:
    """Draw one (3, H, W) picture or one (H, W) map on matplotlib's axes."""
    if picture.ndim == 3 and picture.shape[0] == 3:
        axis.imshow(picture.clamp(0, 1).permute(1, 2, 0).numpy(), interpolation=_interpolation(picture))
    elif picture.ndim == 2:
        axis.imshow(picture.numpy(), cmap=COLORMAP, interpolation=_interpolation(picture))
    else:
        raise ValueError(f"an image of shape {tuple(picture.shape)}: give (3, H, W), or (H, W) for a map")


def _interpolation(picture: Tensor) -> str:
    return "nearest" if min(picture.shape[-2:]) < SMOOTH else "antialiased"
