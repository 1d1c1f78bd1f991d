"""Part 4, hidden: fresh pictures and settings for the same functions. Staff only."""

import math

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.small_networks import ReluEverywhere, pictures, seeded

SIZE = (14, 11)
FORMULA = "the docstring's definition, on other pictures and settings"


@pytest.fixture
def images():
    return pictures(4, seed=78, size=SIZE)


@pytest.fixture
def settings(monkeypatch):
    def put(name, *five):
        monkeypatch.setattr(robustness, "SEVERITIES", {**robustness.SEVERITIES, name: five})

    return put


def seed(number=5):
    return torch.Generator().manual_seed(number)


def grey(value):
    return torch.full((2, 3, 60, 50), value, dtype=torch.float64)


@pytest.mark.points(1, "gaussian_noise")
def test_gaussian_noise_of_another_strength(expect, settings):
    settings("gaussian_noise", 0.07, 0.01, 0.06, 0.02, 0.05)
    for severity, sigma in enumerate((0.07, 0.01, 0.06, 0.02, 0.05), 1):
        shift = robustness.gaussian_noise(grey(0.45), severity, generator=seed()) - 0.45
        expect(shift.std(), torch.tensor(sigma).double(), FORMULA, tolerance=0.05)


@pytest.mark.points(1, "shot_noise")
def test_shot_noise_of_another_strength(expect, settings):
    settings("shot_noise", 30, 300, 70, 150, 90)
    for severity, photons in enumerate((30, 300, 70, 150, 90), 1):
        result = robustness.shot_noise(grey(0.4), severity, generator=seed())
        expect(result.var(), torch.tensor(0.4 / photons).double(), FORMULA, tolerance=0.1)
        expect(result * photons, (result * photons).round(), "whole numbers of photons")


@pytest.mark.points(1, "impulse_noise")
def test_impulse_noise_of_another_strength(expect, settings):
    settings("impulse_noise", 0.6, 0.2, 0.35, 0.15, 0.45)
    for severity, amount in enumerate((0.6, 0.2, 0.35, 0.15, 0.45), 1):
        result = robustness.impulse_noise(grey(0.4), severity, generator=seed())
        shares = torch.stack([(result == end).double().mean() for end in (0, 0.4, 1)])
        expect(shares, torch.tensor([amount / 2, 1 - amount, amount / 2]).double(), FORMULA, tolerance=0.05)


@pytest.mark.points(1, "defocus_blur")
def test_defocus_of_fresh_pictures(expect, settings, images):
    settings("defocus_blur", 3.2, 1.5, 2, 1, 4)
    for severity in range(1, 6):
        expect.reference(robustness.defocus_blur(images, severity), f"severity {severity}", FORMULA)


@pytest.mark.points(2, "frosted_glass_blur")
def test_frosted_glass_of_fresh_pictures(expect, settings, images):
    settings("frosted_glass_blur", (0, 2, 2), (0, 4, 1), (0.8, 1, 0), (0, 1, 1), (0, 3, 5))
    for severity in (1, 2, 4, 5):
        result = robustness.frosted_glass_blur(images, severity, generator=seed())
        colors, right = (
            x.flatten(2).gather(2, x[:, :1].flatten(2).argsort(2).expand(-1, 3, -1)) for x in (result, images)
        )
        expect(colors, right, "the same colours in other places")
        assert not torch.equal(result, images), "nothing has moved"
    expect.reference(robustness.frosted_glass_blur(images, 3, generator=seed()), "blurs", FORMULA, tolerance=0.01)


@pytest.mark.points(1, "motion_blur")
def test_motion_blur_keeps_what_is_linear(expect, settings):
    settings("motion_blur", 3, 5, 7, 9, 11)
    y, x = torch.meshgrid(torch.arange(40).double() / 40, torch.arange(50).double() / 50, indexing="ij")
    ramps = torch.stack([y, x, (x + 2 * y) / 3]).expand(4, -1, -1, -1)
    for severity in range(1, 6):
        result = robustness.motion_blur(ramps, severity, generator=seed(severity))
        expect(result[:, :, 6:-6, 6:-6], ramps[:, :, 6:-6, 6:-6].clone(), "a centred mean keeps a ramp")
        assert not torch.allclose(result[0], result[1]), "each image has an angle of its own"


@pytest.mark.points(1, "zoom_blur")
def test_zoom_blur_of_fresh_pictures(expect, settings, images):
    settings("zoom_blur", (0.07, 4), (0.3, 2), (0.02, 9), (0.15, 6), (0.1, 1))
    for severity in range(1, 6):
        expect.reference(robustness.zoom_blur(images, severity), f"severity {severity}", FORMULA)


@pytest.mark.points(1, "corruption_errors")
def test_corruption_errors_of_another_network(expect):
    model, images, labels = seeded(ReluEverywhere(), seed=4), pictures(30, seed=79), torch.arange(30) % 5

    def darker(images, severity, *, generator):
        return images * (1 - severity / 6)

    def turned(images, severity, *, generator):
        return images.roll(severity, dims=3).flip(2)

    errors = robustness.corruption_errors(model, images, labels, [darker, turned, darker], generator=seed())
    expect.reference(errors, "errors", FORMULA)


@pytest.mark.points(2, "mean_corruption_error")
def test_mce_of_fresh_tables(expect):
    for number, rows in enumerate((2, 6)):
        errors, baseline = (torch.rand(rows, 4, generator=seed(k)).double() for k in (number, 30 + number))
        ratios = [math.fsum(a.tolist()) / math.fsum(b.tolist()) for a, b in zip(errors, baseline, strict=True)]
        right = torch.tensor(math.fsum(ratios) / rows, dtype=torch.float64)
        expect(robustness.mean_corruption_error(errors, baseline), right, FORMULA)


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_of_fresh_tables(expect):
    errors, baseline = (torch.rand(4, 6, generator=seed(k)).double() / 2 for k in (1, 2))
    result = robustness.relative_mean_corruption_error(errors, 0.11, 0.4 + baseline, torch.tensor(0.17))
    expect.reference(result, "relative", FORMULA, tolerance=1e-5)


@pytest.mark.points(1, "cue_conflict")
def test_cue_conflict_of_fresh_pairs(expect, images):
    texture = pictures(4, seed=80, size=(6, 5))
    result = robustness.cue_conflict(images, texture, lambda image, style: 1.4 * image - style[:, :1, :1] / 2)
    expect(result, (1.4 * images - texture[:, :, :1, :1] / 2).clamp(0, 1), FORMULA)


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_of_many_trials(expect):
    three = [torch.randint(4, (300,), generator=seed(k)) for k in (1, 2, 3)]
    rows = [(p, s, t) for p, s, t in zip(*(x.tolist() for x in three), strict=True) if s != t and p in (s, t)]
    expect(robustness.shape_bias(*three), sum(p == s for p, s, _ in rows) / len(rows), FORMULA)
