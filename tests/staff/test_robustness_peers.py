"""Part 4 against the field's libraries: scipy to the last digits where the definition is the same, imagecorruptions by its statistics."""

from __future__ import annotations

import sys
import types
import warnings

import numpy as np
import pytest
import torch
from scipy import ndimage

from assignment2 import robustness
from coursekit.checks.small_networks import pictures

IMAGES = pictures(3)
EXACT = {"rtol": 1e-10, "atol": 1e-12}


def seed(number=0):
    return torch.Generator().manual_seed(number)


def channels(function, images):
    """Apply a function of numpy's (H, W) to every channel."""
    return torch.stack([torch.stack([torch.from_numpy(function(c.numpy())) for c in image]) for image in images])


@pytest.fixture
def settings(monkeypatch):
    def put(name, *five):
        monkeypatch.setattr(robustness, "SEVERITIES", {**robustness.SEVERITIES, name: five})

    return put


@pytest.mark.parametrize("severity", range(1, 6))
def test_defocus_is_scipys_correlation_with_a_disk(severity):
    radius = robustness.SEVERITIES["defocus_blur"][severity - 1]
    y, x = np.mgrid[-5:6, -5:6]
    disk = (y**2 + x**2 <= radius**2).astype(float)

    theirs = channels(lambda c: ndimage.correlate(c, disk / disk.sum(), mode="nearest"), IMAGES)

    torch.testing.assert_close(robustness.defocus_blur(IMAGES, severity), theirs, **EXACT)


@pytest.mark.parametrize("sigma", [0.3, 0.65, 1.2])
def test_the_blurs_of_frosted_glass_are_scipys_gaussians(settings, sigma):
    settings("frosted_glass_blur", *[(sigma, 2, 0)] * 5)

    def twice(c):
        return ndimage.gaussian_filter(ndimage.gaussian_filter(c, sigma, mode="nearest"), sigma, mode="nearest")

    ours = robustness.frosted_glass_blur(IMAGES, 1, generator=seed())
    torch.testing.assert_close(
        ours, channels(twice, IMAGES), rtol=0, atol=1e-3
    )  # scipy cuts the bell a pixel elsewhere


def test_motion_blur_is_the_mean_of_scipys_samples_on_a_line(settings, monkeypatch):
    settings("motion_blur", *[7] * 5)
    angle = 0.7
    monkeypatch.setattr(
        robustness, "uniform", lambda *shape, like, generator: torch.full(shape, angle / np.pi).to(like)
    )
    y, x = np.mgrid[: IMAGES.shape[2], : IMAGES.shape[3]].astype(float)

    def smear(c):
        places = [(y + t * np.sin(angle), x + t * np.cos(angle)) for t in range(-3, 4)]
        return np.mean([ndimage.map_coordinates(c, p, order=1, mode="nearest") for p in places], axis=0)

    ours = robustness.motion_blur(IMAGES, 1, generator=seed())
    torch.testing.assert_close(ours, channels(smear, IMAGES), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("severity", range(1, 6))
def test_zoom_blur_is_the_mean_of_scipys_affine_transforms(severity):
    step, number = robustness.SEVERITIES["zoom_blur"][severity - 1]

    def blur(c):
        center = (np.array(c.shape) - 1) / 2
        zooms = [1 + k * step for k in range(number)]
        parts = [ndimage.affine_transform(c, [1 / z] * 2, center - center / z, order=1, mode="nearest") for z in zooms]
        return np.mean(parts, axis=0)

    torch.testing.assert_close(robustness.zoom_blur(IMAGES, severity), channels(blur, IMAGES), **EXACT)


@pytest.fixture
def peer(monkeypatch):
    """Import imagecorruptions 1.1.2, made to run: pkg_resources and skimage's multichannel are gone since."""
    if "pkg_resources" not in sys.modules:
        stub = types.ModuleType("pkg_resources")
        stub.resource_filename = lambda package, name: name
        monkeypatch.setitem(sys.modules, "pkg_resources", stub)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("imagecorruptions.corruptions")


@pytest.mark.parametrize("name", ["gaussian_noise", "shot_noise", "impulse_noise"])
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_noise_has_the_mean_and_the_spread_of_imagecorruptions(peer, name, severity, monkeypatch):
    gray = np.full((200, 200, 3), 128, dtype=np.uint8)
    # impulse_noise draws from a generator of skimage's, which is new each time: two spreads differ by 3 % once in a hundred runs.
    monkeypatch.setattr(np.random, "default_rng", lambda _rng=None: np.random.Generator(np.random.PCG64(0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torch.from_numpy(np.asarray(getattr(peer, name)(gray, severity)) / 255.0)

    image = torch.full((1, 3, 200, 200), 128 / 255, dtype=torch.float64)
    ours = getattr(robustness, name)(image, severity, generator=seed())

    assert ours.mean().item() == pytest.approx(theirs.mean().item(), abs=0.01)
    assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.03)


def test_imagecorruptions_glass_copies_where_ours_exchanges(peer):
    """A known disagreement: its swap assigns through views, so one of the two pixels is lost."""
    pixels = np.arange(48).reshape(4, 4, 3)
    pixels[0, 0], pixels[1, 1] = pixels[1, 1], pixels[0, 0]

    assert np.array_equal(pixels[0, 0], pixels[1, 1]), "if numpy exchanges views now, this test can go"
