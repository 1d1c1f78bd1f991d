"""Fixtures for the hidden checks of part 5: fresh features, and correct siblings. Staff only."""

import pytest

from coursekit.checks.small_networks import numbers


@pytest.fixture
def formula():
    return "the docstring's definition, on other features and another network"


@pytest.fixture
def shapes():
    return (3, 4, 9), (5, 6, 2)


@pytest.fixture
def features(shapes):
    return [numbers(2, *shape, seed=70 + shape[0]).requires_grad_() for shape in shapes]


def _gram(features, *, normalize=True):
    flat = features.flatten(2)
    return flat @ flat.mT / (features[0].numel() if normalize else 1)


def _content(features, targets, weights):
    return sum(w * (f - p.detach()).square().sum() for f, p, w in zip(features, targets, weights, strict=True))


def _style(features, grams, weights):
    return _content([_gram(f) for f in features], grams, weights)


def _roughness(images):
    return images.diff(dim=2).square().sum() + images.diff(dim=3).square().sum()


@pytest.fixture
def right_gram(monkeypatch):
    """Put a right gram_matrix in the module, so that a mistake loses points in one exercise only."""
    from assignment2 import style_transfer as part5

    monkeypatch.setattr(part5, "gram_matrix", _gram)


@pytest.fixture
def right_losses(right_gram, monkeypatch):
    """Put right losses in the module, so that a mistake loses points in one exercise only."""
    from assignment2 import style_transfer as part5

    monkeypatch.setattr(part5, "content_loss", _content)
    monkeypatch.setattr(part5, "style_loss", _style)
    monkeypatch.setattr(part5, "total_variation_loss", _roughness)
