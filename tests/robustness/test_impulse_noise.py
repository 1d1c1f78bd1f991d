"""Impulse noise: single values become 0 or 1."""

import itertools

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed
from coursekit.checks.small_networks import MANY, pictures, plain


@pytest.mark.points(1, "impulse_noise")
def test_impulse_noise_makes_half_of_the_amount_black_and_half_white(expect, settings):
    """A value becomes 0 with probability amount / 2, 1 with probability amount / 2, else it stays."""
    amounts = torch.tensor([0.1, 0.5, 0.2, 0.4, 0.3]).double()
    settings("impulse_noise", 0.1, 0.5, 0.2, 0.4, 0.3)
    images = 0.3 + 0.4 * pictures(3, size=MANY)

    with expect.kept(images=images):
        results = torch.stack([robustness.impulse_noise(images, s, generator=seed(s)) for s in range(1, 6)])

    ends = torch.stack([(results == end).flatten(2).any(dim=2) for end in (0, 1)])  # (2, 5, 3)
    one_end = bool(ends.flatten(1).any(dim=1).all()) and not bool(ends.all())
    assert not one_end, "in one image all changed values become 0, or all become 1: draw for each value"
    shares = torch.stack([(results == end).flatten(1).double().mean(dim=1) for end in (0, 1)])
    expect(shares, (amounts / 2).expand(2, 5), "the shares of values that are 0, and that are 1", tolerance=0.07)
    bright = robustness.impulse_noise(plain(0.9), 2, generator=seed())
    ends = torch.stack([(bright == end).double().mean() for end in (0, 1)])
    expect(ends, torch.full((2,), 0.25).double(), "the shares of 0 and of 1 in a bright picture too", tolerance=0.09)
    kept = (results > 0) & (results < 1)
    expect(torch.where(kept, results, 0), torch.where(kept, images, 0), "every other value is what it was")


@pytest.mark.points(1, "impulse_noise")
def test_impulse_noise_hits_each_value_alone(expect, settings):
    """Each value is drawn separately: channels, pixels and images are independent."""
    settings("impulse_noise", 0.5, 0.5, 0.5, 0.5, 0.5)

    hit = robustness.impulse_noise(plain(0.5), 1, generator=seed()) != 0.5

    per_pixel = hit.sum(dim=1).flatten().bincount(minlength=4) / hit[:, 0].numel()
    right = torch.tensor([0.125, 0.375, 0.375, 0.125])
    expect(per_pixel, right, "shares of pixels in which 0, 1, 2, 3 channels are hit, amount 0.5", tolerance=0.09)
    by_image = [(hit[i] == hit[j]).double().mean() for i, j in itertools.combinations(range(3), 2)]
    expect(
        torch.stack(by_image), torch.full((3,), 0.5).double(), "each image is hit in places of its own", tolerance=0.09
    )
    others = [
        hit.roll(1, 3),
        hit.roll(1, 2),
        hit.flip(3),
        hit.flip(2),
        hit.flip(2, 3),
        hit.roll(25, 3),
        hit.roll(20, 2),
    ]
    alike = torch.stack([(hit == other).double().mean() for other in others])
    formula = "a value is hit whether its neighbours, its mirror images and those half a picture away are or not"
    expect(alike, torch.full((7,), 0.5).double(), formula, tolerance=0.09)
    by_row = hit.double().mean(dim=(0, 1, 3)).std()
    assert float(by_row) < 0.08, "which values are hit depends on the row: every value has the same chance"


@pytest.mark.points(1, "impulse_noise")
def test_impulse_noise_leaves_no_trace_and_repeats(images, assert_lawful):
    """The images are unchanged, and the same generator seed gives the same result."""
    assert_lawful(robustness.impulse_noise, images)
