"""Photos and plots: any image file becomes (3, H, W) in [0, 1], and what a notebook draws is what it was given."""

from __future__ import annotations

import warnings

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.errors import UsageError
from coursekit.vision.photos import load_photo
from coursekit.vision.plots import overlay, show_grid, signed

mpl.use("Agg")


def test_an_rgb_file_is_its_pixels_over_255(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")

    photo = load_photo(tmp_path / "a.png")

    assert photo.shape == (3, 5, 7)
    assert photo.dtype == torch.float32
    assert torch.equal(photo, torch.from_numpy(pixels).permute(2, 0, 1) / 255)


def test_the_cameras_rotation_is_applied(tmp_path):
    picture = Image.new("RGB", (4, 2), "black")
    picture.putpixel((0, 0), (255, 255, 255))
    exif = picture.getexif()
    exif[0x0112] = 6  # turn a quarter clockwise to show
    picture.save(tmp_path / "a.png", exif=exif)

    photo = load_photo(tmp_path / "a.png")

    assert photo.shape == (3, 4, 2)
    assert photo[:, 0, 1].tolist() == [1, 1, 1]


def test_transparency_is_laid_on_white(tmp_path):
    Image.new("RGBA", (3, 3), (200, 0, 0, 0)).save(tmp_path / "rgba.png")
    Image.new("LA", (3, 3), (0, 0)).save(tmp_path / "la.png")
    palette = Image.new("P", (3, 3), 0)
    palette.putpalette([10, 20, 30])
    palette.save(tmp_path / "p.png", transparency=0)

    for name in ("rgba.png", "la.png", "p.png"):
        assert torch.equal(load_photo(tmp_path / name), torch.ones(3, 3, 3)), name


def test_cmyk_grey_and_sixteen_bits_become_rgb(tmp_path):
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "red.tif")
    Image.new("L", (4, 4), 51).save(tmp_path / "grey.png")
    Image.fromarray(np.full((4, 4), 13107, dtype=np.uint16)).save(tmp_path / "deep.png")

    red, grey, deep = (load_photo(tmp_path / name) for name in ("red.tif", "grey.png", "deep.png"))

    assert red[:, 0, 0].tolist() == pytest.approx([1, 0, 0], abs=0.02)
    assert torch.allclose(grey, torch.full((3, 4, 4), 0.2))
    assert torch.allclose(deep, torch.full((3, 4, 4), 0.2)), "13107 of 65535 is a fifth"


def test_a_huge_photo_is_shrunk_and_says_so(tmp_path):
    Image.new("RGB", (300, 100), "red").save(tmp_path / "a.png")

    with pytest.warns(UserWarning, match="100 x 300 to 20 x 60"):
        photo = load_photo(tmp_path / "a.png", max_side=60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_photo(tmp_path / "a.png", max_side=300)

    assert photo.shape == (3, 20, 60)


def test_unreadable_files_are_usage_errors(tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    Image.new("RGB", (64, 64), "red").save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])

    with pytest.raises(UsageError, match="does not exist"):
        load_photo(tmp_path / "absent.png")
    for name in ("text.jpg", "half.png", "."):
        with pytest.raises(UsageError, match="cannot be read"):
            load_photo(tmp_path / name)
    with pytest.raises(ValueError, match="max_side is 0"):
        load_photo(tmp_path / "whole.png", max_side=0)


def test_signed_puts_zero_at_grey_and_keeps_the_order():
    gradient = torch.linspace(-2, 2, 3 * 4 * 5).view(1, 3, 4, 5).repeat(2, 1, 1, 1)
    gradient[1] = 0

    shown = signed(gradient)

    assert shown.shape == gradient.shape
    assert torch.equal(shown[1], torch.full((3, 4, 5), 0.5))
    assert (shown[0].flatten().diff() >= 0).all()
    assert shown.min() == 0
    assert shown.max() == 1
    assert torch.equal(signed(gradient[0]), shown[0])


def test_signed_shows_one_single_value_among_zeros():
    gradient = torch.zeros(3, 40, 40)
    gradient[0, 0, 0] = -3.0

    assert signed(gradient)[0, 0, 0] == 0


def test_overlay_is_the_grey_picture_where_the_heat_is_zero():
    image, heat = torch.rand(2, 3, 6, 8), torch.zeros(2, 6, 8)
    heat[:, 2, 3] = 1

    shown = overlay(image, heat)

    assert shown.shape == image.shape
    assert torch.allclose(shown[:, :, 0, 0], image[:, :, 0, 0].mean(1, keepdim=True).expand(2, 3))
    assert not torch.allclose(shown[:, :, 2, 3], image[:, :, 2, 3].mean(1, keepdim=True).expand(2, 3))
    with pytest.raises(ValueError, match="heat"):
        overlay(image, heat[0])


def test_show_grid_draws_pictures_and_maps():
    import matplotlib.pyplot as plt

    show_grid(torch.rand(5, 3, 6, 8), titles=list("abcde"), columns=3)
    figure = plt.gcf()

    assert [axis.get_title() for axis in figure.axes][:5] == list("abcde")
    assert sum(len(axis.images) for axis in figure.axes) == 5
    show_grid(torch.rand(2, 6, 8))
    show_grid([torch.rand(3, 6, 8), torch.rand(5, 5)])
    plt.close("all")
    with pytest.raises(ValueError, match="2 titles for 3 images"):
        show_grid(torch.rand(3, 3, 6, 8), titles=["a", "b"])
    with pytest.raises(ValueError, match="shape"):
        show_grid(torch.rand(1, 2, 6, 8))
    plt.close("all")
