"""Fixtures for the checks of segmentation: two small masks, counted by hand, and the laws of every score."""

import pytest
import torch

from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.scalars import as_number
from coursekit.checks.small_networks import numbers


@pytest.fixture
def truth():
    return torch.tensor([[[0, 0, 1, 1], [2, 2, 2, 255]], [[0, 0, 0, 0], [1, 255, 255, 2]]])


@pytest.fixture
def guess():
    """Predictions for `truth`; class 3 is only predicted."""
    return torch.tensor([[[0, 1, 1, 1], [2, 0, 3, 3]], [[0, 0, 0, 1], [2, 1, 0, 2]]])


@pytest.fixture
def maps():
    """Make labels in patches, and predictions that are right for three quarters of the pixels; some pixels ignored."""

    def make(num_images, num_classes, *, seed):
        drawn = numbers(2, num_images, 6, 9, seed=seed).abs() * 1000
        labels = drawn[0].long() % num_classes
        predictions = torch.where(drawn[1].long() % 4 == 0, (labels + drawn[1].long() // 4) % num_classes, labels)
        labels[:, 0, :4] = 255
        return predictions, labels

    return make


@pytest.fixture
def right_matrix(expect, monkeypatch):
    """Put a right confusion_matrix in the module: what one pixel of each kind adds was recorded, the rest is a sum."""
    from assignment2 import segmentation

    kinds = torch.tensor([0, 1, 2, 3, 255])  # what the checks' maps hold; 255 is a class where another label is ignored
    added = None
    if expect.recording is not None:
        singles = [[kind.view(1, 1, 1) for kind in pair] for pair in torch.cartesian_prod(kinds, kinds)]
        counts = [segmentation.confusion_matrix(guess, truth, 256, ignore_index=-1) for truth, guess in singles]
        added = torch.stack(counts)[:, kinds][:, :, kinds].unflatten(0, (5, 5))
    added = expect.remember(added, "what one pixel adds")  # [truth, prediction] is the table of these five classes

    def confusion_matrix(predictions, labels, num_classes, *, ignore_index=255):
        seen = labels.ne(ignore_index)
        places = [(maps[seen][:, None] == kinds).nonzero() for maps in (labels, predictions)]
        assert all(len(found) == seen.sum() for found in places), "the maps hold other classes than the check's"
        counts = added[places[0][:, 1], places[1][:, 1]].sum(0)
        inside = kinds < num_classes
        assert counts.sum() == counts[inside][:, inside].sum(), f"the maps hold classes beyond {num_classes - 1}"
        matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=labels.device)
        matrix[kinds[inside][:, None], kinds[inside]] = counts[inside][:, inside]
        return matrix

    monkeypatch.setattr(segmentation, "confusion_matrix", confusion_matrix)


@pytest.fixture
def check_score(expect, truth, guess, maps):
    """Hold a score to its value on the small maps, to all images pooled, to NaN where nothing counts, to leaving maps alone."""

    def check(score, right, formula):
        __tracebackhide__ = True
        predictions, labels = guess.clone(), truth.clone()
        with expect.unchanged(predictions=predictions, labels=labels):
            result = score(predictions, labels)
        expect(as_number(result), torch.tensor(right).double(), formula)
        changed = predictions.where(labels != 255, 255)  # no class: the label alone decides
        expect(
            as_number(score(changed, labels)), torch.tensor(right).double(), f"{formula}; ignored pixels count nowhere"
        )
        expect.reference(as_number(score(*maps(3, 4, seed=52))), "three", f"{formula}; all images pooled")
        expect.reference(as_number(score(*maps(1, 4, seed=53))), "one", f"{formula}; one image")
        perfect = labels.clamp(max=2)
        expect(as_number(score(perfect, perfect)), torch.tensor(1.0).double(), "a perfect prediction has score 1")
        odd = as_number(score(strided(predictions), strided(labels)))
        expect(odd, torch.tensor(right).double(), ANY_STRIDES)
        many = as_number(score(predictions.repeat(1, 120, 100), labels.repeat(1, 120, 100)))
        expect(many, torch.tensor(right).double(), "the same for 12,000 times as many pixels")
        nothing = as_number(score(predictions, torch.full_like(labels, 255)))
        assert bool(nothing.isnan()), f"the score is {nothing.item():g} where no pixel counts, expected NaN"

    return check
