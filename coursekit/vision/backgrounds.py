"""What stands behind the objects of EmojiScenes: procedural clouds, or crops of photographs that scikit-image installs."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from coursekit.errors import UsageError

KINDS = ("clouds", "photo", "plain")

# File -> (left, top, right, bottom) in pixels, or None for the whole. PNG only (every decoder gives the same bytes), and
# nothing that belongs to one of the classes: no cat, no cup, and of the garage only the shelves above the motorcycle.
PHOTOS: dict[str, tuple[int, int, int, int] | None] = {
    "astronaut.png": None,
    "brick.png": None,
    "camera.png": None,
    "grass.png": None,
    "gravel.png": None,
    "ihc.png": None,
    "moon.png": None,
    "motorcycle_left.png": (280, 0, 741, 150),
}
CELLS = 2, 4, 8, 16  # cells a side of the clouds' octaves; the first two are coloured
COLUMNS = 12 + 3 * 2**2 + 3 * 4**2 + 8**2 + 16**2  # uniform numbers that draw one background


def paint(uniforms: Tensor, size: tuple[int, int], kind: str | None) -> Tensor:
    """Paint (n, 3, H, W) backgrounds in [0, 1] from (n, COLUMNS) uniform numbers; kind None mixes photos and clouds."""
    if kind == "plain":
        return torch.full((len(uniforms), 3, *size), 0.5, dtype=torch.float32)
    is_photo = uniforms[:, 0] < {"clouds": 0.0, "photo": 1.0, None: 0.5}[kind]
    images = torch.empty(len(uniforms), 3, *size, dtype=torch.float32)
    for rows, painter in ((torch.where(is_photo)[0], _crop_photos), (torch.where(~is_photo)[0], _clouds)):
        if len(rows):
            images[rows] = painter(uniforms[rows, 1:], size)
    return images.clamp_(0, 1)


def read_picture(path: Path, mode: str) -> Tensor:
    """Return a picture file as (C, H, W) uint8 in Pillow's mode."""
    with Image.open(path) as picture:
        return torch.from_numpy(np.array(picture.convert(mode))).permute(2, 0, 1)


def _clouds(uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Add octaves of smooth noise, each half as strong as the coarser one, around a random colour."""
    settings, *octaves = uniforms.split([11, 3 * 2**2, 3 * 4**2, 8**2, 16**2], dim=1)
    images = (0.25 + 0.5 * settings[:, :3])[:, :, None, None].expand(-1, -1, *size)
    strength = (0.25 + 0.35 * settings[:, 3])[:, None, None, None]
    for k, (numbers, cells) in enumerate(zip(octaves, CELLS, strict=True)):
        noise = (numbers - 0.5).view(len(numbers), -1, cells, cells)  # (n, 3 or 1, cells, cells)
        images = images + strength * 0.6**k * F.interpolate(noise, size, mode="bicubic", align_corners=False)
    return images


def _crop_photos(uniforms: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut a window of the picture's shape from a photograph, at a random place and size, perhaps mirrored and tinted."""
    photos = _photos()
    u = uniforms.T
    which = (u[0] * len(photos)).long()
    images = torch.empty(len(uniforms), 3, *size, dtype=torch.float32)
    for index, photo in enumerate(photos):
        rows = torch.where(which == index)[0]
        if len(rows) == 0:
            continue
        height, width = photo.shape[1:]
        largest = min(height / size[0], width / size[1])  # photograph pixels to one of ours
        zoom = largest * (0.35 + 0.55 * u[1, rows])
        share_y, share_x = zoom * size[0] / height, zoom * size[1] / width  # of the photograph that is seen
        mirrored = 2 * (2 * u[2, rows]).floor() - 1  # -1 or 1
        shift_y, shift_x = (2 * u[3, rows] - 1) * (1 - share_y), (2 * u[4, rows] - 1) * (1 - share_x)
        grid = torch.empty(len(rows), *size, 2, dtype=torch.float32)  # (x, y), from -1 to 1 over the photograph
        grid[..., 0] = _centers(size[1]) * (share_x * mirrored)[:, None, None] + shift_x[:, None, None]
        grid[..., 1] = _centers(size[0])[:, None] * share_y[:, None, None] + shift_y[:, None, None]
        source = photo.expand(len(rows), -1, -1, -1)
        images[rows] = F.grid_sample(source, grid, padding_mode="border", align_corners=False)
    gain = (0.7 + 0.3 * u[5])[:, None] * (0.8 + 0.4 * u[6:9].T)  # (n, 3)
    return images * gain[:, :, None, None]


def _centers(length: int) -> Tensor:
    """Return the places of length pixels between the edges -1 and 1."""
    return (2 * torch.arange(length, dtype=torch.float32) + 1) / length - 1


def photo_path(name: str) -> Path:
    """Return where scikit-image installed a photograph."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("photographs come from scikit-image; install it with: pip install scikit-image")
    path = Path(spec.submodule_search_locations[0]) / "data" / name
    if not path.is_file():
        raise UsageError(f"{path} is missing; restore it with: pip install --force-reinstall scikit-image")
    return path


@lru_cache(maxsize=1)
def _photos() -> list[Tensor]:
    """Read the photographs, (3, H, W) float32 in [0, 1], at half their size: windows of them then barely alias."""
    photos = []
    for name, region in PHOTOS.items():
        with Image.open(photo_path(name)) as picture:
            small = picture.convert("RGB").crop(region or (0, 0, *picture.size)).reduce(2)
        photos.append(torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255)
    return photos
