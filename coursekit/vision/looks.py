"""Given code: what the aliases of `arguments` look at; `Check` says how a look refuses and how it sees other arguments."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.vision.checked import Check, Look, shown

Sizes = dict[str, Any]  # letter of a shape -> number; F -> the dtype of the floating-point tensors, and who set it
SHAPE = re.compile(r"\((?:\w+, ?)+\w*\)")  # (N,) or (N, 3, H, W)
DIGITS = frozenset("123")
GOALS = ("confidence_reduction", "misclassification", "targeted", "source_to_target")
SEED = "torch.Generator().manual_seed(0)"


# numbers


def is_whole(value: Any, least: float = -math.inf) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_int(name: str, value: Any) -> bool:
    """Say whether it is an int; of a number that a library keeps in a type of its own, say how to make it one."""
    if not isinstance(value, int) and (isinstance(value, Integral) or (isinstance(value, Tensor) and value.dim() == 0)):
        raise ValueError(f"{name} is {shown(value)}, expected a Python int: use int({name})")
    return is_whole(value)


def whole(least: int, *looks: Look, role: str = "") -> Check:
    """Check for a whole number that is least or more."""
    return Check(f"a whole number, {least} or more", lambda n, v: is_int(n, v) and v >= least, *looks, role=role)


def is_number(value: Any) -> bool:
    return isinstance(value, Real) or (isinstance(value, Tensor) and value.dim() == 0)


def number(meaning: str, within: Callable[[Any], Any], *looks: Look, role: str = "") -> Check:
    """Check for a number, or a 0-d tensor, for which a condition holds."""
    return Check(meaning, *looks, lambda name, value: is_number(value) and bool(within(value)), role=role)


def that(meaning: str, holds: Callable[[Any], bool], *looks: Look, role: str = "") -> Check:
    """Check for a value of which something holds."""
    return Check(meaning, lambda name, value: holds(value), *looks, role=role)


def is_size(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(is_whole(side, 1) for side in value)


def is_unit(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(is_whole, value))


def eps_in_255ths(name: str, value: Any) -> None:
    if isinstance(value, (int, float)) and value > 1:
        raise ValueError(f"{name} is {value}, expected 0 to 1; did you mean {value} / 255?")


def at_most_the_images(name: str, value: int, *, images: Tensor) -> None:
    if not is_whole(value, 1) or value > len(images):
        raise ValueError(f"{name} is {shown(value)}, expected 1 to {len(images)}, the number of images")


def with_a_generator(name: str, value: int, *, generator: torch.Generator | None) -> None:
    if value and generator is None:
        raise ValueError(f"{name} is {value} and there is no generator: give generator={SEED}")


def above_the_labels(name: str, value: int, *, labels: Tensor | None = None) -> None:
    if labels is not None and int(labels.max()) >= value:
        raise ValueError(f"{name} is {value}, but labels contains {int(labels.max())}")


def reachable(name: str, value: str, *, target: Any, source: Any, clean_logits: Any) -> bool:
    given = {"target": target, "source": source, "clean_logits": clean_logits}
    needs = {"confidence_reduction": ["clean_logits"], "targeted": ["target"], "source_to_target": ["target", "source"]}
    for other in needs.get(value, ()):
        if given[other] is None:
            raise ValueError(f"{name} {value!r} needs {other}: give it")
    return value in GOALS


# tensors


def tensor(meaning: str, *looks: Look, dtype: str = "F", thing: str = "value", role: str = "") -> Check:
    """Check for a tensor of the shape, or one of the shapes, in the meaning: "content's (N, 3, H, W)"."""
    return Check(meaning, shaped(meaning, dtype, thing), *looks, role=role)


def shaped(meaning: str, dtype: str = "F", thing: str = "value") -> Look:
    """Make the look at a tensor's shape and dtype: int64, float, or F, which all F of a call share.

    A letter is the same number wherever it stands in one call.
    """
    shapes = [tuple(re.findall(r"\w+", shape)) for shape in SHAPE.findall(meaning)]

    def look(name: str, value: Any, *, sizes: Sizes) -> None:
        kind = value.dtype if isinstance(value, Tensor) else f"a {type(value).__name__}"
        if dtype == "int64" and kind is not torch.int64:
            raise ValueError(f"{name} is {kind}, expected a tensor of torch.int64: use torch.as_tensor({name}).long()")
        if not isinstance(value, Tensor):
            raise ValueError(f"{name} is {kind}, expected a torch tensor: {meaning}")
        if dtype != "int64" and not value.is_floating_point():
            if thing == "picture":
                wanted = f"floating point in [0, 1]: use {name}.float() / 255"
                raise ValueError(f"{name} has dtype {kind}, expected {wanted}")
            raise ValueError(f"{name} is {kind}, expected a floating-point tensor")
        if dtype == "F" and kind is not (known := sizes.setdefault("F", (kind, name)))[0]:
            raise ValueError(f"{name} is {kind}, {known[1]} {known[0]}: use {name}.to({known[0]})")
        found = value.shape
        if thing and not value.numel():
            raise ValueError(f"{name} has shape {tuple(found)}: there is no {thing} in it")
        for shape in shapes:
            mine: Sizes = {}
            if len(shape) == len(found) and all(
                (int(letter) if letter in DIGITS else sizes.get(letter) or mine.setdefault(letter, side)) == side
                for letter, side in zip(shape, found, strict=True)
            ):
                sizes.update(mine)
                return
        if shapes:
            hint = f"; one picture is {name}[None]" if thing == "picture" and len(shapes[0]) > len(found) == 3 else ""
            raise ValueError(f"{name} has shape {tuple(found)}, expected {_with_sizes(meaning, sizes)}{hint}")

    return look


def _with_sizes(meaning: str, sizes: Sizes) -> str:
    """Write the sizes that are known into the shapes of a meaning."""
    return SHAPE.sub(lambda shape: re.sub(r"\w+", lambda word: str(sizes.get(word[0], word[0])), shape[0]), meaning)


def are_tensors(value: Any) -> bool:
    return not isinstance(value, Tensor) and all(isinstance(one, Tensor) for one in value)


def has_values(value: Tensor) -> bool:
    """Say whether a tensor's values can be looked at: inside torch.func.vmap or grad there are none."""
    return not torch._C._functorch.is_functorch_wrapped_tensor(value)


