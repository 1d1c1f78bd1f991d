"""Given code: refuse arguments that make no sense, with the value and the remedy, before a student's function runs."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from numbers import Real
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from coursekit.vision import checked_rates
from coursekit.vision.checked_style import STYLE_CHECKS, finite

TOO_SMALL = ("Output size is too small", "Kernel size can't be greater than actual input size")
Function = TypeVar("Function", bound=Callable[..., Any])
Arguments = dict[str, Any]
GOALS = ("confidence_reduction", "misclassification", "targeted", "source_to_target")
ANY_MODE = ("adversarial_loss",)  # the loss of a network that is being trained


def checked(function: Function) -> Function:
    """Check the arguments of a function by their names, and run it with gradients enabled.

    The names mean the same in every function of the course (CHECKS below). What only the network can tell, the number of
    classes and the shape of a layer, is looked at when the network first runs; a wrong value raises ValueError from there.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            if name not in CHECKS or (value is None and signature.parameters[name].default is None):
                continue
            if name == "model" and value is not None and function.__name__ in ANY_MODE:
                continue
            try:
                CHECKS[name](name, value, bound.arguments)
            except TypeError as error:  # a number, or None, where a list is wanted
                raise ValueError(f"{name} is {value!r:.60}: {error}") from error
        if "predict" in bound.arguments:
            bound.arguments["predict"] = _looked_at(bound.arguments["predict"], bound.arguments.copy())
        with torch.enable_grad(), _watched(bound.arguments):
            try:
                return function(*bound.args, **bound.kwargs)
            except RuntimeError as error:
                given_network = any(callable(value) for value in bound.arguments.values())
                if not given_network or not any(words in str(error) for words in TOO_SMALL):
                    raise
                sizes = [tuple(v.shape[-2:]) for v in bound.arguments.values() if isinstance(v, Tensor) and v.dim() > 2]
                size = min(sizes, key=math.prod, default=bound.arguments.get("image_size", "these"))
                raise ValueError(f"pictures of {size} pixels are too small for this network: enlarge them") from error

    return call  # type: ignore[return-value]


def _model(name: str, model: Any, given: Arguments) -> None:
    if not callable(model):
        raise ValueError(f"{name} is a {type(model).__name__}; give a network, for example load_model('tiny_vgg')")
    training = (
        [n or "the network" for n, m in model.named_modules() if m.training] if isinstance(model, nn.Module) else []
    )
    if training:
        raise ValueError(f"{name} is in train mode ({training[0]}): call {name}.eval() first")


def _images(name: str, images: Any, given: Arguments) -> None:
    _floating(name, images)
    if len(given) > 1:  # total_variation_loss takes images alone; in a line search they may leave [0, 1] by far
        _not_bytes(name, images)
    if images.dim() != 4 or images.shape[1] != 3:
        hint = f"; one picture is {name}[None]" if images.dim() == 3 else ""
        raise ValueError(f"{name} has shape {tuple(images.shape)}, expected (N, 3, H, W){hint}")
    if 0 in images.shape:
        raise ValueError(f"{name} has shape {tuple(images.shape)}: there is no picture in it")
    _same_dtype(name, images, given.get("model"))


def _image(name: str, image: Any, given: Arguments) -> None:
    _floating(name, image)
    if "model" in given or "predict" in given:  # between the steps of an ascent a picture may leave [0, 1] by far
        _not_bytes(name, image)
    if image.dim() != 3 or image.shape[0] != 3 or 0 in image.shape:
        raise ValueError(f"{name} has shape {tuple(image.shape)}, expected one picture (3, H, W)")
    _same_dtype(name, image, given.get("model"))


def _same_dtype(name: str, images: Tensor, model: Any) -> None:
    if isinstance(model, nn.Module) and not any(p.dtype == images.dtype for p in model.parameters()):
        dtypes = {parameter.dtype for parameter in model.parameters() if parameter.is_floating_point()}
        if len(dtypes) == 1:
            (dtype,) = dtypes
            raise ValueError(f"{name} is {images.dtype} and the network {dtype}: use {name}.to({dtype})")


