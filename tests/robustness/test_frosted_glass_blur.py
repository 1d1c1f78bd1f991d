"""Frosted glass: a blur, random exchanges of nearby pixels, a blur."""

import itertools

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed
from coursekit.checks.small_networks import MANY, pictures, plain


def numbered(num_images=2, size=MANY):
    """Pictures whose every pixel has a colour of its own; the first channel tells its place."""
    count = size[0] * size[1]
    place = torch.arange(count).double() / count
    colors = torch.stack([place, 1 - place, (place * 37) % 1])
    return colors.view(1, 3, *size).repeat(num_images, 1, 1, 1)


def travelled(result):
    """(N, 2, H, W): how many rows and columns the pixel that lies here has come."""
    __tracebackhide__ = True
    assert bool(result.isfinite().all()), "the result is not finite: sigma 0 means no blur, not a blur of width 0"
    height, width = result.shape[2:]
    place = (result[:, 0] * height * width).round().long()
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    return torch.stack([rows - place // width, columns - place % width], dim=1)


def gaussian(images, sigma):
    """Blur by a wide Gaussian, written as two products of matrices; at the border the outermost pixels repeat."""
    for axis in (2, 3):
        length = images.shape[axis]
        place, offsets = torch.arange(length)[:, None], torch.arange(-12, 13)
        bell = (-(offsets.double() ** 2) / (2 * sigma**2)).exp()
        weights = torch.zeros(length, length).double()
        weights.scatter_add_(1, (place + offsets).clamp(0, length - 1), (bell / bell.sum()).expand(length, -1))
        images = (images.movedim(axis, -1) @ weights.T).movedim(-1, axis)
    return images


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_only_moves_colours_where_nothing_is_blurred(expect, settings):
    """With sigma = 0 the pixels are only permuted: no colour is lost or added."""
    settings("frosted_glass_blur", (0, 2, 3), (0, 1, 1), (0, 3, 2), (0, 2, 0), (0, 1, 4))

    small = numbered(size=(20, 26))
    for severity in range(1, 6):
        result = robustness.frosted_glass_blur(small, severity, generator=seed())
        order = result[:, 0].flatten(1).argsort(dim=1)
        colors, right = result.flatten(2).gather(2, order[:, None].expand(-1, 3, -1)), small.flatten(2)
        if (colors.shape, colors.dtype) == (right.shape, right.dtype) and not torch.allclose(colors, right):
            values = result.flatten(2).sort(dim=2).values
            apart = torch.allclose(values, right.sort(dim=2).values)
            assert not apart, "the channels of a pixel come apart: its three channels move together"
            copied = bool(torch.isin(values[:, 0], right[:, 0]).all())
            assert not copied, "some pixels are lost and others come twice: exchange pixels, do not copy them"
        expect(colors, right, "the colours, sorted, are those of the picture: none lost, none made")
    still = torch.allclose(robustness.frosted_glass_blur(small, 4, generator=seed()), small)
    assert still, "with 0 rounds pixels move: the setting gives the number of rounds"
    assert not torch.equal(robustness.frosted_glass_blur(small, 1, generator=seed()), small), "no pixel has moved"


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_moves_pixels_at_most_reach_rows_and_columns(settings):
    """In one round most pixels move, at most `reach` rows and columns; a loop may carry some further."""
    settings("frosted_glass_blur", (0, 1, 1), (0, 2, 1), (0, 3, 1), (0, 5, 1), (0, 4, 1))

    for severity, reach in enumerate((1, 2, 3, 5, 4), 1):
        result = robustness.frosted_glass_blur(numbered(), severity, generator=seed(severity))
        way = travelled(result)
        far = way.abs().amax(dim=1)  # (N, H, W)
        # Exchanges in a loop, one after another, carry some pixels along: most stay within reach, few go beyond twice.
        carried = (far <= reach).double().mean() > 0.5 and 0.002 < (far > 2 * reach).double().mean() < 0.15
        assert far.max() <= reach or carried, f"with reach {reach} pixels come from too far away"
        moving = (far > 0).double().mean().item()
        assert moving > (0.55 if reach == 1 else 0.8), f"only {moving:.0%} of the pixels move: every one is exchanged"
        edge = torch.cat([far[:, 0], far[:, -1], far[:, :, 0], far[:, :, -1]], dim=1)
        assert (edge > 0).double().mean() > 0.3, "most pixels at the border stay: every pixel is exchanged"
        sides = torch.tensor(MANY).view(1, 2, 1, 1)
        across = reach == 1 and bool((way.abs() >= sides - 2).any())
        assert not across, "pixels change places with those at the opposite border: the picture ends there"
        apart = (way[:, 0].diff(dim=2) != 0).double().mean().item()
        assert apart > 0.2, "whole rows change places: exchange single pixels, each with a neighbour of its own"
        spread = torch.stack([(way == d).any(dim=0).flatten(1).any(dim=1) for d in (-reach, reach)])
        assert bool(spread.all()), f"with reach {reach} some pixels go {reach} up, down, left and right"
        assert not torch.equal(way[0], way[1]), "two images are mixed in the same way: each has a glass of its own"


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_mixes_more_with_every_round(expect, settings):
    """The distance grows with the square root of `rounds`, as in a random walk."""
    settings("frosted_glass_blur", (0, 2, 1), (0, 2, 2), (0, 2, 4), (0, 1, 1), (0, 1, 1))

    ways = [travelled(robustness.frosted_glass_blur(numbered(12, (30, 38)), s, generator=seed(s))) for s in (1, 2, 3)]

    spread = torch.stack([way[:, :, 6:-6, 6:-6].double().square().mean() for way in ways]).sqrt()
    assert float(spread.min()) > 0, "no pixel has moved"
    by_root = spread / torch.tensor([1, 2, 4]).double().sqrt()
    right = by_root.detach().mean().expand(3)
    expect(by_root, right, "the way grows with the root of the number of rounds, as in a random walk", tolerance=0.15)


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_blurs_twice(expect, settings):
    """The Gaussian blur acts twice: once before all rounds and once after them."""
    settings("frosted_glass_blur", (0.65, 2, 0), (1.0, 2, 0), (1.0, 2, 1), (1.5, 2, 0), (0.4, 2, 0))
    images = pictures(2, size=MANY)

    for severity, sigma in (1, 0.65), (2, 1.0), (4, 1.5), (5, 0.4):
        result = robustness.frosted_glass_blur(images, severity, generator=seed())
        right = gaussian(gaussian(images, sigma), sigma)
        expect(result, right, f"without a round: a Gaussian of {sigma} pixels, twice", tolerance=0.01)
    settings("frosted_glass_blur", *[(3.0, 1, 3)] * 5)
    edge = plain(0.0)
    edge[..., 25:] = 1
    profile = robustness.frosted_glass_blur(edge, 1, generator=seed()).mean(dim=(0, 1, 2))
    right = gaussian(gaussian(edge, 3.0), 3.0).mean(dim=(0, 1, 2))
    expect(profile, right, "with three rounds: twice as well, not in every round", tolerance=0.05)


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_lies_between_the_two_blurs(settings, shifted):
    """There is one blur before and one after the exchanges, not both on the same side."""
    settings("frosted_glass_blur", *[(1.0, 2, 1)] * 5)
    point = torch.zeros(1, 3, 31, 35).double()
    point[:, :, 15, 17] = 1
    result = robustness.frosted_glass_blur(point, 3, generator=seed())
    spots = [shifted(gaussian(point, 2**0.5), dy, dx) for dy, dx in itertools.product(range(-4, 5), repeat=2)]
    spots += [shifted(gaussian(point, 1.0), dy, dx) for dy, dx in itertools.product(range(-4, 5), repeat=2)]
    assert min(float((result - spot).abs().max()) for spot in spots) > 0.002, "blur before the pixels change places too"
    heights = [gaussian(point, sigma).flatten().sort().values for sigma in (1.0, 2**0.5)]
    mixed = result.flatten().sort().values
    assert min(float((mixed - h).abs().max()) for h in heights) > 0.002, "blur after the pixels changed places too"
    assert float(mixed.max()) < 0.5, "a point stays a point: nothing was blurred"


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_leaves_no_trace_and_repeats(images, assert_lawful):
    """The images are unchanged, and the same generator seed gives the same result."""
    assert_lawful(robustness.frosted_glass_blur, images)
