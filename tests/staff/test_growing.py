"""Class pictures from small to large, layers for style transfer, and photographs of textures."""

import pytest
import torch

from assignment2 import class_visualization as part2
from coursekit.vision import load_model, photographs
from coursekit.vision.growing import center_window, colour_covariance, grow, natural_step, stretched
from coursekit.vision.layers import map_layers, style_layers
from coursekit.vision.photos import read_textures


def test_a_step_without_decay_and_colour_is_left_as_it_is():
    step = torch.randn(3, 12, 17, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    same = natural_step(step, torch.eye(3), decay=0.0, colour=0.0)

    torch.testing.assert_close(same, step)


def test_decay_multiplies_a_wave_by_a_power_of_its_frequency():
    wave = (
        (2 * torch.pi * 4 * torch.arange(32, dtype=torch.float64) / 32).sin().expand(3, 24, 32)
    )  # 4 cycles of 32 pixels

    smoother = natural_step(wave, torch.eye(3), decay=0.5, colour=0.0)

    torch.testing.assert_close(smoother, wave * (4 / 32) ** -0.5)


def test_photographs_bind_the_colours_of_a_step():
    covariance = colour_covariance(photographs((32, 32)).images)
    red = torch.zeros(3, 8, 8)
    red[0] = 1.0

    bound = natural_step(red, covariance, decay=0.0, colour=1.0)

    assert covariance.trace().item() == pytest.approx(3)
    torch.testing.assert_close(covariance, covariance.T)
    assert (bound[1:] > 0.5 * bound[:1]).all(), "in photographs green and blue rise with red"


def test_the_window_is_largest_in_the_middle_and_symmetric():
    window = center_window((9, 13))

    assert window.argmax() == 4 * 13 + 6
    assert window.max() == 1
    torch.testing.assert_close(window, window.flip(0, 1))


def test_stretching_keeps_grey_and_sets_the_contrast():
    picture = 0.5 + 0.01 * torch.randn(3, 40, 40, generator=torch.Generator().manual_seed(0))

    assert stretched(picture).std().item() == pytest.approx(0.17, abs=0.005)
    assert (stretched(torch.full((3, 4, 4), 0.5)) == 0.5).all()


def test_a_picture_grows_until_the_network_is_sure():
    model = load_model("tiny_vgg")
    colours = colour_covariance(photographs((32, 32)).images)

    painted = grow(part2.ascent_step, part2.blur, model, 12, colours, stages=((96, 30),))

    assert painted.shape == (3, 96, 96)
    assert painted.min() >= 0
    assert painted.max() <= 1
    assert model(painted[None]).softmax(1)[0, 12] > 0.9


def test_style_layers_of_the_real_network_are_its_first_blocks():
    style, content, depths = style_layers(load_model("efficientnet_lite0"))

    assert style == ("features.0", "features.1", "features.2", "features.3", "features.5")
    assert content == ("features.3",)
    assert (depths[0], depths[-1]) == ("features.0", "features.18")


def test_style_layers_of_any_network_are_layers_with_maps():
    model = load_model("tiny_resnet")

    assert set(sum(style_layers(model), ())) <= set(map_layers(model))


def test_three_textures_are_installed():
    textures = read_textures((40, 60))

    assert set(textures) == {"brick", "grass", "gravel"}
    assert all(
        texture.shape == (3, 40, 60) and 0 <= texture.min() <= texture.max() <= 1 for texture in textures.values()
    )
