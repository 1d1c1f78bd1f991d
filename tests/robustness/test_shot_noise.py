"""Shot noise: Poisson counts of photons, so the variance is value / photons."""

import math

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import assert_own_noise, seed
from coursekit.checks.small_networks import MANY, plain


@pytest.mark.points(1, "shot_noise")
def test_shot_noise_counts_photons(expect, settings):
    """value * photons becomes a Poisson count: a whole number with mean and variance value * photons."""
    photons = torch.tensor([400, 20, 100, 50, 200]).double()
    settings("shot_noise", 400, 20, 100, 50, 200)

    results = torch.stack([robustness.shot_noise(plain(0.3), s, generator=seed(s)) for s in range(1, 6)])

    counts = results * photons.view(5, 1, 1, 1, 1)
    expect(counts, counts.detach().round(), "value * photons is a whole number")
    expect(results.flatten(1).mean(dim=1), plain(0.3, 1, (1, 5))[0, 0, 0], "the mean stays", tolerance=0.03)
    few = robustness.shot_noise(plain(0.05), 2, generator=seed()) * 20  # one photon expected
    shares = few.round().long().flatten().bincount(minlength=4)[:4] / few.numel()
    right = torch.tensor([1, 1, 1 / 2, 1 / 6]) / math.e
    expect(shares, right, "the shares of 0, 1, 2 and 3 photons where one is expected: Poisson's", tolerance=0.06)
    spread = results.flatten(1).var(dim=1) * photons
    expect(spread, torch.full((5,), 0.3).double(), "variance * photons = the value: a Poisson number's", tolerance=0.1)
    assert_own_noise(results[0])


@pytest.mark.points(1, "shot_noise")
def test_shot_noise_is_stronger_where_it_is_bright_and_clamped_at_white(expect, settings, images):
    """The variance is value / photons: no noise in black pixels; the result is clamped to [0, 1]."""
    dark, bright = (robustness.shot_noise(plain(value), 5, generator=seed()) for value in (0.0, 1.0))

    expect(dark, plain(0.0), "where there is no light there is no noise")
    white = 1 - math.exp(-3) * (1 + 3 + 4.5)  # three photons or more of three expected
    expect((bright >= 1).double().mean(), torch.tensor(white).double(), "the share that ends at white", tolerance=0.08)
    settings("shot_noise", 10, 100, 400, 10, 10)
    clear = robustness.shot_noise(images, 3, generator=seed())
    expect(clear, images, "with many photons nearly the picture itself: each value is counted alone", tolerance=0.3)
    colors = torch.tensor([0.05, 0.15, 0.35], dtype=torch.float64)
    colored = robustness.shot_noise(colors.view(1, 3, 1, 1).expand(3, 3, *MANY), 1, generator=seed())
    expect(
        colored.mean(dim=(0, 2, 3)), colors, "each channel keeps its mean, half photons expected too", tolerance=0.04
    )
    spreads = [robustness.shot_noise(plain(v), 2, generator=seed()).var() for v in (0.1, 0.2, 0.4)]
    right = torch.tensor([0.001, 0.002, 0.004]).double()
    expect(torch.stack(spreads), right, "the variance is value / photons", tolerance=0.1)
    faint = (robustness.shot_noise(plain(0.001), 3, generator=seed()) > 0).double().mean()  # 0.4 photons expected
    lit = torch.tensor(1 - math.exp(-0.4)).double()
    expect(faint, lit, "the share of pixels with a photon in a nearly black picture", tolerance=0.06)


@pytest.mark.points(1, "shot_noise")
def test_shot_noise_leaves_no_trace_and_repeats(images, assert_lawful):
    """The images are unchanged, and the same generator seed gives the same result."""
    assert_lawful(robustness.shot_noise, images)
