"""Read photographs, of one's own or those that scikit-image installs, into the form that every function here takes."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from coursekit.errors import UsageError
from coursekit.vision.backgrounds import photo_path

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
INSTALLED = {  # name -> file, and the square (top, left, side) that shows its subject
    "cat": ("chelsea.png", 0, 100, 300),
    "astronaut": ("astronaut.png", 0, 90, 270),
    "coffee": ("coffee.png", 20, 130, 360),
}
TEXTURES = ("brick", "grass", "gravel")  # scikit-image installs these as well, 512 x 512 and grey


def load_photo(path: Path | str, *, max_side: int = 512) -> Tensor:
    """Read an image file as (3, H, W) float32 in [0, 1].

    The camera's rotation is applied. Grey and CMYK become RGB, and transparent pixels become white. 16 bits per channel
    are kept if Pillow keeps them. A picture whose longer side exceeds max_side is shrunk to it, with a warning.

    Raises:
        UsageError: the file is missing, no picture, damaged, or of more pixels than Pillow thinks safe.
    """
    if max_side < 1:
        raise ValueError(f"max_side is {max_side}: give at least one pixel")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                file.load()
                upright = ImageOps.exif_transpose(file)
                width, height = upright.size
                picture = _to_rgb(upright, max(width, height) // (2 * max_side))
    except FileNotFoundError as error:
        raise UsageError(f"the photo {path} does not exist: give the path of an image file") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"the photo {path} cannot be read ({reason}): save it again as PNG or JPEG") from error
    photo = torch.from_numpy(picture).permute(2, 0, 1).contiguous()
    if max(height, width) <= max_side:
        return photo
    size = [max(1, round(side * max_side / max(height, width))) for side in (height, width)]
    warnings.warn(
        f"{path}: shrunk from {height} x {width} to {size[0]} x {size[1]} (max_side={max_side})", stacklevel=2
    )
    return F.interpolate(photo[None], size, mode="bilinear", antialias=True)[0].clamp(0, 1)


def _to_rgb(picture: Image.Image, factor: int) -> np.ndarray:
    """Return (H, W, 3) float32 in [0, 1]; colours are first reduced by a whole factor: 24 megapixels need 300 MB as floats."""
    if picture.mode.startswith(("I", "F")):  # one channel of 16 or 32 bits, which convert("RGB") would clip at 255
        gray = np.asarray(picture, dtype=np.float32)
        deep = picture.mode.startswith("I;16") or (picture.mode == "I" and gray.max() > 255)
        largest = 65535.0 if deep else 255.0 if gray.max() > 1 else 1.0
        return np.repeat((gray / largest).clip(0, 1)[:, :, None], 3, axis=2)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    colors = picture.convert("RGB")
    return np.asarray(colors.reduce(factor) if factor > 1 else colors, dtype=np.float32) / 255


def read_photos(size: tuple[int, int], *, folder: str | Path | None = None) -> dict[str, Tensor]:
    """Read photographs: those that scikit-image installs, and those of a folder. All are cropped and resized to size.

    Args:
        size: (H, W) of all results; a picture of another shape is cropped in the middle.
        folder: a folder with your own photographs; by default the environment variable PHOTOS, if it is set. The path
            is looked up in the current folder, then in those above it, because a notebook's kernel runs in notebooks/.

    Returns:
        name -> (3, H, W) in [0, 1]. name is the file's, without its suffix unless that name is taken already.

    Raises:
        UsageError: the folder does not exist or holds no photograph; a file cannot be read.
    """
    photos = {}
    for name, (file, top, left, side) in INSTALLED.items():
        whole = load_photo(photo_path(file), max_side=10**6)
        photos[name] = fit_photo(whole[:, top : top + side, left : left + side], size)
    folder = folder or os.environ.get("PHOTOS")
    if not folder:
        return photos
    given = Path(folder).expanduser()
    found = next((p for p in (given, *(above / given for above in Path.cwd().parents)) if p.is_dir()), given)
    files = sorted(f for f in found.glob("*") if f.suffix.lower() in SUFFIXES)
    if not files:
        raise UsageError(f"PHOTOS={folder} holds no photograph ({', '.join(SUFFIXES)}): give a folder with some")
    for own in files:
        photos[own.name if own.stem in photos else own.stem] = fit_photo(load_photo(own, max_side=2 * max(size)), size)
    return photos


def read_textures(size: tuple[int, int]) -> dict[str, Tensor]:
    """Read the photographs of textures that scikit-image installs: name -> (3, H, W) in [0, 1]."""
    return {name: fit_photo(load_photo(photo_path(f"{name}.png")), size) for name in TEXTURES}


def fit_photo(photo: Tensor, size: tuple[int, int]) -> Tensor:
    """Crop the middle of a photograph to the shape of size, and resize it."""
    height, width = photo.shape[1:]
    scale = min(height / size[0], width / size[1])
    tall, wide = (max(1, round(side * scale)) for side in size)
    top, left = (height - tall) // 2, (width - wide) // 2
    crop = photo[None, :, top : top + tall, left : left + wide]
    return F.interpolate(crop, size, mode="bilinear", antialias=True)[0].clamp(0, 1)
