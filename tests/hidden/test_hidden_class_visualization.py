"""Part 2, hidden: fresh pictures and other networks for the same functions. Staff only."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignment2 import class_visualization as part2
from coursekit.checks.small_networks import pictures, seeded

SIZE = (8, 11)
FORMULA = "the docstring's definition, on another picture and another network"


class Smooth(nn.Module):
    """A network without kinks, so that a step is the same to the last digits on every machine."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.mix = nn.Conv2d(4, 6, 3)
        self.head = nn.Linear(6, 4)

    def forward(self, images):
        return self.head(torch.tanh(self.mix(torch.tanh(self.stem(images - 0.5)))).mean((2, 3)))


def right_step(model, image, target, *, step_size, l2_weight):
    image = image.detach().requires_grad_()
    score = model(image[None])[0, target] - l2_weight * (image - 0.5).square().sum()
    (slope,) = torch.autograd.grad(score, image)
    return (image + step_size * slope / slope.norm()).detach()


def right_blur(image, sigma):
    radius = math.ceil(3 * sigma)
    bell = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=image.dtype) / sigma) ** 2)
    bell = bell / bell.sum()
    wide = F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")
    return F.conv2d(wide, (bell[:, None] * bell)[None, None])[:, 0]


def greyed(image, measure, fraction):
    """Grey where the measure is among the smallest."""
    order = measure.flatten().argsort()[: int(fraction * measure.numel())]
    return image.detach().flatten(1).index_fill(1, order, 0.5).view(image.shape)


def right_small_pixels(image, fraction):
    return greyed(image, (image - 0.5).norm(dim=0), fraction)


def right_small_contributions(image, gradient, fraction):
    return greyed(image, ((image - 0.5) * gradient).sum(dim=0).abs(), fraction)


@pytest.fixture(autouse=True)
def right_siblings(request, monkeypatch):
    """Where one exercise is built from another, put a right one in its place, so that nobody pays twice."""
    if request.node.get_closest_marker("points").args[1] in ("class_visualization", "maximize_activation"):
        monkeypatch.setattr(part2, "ascent_step", right_step)
        monkeypatch.setattr(part2, "blur", right_blur)
        monkeypatch.setattr(part2, "zero_small_pixels", right_small_pixels)
        monkeypatch.setattr(part2, "zero_small_contributions", right_small_contributions)


@pytest.fixture
def model():
    return seeded(Smooth(), seed=33)


@pytest.fixture
def image():
    return pictures(1, seed=61, size=SIZE)[0]


@pytest.mark.points(2, "ascent_step")
def test_step_on_a_fresh_picture(expect, model, image):
    for target, l2_weight in (0, 0.0), (3, 0.02):
        step = part2.ascent_step(model, image, target, step_size=0.4, l2_weight=l2_weight)
        expect.reference(step, f"class {target}", FORMULA)


@pytest.mark.points(1, "blur")
def test_blur_of_a_fresh_picture(expect, image):
    expect.reference(part2.blur(image, 1.1), "1.1", FORMULA, tolerance=0.02)
    expect.reference(part2.blur(image, 0.6), "0.6", FORMULA, tolerance=0.02)


@pytest.mark.points(1, "zero_small_pixels")
def test_small_pixels_of_a_fresh_picture(expect, image):
    for fraction in 0.27, 0.5, 0.73:
        expect.reference(part2.zero_small_pixels(image, fraction), f"{fraction}", FORMULA)


@pytest.mark.points(1, "zero_small_contributions")
def test_small_contributions_of_a_fresh_picture(expect, image):
    gradient = pictures(1, seed=62, size=SIZE)[0] - 0.5
    for fraction in 0.27, 0.5, 0.73:
        expect.reference(part2.zero_small_contributions(image, gradient, fraction), f"{fraction}", FORMULA)


@pytest.mark.points(3, "class_visualization")
def test_class_pictures_from_grey(expect, model):
    for target, settings in (1, {"l2_weight": 0.01}), (2, {"pixel_fraction": 0.2, "contribution_fraction": 0.15}):
        picture = part2.class_visualization(model, target, num_steps=4, image_size=SIZE, step_size=0.9, **settings)
        expect.reference(picture, f"class {target}", FORMULA)


@pytest.mark.points(1, "class_visualization")
def test_jitter_and_noise_follow_the_generator(model):
    def paint(seed):
        generator = torch.Generator().manual_seed(seed)
        return part2.class_visualization(model, 0, num_steps=3, image_size=SIZE, jitter=2, generator=generator)

    assert torch.equal(paint(5), paint(5)), "the same seed gives another picture: draw from the generator alone"
    assert not torch.equal(paint(5), paint(6)), "another seed gives the same picture: draw from the generator"


@pytest.mark.points(2, "maximize_activation")
def test_pictures_for_other_layers(expect, model):
    for layer, channel in ("mix", 5), ("head", 2):
        picture = part2.maximize_activation(
            model, layer, channel, num_steps=3, image_size=SIZE, step_size=0.7, l2_weight=0.01
        )
        expect.reference(picture, layer, FORMULA)
