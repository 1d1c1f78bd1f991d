"""Motion blur: the mean along a centred line, at a random angle per image."""

import math

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import distance_from_uniform, seed
from coursekit.checks.small_networks import plain


@pytest.fixture
def nearest_smear(sampled):
    """Give the smeared picture that fits best, over all angles."""

    def moved(image, length, angles):
        """One picture (1, 3, H, W), smeared along a centred line at each of the angles (A,): (A, 3, H, W)."""
        rows, columns = (torch.arange(side).double() for side in image.shape[2:])
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        steps = torch.arange(length).double().view(-1, 1, 1) - (length - 1) / 2
        down, across = (part.view(-1, 1, 1, 1) * steps for part in (angles.sin(), angles.cos()))  # (A, length, 1, 1)
        return sampled(image, y + down, x + across)[0].mean(dim=2).movedim(1, 0)

    def nearest(image, length, result):
        angles, width = torch.arange(90).double() * math.pi / 90, math.pi / 90
        while width > 1e-10:
            smears = moved(image, length, angles)
            best = (smears - result).abs().sum(dim=(1, 2, 3)).argmin()
            angles, width = angles[best] + torch.linspace(-1, 1, 9).double() * width, width / 3
        return smears[best : best + 1]

    return nearest


@pytest.mark.points(1, "motion_blur")
def test_motion_blur_is_the_mean_along_a_centred_line(expect, settings, images, nearest_smear):
    """Each pixel is the mean of `length` bilinear samples, one pixel apart, on a line centred on it."""
    lengths = (3, 9, 5, 11, 7)
    settings("motion_blur", *lengths)
    point = torch.zeros(20, 3, 15, 17).double()
    point[:, :, 7, 8] = 1
    middle = float((9 * robustness.motion_blur(point, 2, generator=seed())[:, :, 7, 8]).mean())
    own = f"the pixel itself weighs {middle:.2f} / length in your mean"
    assert 0.9 < middle < 1.2, f"{own}: each of the samples, one pixel apart, weighs 1 / length"

    for severity in (1, 2, 5):
        result = robustness.motion_blur(images[:2], severity, generator=seed(severity))
        right = [nearest_smear(images[i : i + 1], lengths[severity - 1], result[i : i + 1].detach()) for i in range(2)]
        formula = "mean of bilinear samples on a centred line, at the angle that fits best"
        expect(result, torch.cat(right), formula, tolerance=1e-5)


def direction(result):
    """The angle, from 0 to 1 for half a turn, of the smear that a single point has left in each image."""
    weight = result[:, 0] / result[:, 0].sum(dim=(1, 2), keepdim=True)
    y, x = torch.meshgrid(*(torch.arange(side).double() for side in result.shape[2:]), indexing="ij")
    y, x = y - (result.shape[2] - 1) / 2, x - (result.shape[3] - 1) / 2
    mixed, across, down = ((weight * p).sum(dim=(1, 2)) for p in (y * x, x * x, y * y))
    return (0.5 * torch.atan2(2 * mixed, across - down) / math.pi) % 1


@pytest.mark.points(1, "motion_blur")
def test_motion_blur_has_an_angle_of_its_own_for_each_image_in_all_directions(expect, settings):
    """Each image has its own random angle; all directions are equally likely."""
    settings("motion_blur", *[9] * 5)
    point = torch.zeros(1500, 3, 11, 13).double()
    point[:, :, 5, 6] = 1

    result = robustness.motion_blur(point, 4, generator=seed())

    angles = direction(result)
    assert float(angles.std()) > 0.05, "all images move in one direction: draw an angle for each"
    assert len((angles * 1000).round().unique()) > 60, "there are only a few directions: an angle is a real number"
    assert int((8 * angles).long().bincount(minlength=8).min()) > 0, "some directions never come: all are as likely"
    assert distance_from_uniform(angles) < 0.08, "some directions come more often: all are as likely"
    for turns, rare in (1, "the one across it"), (2, "the ones halfway between it and the next"):
        preferred = torch.polar(torch.ones_like(angles), turns * 2 * math.pi * angles).mean().abs()
        assert preferred < 0.083, f"one direction comes more often than {rare}: all are as likely"
    assert distance_from_uniform(angles) > 0.004, "the angles of a batch are evenly spaced: draw one for each image"
    expect(result[:, 0], result[:, 1].detach().clone(), "the channels of an image move together")
    expect(result.sum(dim=(2, 3)), torch.ones(1500, 3).double(), "inside the picture no light is lost")
    middle = (result.detach().flip(2, 3) - result).abs().amax()
    expect(middle + 1, torch.tensor(1.0).double(), "1 + the difference from its own mirror image: the line is centred")


@pytest.mark.points(1, "motion_blur")
def test_motion_blur_leaves_no_trace_and_repeats(expect, images, assert_lawful):
    """The images are unchanged, and the same generator seed gives the same result."""
    assert_lawful(robustness.motion_blur, images)
    result = robustness.motion_blur(plain(0.7), 5, generator=seed())
    expect(result, plain(0.7), "a plain picture stays plain, to its border")
