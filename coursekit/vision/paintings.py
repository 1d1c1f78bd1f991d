"""Given code for part 5: procedural paintings to take styles from, made from a seed.

Nobody's work is imitated: a painting here is colour noise, smeared along a flow, cut into tiles, or set in dots.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

PALETTES = {
    "night": ("0b1d51", "1f4e9c", "4f8fd0", "a9c9e8", "f4d35e", "f2a541", "123a2f"),
    "autumn": ("3b1c10", "8c2f14", "d1621b", "f0a830", "f7e3a1", "4b5320", "1d2f3a"),
    "sea": ("06283d", "1363a0", "47b5c4", "dff6f0", "f6e7cb", "e07a5f", "2a9d8f"),
}


def make_painting(kind: str, *, palette: str = "night", size: tuple[int, int] = (192, 192), seed: int = 0) -> Tensor:
    """Paint (3, H, W) in [0, 1]: "strokes" along a swirling flow, a "mosaic" of tiles, or "dots" of pure colour."""
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}: give one of {', '.join(KINDS)}")
    if palette not in PALETTES:
        raise ValueError(f"palette is {palette!r}: give one of {', '.join(PALETTES)}")
    if len(size) != 2 or min(size) < 16:
        raise ValueError(f"size is {size}: give (height, width), each at least 16")
    colors = torch.tensor([[int(code[i : i + 2], 16) for i in (0, 2, 4)] for code in PALETTES[palette]]) / 255  # (K, 3)
    return KINDS[kind](colors, size, torch.Generator().manual_seed(seed)).clamp(0, 1)


def _strokes(colors: Tensor, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Smear specks of colour along a flow (line integral convolution)."""
    height, width = size
    hue = _smooth(size, 24, generator) + 0.35 * torch.rand(size, generator=generator)  # patches, and specks in them
    specks = _colored(hue, colors) * (0.75 + 0.5 * torch.rand(1, *size, generator=generator))
    angle = 2 * math.pi * _smooth(size, 64, generator)
    flow = torch.stack([angle.cos() * 2 / width, angle.sin() * 2 / height], dim=-1)  # (H, W, 2), one pixel long
    total, weight = specks.clone(), 1.0
    for sign in (1, -1):
        place = F.affine_grid(torch.eye(2, 3)[None], [1, 1, *size], align_corners=False)
        for k in range(1, 11):
            here = F.grid_sample(flow.permute(2, 0, 1)[None], place, align_corners=False, padding_mode="border")
            place = place + sign * here.permute(0, 2, 3, 1)
            share = 1 - k / 11
            total += share * F.grid_sample(specks[None], place, align_corners=False, padding_mode="reflection")[0]
            weight += share
    smeared = total / weight
    return smeared + 1.2 * (smeared - F.avg_pool2d(smeared[None], 9, 1, 4, count_include_pad=False)[0])


def _mosaic(colors: Tensor, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Cut the picture into the cells nearest to random points, with dark joints between them."""
    height, width = size
    points = torch.rand(height * width // 110, 2, generator=generator) * torch.tensor([height, width])  # (P, 2)
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    near, cell = torch.cdist(torch.stack([rows, columns], -1).view(-1, 2), points).topk(2, largest=False)
    hue = _smooth(size, 48, generator).flatten()[cell[:, 0]].view(size)
    hue = hue + 0.25 * torch.rand(len(points), generator=generator)[cell[:, 0]].view(size)
    joint = ((near[:, 1] - near[:, 0]).view(size) / 2.2).clamp(0, 1)
    light = 0.8 + 0.4 * torch.rand(len(points), generator=generator)[cell[:, 0]].view(size)
    return _colored(hue, colors) * light * joint + 0.06 * (1 - joint)


def _dots(colors: Tensor, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Set round dots of pure colour over each other, the larger ones first."""
    height, width = size
    hue = _smooth(size, 40, generator)
    picture = _colored(hue, colors)
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    for radius in (5.0, 4.0, 3.0):
        points = torch.rand(height * width // 60, 2, generator=generator) * torch.tensor([height, width])
        near, dot = torch.cdist(torch.stack([rows, columns], -1).view(-1, 2), points).min(dim=1)
        places = points[dot].long()
        shift = 0.45 * (torch.rand(len(points), generator=generator) - 0.5)
        color = _colored((hue[places[:, 0], places[:, 1]] + shift[dot]).view(size), colors)
        cover = (radius - near.view(size)).clamp(0, 1)
        picture = picture * (1 - cover) + color * cover
    return picture


KINDS: dict[str, Callable[[Tensor, tuple[int, int], torch.Generator], Tensor]] = {
    "strokes": _strokes,
    "mosaic": _mosaic,
    "dots": _dots,
}


def _smooth(size: tuple[int, int], cell: int, generator: torch.Generator) -> Tensor:
    """Draw smooth noise (H, W), 0 to 1, with bumps of about cell pixels."""
    coarse = torch.rand(1, 1, size[0] // cell + 2, size[1] // cell + 2, generator=generator)
    noise = F.interpolate(coarse, size, mode="bicubic", align_corners=False)[0, 0]
    return (noise - noise.min()) / (noise.max() - noise.min())


def _colored(hue: Tensor, colors: Tensor) -> Tensor:
    """Give (H, W) numbers their colours (3, H, W): each stretch of them one colour of the palette."""
    order = (hue.clamp(0, 1 - 1e-6) * len(colors)).long()
    return colors[order].permute(2, 0, 1)
