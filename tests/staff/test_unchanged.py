"""Side effects: each kind is noticed, also when an exception passes through."""

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from coursekit.checks.small_networks import Boom, SmallConvNet, broken, pictures, seeded
from coursekit.checks.unchanged import WITNESSES, kept, unchanged
from coursekit.vision import relu_rule


def patch_functional(model, images):
    original = F.relu
    F.relu = lambda x, inplace=False: original(x)
    return lambda: setattr(F, "relu", original)


def switch_default_dtype(model, images):
    torch.set_default_dtype(torch.float64)
    return lambda: torch.set_default_dtype(torch.float32)


def change_threads(model, images):
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    return lambda: torch.set_num_threads(before)


def leave_a_rule(model, images):
    rule = relu_rule(lambda upstream, relu_input: upstream)
    rule.__enter__()
    return lambda: rule.__exit__(None, None, None)


def detect_anomalies(model, images):
    torch.autograd.set_detect_anomaly(True)
    return lambda: torch.autograd.set_detect_anomaly(False)


EFFECTS = {
    "images was changed in place": lambda model, images: images.mul_(0.5),
    "requires_grad of images was switched": lambda model, images: images.requires_grad_(),
    "images.grad was written": lambda model, images: setattr(images, "grad", torch.ones_like(images)),
    "the train/eval mode of model was switched": lambda model, images: model.features[4].train(),
    "model.features.0.weight was changed": lambda model, images: model.features[0].weight.data.add_(1),
    "model.features.3.running_mean was changed": lambda model, images: model.features[3].running_mean.add_(1),
    "model.steps was changed": lambda model, images: model.steps.add_(1),
    "model.features.0.weight.grad was written": lambda model, images: model(images).sum().backward(),
    "requires_grad of model.features.0.bias was switched": lambda model, images: model.features[0].bias.requires_grad_(
        False
    ),
    "a hook was left on model": lambda model, images: model.features[1].register_forward_hook(lambda m, i, o: None),
    "modules of model were replaced": lambda model, images: setattr(model.features, "1", nn.ReLU()),
    "a setting of a ReLU of model was changed": lambda model, images: setattr(model.features[1], "inplace", False),
    "the forward method of a module of model was patched": lambda model, images: setattr(
        model.features[1], "forward", model.features[1].forward
    ),
    "a relu_rule (or another function mode) was left in force": leave_a_rule,
    "an attribute was left on model": lambda model, images: setattr(model.features[0], "memory", images),
    "a hook was left on a weight of model": lambda model, images: model.features[0].weight.register_hook(lambda g: g),
    "anomaly detection was left switched on": detect_anomalies,
    "torch's global random state was used": lambda model, images: torch.rand(1),
    "Python's global random state was used": lambda model, images: random.random(),
    "numpy's global random state was used": lambda model, images: np.random.rand(),
    "torch's default dtype was changed": switch_default_dtype,
    "torch's number of threads was changed": change_threads,
    "torch.nn.functional.relu was replaced": patch_functional,
}


@pytest.mark.parametrize("sentence", EFFECTS)
@pytest.mark.parametrize("raises", [False, True])
def test_an_effect_is_noticed_and_named(sentence, raises):
    model, images = seeded(SmallConvNet()), pictures(2)
    model.register_buffer("steps", torch.zeros(1), persistent=False)  # as the zoo's constants of normalisation
    undo = []

    with pytest.raises(AssertionError) as noticed, unchanged(model=model, images=images):  # noqa: PT012
        undo.append(EFFECTS[sentence](model, images))
        if raises:
            raise Boom
    if type(undo[0]).__name__ == "function":
        undo[0]()

    assert sentence in str(noticed.value)
    assert ("(after an error, Boom, passed through)" in str(noticed.value)) == raises


def test_nothing_is_noticed_where_nothing_happened():
    model, images = seeded(SmallConvNet()), pictures(2)

    with unchanged(model=model, images=images):
        model(images.clone())


def test_an_exception_passes_through():
    with pytest.raises(Boom), unchanged(images=pictures(1)):
        raise Boom


def test_a_broken_network_breaks_where_it_should():
    model, images = seeded(SmallConvNet()), pictures(2).requires_grad_()

    with pytest.raises(Boom):
        broken(model, "forward")(images)
    logits = broken(model, "backward", "features.0")(images)
    with pytest.raises(Boom):
        logits.sum().backward()


def test_what_a_witness_saw_counts_as_if_it_had_happened_here():
    model, images = seeded(SmallConvNet()), pictures(2)
    broken = {
        "a hook was left on model": (model.features[1], "hooks"),
        "model.features.0.weight was changed": (model.features[0].weight, "values"),
        "images.grad was written": (images, "grad"),
        "torch's default dtype was changed": (None, "torch's default dtype was changed"),
    }
    seen = []
    WITNESSES.append(lambda thing, law: sum(thing is what and law == which for what, which in seen))
    try:
        for sentence, saw in broken.items():
            with pytest.raises(AssertionError, match=sentence), unchanged(model=model, images=images):
                seen.append(saw)
    finally:
        WITNESSES.pop()


def test_numbers_are_kept_or_not_and_nothing_else_is_asked():
    images = pictures(2)

    with kept(images=images):
        images.requires_grad_()
        torch.rand(1)
    with pytest.raises(AssertionError, match="images was changed in place"), kept(images=images):
        images.data.mul_(0.5)
