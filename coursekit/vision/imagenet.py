"""Given code: our 24 classes among ImageNet's thousand, so that a network of torchvision can be asked about a scene."""

from __future__ import annotations

import difflib
from typing import Any

import torch
from torch import Tensor

from coursekit.vision.scenes import CLASSES

# ImageNet is full of breeds and species where we have one word. Three of ours have no class there at all; each of them
# gets what is nearest, and a network is not wrong if it says something else.
IMAGENET = {
    "cat": "tabby",
    "dog": "golden retriever",
    "elephant": "African elephant",
    "panda": "giant panda",
    "monkey": "macaque",
    "bird": "robin",
    "frog": "tree frog",
    "deer": "impala",  # no deer: an antelope
    "airplane": "airliner",
    "car": "sports car",
    "ship": "liner",
    "truck": "trailer truck",
    "flamingo": "flamingo",
    "teddy bear": "teddy",
    "fish": "goldfish",
    "butterfly": "monarch",
    "snake": "garter snake",
    "beetle": "ladybug",
    "coffee cup": "cup",
    "necktie": "Windsor tie",
    "house": "mobile home",  # no house: the one that stands on wheels
    "tree": "lakeside",  # no tree: a landscape with some
    "mushroom": "mushroom",
    "bicycle": "mountain bike",
}


def class_index(model: Any, name: str) -> int:
    """Return the index of the network's class that name means. name is one of its classes or one of our 24 (CLASSES).

    Raises:
        ValueError: a name that is neither; near names are listed.
    """
    for known in (name, IMAGENET.get(name)):
        if known in model.class_names:
            return list(model.class_names).index(known)
    near = difflib.get_close_matches(str(name), [*CLASSES, *model.class_names], cutoff=0.4) or CLASSES
    raise ValueError(f"the network has no class {name!r}: did you mean {', '.join(near)}?")


def class_labels(model: Any, labels: Tensor) -> Tensor:
    """Return the labels of scenes, any shape, as numbers of the network's own classes."""
    return torch.tensor([class_index(model, name) for name in CLASSES], device=labels.device)[labels]
