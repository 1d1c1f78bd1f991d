"""Part 5, hidden: fresh features, pictures and another network for the same functions. Staff only."""

import pytest
import torch
from torch import nn

from assignment2 import style_transfer as part5
from coursekit.checks.small_networks import numbers, pictures, seeded

FORMULA = "the docstring's definition, on other features and another network"
SHAPES = (3, 4, 9), (5, 6, 2)


class Smooth(nn.Module):
    """A network without kinks, so that a descent is the same to the last digits on every machine."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 5, 3, padding=1)
        self.mix = nn.Conv2d(5, 4, 3, stride=2, padding=1)

    def forward(self, images):
        return torch.tanh(self.mix(torch.tanh(self.stem(images - 0.5))))


def right_gram(features, *, normalize=True):
    flat = features.flatten(2)
    return flat @ flat.mT / (features[0].numel() if normalize else 1)


def right_content(features, targets, weights):
    return sum(w * (f - p.detach()).square().sum() for f, p, w in zip(features, targets, weights, strict=True))


def right_style(features, grams, weights):
    return right_content([right_gram(f) for f in features], grams, weights)


def right_roughness(images):
    return images.diff(dim=2).square().sum() + images.diff(dim=3).square().sum()


@pytest.fixture(autouse=True)
def right_siblings(request, monkeypatch):
    """Where one exercise is built from another, put a right one in its place, so that nobody pays twice."""
    function = request.node.get_closest_marker("points").args[1]
    if function in ("style_loss", "style_transfer"):
        monkeypatch.setattr(part5, "gram_matrix", right_gram)
    if function == "style_transfer":
        monkeypatch.setattr(part5, "content_loss", right_content)
        monkeypatch.setattr(part5, "style_loss", right_style)
        monkeypatch.setattr(part5, "total_variation_loss", right_roughness)


@pytest.fixture
def features():
    return [numbers(2, *shape, seed=70 + shape[0]).requires_grad_() for shape in SHAPES]


def value_and_slopes(loss, tensors):
    return [loss.detach(), *torch.autograd.grad(loss, tensors)]


@pytest.mark.points(1, "content_loss")
def test_content_loss_of_fresh_features(expect, features):
    targets = [numbers(2, *shape, seed=80 + shape[0]) for shape in SHAPES]
    found = value_and_slopes(part5.content_loss(features, targets, [1.5, 0.25]), features)
    for i, value in enumerate(found):
        expect.reference(value, f"{i}", FORMULA)


@pytest.mark.points(2, "gram_matrix")
def test_gram_matrix_of_fresh_features(expect, features):
    for i, maps in enumerate(features):
        expect.reference(part5.gram_matrix(maps).detach(), f"normalised {i}", FORMULA)
        expect.reference(part5.gram_matrix(maps, normalize=False).detach(), f"summed {i}", FORMULA)


@pytest.mark.points(2, "style_loss")
def test_style_loss_of_fresh_features(expect, features):
    grams = [numbers(1, c, c, seed=90 + c) for c, _, _ in SHAPES]
    found = value_and_slopes(part5.style_loss(features, grams, [0.75, 4.0]), features)
    for i, value in enumerate(found):
        expect.reference(value, f"{i}", FORMULA)


@pytest.mark.points(1, "total_variation_loss")
def test_total_variation_of_a_fresh_picture(expect):
    images = pictures(2, seed=71, size=(8, 11)).requires_grad_()
    for i, value in enumerate(value_and_slopes(part5.total_variation_loss(images), [images])):
        expect.reference(value, f"{i}", FORMULA)


@pytest.mark.points(3, "style_transfer")
def test_style_transfer_of_a_fresh_picture(expect):
    content, style = pictures(2, seed=72, size=(8, 11)), pictures(1, seed=73, size=(7, 5))
    settings = {"content_layers": ["mix"], "content_weights": [0.4], "style_layers": ["stem", "mix"]}
    model = seeded(Smooth(), seed=34)

    result = part5.style_transfer(
        model, content, style, style_weights=[30.0, 80.0], optimizer="adam", step_size=0.03, num_steps=5, **settings
    )

    expect.reference(result, "after five steps", FORMULA)


@pytest.mark.points(1, "stylize")
def test_stylize_draws_from_the_generator():
    images, labels = pictures(8, seed=74, size=(4, 5)), torch.arange(8)
    styles = [pictures(1, seed=s)[0] for s in range(4)]

    def make(seed):
        generator = torch.Generator().manual_seed(seed)
        return part5.stylize(images, labels, styles, lambda x, s: (x + s.mean()) / 2, fraction=0.5, generator=generator)

    assert torch.equal(make(1)[0], make(1)[0]), "the same seed gives other pictures"
    assert not torch.equal(make(1)[0], make(2)[0]), "another seed gives the same pictures"
    assert all(torch.equal(make(seed)[1], labels) for seed in range(3)), "the labels changed"
    assert all(int((make(s)[0] != images).flatten(1).any(1).sum()) == 4 for s in range(3)), "half of eight is four"