def _floating(name: str, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise ValueError(f"{name} is a {type(value).__name__}, expected a torch tensor")
    if not value.is_floating_point():
        raise ValueError(f"{name} has dtype {value.dtype}, expected floating point in [0, 1]: use {name}.float() / 255")
    if not finite(value.detach()):
        raise ValueError(f"{name} contains NaN or infinity: look at where it was made")


def _not_bytes(name: str, value: Tensor) -> None:
    if value.numel() and float(value.detach().max()) > 16:
        raise ValueError(f"{name} has values up to {float(value.detach().max()):g}, expected [0, 1]: use {name} / 255")


def _labels(name: str, labels: Any, given: Arguments) -> None:
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64:
        kind = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise ValueError(f"{name} is {kind}, expected a tensor of torch.int64: use torch.as_tensor({name}).long()")
    images = given.get("images", given.get("logits"))
    if images is None and (labels.dim() != 1 or not len(labels)):
        raise ValueError(f"{name} has shape {tuple(labels.shape)}, expected (N,) with at least one label")
    if isinstance(images, Tensor) and tuple(labels.shape) != (len(images),):
        raise ValueError(f"{name} has shape {tuple(labels.shape)}, expected one label an image: ({len(images)},)")
    if labels.numel() and int(labels.min()) < 0:
        raise ValueError(f"{name} contains {int(labels.min())}; classes are counted from 0")


def _target(name: str, target: Any, given: Arguments) -> None:
    if not isinstance(target, int) or isinstance(target, bool) or target < 0:
        raise ValueError(f"{name} is {target!r}, expected a class number from 0")


def _layer(name: str, layer: Any, given: Arguments) -> None:
    model = given["model"]
    if not isinstance(model, nn.Module):
        raise ValueError(f"{name} {layer!r}: a plain function has no layers; give the nn.Module itself")
    names = [n for n, _ in model.named_modules() if n]
    if not isinstance(layer, str):
        raise ValueError(f"{name} is a {type(layer).__name__}, expected a name such as {names[-1]!r}")
    if layer not in names:
        near = difflib.get_close_matches(str(layer), names, n=5, cutoff=0.4) or names[:5]
        raise ValueError(f"{name} {layer!r} does not exist; near names: {', '.join(near)}")


def _layers(name: str, layers: Any, given: Arguments) -> None:
    if isinstance(layers, str):
        raise ValueError(f"{name} is the string {layers!r}: give a list of names, [{layers!r}]")
    for layer in layers:
        _layer(name, layer, given)


def counted(least: int) -> Callable[[str, Any, Arguments], None]:
    """Make the check of a whole number that is least or more."""

    def check(name: str, value: Any, given: Arguments) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} is {value!r}, expected a whole number, {least} or more")

    return check


def _number(name: str, value: Any) -> None:
    if not isinstance(value, (Real, Tensor)):
        raise ValueError(f"{name} is {value!r}, expected a number")


def _between(low: float, high: float) -> Callable[[str, Any, Arguments], None]:
    def check(name: str, value: Any, given: Arguments) -> None:
        _number(name, value)
        if not low <= value <= high:
            hint = f"; did you mean {value} / 255?" if name == "eps" and value > high else ""
            raise ValueError(f"{name} is {value}, expected {low} to {high}{hint}")

    return check


def _positive(name: str, value: Any, given: Arguments) -> None:
    _number(name, value)
    if not value > 0:
        raise ValueError(f"{name} is {value}, expected more than 0")


def _not_negative(name: str, value: Any, given: Arguments) -> None:
    _number(name, value)
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} is {value}, expected a number, 0 or more")


def _severity(name: str, value: Any, given: Arguments) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value not in (1, 2, 3, 4, 5):
        raise ValueError(f"{name} is {value!r}, expected 1 (weak) to 5 (strong)")


def _top(name: str, k: Any, given: Arguments) -> None:
    num_images = len(given["images"])
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= num_images:
        raise ValueError(f"{name} is {k!r}, expected 1 to {num_images}, the number of images")


def _unit_argument(name: str, unit: Any, given: Arguments) -> None:
    if not isinstance(unit, tuple) or not all(isinstance(place, int) for place in unit):
        raise ValueError(f"{name} is {unit!r}, expected a tuple of whole numbers: (channel, y, x), or (channel,)")


def _image_size(name: str, size: Any, given: Arguments) -> None:
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(isinstance(s, int) and s > 0 for s in size):
        raise ValueError(f"{name} is {size!r}, expected (H, W), both 1 or more")


def _gradient(name: str, gradient: Any, given: Arguments) -> None:
    _floating(name, gradient)
    if gradient.shape != given["image"].shape:
        raise ValueError(
            f"{name} has shape {tuple(gradient.shape)}, expected the image's {tuple(given['image'].shape)}"
        )


def _generator(name: str, generator: Any, given: Arguments) -> None:
    if not isinstance(generator, torch.Generator):
        raise ValueError(f"{name} is {generator!r}, expected torch.Generator().manual_seed(0) or another seed")