def finite(values: Tensor) -> bool:
    """Say whether every value is finite. Their sum tells nearly always, at a tenth of the cost; only it may overflow."""
    return math.isfinite(values.sum().item()) or bool(values.isfinite().all())


def finite_values(name: str, value: Tensor) -> None:
    if has_values(value) and not finite(value.detach()):
        raise ValueError(f"{name} contains NaN or infinity: look at where it was made")


def in_unit_range(name: str, value: Tensor) -> None:
    """Refuse pictures beyond [0, 1]; what rounding leaves outside is no mistake."""
    if not has_values(value):
        return
    low, high = (float(end) for end in value.detach().aminmax())
    if high > 16:
        raise ValueError(f"{name} has values up to {high:g}, expected [0, 1]: use {name} / 255")
    slack = max(1e-3, 2 * torch.finfo(value.dtype).eps)
    if low < -slack or high > 1 + slack:
        remedy = f"undo the normalisation, which the networks do themselves, or use {name}.clamp(0, 1)"
        raise ValueError(f"{name} has values from {low:g} to {high:g}, expected [0, 1]: {remedy}")


def of_the_network(name: str, value: Tensor, *, model: Any = None) -> None:
    """Refuse another dtype than the network's."""
    if isinstance(model, nn.Module) and not any(p.dtype == value.dtype for p in model.parameters()):
        dtypes = {parameter.dtype for parameter in model.parameters() if parameter.is_floating_point()}
        if len(dtypes) == 1:
            (dtype,) = dtypes
            raise ValueError(f"{name} is {value.dtype} and the network {dtype}: use {name}.to({dtype})")


def classes(name: str, value: Any, *, logits: Tensor | None = None) -> None:
    """Refuse negative classes, and those that logits do not know; a tensor of them or one number."""
    if isinstance(value, Tensor) and not has_values(value):
        return
    low, high = map(int, value.aminmax()) if isinstance(value, Tensor) else (value, value)
    if low < 0:
        raise ValueError(f"{name} contains {low}; classes are counted from 0")
    if logits is not None and high >= logits.shape[1]:
        raise ValueError(f"label {high} is out of range: logits have {logits.shape[1]} classes")


def no_probabilities(name: str, value: Tensor) -> None:
    """Refuse rows that sum to 1 where logits are wanted."""
    if value.shape[1] > 1 and has_values(value) and sum_to_1(value.detach(), 1e-4):
        raise ValueError(f"{name} has rows that sum to 1, probabilities: give logits, without softmax")


def sum_to_1(rows: Tensor, tolerance: float) -> bool:
    return bool((rows >= 0).all()) and bool(((rows.sum(1) - 1).abs() < tolerance).all())
