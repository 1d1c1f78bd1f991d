"""`a2 readme`: the README's picture, one column a part, drawn by the functions of assignment2/ as they are."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coursekit.vision import CLASSES, SEGMENTED, load_model, make_scenes, trunk
from coursekit.vision.paintings import make_painting
from coursekit.vision.photos import read_photos
from coursekit.vision.plots import overlay, show_grid
from coursekit.vision.segmenting import segment, segmentation_scenes
from coursekit.vision.textures import fill_silhouette, make_conflicts

Column = tuple[Tensor, str, Tensor, str]  # what is given, its title, what comes of it, its title
COLORS = ("#dddddd", "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9")  # safe for colour-blind eyes


def write_poster(path: Path, weights: Path) -> None:
    """Draw all parts in one figure; weights: those of part 6's network."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    columns = [explained(), imagined(), fooled(), confused(), painted(), segmented(weights)]
    above, above_titles, below, below_titles = zip(*columns, strict=True)
    show_grid([*above, *below], [*above_titles, *below_titles], columns=len(columns), cell=1.75)
    plt.savefig(path, dpi=110, pil_kwargs={"quality": 88})
    plt.close()


def explained() -> Column:
    """Part 1: where the network sees the cat."""
    model, scene = load_model("tiny_vgg"), make_scenes(1, seed=17, objects=("cat", "dog"))
    label = torch.tensor([CLASSES.index("cat")])
    cam = part("saliency").grad_cam(model, scene.images, label, "features.18")
    return scene.images[0], "a cat and a dog", overlay(scene.images, cam)[0], "where is the cat? (Grad-CAM)"


def imagined() -> Column:
    """Part 2: a class, painted by the network."""
    paint = part("class_visualization").class_visualization
    tricks = {"blur_every": 1, "blur_sigma": 1.2, "pixel_fraction": 0.1, "contribution_fraction": 0.3, "jitter": 4}
    seeds = torch.Generator().manual_seed(0)
    model = load_model("tiny_vgg_robust")
    car = paint(model, CLASSES.index("car"), num_steps=100, step_size=10.0, generator=seeds, **tricks)
    start = part("class_visualization").start_picture(model, (96, 96), torch.Generator().manual_seed(0))
    return start, "noise, before the ascent", car, "what is a car?"


def fooled() -> Column:
    """Part 3: a step that nobody sees."""
    model, scene = load_model("tiny_vgg"), make_scenes(1, seed=5, among=("panda",))
    changed = part("adversarial").pgd(model, scene.images, scene.label, 4 / 255, step_size=1 / 255, num_steps=10)
    return scene.images[0], says(model, scene.images), changed[0], f"PGD: {says(model, changed)}"


def confused() -> Column:
    """Part 4: the shape of one thing, filled with another."""
    trials = make_conflicts(24, seed=31)
    filled = part("robustness").cue_conflict(trials.content, trials.texture, fill_silhouette)
    model = load_model("tiny_vgg")
    with torch.no_grad():
        by_texture = (model(filled).argmax(dim=1) == trials.textures).nonzero().flatten()
    i = int(by_texture[0])
    shape, texture = CLASSES[trials.shapes[i]], CLASSES[trials.textures[i]]
    return trials.content[i], f"shape: {shape}", filled[i], f"{texture} inside: {says(model, filled[i : i + 1])}"


def painted() -> Column:
    """Part 5: a photograph as a painting."""
    cat = read_photos((192, 192))["cat"]
    style = make_painting("strokes", palette="night")
    return (
        cat,
        "a photograph",
        part("style_transfer").painter(trunk(load_model("tiny_vgg")))(cat, style),
        "as a painting",
    )


def segmented(weights: Path) -> Column:
    """Part 6: what each pixel is."""
    images, labels, _ = segmentation_scenes(8, seed=6_002)
    classes = segment(part("segmentation").trained_unet(weights), images)
    i = max(range(8), key=lambda i: len(labels[i].unique()))
    palette = torch.tensor([[int(color[j : j + 2], 16) / 255 for j in (1, 3, 5)] for color in COLORS])
    names = ", ".join(SEGMENTED[k - 1] for k in labels[i].unique().tolist() if k)
    return images[i], names, palette[classes[i]].permute(2, 0, 1), "what is each pixel? (U-Net)"


def says(model: Any, image: Tensor) -> str:
    """Return a network's answer to one picture (1, 3, H, W)."""
    with torch.no_grad():
        p, k = model(image).softmax(dim=1)[0].max(dim=0)
    return f"{CLASSES[k]}, {p:.0%}"


def part(name: str) -> Any:
    """Return one of the students' modules, here the staff's."""
    return importlib.import_module(f"assignment2.{name}")
