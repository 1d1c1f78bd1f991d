"""The objects of EmojiScenes: sprites from data/sprites.png, turned, sheared, mirrored, resized and recoloured."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.errors import UsageError
from coursekit.vision.backgrounds import read_picture

SPRITES = Path(__file__).parents[2] / "data" / "sprites.png"
TILE = 128  # pixels of a sprite's side in the sheet, which has a row of tiles for each class
MARGIN = 4  # transparent pixels round each glyph, so that interpolation never meets the tile's edge
COLUMNS = 13  # uniform numbers that draw one object


def paint(
    uniforms: Tensor, labels: Tensor, slots: Tensor, size: tuple[int, int], scale: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """Draw one object a scene: its colour times its opacity (n, 3, H, W), and its opacity (n, 1, H, W)."""
    height, width = size
    u = uniforms.T
    side = (scale[0] + (scale[1] - scale[0]) * u[0]) * min(size)  # longer side of the glyph, in pixels
    angle = (u[1] - 0.5) * 0.52  # radians: at most 15 degrees, so that nothing stands on its head
    shear = (u[2] - 0.5) * 0.3
    flip = 2 * (2 * u[3]).floor() - 1  # -1 or 1
    cos, sin = angle.cos(), angle.sin()
    reach = side / 2 * (cos.abs() + sin.abs())  # half the rotated square
    center_y = _between(slots[:, 0] + reach, slots[:, 2] - reach, u[4])
    center_x = _between(slots[:, 1] + reach, slots[:, 3] - reach, u[5])

    # From a pixel's offset to its place in the tile, where -1 and 1 are the edges: rotate, shear, flip, divide.
    tile = side * TILE / (TILE - 2 * MARGIN)
    to_tile = torch.stack([flip * (cos + shear * sin), flip * (shear * cos - sin), sin, cos], dim=1).view(-1, 2, 2)
    to_tile = to_tile * (2 / tile)[:, None, None]
    dy = torch.arange(height, dtype=torch.float32) + 0.5 - center_y[:, None]  # (n, H)
    dx = torch.arange(width, dtype=torch.float32) + 0.5 - center_x[:, None]  # (n, W)
    across, down = to_tile[:, None, None, :, 0], to_tile[:, None, None, :, 1]  # (n, 1, 1, 2)
    grid = across * dx[:, None, :, None] + down * dy[:, :, None, None]  # (n, H, W, 2) of (x, y)

    first, counts, levels = _sprites(SPRITES)
    glyph = first[labels] + (u[6] * counts[labels]).long()
    # Bilinear samples of a tile more than twice too large would alias: take it from a halved sheet.
    level = sum((tile <= TILE / 2**k).long() for k in range(1, len(levels)))
    painted = torch.empty(len(labels), 4, height, width, dtype=torch.float32)
    for k, sheet in enumerate(levels):
        rows = torch.where(level == k)[0]
        if len(rows):
            painted[rows] = F.grid_sample(sheet[glyph[rows]], grid[rows], padding_mode="zeros", align_corners=False)
    color, alpha = painted.split([3, 1], dim=1)
    return _jitter_color(color, u[7:13]).minimum(alpha), alpha


def _between(low: Tensor, high: Tensor, share: Tensor) -> Tensor:
    """Return a place between low and high, their middle where there is no room."""
    return torch.where(low < high, low + (high - low) * share, (low + high) / 2)


def _jitter_color(color: Tensor, u: Tensor) -> Tensor:
    """Change saturation by 0.7 to 1.3, brightness by 0.75 to 1.2, and each channel by 0.92 to 1.08."""
    saturation, brightness = (0.7 + 0.6 * u[0])[:, None, None, None], 0.75 + 0.45 * u[1]
    gray = color.mean(dim=1, keepdim=True)
    gain = brightness[:, None] * (0.92 + 0.16 * u[2:5].T)  # (n, 3)
    return ((gray + saturation * (color - gray)) * gain[:, :, None, None]).clamp_(min=0)


@lru_cache(maxsize=2)
def _sprites(path: Path) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Read the sheet: each class's first glyph and number of glyphs, and the glyphs (G, 4, side, side), ever halved.

    Colours are multiplied by opacity, so that interpolation draws no dark rim.
    """
    try:
        sheet = read_picture(path, "RGBA")  # (4, K * TILE, columns * TILE)
    except (OSError, SyntaxError) as error:  # Pillow's word for a PNG that breaks off
        wrong = "damaged" if path.is_file() else "missing"
        raise UsageError(
            f"the sprite sheet {path} is {wrong}; restore it with: git checkout -- data/sprites.png "
            "(without git: copy it again from what you were given)"
        ) from error
    tiles = sheet.unflatten(1, (-1, TILE)).unflatten(3, (-1, TILE)).permute(1, 3, 0, 2, 4)
    filled = tiles[:, :, 3].amax(dim=(2, 3)) > 0  # (K, columns)
    counts = filled.sum(dim=1)
    glyphs = tiles[filled].float() / 255  # (G, 4, TILE, TILE)
    glyphs = torch.cat([glyphs[:, :3] * glyphs[:, 3:], glyphs[:, 3:]], dim=1)
    levels = [glyphs]
    for _ in range(3):
        levels.append(F.avg_pool2d(levels[-1], 2))
    return counts.cumsum(0) - counts, counts, levels
