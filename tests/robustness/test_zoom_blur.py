"""Zoom blur: the mean of the image at several zooms."""

import itertools

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.small_networks import pictures, plain


@pytest.mark.points(1, "zoom_blur")
def test_zoom_blur_is_the_mean_over_the_zooms(expect, images, sampled):
    """The result is the mean of the image at the zooms 1, 1 + step, 1 + 2 step and so on."""
    cases = itertools.product((images, pictures(2, size=(8, 10))), enumerate(robustness.SEVERITIES["zoom_blur"], 1))

    for given, (severity, (step, number)) in cases:
        center_y, center_x = (given.shape[2] - 1) / 2, (given.shape[3] - 1) / 2
        y, x = torch.meshgrid(*(torch.arange(side).double() for side in given.shape[2:]), indexing="ij")
        result = robustness.zoom_blur(given, severity)
        zooms = [1 + k * step for k in range(number)]
        parts = [sampled(given, center_y + (y - center_y) / z, center_x + (x - center_x) / z) for z in zooms]
        expect(result, torch.stack(parts).mean(dim=0), "the mean of the picture at zoom 1, 1 + step, 1 + 2 step, ...")


@pytest.mark.points(1, "zoom_blur")
def test_zoom_blur_flattens_a_ramp_by_the_mean_of_one_over_the_zoom(expect, settings):
    """A linear ramp keeps its shape; its slope is multiplied by the mean of 1 / zoom."""
    settings("zoom_blur", (0.1, 3), (0.25, 5), (0.2, 1), (1.0, 2), (0.05, 7))
    y, x = torch.meshgrid((torch.arange(9).double() - 4) / 9, (torch.arange(13).double() - 6) / 13, indexing="ij")
    slopes = torch.stack([y / 2, x / 2, (x - y) / 3])[None]

    for severity, (step, number) in enumerate(((0.1, 3), (0.25, 5), (0.2, 1), (1.0, 2), (0.05, 7)), 1):
        result = robustness.zoom_blur(0.5 + slopes, severity)
        flatter = sum(1 / (1 + k * step) for k in range(number)) / number
        expect(result - 0.5, flatter * slopes, "offset / z, averaged over the zooms, z = 1 once")


@pytest.mark.points(1, "zoom_blur")
def test_zoom_blur_leaves_no_trace_and_repeats(expect, images, assert_lawful):
    """The images are unchanged, a second call returns the same, and no generator is needed."""
    assert_lawful(robustness.zoom_blur, images, random=False)
    expect(robustness.zoom_blur(plain(0.7), 5), plain(0.7), "a plain picture stays plain, to its border")
