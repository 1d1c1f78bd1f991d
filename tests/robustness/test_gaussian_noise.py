"""Gaussian noise: its distribution is checked, not the order in which numbers are drawn."""

import math

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import assert_own_noise, distance_from_uniform, seed
from coursekit.checks.small_networks import MANY, pictures, plain

VALUES = 3 * 3 * 40 * 50


@pytest.mark.points(1, "gaussian_noise")
def test_gaussian_noise_is_normal_with_the_severitys_sigma(expect, settings):
    """The noise is N(0, sigma^2), drawn for each value, with sigma from SEVERITIES."""
    settings("gaussian_noise", 0.01, 0.05, 0.02, 0.04, 0.03)
    images = 0.3 + 0.4 * pictures(3, size=MANY)

    shifts = torch.stack([robustness.gaussian_noise(images, s, generator=seed(s)) - images for s in range(1, 6)])

    sigmas = torch.tensor([0.01, 0.05, 0.02, 0.04, 0.03]).double()
    expect(shifts.flatten(1).std(dim=1), sigmas, "the noise's standard deviation is the setting", tolerance=0.04)
    noise = shifts / sigmas.view(5, 1, 1, 1, 1)
    expect(noise.flatten(1).mean(dim=1) + 1, torch.ones(5).double(), "1 + the noise's mean, which is 0", tolerance=0.05)
    assert distance_from_uniform((noise / 2**0.5).erf() / 2 + 0.5) < 0.02, "the noise is not normal"
    tail = (noise.abs() > 3.1).double().mean().item()
    assert tail > 0.001, f"{tail:.2%} of the noise is larger than 3.1 sigma, expected 0.19%: do not cut it"
    assert_own_noise(noise[0])


@pytest.mark.points(1, "gaussian_noise")
def test_gaussian_noise_is_clamped_and_not_rounded(expect):
    """The result is clamped to [0, 1] and not rounded."""
    result = robustness.gaussian_noise(plain(0.5), 5, generator=seed())

    tail = 0.5 - 0.5 * math.erf(0.5 / 0.38 / 2**0.5)
    ends = torch.stack([(result <= 0).double().mean(), (result >= 1).double().mean()])
    expect(ends, torch.full((2,), tail).double(), "the share of values that end at 0, and at 1", tolerance=0.15)
    different = len(result.unique())
    assert different > VALUES / 2, f"only {different} of {VALUES} values differ: draw each one, and do not round"


@pytest.mark.points(1, "gaussian_noise")
def test_gaussian_noise_leaves_no_trace_and_repeats(images, assert_lawful):
    """The images are unchanged, and the same generator seed gives the same result."""
    assert_lawful(robustness.gaussian_noise, images)
