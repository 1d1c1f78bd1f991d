"""Injected samples: the originals first, then the new ones, each with its label."""

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.small_networks import SIZE, pictures


@pytest.mark.points(1, "inject_samples")
def test_injected_samples_follow_the_originals_each_with_its_label(expect, images, labels):
    """The result is the originals, then the new images, with the labels in the same order."""
    new_images, new_labels = pictures(2, seed=9), torch.tensor([1, 3])

    both, both_labels = adversarial.inject_samples(images, labels, new_images, new_labels)

    expect(torch.tensor(both.shape), torch.tensor([5, 3, *SIZE]), "N + M pictures")
    expect(both[:3], images, "the originals first, unchanged")
    expect(both[3:], new_images, "then the new ones, unchanged")
    expect(both_labels, torch.tensor([4, 0, 2, 1, 3]), "the labels in the order of the pictures, the originals first")
    twice, its_labels = adversarial.inject_samples(images, labels, images[:1], labels[:1])
    expect(twice, torch.cat([images, images[:1]]), "a picture that is there already is injected all the same")
    expect(its_labels, torch.tensor([4, 0, 2, 4]), "and so is its label")


@pytest.mark.points(1, "inject_samples")
def test_injecting_leaves_no_trace(expect, images, labels):
    """The arguments are unchanged, and the results are new, detached tensors."""
    given = {"images": images.clone(), "labels": labels.clone()}
    new = {"new_images": pictures(1, seed=9), "new_labels": torch.tensor([1])}

    with expect.unchanged(**given, **new):
        both, both_labels = adversarial.inject_samples(*given.values(), *new.values())

    expect.new(both, **given, **new)
    expect.new(both_labels, **given, **new)
    expect(both[-1:], new["new_images"], "one sample can be injected")
    joined, _ = adversarial.inject_samples(images.clone().requires_grad_(), labels, *new.values())
    expect(joined, both, "the same for images that require gradients, detached")
    odd, _ = adversarial.inject_samples(strided(images), labels, strided(new["new_images"]), new["new_labels"])
    expect(odd, both, ANY_STRIDES)
    two, _ = adversarial.inject_samples(images[:1].float(), labels[:1], images[1:2].float(), labels[1:2])
    expect(two, images[:2].float(), "one float32 picture and another one")
    expect(both_labels, torch.tensor([4, 0, 2, 1]), "one sample can be injected")
