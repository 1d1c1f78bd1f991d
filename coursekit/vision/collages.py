"""Collages of photographs: real pictures in which the place of each class is known exactly.

The grid pointing game of Böhle, Fritz and Schiele 2021 ("Convolutional Dynamic Alignment Networks", section 5.2): photographs
of different classes in a grid; a good map of one class lies in that class's cell.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.errors import UsageError
from coursekit.vision.efficientnet import imagenet_classes
from coursekit.vision.photos import fit_photo, load_photo

NUM_PHOTOGRAPHS = 20


class Photographs(NamedTuple):
    """Labelled photographs: images (N, 3, H, W) in [0, 1], labels (N,) of ImageNet, their names, and the files."""

    images: Tensor
    labels: Tensor
    names: tuple[str, ...]
    sources: tuple[str, ...]


class Collages(NamedTuple):
    """Grids of photographs: images (N, 3, H, W), labels (N, cells) of each cell, boxes (cells, 4) of every grid.

    A box is (top, left, bottom, right) in pixels, half-open; the cells are in reading order.
    """

    images: Tensor
    labels: Tensor
    boxes: Tensor


def photographs(size: tuple[int, int] = (224, 224)) -> Photographs:
    """Return the twenty labelled ImageNet photographs that the package foolbox installs.

    Args:
        size: (H, W) of all images; a photograph of another shape is cropped in the middle.

    Raises:
        UsageError: the package is not installed, or some of its files are missing.
    """
    found = importlib.util.find_spec("foolbox")  # its files are read; the package itself is not imported
    folder = Path(found.origin or "").parent / "data" if found else Path("foolbox")
    files = sorted(folder.glob("imagenet_??_*.jpg"))
    if len(files) != NUM_PHOTOGRAPHS:
        raise UsageError(
            f"{folder} holds {len(files)} of {NUM_PHOTOGRAPHS} photographs; "
            "install them again with: pip install --force-reinstall --no-deps foolbox"
        )
    labels = torch.tensor([int(file.stem.rsplit("_", 1)[1]) for file in files])  # imagenet_00_243.jpg: class 243
    images = torch.stack([fit_photo(load_photo(file, max_side=10**6), size) for file in files])
    names = tuple(imagenet_classes()[label] for label in labels.tolist())
    return Photographs(images, labels, names, tuple(f"foolbox/data/{file.name}" for file in files))


def collage(images: Tensor, labels: Tensor, *, columns: int = 2) -> Collages:
    """Put photographs of different classes together as one grid.

    Args:
        images: (cells, 3, h, w) in [0, 1]; cells is a multiple of columns.
        labels: (cells,) int64, all different.

    Returns:
        one grid: images (1, 3, rows * h, columns * w), labels (1, cells), boxes (cells, 4).

    Raises:
        ValueError: a class that occurs twice, a row that is not full, or not one label per image.
    """
    cells, _, height, width = images.shape
    if labels.shape != (cells,):
        raise ValueError(f"labels have shape {tuple(labels.shape)} for {cells} images: give one label for each")
    if len(labels.unique()) < cells:
        twice = next(label for label in labels.tolist() if labels.tolist().count(label) > 1)
        raise ValueError(f"labels contain class {twice} twice: a collage shows each class once")
    if columns < 1 or cells % columns:
        raise ValueError(f"{cells} images do not fill rows of {columns}: give a multiple of columns={columns}")
    grid = images.unflatten(0, (cells // columns, columns)).permute(2, 0, 3, 1, 4)  # (3, rows, h, columns, w)
    tops = torch.arange(cells) // columns * height
    lefts = torch.arange(cells) % columns * width
    boxes = torch.stack([tops, lefts, tops + height, lefts + width], dim=1)  # (cells, 4)
    return Collages(grid.flatten(3, 4).flatten(1, 2)[None], labels[None].clone(), boxes)


def random_collages(
    images: Tensor, labels: Tensor, num_collages: int, *, generator: torch.Generator, columns: int = 2, rows: int = 2
) -> Collages:
    """Draw grids of photographs of different classes, rows x columns each.

    Args:
        images: (M, 3, h, w) in [0, 1] to draw from.
        labels: (M,) int64; at least rows * columns different ones.

    Raises:
        ValueError: too few classes; otherwise as `collage`.
    """
    cells = rows * columns
    if len(labels.unique()) < cells:
        raise ValueError(f"labels name {len(labels.unique())} classes, a grid of {rows} x {columns} needs {cells}")
    drawn = []
    for _ in range(num_collages):
        order = torch.randperm(len(labels), generator=generator).tolist()
        first_of = {labels[i].item(): i for i in reversed(order)}  # one photograph of each class
        chosen = [i for i in order if first_of[labels[i].item()] == i][:cells]
        drawn.append(collage(images[chosen], labels[chosen], columns=columns))
    return Collages(torch.cat([d.images for d in drawn]), torch.cat([d.labels for d in drawn]), drawn[0].boxes)


def random_crops(
    images: Tensor, num_crops: int, *, size: tuple[int, int], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cut random squares out of photographs and resize them. A side is 0.25 to 0.9 times the photograph's shorter side.

    Args:
        images: (M, 3, H, W) in [0, 1]. Crop i comes from image i % M.
        size: (h, w) of all crops.

    Returns:
        crops (num_crops, 3, h, w), and which image each comes from, (num_crops,).
    """
    height, width = images.shape[-2:]
    sources = torch.arange(num_crops) % len(images)
    crops = torch.empty(num_crops, 3, *size, dtype=images.dtype)
    for crop, source, (scale, down, right) in zip(
        crops, sources, torch.rand(num_crops, 3, generator=generator).tolist(), strict=True
    ):
        side = round(min(height, width) * (0.25 + 0.65 * scale))
        top, left = int(down * (height - side + 1)), int(right * (width - side + 1))
        patch = images[source, None, :, top : top + side, left : left + side]
        crop.copy_(F.interpolate(patch, size, mode="bilinear", antialias=True)[0].clamp(0, 1))
    return crops, sources


def share_in_box(maps: Tensor, boxes: Tensor) -> Tensor:
    """Return, per map, the sum of its positive values inside its box, divided by the sum of all its positive values.

    This is the score of the grid pointing game.

    Args:
        maps: (N, H, W); values below 0 count as 0.
        boxes: (N, 4), or (4,) for all maps: (top, left, bottom, right) in pixels, bottom and right excluded.

    Returns:
        (N,) in [0, 1]; NaN where a map has no positive value.
    """
    positive = maps.clamp(min=0)
    places = boxes.expand(len(maps), 4).tolist()
    inside = [p[top:bottom, left:right].sum() for p, (top, left, bottom, right) in zip(positive, places, strict=True)]
    return torch.stack(inside) / positive.sum(dim=(1, 2))
