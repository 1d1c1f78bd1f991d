"""Given code: what networks and functions of pictures answer is looked at while a student's code runs."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.vision.checked import shown
from coursekit.vision.looks import classes, finite, has_values, sum_to_1
from coursekit.vision.looks_networks import largest, original

WRAP = "wrap it in a module whose forward returns"


@contextmanager
def watch_logits(
    model: Any, *, labels: Any = None, target: Any = None, layer: Any = None, content_layers: Any = None
) -> Iterator[Any]:
    """Look at the logits whenever the network runs. A network that is only asked for its layers may return anything."""
    wanted = largest(labels, target)
    anything = labels is None and target is None and (layer is not None or content_layers is not None)

    def look(asked: Any, inputs: Any, logits: Any) -> None:
        if not (anything and not (isinstance(logits, Tensor) and logits.dim() == 2)):
            one_class = target is not None or not isinstance(asked, nn.Module)  # a score to climb
            look_at_logits(inputs, logits, wanted, one_class=one_class)

    model = original(model)
    if not isinstance(model, nn.Module):
        yield _Asked(model, look)
        return
    handle = model.register_forward_hook(look)
    try:
        yield model
    finally:
        handle.remove()


class _Asked:
    """A function of images whose answers are looked at; whatever else it has is its own."""

    def __init__(self, function: Any, look: Any) -> None:
        self.function, self.look = function, look

    def __call__(self, *images: Any) -> Any:
        answer = self.function(*images)
        self.look(self, images, answer)
        return answer

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.function, name)


def look_at_logits(inputs: Any, logits: Any, wanted: int, *, one_class: bool) -> None:
    """Refuse an answer that is not (N, K) finite logits, or has no class as large as wanted.

    One class is enough to climb its score, as `maximize_activation` does; else one logit means a binary classifier.
    """
    if not isinstance(logits, Tensor):
        first = repr(next(iter(logits), "")) if isinstance(logits, dict) else 0
        raise ValueError(f"the network returns a {type(logits).__name__}, no logits: {WRAP} model(images)[{first}]")
    found, rows = tuple(logits.shape), len(inputs[0]) if inputs else len(logits)
    if logits.dim() != 2 or len(logits) != rows:
        one_row = "one row of scores an image, such as the mean over the places of a map"
        raise ValueError(f"the network returns {found} for {rows} images, expected logits (N, K): {WRAP} {one_row}")
    known = logits.shape[1]
    if known == 1 and not one_class:
        both = "torch.cat([torch.zeros_like(z), z], 1)"
        raise ValueError(f"the network returns one logit z an image, expected one a class: {WRAP} {both}")
    if wanted >= known:
        raise ValueError(f"label {wanted} is out of range: the network has {known} classes, 0 to {known - 1}")
    if not has_values(logits) or not logits.numel():
        return
    if sum_to_1(logits.detach(), 1e-4):
        wrong = "the network returns probabilities (rows sum to 1)"
        raise ValueError(f"{wrong}: give one that returns logits, without softmax")
    if not finite(logits.detach()) and all(has_values(x) and finite(x.detach()) for x in inputs):
        raise ValueError("the network's logits are not finite, its pictures are: look at its weights and its dtype")


@contextmanager
def watch_scores(predict: Any, *, labels: Any = None, label: Any = None, target: Any = None) -> Iterator[Any]:
    """Look at every answer of a black box: rows of finite scores, which know the classes that are asked for."""
    wanted = largest(labels, label, target)

    def call(images: Tensor) -> Any:
        scores = predict(images)
        if not isinstance(scores, Tensor) or scores.dim() != 2 or len(scores) != len(images):
            got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise ValueError(f"predict returned {got} for {len(images)} images, expected (M, K): one row per image")
        if not finite(scores):
            raise ValueError("predict returned scores that are NaN or infinite: check the outputs of your network")
        if wanted >= scores.shape[1]:
            raise ValueError(f"label {wanted} is out of range: predict returns {scores.shape[1]} classes")
        return scores

    yield call


@contextmanager
def watch_probabilities(predict: Any, *, label: Any = None, target: Any = None) -> Iterator[Any]:
    """Look also at whether the rows are probabilities."""

    def call(images: Tensor) -> Any:
        scores = ask(images)
        if not sum_to_1(scores.detach(), 1e-3):
            raise ValueError("predict returned rows that are not probabilities (they do not sum to 1): apply softmax")
        return scores

    with watch_scores(predict, label=label, target=target) as ask:
        yield call


@contextmanager
def watch_oracle(oracle: Any) -> Iterator[Any]:
    """Look at every answer of who only tells labels."""

    def call(images: Tensor) -> Any:
        answer = oracle(images)
        if not isinstance(answer, Tensor) or answer.shape != (len(images),) or answer.dtype is not torch.int64:
            scores = isinstance(answer, Tensor) and answer.dim() == 2
            remedy = "take .argmax(dim=1) of its scores" if scores else "give one class an image"
            got = f"{shown(answer)} for {len(images)} images"
            raise ValueError(f"oracle returned {got}, expected labels (M,), int64: {remedy}")
        classes("what oracle returned", answer)
        return answer

    yield call


@contextmanager
def watch_transfer(transfer: Any) -> Iterator[Any]:
    """Look at every picture that a way to paint gives back."""

    def call(image: Tensor, style: Tensor) -> Any:
        painted = transfer(image, style)
        look_at_picture("transfer", painted, image)
        return painted

    yield call


@contextmanager
def watch_corruptions(corruptions: Sequence[Any]) -> Iterator[list[Any]]:
    """Look at the pictures that every corruption gives back."""

    def watched(corruption: Any) -> Any:
        @functools.wraps(corruption)
        def call(images: Tensor, *args: Any, **options: Any) -> Any:
            corrupted = corruption(images, *args, **options)
            look_at_picture(getattr(corruption, "__name__", "a corruption"), corrupted, images)
            return corrupted

        return call

    yield [watched(corruption) for corruption in corruptions]


def look_at_picture(name: str, found: Any, given: Tensor) -> None:
    """Refuse what is not of the shape of the pictures that a function was given."""
    if not isinstance(found, Tensor) or found.shape != given.shape or not found.is_floating_point():
        remedy = "take [0] of it" if isinstance(found, Tensor) and found.shape == (1, *given.shape) else "resize it"
        wanted = f"expected pictures of the shape that it was given, {tuple(given.shape)}"
        raise ValueError(f"{name} returned {shown(found)}, {wanted}: {remedy}")
