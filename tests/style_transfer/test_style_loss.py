"""The style loss: its value and its gradient."""

import pytest
import torch

from assignment2 import style_transfer as part5
from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.scalars import assert_constant, named_tensors, slope, value_of
from coursekit.checks.small_networks import numbers

LAYERS = (
    (4, 5, 7),
    (6, 3, 2),
    (2, 1, 8),
)  # (C, H, W); put_right_gram, since a mistake in one exercise loses no points in another


def gram_of_levels(levels):
    """The Gram matrix of `flat_maps`, normalised: every place adds the same, so the size of the map does not matter."""
    return levels[:, :, None] * levels[:, None] / levels.shape[1]


@pytest.mark.points(2, "style_loss")
def test_style_loss_is_the_weighted_squared_distance_of_normalised_grams(expect, weights, flat_maps, put_right_gram):
    """The loss is the sum over layers, images and entries of w_i (G_i - A_i)^2, with normalised G_i."""
    put_right_gram(*LAYERS)
    for num_images in 1, 3:
        levels = [numbers(num_images, c, seed=c) for c in (4, 6, 2)]
        away = [numbers(num_images, c, c, seed=20 + c) for c in (4, 6, 2)]
        features = [flat_maps(v, size) for v, size in zip(levels, ((5, 7), (3, 2), (1, 8)), strict=True)]
        grams = [gram_of_levels(v) + a for v, a in zip(levels, away, strict=True)]

        loss = part5.style_loss(features, grams, weights)

        wanted = sum(w * (a**2).sum() for w, a in zip(weights, away, strict=True))
        expect(value_of(loss), wanted, "0-d: sum over layers, images and pairs of channels of w_i (G_i - A_i)^2")


@pytest.mark.points(1, "style_loss")
def test_one_style_of_another_size_serves_all_images(expect, flat_maps, put_right_gram):
    """A style picture of another size, with grams of shape (1, C, C), can be used for all images."""
    put_right_gram((3, 4, 6), (5, 4, 6), (3, 9, 2), (5, 9, 2))
    levels = [numbers(1, c, seed=c) for c in (3, 5)]
    grams = [gram_of_levels(v) for v in levels]  # (1, C, C), of maps of any size

    for size in (4, 6), (9, 2):
        same = [flat_maps(v.expand(3, -1), size) for v in levels]
        louder = [flat_maps(v.expand(3, -1) * torch.tensor([1.0, 2.0, 0.0]).double()[:, None], size) for v in levels]

        loss = part5.style_loss(same, grams, [1.0, 1.0])
        expect(value_of(loss), 0 * grams[0].sum(), "0: the maps' size does not matter")

        wanted = sum(w * (9 + 1) * (a**2).sum() for w, a in zip((0.5, 2.0), grams, strict=True))
        loss = part5.style_loss(louder, grams, [0.5, 2.0])
        expect(value_of(loss), wanted, "each image is compared with the one style")


@pytest.mark.points(1, "style_loss")
def test_style_slope_reaches_the_features_and_not_the_grams(expect, layers, weights, put_right_gram):
    """dL/dF_i = 2 w_i (E + E^T) F_i / (C H W) with E = G_i - A_i; no gradient reaches the grams."""
    gram_matrix = put_right_gram(*LAYERS)
    features = [f.requires_grad_() for f in layers(2)]
    grams = [numbers(2, c, c, seed=30 + c).requires_grad_() for c in (4, 6, 2)]

    with expect.unchanged(**named_tensors(features=features, grams=grams)):
        loss = part5.style_loss(features, grams, weights)

    for feature, gram, weight in zip(features, grams, weights, strict=True):
        found = slope(loss, feature)
        off = 2 * weight * (gram_matrix(feature) - gram).detach()
        wanted = torch.einsum("nij,njyx->niyx", off + off.mT, feature.detach()) / feature[0].numel()
        expect(found, wanted, "dL/dF_i = 2 w_i (E + E^T) F_i / (C H W), with E = G_i - A_i")
    assert_constant(part5.style_loss(features, grams, weights), *grams)


@pytest.mark.points(1, "style_loss")
def test_style_loss_leaves_no_trace_and_takes_any_sequence(expect, layers, put_right_gram):
    """The arguments are unchanged; lists, tuples and float32 give the same value."""
    gram_matrix = put_right_gram(*LAYERS)
    features = [f.requires_grad_() for f in layers(2, seed=40)]
    grams = [gram_matrix(f).detach() + (i + 1) for i, f in enumerate(features)]
    wanted = torch.tensor(2 * (-1.0 * 16 * 1 + 0.0 + 2.0 * 4 * 9)).double()

    with expect.unchanged(**named_tensors(features=features, grams=grams)):
        for kind in list, tuple:
            loss = part5.style_loss(kind(features), kind(grams), kind((-1.0, 0.0, 2.0)))
            expect(value_of(loss), wanted, "weights may be 0 or negative")
    odd = part5.style_loss([*map(strided, features)], [*map(strided, grams)], (-1.0, 0.0, 2.0))
    expect(value_of(odd), wanted, ANY_STRIDES)
    single = part5.style_loss([f.detach().float() for f in features], [a.float() for a in grams], [-1, 0, 2])
    formula = "float32 features give a float32 loss; weights may be whole numbers"
    expect(value_of(single), wanted.float(), formula, tolerance=1e-4)
