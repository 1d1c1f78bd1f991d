"""Given code for `notebooks/0_play.ipynb`: a student's function on one picture, frame by frame; nothing here draws on a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from coursekit.vision.plots import overlay, signed
from coursekit.vision.trunk import trunk
from coursekit.vision.zoo import load_model

STYLE_SIDE = 160  # pixels of a painting: three times as many take three times as long
STRIDE = 4  # steps of style transfer between two frames
BEYOND = 0.99  # of a map's values, the one that is shown as brightest


@dataclass(frozen=True)
class Choice:
    """What a person has set: a picture (3, H, W) in [0, 1], a network, and what the functions ask for."""

    image: Tensor
    model: Any
    target: int
    layer: str = ""
    eps: float = 8 / 255
    steps: int = 32
    style: Tensor | None = None

    @property
    def label(self) -> Tensor:
        return torch.tensor([self.target])


@dataclass(frozen=True)
class Frame:
    """Titled pictures (3, H, W) in [0, 1], what is below them, and how far the function has come."""

    pictures: tuple[tuple[str, Tensor], ...]
    answers: tuple[tuple[str, list[tuple[str, float]]], ...] = ()  # a title, and a network's first answers
    done: float = 1.0


@dataclass(frozen=True)
class Experiment:
    """A function of a student's module, the controls that it has, and what it shows."""

    module: str
    function: str
    controls: tuple[str, ...]
    frames: Callable[[ModuleType, Choice], Iterator[Frame]]


def first_answers(model: Any, image: Tensor, number: int = 3) -> list[tuple[str, float]]:
    """Return the classes that a network thinks most likely, each with its probability."""
    with torch.no_grad():
        probabilities, classes = model(image[None])[0].softmax(0).topk(number)
    return [(model.class_names[k], p) for k, p in zip(classes.tolist(), probabilities.tolist(), strict=True)]


def _map(heat: Tensor) -> Tensor:
    """Scale a map (H, W) to [0, 1]; the few values beyond the brightest are clipped."""
    heat = heat.detach().float()
    return (heat / heat.flatten().quantile(BEYOND).clamp(min=1e-12)).clamp(0, 1)


def _named(choice: Choice) -> str:
    return str(choice.model.class_names[choice.target])


def _saliency_map(module: ModuleType, choice: Choice) -> Iterator[Frame]:
    heat = _map(module.saliency_map(choice.model, choice.image[None], choice.label)[0])
    gray = heat.expand(3, -1, -1)
    yield Frame((("the picture", choice.image), (f"saliency of {_named(choice)}", gray)))


def _guided_backprop(module: ModuleType, choice: Choice) -> Iterator[Frame]:
    gradient = module.guided_backprop(choice.model, choice.image[None], choice.label)[0]
    shown = signed(gradient)
    yield Frame((("the picture", choice.image), (f"guided backprop of {_named(choice)}", shown)))


def _grad_cam(module: ModuleType, choice: Choice) -> Iterator[Frame]:
    heat = module.grad_cam(choice.model, choice.image[None], choice.label, choice.layer)[0]
    shown = overlay(choice.image, heat)
    yield Frame((("the picture", choice.image), (f"Grad-CAM of {_named(choice)} at {choice.layer}", shown)))


def _fgsm(module: ModuleType, choice: Choice) -> Iterator[Frame]:
    attacked = module.fgsm(choice.model, choice.image[None], choice.label, choice.eps)[0]
    change = signed(attacked - choice.image) if choice.eps else torch.full_like(choice.image, 0.5)
    pictures = ("the picture", choice.image), ("the change, enlarged", change), ("the attacked picture", attacked)
    shown = pictures[0], pictures[2]
    yield Frame(pictures, tuple((title, first_answers(choice.model, image)) for title, image in shown))


def _class_visualization(module: ModuleType, choice: Choice) -> Iterator[Frame]:
    """Show the picture after 1, 2, 4, ... steps: each time anew from the start, so twice the work of the last alone."""
    height, width = choice.model.input_size
    milestones = [2**k for k in range(choice.steps.bit_length()) if 2**k < choice.steps] + [choice.steps]
    for steps in milestones:
        picture = module.class_visualization(
            choice.model, choice.target, num_steps=steps, image_size=(height, width), step_size=height / 28,
            blur_every=4, blur_sigma=0.6, jitter=height // 24, generator=torch.Generator().manual_seed(0),
        )  # fmt: skip
        answers = ((f"after {steps} steps", first_answers(choice.model, picture)),)
        yield Frame(((f"{_named(choice)}, {steps} steps", picture),), answers, steps / choice.steps)


def _style_transfer(module: ModuleType, choice: Choice) -> Iterator[Frame]:
    """Paint in small strides, each from where the last one ended."""
    if choice.style is None:
        raise ValueError("style transfer needs a style: choose a painting")
    network = trunk(load_model("tiny_vgg"))
    picture = choice.image
    for done in range(0, choice.steps, STRIDE):
        strides = min(STRIDE, choice.steps - done)
        picture = module.painter(network, num_steps=strides, init=picture[None])(choice.image, choice.style)
        titled = ("content", choice.image), ("style", choice.style), (f"{done + strides} steps", picture)
        yield Frame(titled, done=(done + strides) / choice.steps)


EXPERIMENTS = (
    Experiment("saliency", "saliency_map", ("target",), _saliency_map),
    Experiment("saliency", "guided_backprop", ("target",), _guided_backprop),
    Experiment("saliency", "grad_cam", ("target", "layer"), _grad_cam),
    Experiment("adversarial", "fgsm", ("target", "eps"), _fgsm),
    Experiment("class_visualization", "class_visualization", ("target", "steps"), _class_visualization),
    Experiment("style_transfer", "style_transfer", ("style", "steps"), _style_transfer),
)
