"""Label flipping: how many labels change, which ones, and to which classes."""

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.randomness import assert_goes_on, distance_from_uniform, seed


@pytest.mark.points(1, "flip_labels")
def test_exactly_the_fraction_of_labels_is_flipped_each_to_another_class(expect):
    """Exactly round(fraction * N) labels change, each to another class in 0..K-1."""
    labels = torch.arange(37) % 5

    counts, inside = [], []
    for fraction in (0.0, 0.1, 0.25, 0.5, 0.7, 1.0):
        flipped = adversarial.flip_labels(labels, fraction, 5, generator=seed())
        expect(torch.tensor(flipped.shape), torch.tensor([37]), "as many labels as were given")
        counts.append(int((flipped != labels).sum()))
        inside.append(int(((flipped >= 0) & (flipped < 5)).sum()))

    expect(
        torch.tensor(counts), torch.tensor([0, 4, 9, 18, 26, 37]), "round(fraction * N) labels differ from the old ones"
    )
    expect(torch.tensor(inside), torch.tensor([37] * 6), "every label is a class, 0 to K - 1")


@pytest.mark.points(1, "flip_labels")
def test_any_label_may_be_flipped_and_all_other_classes_are_as_likely(expect):
    """The changed labels are chosen at random, and all other classes are equally likely."""
    labels = torch.arange(4000) % 5

    with expect.kept(labels=labels):
        flipped = adversarial.flip_labels(labels, 0.5, 5, generator=seed())

    places = (flipped != labels).nonzero().flatten() / 4000
    assert distance_from_uniform(places) < 0.05, "which labels change is random: all places are as likely"
    by_class = (labels[flipped != labels].bincount(minlength=5) / 400 - 1).abs().max()
    assert float(by_class) < 0.25, "which labels change does not depend on their class"
    counts = (labels * 10 + flipped)[flipped != labels].bincount(minlength=100).view(10, 10)[:5]  # (old, new)
    possible = ~torch.eye(5, 10, dtype=torch.bool) & (torch.arange(10) < 5)
    expect(
        counts > 0, possible, "from each class (row) to every other class (column) labels are flipped, and only there"
    )
    unlikely = (counts[possible] - 100).abs().max()
    assert int(unlikely) < 50, "all other classes are equally likely"
    absent = adversarial.flip_labels(torch.arange(60) % 3, 1.0, 5, generator=seed())
    expect(absent.unique(), torch.arange(5), "there are num_classes classes, also where some have no label yet")


@pytest.mark.points(1, "flip_labels")
def test_flipping_is_repeatable_and_leaves_the_labels(expect):
    """The labels are unchanged, and the same seed changes the same labels."""
    labels = torch.arange(30) % 5

    with expect.unchanged(labels=labels):
        first = adversarial.flip_labels(labels, 0.5, 5, generator=seed())
        none = adversarial.flip_labels(labels, 0.0, 5, generator=seed())

    expect(none, torch.arange(30) % 5, "fraction 0 changes nothing")
    expect.new(none, labels=labels)
    expect(adversarial.flip_labels(labels, 0.5, 5, generator=seed()), first, "the same seed flips the same labels")
    other = adversarial.flip_labels(labels, 0.5, 5, generator=seed(1))
    assert not torch.equal(other, first), "another seed flips other labels"
    assert not torch.equal(other != labels, first != labels), (
        "another seed flips the same places: draw them from generator"
    )
    many = torch.zeros(1000, dtype=torch.int64)
    counts = [
        adversarial.flip_labels(many, 1.0, 100, generator=seed(number)).bincount(minlength=100) for number in (0, 1)
    ]
    assert not torch.equal(*counts), "another seed flips to the same classes: draw them from generator"
    assert_goes_on(lambda generator: adversarial.flip_labels(labels, 0.5, 5, generator=generator))
    binary = adversarial.flip_labels(labels % 2, 1.0, 2, generator=seed())
    expect(binary, 1 - torch.arange(30) % 5 % 2, "with two classes there is one other")