def _jitter(name: str, jitter: Any, given: Arguments) -> None:
    counted(0)(name, jitter, given)
    if jitter and given.get("generator") is None:
        raise ValueError(
            f"{name} is {jitter} and there is no generator: give generator=torch.Generator().manual_seed(0)"
        )


def _function(name: str, function: Any, given: Arguments) -> None:
    if not callable(function):
        raise ValueError(f"{name} is a {type(function).__name__}; give a function of images")


def _black_box_sigma(name: str, sigma: Any, given: Arguments) -> None:
    (_positive if "predict" in given else _not_negative)(name, sigma, given)


def _weight(name: str, weight: Any, given: Arguments) -> None:
    if not isinstance(weight, Tensor) or not weight.is_floating_point():
        raise ValueError(
            f"{name} is {getattr(weight, 'dtype', type(weight).__name__)}, expected a floating-point tensor"
        )


def _num_classes(name: str, num_classes: Any, given: Arguments) -> None:
    counted(2)(name, num_classes, given)
    if int(given["labels"].max()) >= num_classes:
        raise ValueError(f"{name} is {num_classes}, but labels contains {int(given['labels'].max())}")


def _logit_rows(name: str, logits: Any, given: Arguments) -> None:
    if not isinstance(logits, Tensor) or logits.dim() != 2 or not logits.is_floating_point() or not len(logits):
        raise ValueError(f"{name} is {getattr(logits, 'shape', type(logits).__name__)}, expected floating-point (N, K)")
    if logits.shape != given["logits"].shape:
        raise ValueError(
            f"{name} has shape {tuple(logits.shape)}, logits {tuple(given['logits'].shape)}: give the same"
        )
    _logits(logits, given)


def _goal(name: str, goal: Any, given: Arguments) -> None:
    if goal not in GOALS:
        raise ValueError(f"{name} is {goal!r}, expected one of {', '.join(GOALS)}")
    needs = {"confidence_reduction": ["clean_logits"], "targeted": ["target"], "source_to_target": ["target", "source"]}
    for other in needs.get(goal, []):
        if given[other] is None:
            raise ValueError(f"{name} {goal!r} needs {other}: give it")


def _new_images(name: str, images: Any, given: Arguments) -> None:
    _images(name, images, given)
    if images.shape[1:] != given["images"].shape[1:] or images.dtype != given["images"].dtype:
        raise ValueError(f"{name} is {tuple(images.shape)} {images.dtype}, expected pictures like images")


def _texture(name: str, texture: Any, given: Arguments) -> None:
    _images(name, texture, given)
    if len(texture) != len(given["content"]) or texture.dtype != given["content"].dtype:
        found, wanted = (f"{len(given[n])} pictures of {given[n].dtype}" for n in (name, "content"))
        raise ValueError(f"{name} has {found}, content {wanted}: give pairs")


def _new_labels(name: str, labels: Any, given: Arguments) -> None:
    _labels(name, labels, {"images": given["new_images"]})


def _gradients(name: str, gradients: Any, given: Arguments) -> None:
    if isinstance(gradients, Tensor) or not all(isinstance(gradient, Tensor) for gradient in gradients):
        raise ValueError(f"{name} is {type(gradients).__name__}, expected a list of tensors, one a parameter")


def _looked_at(predict: Callable[[Tensor], Any], given: Arguments) -> Callable[[Tensor], Any]:
    """Look at every answer of a black box: rows of finite scores, probabilities where the function searches by them."""

    def call(images: Tensor) -> Any:
        scores = predict(images)
        if not isinstance(scores, Tensor) or scores.dim() != 2 or len(scores) != len(images):
            got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise ValueError(f"predict returned {got} for {len(images)} images, expected (M, K): one row an image")
        if not finite(scores):
            raise ValueError("predict returned scores that are not finite: look at what your network says")
        wanted = [given[name] for name in ("labels", "label", "target") if given.get(name) is not None]
        largest = max(int(torch.as_tensor(value).max()) for value in wanted)
        if largest >= scores.shape[1]:
            raise ValueError(f"label {largest} is out of range: predict knows {scores.shape[1]} classes")
        rows = scores.detach()
        if "population" in given and not bool((rows >= 0).all() and ((rows.sum(1) - 1).abs() < 1e-3).all()):
            raise ValueError("predict returned rows that are no probabilities (they do not sum to 1): apply softmax")
        return scores

    return call


