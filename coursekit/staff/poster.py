"""`a2 readme`: the README's picture, one column a part, drawn by the functions of assignment2/ as they are."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coursekit.vision import SEGMENTED, class_index, load_model, photographs, trunk
from coursekit.vision.experiments import first_answers
from coursekit.vision.growing import colour_covariance, grow, stretched
from coursekit.vision.layers import cam_layer, style_layers
from coursekit.vision.paintings import make_painting
from coursekit.vision.photos import read_photos
from coursekit.vision.plots import overlay, show_grid
from coursekit.vision.segmenting import segment, segmentation_scenes

Column = tuple[Tensor, str, Tensor, str]  # what is given, its title, what comes of it, its title
COLORS = ("#dddddd", "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9")  # safe for colour-blind eyes


def write_poster(path: Path, weights: Path) -> None:
    """Draw all parts in one figure; weights: those of part 6's network."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    columns = [explained(), imagined(), fooled(), confused(), painted(), segmented(weights)]
    above, above_titles, below, below_titles = zip(*columns, strict=True)
    show_grid([*above, *below], [*above_titles, *below_titles], columns=len(columns), cell=2.0)
    plt.savefig(path, dpi=100, bbox_inches="tight", pil_kwargs={"quality": 85})
    plt.close()


def explained() -> Column:
    """Part 1: where the network sees the cat."""
    model = load_model("efficientnet_lite0")
    dog, cat = named("bull mastiff"), read_photos((224, 224))["cat"]
    pair = torch.cat([dog, cat], dim=2)[None]  # (1, 3, 224, 448)
    cam = part("saliency").grad_cam(model, pair, torch.tensor([class_index(model, "cat")]), cam_layer(model))
    return squared(pair[0]), "a dog and a cat", squared(overlay(pair, cam)[0]), "where is the cat?"


def imagined() -> Column:
    """Part 2: a class, painted by the network."""
    model, part2 = load_model("efficientnet_lite0"), part("class_visualization")
    colours = colour_covariance(photographs((64, 64)).images)
    ship = grow(part2.ascent_step, part2.blur, model, class_index(model, "pirate"), colours)
    start = part2.start_picture(model, (224, 224), torch.Generator().manual_seed(0))
    return start, "noise, to begin with", stretched(ship), "a pirate ship"


def fooled() -> Column:
    """Part 3: a step that nobody sees."""
    model, dog = load_model("efficientnet_lite0"), named("dalmatian")[None]
    label = torch.tensor([class_index(model, "dalmatian")])
    changed = part("adversarial").pgd(model, dog, label, 2 / 255, step_size=1 / 255, num_steps=10)
    return dog[0], says(model, dog), changed[0], f"PGD: {says(model, changed)}"


def confused() -> Column:
    """Part 4: a cannon, and the camera was moved."""
    model, cannon = load_model("efficientnet_lite0"), named("cannon")[None]
    moved = part("robustness").motion_blur(cannon, 3, generator=torch.Generator().manual_seed(3))
    return cannon[0], says(model, cannon), moved[0], says(model, moved)


def painted() -> Column:
    """Part 5: a photograph as a mosaic."""
    model, cat = load_model("efficientnet_lite0"), read_photos((224, 224))["cat"]
    style, content, _ = style_layers(model)
    paint = part("style_transfer").painter(
        trunk(model), style_layers=style, content_layers=content, tv_weight=0.5, num_steps=150
    )
    return cat, "a photograph", paint(cat, make_painting("mosaic", palette="sea")), "as a mosaic"


def segmented(weights: Path) -> Column:
    """Part 6: what each pixel is."""
    images, labels, _ = segmentation_scenes(8, seed=6_002)
    classes = segment(part("segmentation").trained_unet(weights), images)
    i = max(range(8), key=lambda i: len(labels[i].unique()))
    palette = torch.tensor([[int(color[j : j + 2], 16) / 255 for j in (1, 3, 5)] for color in COLORS])
    names = ", ".join(SEGMENTED[k - 1] for k in labels[i].unique().tolist() if k)
    return images[i], names, palette[classes[i]].permute(2, 0, 1), "what is each pixel?"


def says(model: Any, image: Tensor) -> str:
    """Return a network's answer to one picture (1, 3, H, W)."""
    ((name, p),) = first_answers(model, image[0], 1)
    return f"{name}, {p:.0%}"


def named(name: str) -> Tensor:
    """Return one of the labelled photographs, (3, 224, 224)."""
    found = photographs()
    return found.images[found.names.index(name)]


def squared(picture: Tensor) -> Tensor:
    """Put grey above and below a wide picture, so that it is as large as the others."""
    border = (picture.shape[2] - picture.shape[1]) // 2
    return torch.nn.functional.pad(picture, (0, 0, border, border), value=1.0)


def part(name: str) -> Any:
    """Return one of the students' modules, here the staff's."""
    return importlib.import_module(f"assignment2.{name}")
