"""EmojiScenes: pictures whose class, pixel mask, box and instances are known exactly.

Row i of one table of uniform random numbers makes scene i, so a scene depends on the seed and on its place alone: the
first five of fifty scenes are the five scenes. Sprites come from data/sprites.png (Noto Emoji), photographs from the
files that scikit-image installs.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from coursekit.vision import backgrounds, sprites

CLASSES = (
    "cat", "dog", "elephant", "panda", "monkey", "bird", "frog", "deer",
    "airplane", "car", "ship", "truck", "flamingo", "teddy bear", "fish", "butterfly",
    "snake", "beetle", "coffee cup", "necktie", "house", "tree", "mushroom", "bicycle",
)  # fmt: skip
MAX_OBJECTS = 4
EVALUATION_SEED = 9_000_000  # make_scenes refuses no seed; staff/train.py keeps clear of this one
DEFAULT_SCALE = {1: (0.4, 0.85), 2: (0.38, 0.52), 3: (0.34, 0.46), 4: (0.34, 0.46)}

_LAYOUT_COLUMNS = 5  # split direction, and the order of the slots
_BATCH = 16  # scenes composed at once: keeps the working set in cache


@dataclass(frozen=True, eq=False)
class Scenes:
    """A batch of N scenes of M objects, drawn in order: a later object hides an earlier one.

    Attributes:
        images: (N, 3, H, W) float32 in [0, 1].
        labels: (N, M) int64, the class of each object.
        boxes: (N, M, 4) int64, (top, left, bottom, right) of its visible pixels, half-open; zeros if it is all hidden.
        instances: (N, H, W) int64, 0 for background and m + 1 where object m is visible.
    """

    images: Tensor
    labels: Tensor
    boxes: Tensor
    instances: Tensor

    def __len__(self) -> int:
        return len(self.images)

    @property
    def label(self) -> Tensor:
        """Return the (N,) classes of scenes with one object; ValueError if they have more."""
        if self.labels.shape[1] != 1:
            raise ValueError(f"these scenes have {self.labels.shape[1]} objects each: use labels[:, m] for object m")
        return self.labels[:, 0]

    def mask(self, m: int = 0) -> Tensor:
        """Return (N, H, W) bool: the visible pixels of object m."""
        if not 0 <= m < self.labels.shape[1]:
            raise ValueError(f"object {m} does not exist: the scenes have objects 0 to {self.labels.shape[1] - 1}")
        return self.instances == m + 1

    def semantic(self) -> Tensor:
        """Return (N, H, W) int64: 0 for background, 1 + class elsewhere."""
        background = torch.zeros(len(self), 1, dtype=torch.int64)
        values = torch.cat([background, self.labels + 1], dim=1)  # (N, 1 + M)
        return values.gather(1, self.instances.flatten(1)).view_as(self.instances)


def make_scenes(
    num_scenes: int,
    *,
    seed: int,
    num_objects: int | None = None,
    among: Sequence[str] | None = None,
    objects: Sequence[str] | Sequence[Sequence[str]] | None = None,
    size: tuple[int, int] = (96, 96),
    background: str | None = None,
    scale: tuple[float, float] | None = None,
    overlap: float = 0.0,
) -> Scenes:
    """Compose num_scenes scenes from a seed.

    Args:
        num_objects: 1 to 4 objects per scene; by default 1, or as many as objects has.
        among: the class names to draw from, by default all; each is drawn equally often.
        objects: exactly these objects. ("cat", "dog") puts both into every scene; a list of such tuples has one per
            scene.
        size: (H, W) of the pictures, (1, 1) or more; below about 16 pixels an object may cover no pixel's centre.
        background: "clouds", "photo", "plain" (grey 0.5), or None for clouds and photos mixed.
        scale: (smallest, largest): the longer side of an object, as a fraction of the shorter side of the picture.
        overlap: from 0 (every object stays in its own part of the picture) to 1 (each may be anywhere).

    Raises:
        ValueError: an argument outside these ranges, or an unknown class (near names are listed).
    """
    labels = _fixed_labels(num_scenes, num_objects, objects) if objects is not None else None
    if objects is not None and among is not None:
        raise ValueError("among (classes to draw from) and objects (exactly these) contradict each other: give one")
    m = labels.shape[1] if labels is not None else 1 if num_objects is None else num_objects
    _check(num_scenes, m, size, background, overlap)
    scale = DEFAULT_SCALE[m] if scale is None else scale
    if not isinstance(scale, (tuple, list)) or len(scale) != 2 or not 0.1 <= scale[0] <= scale[1] <= 1.5:
        raise ValueError(f"scale is {scale}: give (smallest, largest) with 0.1 <= smallest <= largest <= 1.5")
    classes = torch.tensor([class_index(name) for name in (CLASSES if among is None else among)], dtype=torch.int64)
    if len(classes) == 0:
        raise ValueError("among is empty: name at least one class")

    uniforms = _uniform_table(num_scenes, len(classes), seed)
    if labels is None:
        labels = _balanced_labels(uniforms[:, :m], classes)[:num_scenes]
    uniforms = uniforms[:num_scenes, MAX_OBJECTS:]
    scenes = Scenes(
        images=torch.empty(num_scenes, 3, *size, dtype=torch.float32),
        labels=labels,
        boxes=torch.empty(num_scenes, m, 4, dtype=torch.int64),
        instances=torch.empty(num_scenes, *size, dtype=torch.int64),
    )
    for start in range(0, num_scenes, _BATCH):
        rows = slice(start, start + _BATCH)
        images, instances = _compose(uniforms[rows], labels[rows], size, background, scale, overlap)
        scenes.images[rows], scenes.instances[rows] = images, instances
        scenes.boxes[rows] = torch.stack([_boxes(instances == i + 1) for i in range(m)], dim=1)  # (n, M, 4)
    return scenes


def evaluation_scenes(num_scenes: int = 480, *, size: tuple[int, int] = (96, 96)) -> Scenes:
    """Compose the fixed evaluation set: one object, classes balanced, a seed that no training uses."""
    return make_scenes(num_scenes, seed=EVALUATION_SEED, size=size)


def class_index(name: str) -> int:
    """Return the label of a class name; ValueError lists near names."""
    if name in CLASSES:
        return CLASSES.index(name)
    near = difflib.get_close_matches(str(name), CLASSES, cutoff=0.4) or CLASSES
    raise ValueError(f"no class {name!r}: did you mean {', '.join(near)}?")


def _check(num_scenes: int, num_objects: int, size: tuple[int, int], background: str | None, overlap: float) -> None:
    if not isinstance(num_scenes, int) or num_scenes < 1:
        raise ValueError(f"num_scenes is {num_scenes}: ask for at least one")
    if num_objects not in range(1, MAX_OBJECTS + 1):
        raise ValueError(f"{num_objects} objects in a scene: 1 to {MAX_OBJECTS} have room")
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(isinstance(s, int) and s > 0 for s in size):
        raise ValueError(f"size is {size}: give (height, width), whole numbers from 1 on")
    if background not in (None, *backgrounds.KINDS):
        raise ValueError(f"background is {background!r}: give one of {', '.join(backgrounds.KINDS)}, or None to mix")
    if not isinstance(overlap, (int, float)) or not 0 <= overlap <= 1:
        raise ValueError(f"overlap is {overlap}: give a number from 0 to 1")


def _fixed_labels(num_scenes: int, num_objects: int | None, objects: Sequence[str] | Sequence[Sequence[str]]) -> Tensor:
    """Return (N, M) labels from one tuple of names for every scene, or from one tuple a scene."""
    if isinstance(objects, str):
        raise ValueError(f'objects is the string {objects!r}: give a tuple of names, such as ("{objects}",)')
    if len(objects) > 0 and isinstance(objects[0], str):
        objects = [objects] * num_scenes  # type: ignore[list-item]
    if len(objects) != num_scenes:
        raise ValueError(f"objects names {len(objects)} scenes, but num_scenes is {num_scenes}: give one tuple a scene")
    counts = sorted({len(names) for names in objects} | ({num_objects} if num_objects is not None else set()))
    if len(counts) > 1:
        raise ValueError(f"scenes of {counts} objects in one batch: every scene needs the same number")
    rows = [[class_index(name) for name in names] for names in objects]
    return torch.tensor(rows, dtype=torch.int64).reshape(len(rows), counts[0] if counts else 1)


def _uniform_table(num_scenes: int, num_classes: int, seed: int) -> Tensor:
    """Return rows of uniforms, in whole blocks of num_classes rows. No normal numbers: their bits differ by machine."""
    columns = MAX_OBJECTS + MAX_OBJECTS * sprites.COLUMNS + _LAYOUT_COLUMNS + backgrounds.COLUMNS
    rows = -(-num_scenes // num_classes) * num_classes
    generator = torch.Generator(device="cpu").manual_seed(seed)
    return torch.rand(rows, columns, generator=generator, dtype=torch.float32, device="cpu")


def _balanced_labels(uniforms: Tensor, classes: Tensor) -> Tensor:
    """Deal the classes out: each block of len(classes) scenes shows every class once as object m, in random order."""
    blocks = uniforms.view(-1, len(classes), uniforms.shape[1])
    return classes[blocks.argsort(dim=1)].flatten(0, 1)  # (rows, M)


def _compose(
    uniforms: Tensor, labels: Tensor, size: tuple[int, int], background: str | None, scale: tuple[float, float],
    overlap: float,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Paint the objects over a background: images (n, 3, H, W) and instances (n, H, W)."""
    columns = [MAX_OBJECTS * sprites.COLUMNS, _LAYOUT_COLUMNS, backgrounds.COLUMNS]
    drawn, layout, backdrop = uniforms.split(columns, dim=1)
    images = backgrounds.paint(backdrop, size, background)  # (n, 3, H, W)
    instances = torch.zeros(len(images), *size, dtype=torch.int64)
    slots = _slots(layout, labels.shape[1], size, overlap)  # (n, M, 4)
    for m in range(labels.shape[1]):
        numbers = drawn[:, m * sprites.COLUMNS : (m + 1) * sprites.COLUMNS]
        color, alpha = sprites.paint(numbers, labels[:, m], slots[:, m], size, scale)
        images = images * (1 - alpha) + color
        instances = torch.where(alpha[:, 0] > 0.5, m + 1, instances)
    return images.clamp_(0, 1), instances


