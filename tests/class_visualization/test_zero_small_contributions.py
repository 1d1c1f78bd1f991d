"""The pixels that contribute least to the score become grey, all others stay."""

import pytest

from assignment2 import class_visualization as part2
from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.small_networks import SIZE, numbers


@pytest.fixture
def ranked_contributions(ranks):
    """Make a gradient with which the pixel of rank r contributes r + 1 units to the score, up or down."""

    def make(image):
        signs = numbers(*SIZE, seed=6).sign()
        away = image - 0.5
        gradient = numbers(*image.shape, seed=5)
        wanted = signs * (ranks(seed=8) + 1) / 50
        return gradient + away * (wanted - (away * gradient).sum(dim=0)) / away.norm(dim=0) ** 2

    return make


@pytest.mark.points(2, "zero_small_contributions")
def test_pixels_that_contribute_least_become_grey_and_no_others(
    expect, ranks, ranked_picture, ranked_contributions, check_ties
):
    """The floor(fraction * H * W) pixels with the smallest |sum_c (image - 0.5) * gradient| become 0.5."""
    for fraction, count in (0.6, 70), (0.2, 23), (0.35, 40), (0.1, 11), (0.99, 115), (0.0, 0), (1.0, 117):
        image = ranked_picture()

        result = part2.zero_small_contributions(image, ranked_contributions(image), fraction)

        expected = image.clone()
        expected[:, ranks(seed=8) < count] = 0.5
        formula = f"fraction {fraction} of {SIZE[0]} x {SIZE[1]} pixels: the {count} that contribute least are 0.5"
        expect(result, expected, formula)
    check_ties(part2.zero_small_contributions)


@pytest.mark.points(1, "zero_small_contributions")
def test_zeroing_small_contributions_leaves_no_trace(expect, ranks, ranked_picture, ranked_contributions):
    """The image and the gradient are unchanged, and the result is a new, detached tensor."""
    for fraction in 0.0, 0.3:
        image = ranked_picture().float().requires_grad_()
        gradient = ranked_contributions(ranked_picture()).float()

        with expect.unchanged(image=image, gradient=gradient):
            result = part2.zero_small_contributions(image, gradient, fraction)

        expected = image.detach().clone()
        expected[:, ranks(seed=8) < int(fraction * 117)] = 0.5
        expect(result, expected, "a float32 picture gives a float32 picture, detached")
        expect(part2.zero_small_contributions(strided(image), strided(gradient), fraction), expected, ANY_STRIDES)
        expect.new(result, image=image, gradient=gradient)
