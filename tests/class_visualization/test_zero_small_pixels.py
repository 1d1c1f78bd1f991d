"""The pixels nearest to grey become grey, all others stay."""

import pytest

from assignment2 import class_visualization as part2
from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.small_networks import SIZE


@pytest.mark.points(2, "zero_small_pixels")
def test_pixels_with_the_smallest_norm_become_grey_and_no_others(expect, ranks, ranked_picture, check_ties):
    """The floor(fraction * H * W) pixels with the smallest norm of image - 0.5 become 0.5."""
    for fraction, count in (0.6, 70), (0.2, 23), (0.35, 40), (0.1, 11), (0.99, 115), (0.0, 0), (1.0, 117):
        image = ranked_picture()

        result = part2.zero_small_pixels(image, fraction)

        expected = image.clone()
        expected[:, ranks() < count] = 0.5
        formula = f"fraction {fraction} of {SIZE[0]} x {SIZE[1]} pixels: the {count} nearest to grey are 0.5, the others as before"
        expect(result, expected, formula)
    check_ties(lambda image, _, fraction: part2.zero_small_pixels(image, fraction))


@pytest.mark.points(1, "zero_small_pixels")
def test_zeroing_small_pixels_leaves_no_trace(expect, ranks, ranked_picture):
    """The image is unchanged, and the result is a new, detached tensor."""
    for fraction in 0.0, 0.3:
        image = ranked_picture().float().requires_grad_()

        with expect.unchanged(image=image):
            result = part2.zero_small_pixels(image, fraction)

        expected = image.detach().clone()
        expected[:, ranks() < int(fraction * 117)] = 0.5
        expect(result, expected, "a float32 picture gives a float32 picture, detached")
        expect(part2.zero_small_pixels(strided(image), fraction), expected, ANY_STRIDES)
        expect.new(result, image=image)
