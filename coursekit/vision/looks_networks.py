"""Given code: what the aliases of `arguments` look at in networks, layers and functions, before they run and while they do."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from coursekit.vision.checked import Look
from coursekit.vision.looks import finite, has_values, sum_to_1


def called(remedy: str) -> Look:
    """Make the look at what can be called."""

    def look(name: str, value: Any) -> None:
        if not callable(value):
            raise ValueError(f"{name} is a {type(value).__name__}; give {remedy}")

    return look


network = called("a network, for example load_model('tiny_vgg')")
function = called("a function of images")


def module(name: str, value: Any) -> bool:
    return isinstance(value, nn.Module)


def in_eval_mode(name: str, value: Any) -> None:
    modules = value.named_modules() if isinstance(value, nn.Module) else ()
    training = next((inner or "the network" for inner, module in modules if module.training), None)
    if training:
        raise ValueError(f"{name} is in train mode ({training}): call {name}.eval() first")


def layer(name: str, value: Any, *, model: Any) -> None:
    if not isinstance(model, nn.Module):
        raise ValueError(f"{name} is {value!r}: a plain function has no layers; give the nn.Module itself")
    names = [inner for inner, _ in model.named_modules() if inner]
    if not isinstance(value, str):
        raise ValueError(f"{name} is a {type(value).__name__}, expected a name such as {names[-1]!r}")
    if value not in names:
        near = difflib.get_close_matches(value, names, n=5, cutoff=0.4) or names[:5]
        raise ValueError(f"{name} {value!r} does not exist; near names: {', '.join(near)}")


def layers(name: str, value: Sequence[str], *, model: Any) -> None:
    if isinstance(value, str):
        raise ValueError(f"{name} is the string {value!r}: give a list of names, [{value!r}]")
    for one in value:
        layer(name, one, model=model)


def largest(*classes: Any) -> int:
    """Return the largest of some classes, tensors or numbers or None; -1 if there is none whose value can be seen."""
    given = [value for value in classes if value is not None and (not isinstance(value, Tensor) or has_values(value))]
    return max((int(value.max() if isinstance(value, Tensor) else value) for value in given), default=-1)


@contextmanager
def watch_logits(model: Any, *, labels: Any = None, target: Any = None) -> Iterator[Any]:
    """Look at the logits whenever the network runs."""
    wanted = largest(labels, target)

    def look(_module: Any, _inputs: Any, logits: Any) -> None:
        if not isinstance(logits, Tensor) or logits.dim() != 2:
            return
        known = logits.shape[1]
        if wanted >= known:
            raise ValueError(f"label {wanted} is out of range: the network has {known} classes, 0 to {known - 1}")
        if known > 1 and has_values(logits) and sum_to_1(logits.detach(), 1e-4):
            wrong = "the network returns probabilities (rows sum to 1)"
            raise ValueError(f"{wrong}: give one that returns logits, without softmax")

    handle = model.register_forward_hook(look) if isinstance(model, nn.Module) else None
    try:
        yield model
    finally:
        if handle is not None:
            handle.remove()


@contextmanager
def watch_layer(layer: str, *, model: nn.Module, unit: Any = None, channel: Any = None) -> Iterator[str]:
    """Look at a layer's output whenever it runs: has it this unit, or this channel? Without either it must be maps."""
    places = unit if channel is None else (channel,)

    def look(_module: Any, _inputs: Any, output: Any) -> None:
        if not isinstance(output, Tensor):
            return
        shape = tuple(output.shape[1:])
        if len(shape) not in (1, 3):
            found = f"({', '.join(map(str, ('N', *shape)))}), neither maps (N, C, h, w) nor flat (N, C)"
            raise ValueError(f"layer {layer!r} returns {found}: choose another layer")
        if places is None and len(shape) == 1:
            raise ValueError(f"layer {layer!r} is flat, its output is (N, {shape[0]}): choose a convolutional layer")
        if unit is not None and len(unit) != len(shape):
            wanted = f"a unit of layer {layer!r} has {len(shape)}: {shape}"
            raise ValueError(f"unit {unit} has {len(unit)} numbers; {wanted}")
        if any(not 0 <= place < side for place, side in zip(places or (), shape, strict=False)):
            what = f"channel {channel}" if unit is None else f"unit {unit}"
            raise ValueError(f"{what} is outside layer {layer!r}, whose output is {shape}")

    handle = model.get_submodule(layer).register_forward_hook(look)
    try:
        yield layer
    finally:
        handle.remove()


@contextmanager
def watch_scores(predict: Any, *, labels: Any = None, label: Any = None, target: Any = None) -> Iterator[Any]:
    """Look at every answer of a black box: rows of finite scores, which know the classes that are asked for."""
    wanted = largest(labels, label, target)

    def call(images: Tensor) -> Any:
        scores = predict(images)
        if not isinstance(scores, Tensor) or scores.dim() != 2 or len(scores) != len(images):
            got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise ValueError(f"predict returned {got} for {len(images)} images, expected (M, K): one row an image")
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
            raise ValueError("predict returned rows that are no probabilities (they do not sum to 1): apply softmax")
        return scores

    with watch_scores(predict, label=label, target=target) as ask:
        yield call
