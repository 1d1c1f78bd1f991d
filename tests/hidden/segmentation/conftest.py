"""Fixtures for the hidden checks of segmentation: fresh masks, and a correct confusion matrix. Staff only."""

import pytest
import torch

from coursekit.checks.small_networks import numbers


@pytest.fixture
def formula():
    return "the docstring's definition, on other numbers"


@pytest.fixture
def masks():
    def make(seed, num_images=3, num_classes=6):
        drawn = (numbers(2, num_images, 11, 7, seed=seed).abs() * 500).long()
        labels, predictions = drawn[0] % num_classes, drawn[1] % (num_classes - 1)
        predictions = predictions.where(drawn[1] % 3 == 0, labels)
        labels = labels.where(drawn[0] % 13 > 0, 255)
        return predictions, labels

    return make


@pytest.fixture
def number():
    """Give a score as a float64 tensor, whatever type it has."""

    def of(score):
        assert isinstance(score, torch.Tensor), f"the result is a {type(score).__name__}, expected a torch tensor"
        return score.detach().double()

    return of


@pytest.fixture
def right_matrix(monkeypatch):
    """Put a right confusion_matrix in the module, so that a mistake loses points in one exercise only."""

    def confusion_matrix(predictions, labels, num_classes, *, ignore_index=255):
        pairs = [(labels == true) & (predictions == told) for true in range(num_classes) for told in range(num_classes)]
        sums = [(pair & (labels != ignore_index)).sum() for pair in pairs]
        return torch.stack(sums).view(num_classes, num_classes)

    from assignment2 import segmentation

    monkeypatch.setattr(segmentation, "confusion_matrix", confusion_matrix)
