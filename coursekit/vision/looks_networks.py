"""Given code: what the aliases of `arguments` look at in networks, layers and functions, before they run and while they do."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.vision.checked import Look
from coursekit.vision.hooks import closed_module
from coursekit.vision.looks import has_values


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


def original(model: Any) -> Any:
    """Return the network that torch.compile was given, in which hooks and rules can be seen; any other as it is."""
    return getattr(model, "_orig_mod", model) if isinstance(model, nn.Module) else model


def open_inside(name: str, value: Any) -> None:
    closed = closed_module(original(value)) if isinstance(value, nn.Module) else None
    if closed is not None:
        where = f" ({closed})" if closed else ""
        hidden = f"{name} is compiled or traced{where}, so nobody sees its layers and ReLUs"
        raise ValueError(f"{hidden}: give the network that it was made from")


def in_eval_mode(name: str, value: Any) -> None:
    value = original(value)
    modules = value.named_modules() if isinstance(value, nn.Module) else ()
    training = next((inner or "the network" for inner, module in modules if module.training), None)
    if training:
        raise ValueError(f"{name} is in train mode ({training}): call {name}.eval() first")


def layer(name: str, value: Any, *, model: Any) -> None:
    if not isinstance(model, nn.Module):
        raise ValueError(f"{name} is {value!r}: a plain function has no layers; give the nn.Module itself")
    names = [inner for inner, _ in original(model).named_modules() if inner]
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
def all_run(model: nn.Module, names: Sequence[str]) -> Iterator[None]:
    """Refuse layers that did not run whenever the whole network did: parts left out, and containers."""
    ran: set[str] = set()

    def note(name: str) -> Any:
        return lambda *_: ran.add(name)

    def look(*_: Any) -> None:
        for name in names:
            if name not in ran:
                what = "a container whose parts are called one by one, or a part that is left out"
                raise ValueError(f"layer {name!r} does not run when the network does ({what}): choose another layer")
        ran.clear()

    with ExitStack() as hooks:
        for name in names:
            hooks.callback(model.get_submodule(name).register_forward_hook(note(name)).remove)
        hooks.callback(model.register_forward_hook(look).remove)
        yield


@contextmanager
def watch_layers(layers: Sequence[str], *, model: nn.Module) -> Iterator[Sequence[str]]:
    """Look at whether several layers run."""
    with all_run(original(model), layers):
        yield layers


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

    model = original(model)
    handle = model.get_submodule(layer).register_forward_hook(look)
    try:
        with all_run(model, [layer]):
            yield layer
    finally:
        handle.remove()


@contextmanager
def watch_substitute(substitute: nn.Module) -> Iterator[nn.Module]:
    """Give the global generators back what a dropout layer draws from them while it is trained."""
    cuda = {parameter.device.index for parameter in substitute.parameters() if parameter.is_cuda}
    with torch.random.fork_rng(sorted(cuda)):
        yield original(substitute)