def _slots(uniforms: Tensor, num_objects: int, size: tuple[int, int], overlap: float) -> Tensor:
    """Give each object a part of the picture: (n, M, 4) of (top, left, bottom, right) in pixels, any order of parts."""
    height, width = size
    whole = torch.tensor([0, 0, 1, 1], dtype=torch.float32)
    beside = torch.tensor([[0, 0, 1, 0.5], [0, 0.5, 1, 1]], dtype=torch.float32)
    below = torch.tensor([[0, 0, 0.5, 1], [0.5, 0, 1, 1]], dtype=torch.float32)
    corners = torch.tensor([[0, 0], [0, 0.5], [0.5, 0], [0.5, 0.5]], dtype=torch.float32)
    quarters = torch.cat([corners, corners + 0.5], dim=1)
    n = len(uniforms)
    if num_objects == 1:
        parts = whole.expand(n, 1, 4)
    elif num_objects == 2:
        # A picture much longer than wide is split across its length only.
        is_beside = uniforms[:, :1, None] < (1.0 if width > 1.3 * height else 0.0 if height > 1.3 * width else 0.5)
        parts = torch.where(is_beside, beside, below)
    else:
        parts = quarters.expand(n, 4, 4)
    order = uniforms[:, 1 : 1 + parts.shape[1]].argsort(dim=1)[:, :num_objects]  # (n, M)
    parts = parts.gather(1, order[:, :, None].expand(-1, -1, 4))
    return (parts + overlap * (whole - parts)) * torch.tensor([height, width, height, width])


def _boxes(masks: Tensor) -> Tensor:
    """Return (N, 4) int64 boxes (top, left, bottom, right) of (N, H, W) masks, half-open; zeros for an empty mask."""
    sides = []
    for lines in (masks.any(dim=2), masks.any(dim=1)):  # rows, then columns
        length = lines.shape[1]
        numbers = torch.arange(length)
        first = torch.where(lines, numbers, length).amin(dim=1)
        last = torch.where(lines, numbers + 1, 0).amax(dim=1)
        sides += [torch.where(last > 0, first, 0), last]
    top, bottom, left, right = sides
    return torch.stack([top, left, bottom, right], dim=1)
