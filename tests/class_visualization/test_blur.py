"""A Gaussian blur of each channel, with the outermost pixels repeated beyond the border."""

import pytest
import torch
import torch.nn.functional as F

from assignment2 import class_visualization as part2
from coursekit.checks.laws import ANY_STRIDES, strided

SIGMA = 0.7


@pytest.mark.points(1, "blur")
def test_blur_spreads_one_pixel_as_a_gaussian_does(expect):
    """One bright pixel becomes exp(-(dy^2 + dx^2) / (2 sigma^2)), scaled to sum 1, in its own channel."""
    for sigma in 0.9, 0.4, 1.4, 2.4, 4.0:
        image = torch.zeros(3, 61, 65, dtype=torch.float64)
        image[1, 30, 32] = 2.0

        result = part2.blur(image, sigma)

        expect(result.sum(dim=(1, 2)), image.sum(dim=(1, 2)), "the weights sum to 1, and no channel reaches another")
        dy, dx = torch.arange(61.0).double()[:, None] - 30, torch.arange(65.0).double() - 32
        distance = (dy**2 + dx**2).sqrt()
        near = distance <= 3 * sigma
        bell = torch.exp(-((distance / sigma) ** 2) / 2)
        formula = "weights proportional to exp(-(dy^2 + dx^2) / (2 sigma^2)), as far as 3 sigma"
        expect(result[1][near] / result[1].max(), bell[near], formula)
        for axis, sides in (1, "above and below"), (2, "on the left and on the right"):
            expect(
                result.flip(axis), result, f"the same {sides} of the pixel: the weight depends on the distance alone"
            )


@pytest.mark.points(1, "blur")
def test_blur_goes_on_beyond_the_border_with_the_outermost_pixels(expect, image):
    """Beyond the border the outermost pixels are repeated, so a constant picture does not change."""
    for sigma in SIGMA, 4.0:
        wide = F.pad(image, (20, 20, 20, 20), mode="replicate")

        result = part2.blur(image, sigma)

        inner = part2.blur(wide, sigma)[:, 20:-20, 20:-20]
        expect(result, inner, "the same as if the picture were larger, its outermost pixels repeated")
        constant = part2.blur(torch.full_like(image, 0.3), sigma)
        expect(constant, torch.full_like(image, 0.3), "a constant picture stays as it is, at the border too")
        assert not torch.equal(result, image), f"nothing was blurred with sigma {sigma}"
    narrow = torch.full((3, 1, 5), 0.3, dtype=torch.float64)
    expect(part2.blur(narrow, SIGMA), narrow, "a constant picture one pixel high stays as it is")
    expect(part2.blur(image, 0.0), image, "sigma 0 changes nothing", tolerance=0)
    expect(part2.blur(image, 0), image, "sigma 0 changes nothing, also as a whole number", tolerance=0)


@pytest.mark.points(1, "blur")
def test_blur_leaves_no_trace(expect, image):
    """The picture is unchanged, and the result is a new, detached tensor."""
    followed = image.clone().requires_grad_()

    with expect.unchanged(image=followed):
        result = part2.blur(followed, SIGMA)
        untouched = part2.blur(followed, 0.0)

    for picture in result, untouched:
        assert not picture.requires_grad, "the result is still joined to the autograd graph: detach it"
        expect.new(picture, image=followed)
    expect(
        part2.blur(image.float(), SIGMA), result.float(), "a float32 picture gives a float32 picture", tolerance=1e-5
    )
    expect(part2.blur(strided(image), SIGMA), result, ANY_STRIDES)
    assert not torch.equal(result, image), "nothing was blurred"
