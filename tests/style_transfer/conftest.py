"""What the checks of part 5 share: features of three layers in float64, H unlike W, and right losses for the functions built on them."""

import pytest
import torch

from coursekit.checks.small_networks import numbers


@pytest.fixture
def weights():
    """A weight for each of the three layers."""
    return 0.5, 3.0, 0.2


@pytest.fixture
def layers():
    """Make the features of three layers."""
    shapes = (4, 5, 7), (6, 3, 2), (2, 1, 8)  # (C, H, W)
    return lambda num_images, seed=0: [numbers(num_images, *shape, seed=seed + i) for i, shape in enumerate(shapes)]


@pytest.fixture
def flat_maps():
    """Make features (N, C, H, W) whose channel c is levels[n, c] everywhere: their Gram matrix is known by hand."""
    return lambda levels, size: levels[:, :, None, None].expand(*levels.shape, *size).contiguous()


def _correlations(features, *, normalize=True):
    """A right `gram_matrix` by the polarisation identity: 4 <a, b> = |a + b|^2 - |a - b|^2."""
    n, channels = features.shape[:2]
    rows = features.reshape(n, channels, -1)
    together, apart = (((rows[:, :, None] + sign * rows[:, None]) ** 2).sum(-1) for sign in (1, -1))
    return (together - apart) / (4 * rows[0].numel() if normalize else 4)


def _distance(one, other):
    """|a - b|^2, as |a|^2 - 2 <a, b> + |b|^2."""
    return (one**2).sum() + (other**2).expand(one.shape).sum() - 2 * (one * other).sum()


def _content_loss(features, targets, weights):
    return sum(w * _distance(f, p.detach()) for f, p, w in zip(features, targets, weights, strict=True))


def _style_loss(features, grams, weights):
    return sum(w * _distance(_correlations(f), a.detach()) for f, a, w in zip(features, grams, weights, strict=True))


def _roughness(images):
    """A right `total_variation_loss`: what is missing from full correlation with the neighbour."""
    pairs = [(images.narrow(d, 1, images.shape[d] - 1), images.narrow(d, 0, images.shape[d] - 1)) for d in (2, 3)]
    return sum(_distance(one, other) for one, other in pairs)


@pytest.fixture
def correlations():
    """Give a Gram matrix that is right, by another formula."""
    return _correlations


@pytest.fixture
def right_roughness():
    """Give a total variation that is right, by another formula."""
    return _roughness


@pytest.fixture
def right_gram(monkeypatch):
    """Put a right `gram_matrix` in the module."""
    from assignment2 import style_transfer

    monkeypatch.setattr(style_transfer, "gram_matrix", _correlations)


@pytest.fixture
def right_losses(right_gram, monkeypatch):
    """Put right siblings in the module."""
    from assignment2 import style_transfer

    monkeypatch.setattr(style_transfer, "content_loss", _content_loss)
    monkeypatch.setattr(style_transfer, "style_loss", _style_loss)
    monkeypatch.setattr(style_transfer, "total_variation_loss", _roughness)


@pytest.fixture
def true_slope():
    """Give the slope of the whole loss at a picture, by the book."""

    def outputs_of(network, images):
        """What every layer returns, before anything in place follows."""
        found, images = {}, images - 0.5
        for i, layer in enumerate(network.features):
            images = found[f"features.{i}"] = layer(images.clone())
        return found

    def slope(network, image, content, style, settings):
        x = image.detach().clone().requires_grad_()
        now, wanted, painted = (outputs_of(network, picture) for picture in (x, content, style))
        loss = settings["tv_weight"] * _roughness(x)
        for name, weight in zip(settings["content_layers"], settings["content_weights"], strict=True):
            loss = loss + weight * _distance(now[name], wanted[name].detach())
        for name, weight in zip(settings["style_layers"], settings["style_weights"], strict=True):
            loss = loss + weight * _distance(_correlations(now[name]), _correlations(painted[name]).detach())
        return torch.autograd.grad(loss, x)[0]

    return slope
