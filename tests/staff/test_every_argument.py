"""Every argument of every exercise: None, a word and a tensor of another rank are refused in one line that names it."""

from __future__ import annotations

import importlib
import inspect
from typing import Annotated

import pytest
import torch
from torch import Tensor, nn

from assignment2 import segmentation
from coursekit.parts import PARTS, part_of
from coursekit.vision import Network, checked
from coursekit.vision.arguments import Eps, Images, Labels, Layer, Model

EXERCISES = [name for part in PARTS for name in part.functions]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.normalize = nn.Identity()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

    def forward(self, images):
        return self.classifier(self.features(self.normalize(images)))


def seed():
    return torch.Generator().manual_seed(0)


def likely(images):
    return torch.full((len(images), 3), 1 / 3)


NET, IMAGES, LABELS = Net().eval(), torch.rand(2, 3, 8, 8, generator=seed()), torch.tensor([2, 0])
MAPS, KERNEL, RATES = torch.arange(128).view(2, 8, 8) % 3, torch.rand(3, 2, 3, 3), torch.rand(2, 5) / 2 + 0.1
EVERYWHERE = {
    "model": NET, "substitute": NET, "images": IMAGES, "labels": LABELS, "layer": "features.0", "unit": (1, 2, 3),
    "channel": 1, "k": 1, "image_size": (8, 8), "upstream": IMAGES, "relu_input": IMAGES, "image": IMAGES[0],
    "gradient": IMAGES[0], "target": 1, "label": 1, "source": 0, "step_size": 0.1, "l2_weight": 0.0, "sigma": 0.5,
    "fraction": 0.5, "num_steps": 1, "max_steps": 1, "eps": 0.1, "weight": KERNEL, "predict": likely,
    "population": 4, "generations": 1, "generator": seed(), "num_samples": 1, "oracle": lambda x: x, "num_rounds": 1,
    "learning_rate": 0.1, "logits": IMAGES, "goal": "misclassification", "num_classes": 3, "new_images": IMAGES,
    "new_labels": LABELS, "gradients": [IMAGES], "levels": 4, "severity": 1, "corruptions": [likely],
    "errors": RATES, "baseline": RATES + 0.1, "clean": 0.1, "baseline_clean": 0.05, "content": IMAGES[:1],
    "texture": IMAGES[:1], "transfer": lambda a, b: a, "predictions": MAPS, "shapes": LABELS, "textures": LABELS,
    "features": [IMAGES], "targets": [IMAGES], "grams": [torch.ones(1, 3, 3)], "weights": [1.0], "style": IMAGES[:1],
    "content_layers": ["features.0"], "style_layers": ["features.0"], "content_weights": [1.0],
    "style_weights": [1.0], "styles": [IMAGES[0]], "x": IMAGES, "kernel_size": 2, "stride": 2, "values": IMAGES,
    "indices": MAPS[:, None].expand(2, 3, 8, 8), "output_size": (9, 9), "channels": 2, "factor": 2, "path": "weights",
    "linear": NET.classifier[1], "in_channels": 4, "size": 4, "stages": [nn.MaxPool2d(2)] * 3, "widths": (4, 8),
}  # fmt: skip
HERE = {
    "attack_success": {"logits": RATES[:, :3]},
    "shape_bias": {"predictions": LABELS},
    "gram_matrix": {"features": IMAGES},
    "FCN": {"channels": (4, 5, 6)},
} | {
    name: {"labels": MAPS}
    for name in (
        "pixel_cross_entropy",
        "confusion_matrix",
        "pixel_accuracy",
        "mean_iou",
        "dice",
        "frequency_weighted_iou",
        "instance_labels",
    )
}
WRONG = {"None": None, "a word": "a word", "a scalar": torch.tensor(-0.5), "five axes": torch.rand(1, 1, 1, 1, 2) - 7}


def function_of(name):
    return getattr(importlib.import_module(f"assignment2.{part_of(name).module}"), name)


def parameters(name):
    return inspect.signature(function_of(name)).parameters


def taken(name, parameter, wrong):
    """Say whether this value is a right one there."""
    return (
        (wrong == "None" and parameters(name)[parameter].default is None)
        or (
            wrong in ("a scalar", "five axes")
            and parameter in ("upstream", "relu_input", "weight")
            and name in ANY_SHAPE
        )
        or (wrong == "a word" and parameter == "path")
        or (wrong == "a scalar" and parameter == "scale")
        or (name == "defocus_blur" and parameter == "generator" and wrong == "None")
    )


ANY_SHAPE = ("deconvnet_relu_gradient", "guided_relu_gradient", "linear_shift")
CASES = [
    pytest.param(name, parameter, wrong, id=f"{name}-{parameter}-{wrong}")
    for name in EXERCISES
    for parameter in parameters(name)
    for wrong in WRONG
    if not taken(name, parameter, wrong)
]


@pytest.mark.parametrize(("name", "parameter", "wrong"), CASES)
def test_a_value_of_another_kind_is_refused_in_one_line_that_names_the_argument(name, parameter, wrong):
    values = {key: EVERYWHERE[key] for key, p in parameters(name).items() if p.default is p.empty} | HERE.get(name, {})
    values = {key: value for key, value in values.items() if key in parameters(name)} | {parameter: WRONG[wrong]}

    with pytest.raises(ValueError) as refused:  # noqa: PT011 (the sentence is looked at below)
        function_of(name)(**values)

    assert parameter in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_values_above_are_taken_by_the_checks(name):
    values = {key: EVERYWHERE[key] for key, p in parameters(name).items() if p.default is p.empty} | HERE.get(name, {})
    function = function_of(name)
    signature = function._signature if inspect.isclass(function) else function.signature

    assert signature.look((), {key: value for key, value in values.items() if key in parameters(name)}) is not None


def test_what_a_signature_leaves_out_is_an_error_when_the_module_is_imported():
    def without(images, labels: Labels): ...
    def plain(images: Tensor): ...
    def unchecked(images: Annotated[Tensor, "(N, 3, H, W)"]): ...
    def alone(layer: Layer): ...

    for function, sentence in (
        (without, "images: annotate"),
        (plain, "images: annotate"),
        (unchecked, "images: annotate"),
    ):
        with pytest.raises(TypeError, match=sentence):
            checked(function)
    with pytest.raises(TypeError, match="layer wants one argument that is 'model'"):
        checked(alone)
    with pytest.raises(TypeError, match="widths: annotate"):

        class Net(Network):
            def __init__(self, widths): ...


def test_a_call_that_python_refuses_keeps_pythons_words():
    @checked
    def step(model: Model, images: Images, *, eps: Eps = 0.1):
        return images

    for call, sentence in (
        (lambda: step(NET), r"step\(\) missing 1 required positional argument: 'images'"),
        (lambda: step(NET, IMAGES, 0.1), r"step\(\) takes 2 positional arguments but 3 were given"),
        (lambda: step(NET, IMAGES, epsilon=3), r"step\(\) got an unexpected keyword argument 'epsilon'"),
        (lambda: step(NET, IMAGES, model="vgg"), r"step\(\) got multiple values for argument 'model'"),
        (lambda: segmentation.UNet(3, 2), r"missing 1 required positional argument: 'widths'"),
    ):
        with pytest.raises(TypeError, match=sentence):
            call()
