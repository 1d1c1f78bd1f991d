"""Fixtures for the checks of part 5: float64 features of three layers with H != W, and correct losses to build on.

The losses are squares, so the slope at maps of one size is a sum of what each lit place alone gives. That was recorded.
"""

from types import SimpleNamespace

import pytest
import torch

from coursekit.checks.small_networks import numbers

PLACES = (
    (3, 9, 13),
    (4, 9, 13),
    (5, 9, 13),
    (4, 6, 10),
    (5, 6, 10),
    (6, 4, 6),
    (6, 3, 5),
)  # layers in test_style_transfer


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


def _response(maps, learnt):
    """Add up what every place of maps gives, as was learnt of each place alone."""
    return (maps.flatten(2) @ learnt.to(maps)).view(maps.shape)


@pytest.fixture
def replay(expect):
    """Give right losses for maps of some sizes: replay(name, shape, ask) is a slope for each lit place, as recorded."""

    def learn(name, shape, ask):
        """ask(maps) is something that the solution makes of maps (H * W, C, H, W) with one lit place each."""
        slopes = None
        if expect.recording is not None:
            channels, height, width = shape
            maps = torch.eye(height * width).double().view(-1, 1, height, width).repeat(1, channels, 1, 1)
            (slopes,) = torch.autograd.grad(ask(maps.requires_grad_()), maps)
            slopes = slopes[:, 0].flatten(1)
        return expect.remember(slopes, f"{name} {shape}")

    return learn


@pytest.fixture
def put_right_gram(replay, monkeypatch):
    """Put in the module, and return, a `gram_matrix` that is right for maps of some shapes (C, H, W)."""
    from assignment2 import style_transfer

    right = style_transfer.gram_matrix

    def put(*shapes):
        # Half of the slope of every channel's own entry: how strongly two places are joined.
        learnt = {
            (shape, normalize): replay(
                f"gram, {normalize=}", shape, lambda maps, n=normalize: right(maps, normalize=n)[:, 0, 0].sum() / 2
            )
            for shape in shapes
            for normalize in (True, False)
        }

        def gram_matrix(features, *, normalize=True):
            shape = tuple(features.shape[1:])
            assert (shape, normalize) in learnt, f"gram_matrix was given maps of shape {shape}, no layer has such"
            response = _response(features, learnt[shape, normalize])
            return (response[:, :, None] * features[:, None]).sum((3, 4))

        monkeypatch.setattr(style_transfer, "gram_matrix", gram_matrix)
        return gram_matrix

    return put


@pytest.fixture
def right_losses(replay, put_right_gram, monkeypatch):
    """Put right siblings in the module, for the layers of test_style_transfer, and return them."""
    from assignment2 import style_transfer as part5

    sizes = {shape[1:] for shape in PLACES} | {(shape[0], shape[0]) for shape in PLACES}  # of maps, and Gram matrices
    one = [1.0]
    squares = {
        size: replay("content", (1, *size), lambda maps: part5.content_loss([maps], [0 * maps.detach()], one) / 2)
        for size in sorted(sizes)
    }
    steps = replay("roughness", (3, 9, 13), lambda maps: part5.total_variation_loss(maps) / 2)
    gram_matrix = put_right_gram(*PLACES)

    def square(maps):
        assert maps.shape[-2:] in squares, f"a loss was given maps of shape {tuple(maps.shape)}, no layer has such"
        return (_response(maps, squares[maps.shape[-2:]]) * maps).sum()

    def content_loss(features, targets, weights):
        if not len(features):
            raise ValueError("content_loss got no features: leave it out where no layer is named")
        pairs = zip(features, targets, weights, strict=True)
        return sum(weight * square(found - wanted.detach()) for found, wanted, weight in pairs)

    def style_loss(features, grams, weights):
        if not len(features):
            raise ValueError("style_loss got no features: leave it out where no layer is named")
        pairs = zip(features, grams, weights, strict=True)
        return sum(weight * square((gram_matrix(found) - a.detach())[:, None]) for found, a, weight in pairs)

    def total_variation_loss(images):
        return (_response(images, steps) * images).sum()

    siblings = SimpleNamespace(
        content_loss=content_loss,
        gram_matrix=gram_matrix,
        style_loss=style_loss,
        total_variation_loss=total_variation_loss,
    )
    for name, sibling in vars(siblings).items():
        monkeypatch.setattr(part5, name, sibling)
    return siblings


@pytest.fixture
def true_slope(right_losses):
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
        loss = settings["tv_weight"] * right_losses.total_variation_loss(x)
        for name, weight in zip(settings["content_layers"], settings["content_weights"], strict=True):
            loss = loss + right_losses.content_loss([now[name]], [wanted[name]], [weight])
        for name, weight in zip(settings["style_layers"], settings["style_weights"], strict=True):
            texture = right_losses.gram_matrix(painted[name])
            loss = loss + right_losses.style_loss([now[name]], [texture], [weight])
        return torch.autograd.grad(loss, x)[0]

    return slope