CHECKS: dict[str, Callable[[str, Any, Arguments], None]] = {
    "model": _model,
    "images": _images,
    "image": _image,
    "labels": _labels,
    "target": _target,
    "layer": _layer,
    "channel": counted(0),
    "unit": _unit_argument,
    "k": _top,
    "image_size": _image_size,
    "eps": _between(0, 1),
    "step_size": _positive,
    "num_steps": counted(0),
    "max_steps": counted(0),
    "severity": _severity,
    "gradient": _gradient,
    "sigma": _black_box_sigma,
    "blur_sigma": _not_negative,
    "blur_every": counted(0),
    "fraction": _between(0, 1),
    "pixel_fraction": _between(0, 1),
    "contribution_fraction": _between(0, 1),
    "l2_weight": _not_negative,
    "jitter": _jitter,
    "generator": _generator,
    "label": _target,
    "source": _target,
    "predict": _function,
    "oracle": _function,
    "substitute": _model,
    "population": counted(4),
    "generations": counted(0),
    "num_samples": counted(1),
    "num_rounds": counted(1),
    "learning_rate": _positive,
    "levels": counted(2),
    "num_classes": _num_classes,
    "logits": _logit_rows,
    "clean_logits": _logit_rows,
    "goal": _goal,
    "new_images": _new_images,
    "new_labels": _new_labels,
    "gradients": _gradients,
    "weight": _weight,
    "errors": checked_rates.errors,
    "baseline": checked_rates.baseline,
    "clean": checked_rates.clean,
    "baseline_clean": checked_rates.clean,
    "corruptions": checked_rates.corruptions,
    "content": _images,
    "texture": _texture,
    "transfer": _function,
    "shapes": checked_rates.trial_classes,
    "textures": checked_rates.trial_classes,
    "content_layers": _layers,
    "style_layers": _layers,
    "tv_weight": _not_negative,
    **STYLE_CHECKS,
}


@contextmanager
def _watched(given: Arguments) -> Iterator[None]:
    """Look at the network's logits and at the layer's output when they first appear."""
    model = given.get("model")
    with ExitStack() as hooks:
        if isinstance(model, nn.Module):
            hooks.callback(model.register_forward_hook(lambda _m, _i, out: _logits(out, given)).remove)
            if "layer" in given:
                layer = model.get_submodule(given["layer"])
                hooks.callback(layer.register_forward_hook(lambda _m, _i, out: _unit(out, given)).remove)
        yield


def _logits(logits: Any, given: Arguments) -> None:
    if not isinstance(logits, Tensor) or logits.dim() != 2:
        return
    num_classes = logits.shape[1]
    wanted = given.get("labels") if given.get("labels") is not None else given.get("target")
    largest = None if wanted is None else int(torch.as_tensor(wanted, device=logits.device).max())
    if largest is not None and largest >= num_classes:
        raise ValueError(
            f"label {largest} is out of range: the network has {num_classes} classes, 0 to {num_classes - 1}"
        )
    if torch._C._functorch.is_functorch_wrapped_tensor(logits):
        return  # inside torch.func.vmap or grad there are no values to look at
    rows = logits.detach()
    if num_classes > 1 and bool((rows >= 0).all()) and bool(((rows.sum(1) - 1).abs() < 1e-4).all()):
        raise ValueError(
            "the network returns probabilities (rows sum to 1): give one that returns logits, without softmax"
        )


def _unit(output: Any, given: Arguments) -> None:
    if not isinstance(output, Tensor):
        return
    layer, shape = given["layer"], tuple(output.shape[1:])
    unit = given.get("unit", (given["channel"],) if "channel" in given else ())
    if len(shape) not in (1, 3):
        found = ", ".join(map(str, ("N", *shape)))
        raise ValueError(
            f"layer {layer!r} returns ({found}), neither maps (N, C, h, w) nor flat (N, C): choose another layer"
        )
    if not unit and len(shape) != 3:  # a function that takes a whole layer works on its map
        raise ValueError(f"layer {layer!r} is flat, its output is (N, {shape[0]}): choose a convolutional layer")
    if "unit" in given and len(unit) != len(shape):
        raise ValueError(f"unit {unit} has {len(unit)} numbers; a unit of layer {layer!r} has {len(shape)}: {shape}")
    if any(not 0 <= place < side for place, side in zip(unit, shape, strict=False)):
        name = "unit" if "unit" in given else "channel"
        value = unit if "unit" in given else unit[0]
        raise ValueError(f"{name} {value} is outside layer {layer!r}, whose output is {shape}")
