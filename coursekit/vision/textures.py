"""Pictures in which shape and texture disagree: the outline of one class, filled with the material of another.

A class's material is the inside of its sprite, mirrored until it fills a picture. Laid into another sprite's silhouette it
is shaded by that sprite's own light and dark, so that eyes and wheels stay visible and only the material is exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.vision.scenes import CLASSES, EVALUATION_SEED, Scenes, make_scenes

PLAIN = 0.5  # the grey of background="plain"
SIDES = 40, 32, 24, 16, 12, 8  # pixels of the piece that is cut out: the largest that lies inside
COVER = 0.95  # of the piece that must be object
SHADE = 0.4, 1.6  # how dark and how bright a shape's own shading may make the material
TEXTURE_SCALE = 0.95, 0.95  # sprites as large as the picture have the largest insides
TEXTURES_A_CLASS = 20


@dataclass(frozen=True, eq=False)
class Conflicts:
    """N trials in which the shape speaks for one class and the texture for another.

    Attributes:
        content: (N, 3, H, W) objects on plain grey.
        texture: (N, 3, H, W) materials that fill the picture.
        images: (N, 3, H, W) the content's silhouette, filled with the material.
        shapes, textures: (N,) int64, the two classes, different in each trial.
    """

    content: Tensor
    texture: Tensor
    images: Tensor
    shapes: Tensor
    textures: Tensor


def make_conflicts(num_trials: int, *, seed: int) -> Conflicts:
    """Compose num_trials images from a seed, each with the shape of one class and the texture of another.

    Each class is equally often the shape.
    """
    scenes = make_scenes(num_trials, seed=seed, background="plain")
    textures = _others(scenes.label, seed)
    materials = make_textures(textures, seed=seed + 1)
    images = retexture(scenes.images, _silhouettes(scenes.images), materials)
    return Conflicts(scenes.images, materials, images, scenes.label, textures)


def evaluation_conflicts(num_trials: int = 960) -> Conflicts:
    """Compose the fixed conflicts on which shape bias is measured, from a seed that no training uses."""
    return make_conflicts(num_trials, seed=EVALUATION_SEED)


def make_textures(labels: Tensor, *, seed: int) -> Tensor:
    """Fill one 96 x 96 picture for each of the (N,) labels with the material of that class: (N, 3, 96, 96)."""
    names = [(CLASSES[int(label)],) for label in labels]
    scenes = make_scenes(len(names), seed=seed, objects=names, background="plain", scale=TEXTURE_SCALE)
    return torch.stack([_mirrored(image, mask) for image, mask in zip(scenes.images, scenes.mask(), strict=True)])


def retextured_scenes(num_scenes: int, *, seed: int) -> Scenes:
    """Compose scenes of one object, filled with the material of another class. Labels are the classes of the shapes."""
    scenes = make_scenes(num_scenes, seed=seed)
    pool = make_textures(torch.arange(len(CLASSES)).repeat_interleave(TEXTURES_A_CLASS), seed=seed + 1)
    generator = torch.Generator().manual_seed(seed + 2)
    which = torch.randint(TEXTURES_A_CLASS, (num_scenes,), generator=generator)
    rows = _others(scenes.label, seed) * TEXTURES_A_CLASS + which
    masks = scenes.mask()[:, None]  # (N, 1, H, W)
    for part in torch.arange(num_scenes).split(100):  # small parts keep the working set in cache
        scenes.images[part] = retexture(scenes.images[part], masks[part], pool[rows[part]])
    return scenes


def retexture(images: Tensor, masks: Tensor, textures: Tensor) -> Tensor:
    """Exchange the material inside the masks (N, 1, H, W) for that of textures, shaded by the images' own luminance."""
    luminance = images.mean(dim=1, keepdim=True)  # (N, 1, H, W)
    area = masks.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    usual = (luminance * masks).sum(dim=(2, 3), keepdim=True) / area
    shade = (luminance / usual.clamp(min=1e-3)).clamp(*SHADE)
    return torch.where(masks, (textures * shade).clamp(0, 1), images)


def fill_silhouette(image: Tensor, style: Tensor) -> Tensor:
    """Return the object on plain grey, filled with a material. This is a `transfer` for `cue_conflict`.

    Args:
        image: (3, H, W), the object on background "plain".
        style: (3, H, W), the material.

    Returns:
        (3, H, W), new.
    """
    return retexture(image[None], _silhouettes(image[None]), style[None])[0]


def _silhouettes(images: Tensor) -> Tensor:
    """Return (N, 1, H, W) bool: where objects lie on plain grey."""
    return ((images - PLAIN).abs() > 1e-3).any(dim=1, keepdim=True)


def _others(labels: Tensor, seed: int) -> Tensor:
    """Draw for each label another class, all equally likely."""
    generator = torch.Generator().manual_seed(seed)
    turn = torch.randint(1, len(CLASSES), labels.shape, generator=generator)
    return (labels + turn) % len(CLASSES)


def _mirrored(image: Tensor, mask: Tensor) -> Tensor:
    """Cut the largest square out of the inside of an object and mirror it until it fills a picture (3, H, W)."""
    for side in SIDES:
        cover = F.avg_pool2d(mask[None, None].float(), side, stride=1)[0, 0]
        if cover.max() >= COVER:
            break
    top, left = divmod(int(cover.argmax()), cover.shape[1])
    piece, inside = (x[..., top : top + side, left : left + side] for x in (image, mask))
    mean = (piece * inside).sum(dim=(1, 2), keepdim=True) / inside.sum().clamp(min=1)
    piece = torch.where(inside, piece, mean)
    rows, columns = (_back_and_forth(length, side) for length in image.shape[1:])
    return piece[:, rows][:, :, columns]


def _back_and_forth(length: int, side: int) -> Tensor:
    """Return 0, 1, ..., side - 1, side - 1, ..., 1, 0, 0, 1, ... of a length."""
    place = torch.arange(length) % (2 * side)
    return torch.minimum(place, 2 * side - 1 - place)
