"""Load trained networks by name: the small ones that ship in data/weights, EfficientNet-Lite0, and torchvision's.

Every one maps images in [0, 1] to logits, normalises inside itself, comes in eval mode, names its classes in
`class_names`, and says in `input_size` which (H, W) it was trained on. Parameters keep requires_grad=True, as torchvision's do: `torch.autograd.grad` with respect to images
computes no gradient of theirs, and who wants to train further can.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from coursekit.errors import UsageError
from coursekit.vision import efficientnet
from coursekit.vision.networks import ARCHITECTURES, IMAGE_SIZE, Normalize
from coursekit.vision.scenes import CLASSES

WEIGHTS = Path(__file__).parents[2] / "data" / "weights"
MODEL_NAMES = tuple(ARCHITECTURES)


class InUnitRange(nn.Module):
    """Mixed into a class of torchvision's: its forward takes images in [0, 1], its children keep their names."""

    normalize: Normalize
    input_size: tuple[int, int]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of images (N, 3, H, W)."""
        try:
            return super().forward(self.normalize(images))
        except AssertionError as error:  # a transformer's codes of position fit one size
            size = tuple(images.shape[-2:])
            raise ValueError(f"images are {size}, but a {type(self).__name__} takes {self.input_size}") from error


def chosen_name() -> str:
    """Return the network that the environment variable A2_MODEL names, or "tiny_vgg"."""
    return os.environ.get("A2_MODEL") or "tiny_vgg"


def load_worlds() -> tuple[Any, Any]:
    """Return two networks: the one that a notebook uses for photographs, and the one that it uses for scenes.

    They are "efficientnet_lite0" and "tiny_vgg". If the environment variable A2_MODEL names one of MODEL_NAMES, that
    network replaces the second. Any other name replaces the first.
    """
    chosen = chosen_name()
    if chosen in MODEL_NAMES:
        return load_model("efficientnet_lite0"), load_model(chosen)
    return load_model(chosen), load_model("tiny_vgg")


def in_cache(name: str) -> bool:
    """Return whether the weights of a torchvision network are in torch's cache: then nothing is downloaded."""
    from torchvision import models

    return name in models.list_models(module=models) and _cached_file(models.get_model_weights(name).DEFAULT).is_file()


def load_model(
    name: str | None = None, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None
) -> Any:
    """Load a trained network in eval mode.

    Args:
        name: one of MODEL_NAMES; or "efficientnet_lite0", trained on ImageNet and installed with the assignment; or a
            classifier of torchvision ("squeezenet1_1", "vgg16", "resnet18" ...), whose weights are read from torch's
            cache or downloaded. By default the environment variable A2_MODEL, if it is set, else "tiny_vgg".
        device: the network's device; the CPU by default.
        dtype: its floating-point type; float32 by default.

    Returns:
        nn.Module: images (N, 3, H, W) in [0, 1] -> logits (N, K). Its attributes are `normalize`, `class_names` (K
        strings), `input_size` (H, W), and `features` if the architecture has it.

    Raises:
        UsageError: a name that does not exist; a weight file that is missing, damaged, or cannot be downloaded.
    """
    name = chosen_name() if name is None else name
    if name == "efficientnet_lite0":
        drawing, state = efficientnet.efficientnet_lite0, efficientnet.read_state()
        model = _fill(drawing, state, efficientnet.normalize(), efficientnet.imagenet_classes(), 224)
    else:
        model = _load_tiny(name) if name in ARCHITECTURES else _load_torchvision(name)
    # A gradient takes two thirds of the time in this memory format, and differs by rounding only.
    return model.eval().to(device=device, dtype=dtype).to(memory_format=torch.channels_last)


def read_zoo(folder: Path = WEIGHTS) -> dict[str, dict[str, Any]]:
    """Read zoo.json: for each network its file's sha256, its accuracy, and how it was trained."""
    try:
        return json.loads((folder / "zoo.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder / 'zoo.json'} cannot be read ({type(error).__name__}); restore it with: "
            "git checkout -- data/weights/zoo.json (without git: copy it again from what you were given)"
        ) from error


def _load_tiny(name: str) -> nn.Module:
    """Read data/weights/NAME.safetensors, checked against its sha256 in zoo.json."""
    from safetensors.numpy import load

    path = WEIGHTS / f"{name}.safetensors"
    expected = read_zoo().get(name, {}).get("sha256", "unknown")
    remedy = (
        f"expected sha256 {expected}; restore it with: git checkout -- data/weights/{path.name} (or: a2 train {name}; "
        "in a student edition: copy it again from what you were given)"
    )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"the weights {path} are missing; {remedy}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise UsageError(f"the weights {path} are damaged or of another training: sha256 is {found}; {remedy}")
    # numpy widens on one thread: torch's pool costs more than the work, most of all on a busy machine.
    wide = {np.dtype(np.float16): np.dtype(np.float32)}
    arrays = {key: np.array(value, dtype=wide.get(value.dtype, value.dtype)) for key, value in load(content).items()}
    state = {key: torch.from_numpy(value) for key, value in arrays.items()}
    return _fill(ARCHITECTURES[name], state, Normalize(), CLASSES, IMAGE_SIZE)


def _fill(
    drawing: Callable[[], nn.Module], state: dict[str, Tensor], normalize: Normalize, names: tuple[str, ...], side: int
) -> nn.Module:
    """Build a network round its stored weights, without drawing random ones first; normalize's constants are not stored."""
    with torch.device("meta"):
        model = drawing()
    model.load_state_dict(state, assign=True)
    model.normalize = normalize
    model.class_names = names  # type: ignore[assignment]
    model.input_size = (side, side)  # type: ignore[assignment]
    return model.requires_grad_(True)


def _load_torchvision(name: str) -> nn.Module:
    """Build torchvision's network with its default ImageNet weights, from the cache or the internet."""
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        near = difflib.get_close_matches(name, [*MODEL_NAMES, "efficientnet_lite0", *known], n=4) or MODEL_NAMES
        raise UsageError(f"no network {name!r}: did you mean {', '.join(near)}?")
    weights = models.get_model_weights(name).DEFAULT
    file = _cached_file(weights)
    try:
        model = models.get_model(name, weights=weights)
    except Exception as error:  # urllib's errors, a hash that does not fit (RuntimeError), a damaged file (pickle's)
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise UsageError(
            f"the weights of {name!r} could not be read or downloaded ({reason}); go online, or copy {weights.url} to "
            f"{file}, or use one of {', '.join(MODEL_NAMES)}, which need no internet"
        ) from error
    preset = weights.transforms()
    mean, std = preset.mean, preset.std
    if getattr(model, "transform_input", False):
        # GoogLeNet and Inception turn ImageNet's constants into these by slicing channels, which `spatial_steps` would
        # take for a step that mixes all pixels.
        model.transform_input, mean, std = False, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
        model.aux_logits = False  # one answer, in train mode too
    # A subclass made here and not a wrapper: "features.12" and "layer4" stay the layers' qualified names.
    model.__class__ = type(type(model).__name__, (InUnitRange, type(model)), {})
    model.normalize = Normalize(mean, std)
    model.class_names = tuple(weights.meta["categories"])
    model.input_size = (preset.crop_size[0], preset.crop_size[0])
    return model


def _cached_file(weights: Any) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[-1]
