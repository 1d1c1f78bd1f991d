"""The Gram matrix: which channels are active together, wherever that is."""

import pytest
import torch

from assignment2 import style_transfer as part5
from coursekit.checks.scalars import slope
from coursekit.checks.small_networks import numbers


@pytest.mark.points(2, "gram_matrix")
def test_gram_of_flat_maps_is_the_product_of_their_levels(expect, flat_maps):
    """For constant maps, entry (i, j) is the product of the two levels times H * W, or / C if normalised."""
    levels = torch.tensor([[1.0, -2.0, 3.0, 0.5]]).double()
    for size in (5, 7), (1, 3):
        features = flat_maps(levels, size)

        summed = part5.gram_matrix(features, normalize=False)
        shared = part5.gram_matrix(features)

        outer = levels[:, :, None] * levels[:, None]
        expect(summed, outer * size[0] * size[1], "normalize=False: the sum over all places, not divided")
        expect(shared, outer / 4, "normalised: divided by C * H * W")
    expect(part5.gram_matrix(flat_maps(levels, (5, 7)), normalize=True), outer / 4, "normalize=True is the default")


@pytest.mark.points(1, "gram_matrix")
def test_gram_counts_what_occurs_together_and_not_where(expect):
    """The Gram matrix does not depend on the order of the positions."""
    features = numbers(1, 4, 5, 7, seed=1)
    order = numbers(35, seed=2).argsort()

    moved = features.flatten(2)[:, :, order].unflatten(2, (5, 7)).contiguous()
    apart = torch.zeros(1, 3, 5, 7).double()
    apart[0, 0, 0], apart[0, 1, 1:3], apart[0, 2, 3:] = 2.0, 1.0, -3.0  # no place has two channels

    expect.reference(part5.gram_matrix(moved), "in their order", "the same after the places are shuffled")
    counts = torch.diag(torch.tensor([4.0 * 7, 14.0, 9.0 * 14])).double()[None]
    expect(
        part5.gram_matrix(apart, normalize=False), counts, "channels that are never active at one position have entry 0"
    )


@pytest.mark.points(1, "gram_matrix")
def test_every_image_has_its_own_gram_matrix(expect):
    """Each image has its own Gram matrix: the result is (N, C, C)."""
    features = numbers(2, 4, 5, 7, seed=3)
    features[1] *= 5

    result = part5.gram_matrix(features)

    expect.reference(result, "each", "(N, C, C): one matrix per image, not mixed over the batch")
    for i in range(2):
        expect.reference(part5.gram_matrix(features[i : i + 1]), f"image {i}", "(1, C, C) for a batch of one")
    one_channel = part5.gram_matrix(features[:, :1], normalize=False)
    expect(one_channel, (features[:, 0] ** 2).sum((1, 2))[:, None, None], "(N, 1, 1) for one channel: its square")


@pytest.mark.points(1, "gram_matrix")
def test_slope_through_the_gram_matrix_mixes_the_channels(expect):
    """dL/dF = (U + U^T) F for a gradient U at the Gram matrix, divided as the Gram matrix is."""
    for normalize in True, False:
        features = numbers(2, 4, 5, 7, seed=5).requires_grad_()
        upstream = numbers(2, 4, 4, seed=6)

        found = slope((part5.gram_matrix(features, normalize=normalize) * upstream).sum(), features)

        both = upstream + upstream.mT
        wanted = torch.einsum("nij,njyx->niyx", both, features.detach()) / (4 * 5 * 7 if normalize else 1)
        expect(found, wanted, "dL/dF = (U + U^T) F, divided as G is, for an upstream U")


@pytest.mark.points(1, "gram_matrix")
def test_gram_matrix_takes_any_strides_and_leaves_no_trace(expect):
    """The features are unchanged; any strides, no_grad and float32 give the same value."""
    features = numbers(2, 4, 5, 7, seed=7)
    forms = {
        "channels last": features.to(memory_format=torch.channels_last),
        "turned": features.mT.contiguous().mT,
        "every second column": features.repeat_interleave(2, dim=3)[..., ::2],
        "followed by autograd": features.clone().requires_grad_() * 1,
    }

    for form, given in forms.items():
        with expect.unchanged(features=given):
            result = part5.gram_matrix(given)
        wanted = expect.remember(result.detach(), "plain")
        expect(result.detach(), wanted, f"the same for features that lie in memory otherwise: {form}")
    with torch.no_grad():
        expect(part5.gram_matrix(features), wanted, "the same under the caller's torch.no_grad()")
    expect(part5.gram_matrix(features.float()), wanted.float(), "float32 gives float32", tolerance=1e-4)
    one_place = numbers(2, 1, 1, 1, seed=9)
    for normalize in True, False:
        expect.new(part5.gram_matrix(one_place, normalize=normalize), features=one_place)
