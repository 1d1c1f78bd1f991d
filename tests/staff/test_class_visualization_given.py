"""Part 2: what is refused before a student's function runs, the given start, and agreement with scipy's Gaussian."""

import pytest
import torch
from torch import nn

from assignment2 import class_visualization as part2
from coursekit.checks.small_networks import SIZE, Linear, SmallConvNet, pictures, seeded

IMAGE = pictures(1)[0]
STEP = {"step_size": 1.0, "l2_weight": 0.0}
LOOP = {"num_steps": 1, "image_size": SIZE}

BAD = {
    "a batch for a picture": (lambda m: part2.ascent_step(m, IMAGE[None], 0, **STEP), "image has shape"),
    "whole numbers": (lambda m: part2.ascent_step(m, (IMAGE * 255).to(torch.uint8), 0, **STEP), "use image.float"),
    "a class that is not there": (lambda m: part2.ascent_step(m, IMAGE, 5, **STEP), "has 5 classes"),
    "a negative class": (lambda m: part2.class_visualization(m, -1, **LOOP), "target is -1"),
    "no step size": (lambda m: part2.ascent_step(m, IMAGE, 0, step_size=0.0, l2_weight=0.0), "step_size is 0.0"),
    "a negative penalty": (lambda m: part2.class_visualization(m, 0, l2_weight=-1.0, **LOOP), "l2_weight is -1.0"),
    "a negative sigma": (lambda m: part2.blur(IMAGE, -0.5), "sigma is -0.5"),
    "an endless sigma": (lambda m: part2.blur(IMAGE, float("inf")), "sigma is inf"),
    "per cent for a fraction": (lambda m: part2.zero_small_pixels(IMAGE, 30), "fraction is 30, expected 0 to 1"),
    "another gradient": (lambda m: part2.zero_small_contributions(IMAGE, IMAGE[:, 1:], 0.5), "gradient has shape"),
    "negative steps": (lambda m: part2.class_visualization(m, 0, num_steps=-1), "num_steps is -1"),
    "half a blur": (lambda m: part2.class_visualization(m, 0, blur_every=0.5, **LOOP), "blur_every is 0.5"),
    "jitter without a generator": (lambda m: part2.class_visualization(m, 0, jitter=2, **LOOP), "no generator"),
    "a seed for a generator": (lambda m: part2.class_visualization(m, 0, generator=3, **LOOP), "manual_seed"),
    "an unknown layer": (lambda m: part2.maximize_activation(m, "features.60", 0, **LOOP), "near names: features.6"),
    "a channel too far": (lambda m: part2.maximize_activation(m, "features.6", 5, **LOOP), "channel 5 is outside"),
    "train mode": (lambda m: part2.class_visualization(m.train(), 0, **LOOP), r"call model.eval\(\)"),
    "probabilities": (
        lambda m: part2.class_visualization(nn.Sequential(m, nn.Softmax(1)).eval(), 0, **LOOP),
        "without softmax",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_is_refused_with_its_value(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call(seeded(SmallConvNet()))


def test_the_start_follows_the_network_and_the_generator():
    model = seeded(Linear())

    grey = part2.start_picture(model.half(), (4, 6), None)
    noise = part2.start_picture(model.double(), (40, 60), torch.Generator().manual_seed(0))

    assert grey.dtype == torch.float16
    assert grey.unique().tolist() == [0.5]
    assert noise.dtype == torch.float64
    assert abs(noise.std().item() - part2.NOISE) < 0.01
    assert part2.start_picture(lambda x: x, (4, 6), None).dtype == torch.float32


@pytest.mark.parametrize("sigma", [0.5, 0.7, 2.0])
def test_blur_agrees_with_scipy(sigma):
    ndimage = pytest.importorskip("scipy.ndimage")
    radius = -int(-3 * sigma // 1)

    theirs = ndimage.gaussian_filter(IMAGE.numpy(), (0, sigma, sigma), mode="nearest", radius=(0, radius, radius))

    torch.testing.assert_close(part2.blur(IMAGE, sigma), torch.from_numpy(theirs))
