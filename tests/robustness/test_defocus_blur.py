"""Defocus blur: the mean over the offsets in a disk."""

import itertools

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.small_networks import plain


@pytest.mark.points(1, "defocus_blur")
def test_defocus_spreads_a_point_evenly_over_a_disk(expect, settings):
    """A single bright pixel becomes a disk of equal values 1 / area, in each channel separately."""
    settings("defocus_blur", 3, 2.5, 1, 1.5, 2)
    point = torch.zeros(1, 3, 11, 13).double()
    point[:, :, 5, 6] = torch.tensor([1.0, 0.5, 0.25])

    for severity, radius in enumerate((3, 2.5, 1, 1.5, 2), 1):
        disk = torch.tensor([[float((y - 5) ** 2 + (x - 6) ** 2 <= radius**2) for x in range(13)] for y in range(11)])
        right = disk.double() / disk.sum() * torch.tensor([1.0, 0.5, 0.25]).double().view(1, 3, 1, 1)
        result = robustness.defocus_blur(point, severity)
        expect(result, right, f"1 / area on a disk of radius {radius}, each channel for itself")


@pytest.mark.points(1, "defocus_blur")
def test_defocus_is_the_mean_over_the_offsets_in_the_disk(expect, images, shifted):
    """Each pixel is the mean over all offsets with dy^2 + dx^2 <= radius^2; the border is repeated."""
    for severity, radius in enumerate((1, 1.5, 2.5, 3.5, 4.5), 1):
        offsets = [o for o in itertools.product(range(-4, 5), repeat=2) if o[0] ** 2 + o[1] ** 2 <= radius**2]
        right = torch.stack([shifted(images, *offset) for offset in offsets]).mean(dim=0)
        result = robustness.defocus_blur(images, severity)
        expect(result, right, "the mean over all offsets in the disk; at the border the outermost pixels repeat")


@pytest.mark.points(1, "defocus_blur")
def test_defocus_leaves_no_trace_and_repeats(expect, images, assert_lawful):
    """The images are unchanged, a second call returns the same, and no generator is needed."""
    assert_lawful(robustness.defocus_blur, images, random=False)
    expect(robustness.defocus_blur(plain(0.7), 5), plain(0.7), "a plain picture stays plain, to its border")
    for white in plain(1.0), plain(1.0).float():
        brightest = max(float(robustness.defocus_blur(white, severity).max()) for severity in (1, 2, 3, 4, 5))
        assert brightest <= 1, "a white picture becomes brighter than 1, by rounding: clamp the result to [0, 1]"
