"""Photos and plots: any image file becomes (3, H, W) in [0, 1], and what a notebook draws is what it was given."""

from __future__ import annotations

import struct
import warnings
import zlib

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.errors import UsageError
from coursekit.vision.photos import load_photo, read_photos
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


def test_a_camera_photo_of_24_megapixels_is_shrunk_said_and_upright(tmp_path):
    picture = Image.new("RGB", (6000, 4000), "blue")
    picture.paste("red", (0, 0, 3000, 4000))
    exif = picture.getexif()
    exif[0x0112] = 3  # upside down
    picture.save(tmp_path / "a.jpg", exif=exif)

    with pytest.warns(UserWarning, match=r"a.jpg: shrunk from 4000 x 6000 to 341 x 512 \(max_side=512\)"):
        photo = load_photo(tmp_path / "a.jpg")

    assert photo.shape == (3, 341, 512)
    assert photo[:, 170, 500].tolist() == pytest.approx([1, 0, 0], abs=0.02), "the red half is now on the right"


def test_cmyk_of_a_camera_and_of_a_print_shop_become_rgb(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "red.jpg", quality=95)

    assert load_photo(tmp_path / "red.jpg")[:, 8, 8].tolist() == pytest.approx([1, 0, 0], abs=0.03)


def sixteen_bit_png(path, pixels):
    """Write (H, W, C) uint16 as a PNG of 16 bits a channel, which Pillow reads but cannot write."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def test_sixteen_bits_a_channel_are_scaled_and_not_clipped(tmp_path):
    sixteen_bit_png(tmp_path / "rgb.png", np.full((4, 5, 3), (0, 13107, 65535), dtype=np.uint16))
    sixteen_bit_png(tmp_path / "rgba.png", np.full((4, 5, 4), (0, 13107, 65535, 0), dtype=np.uint16))
    Image.fromarray(np.full((4, 5), 200, dtype=np.uint16)).save(tmp_path / "dark.tif")

    rgb, rgba, dark = (load_photo(tmp_path / name) for name in ("rgb.png", "rgba.png", "dark.tif"))

    assert rgb[:, 0, 0].tolist() == pytest.approx([0, 0.2, 1], abs=0.005)
    assert torch.equal(rgba, torch.ones(3, 4, 5)), "all transparent, on white"
    assert torch.allclose(dark, torch.full((3, 4, 5), 200 / 65535)), "a dark picture stays dark"


def test_photographs_of_a_folder_join_the_installed_ones(tmp_path, monkeypatch):
    Image.new("RGB", (40, 20), "red").save(tmp_path / "mine.PNG")
    (tmp_path / "notes.txt").write_text("no photograph")

    installed = read_photos((12, 16))
    monkeypatch.setenv("PHOTOS", str(tmp_path))
    with pytest.warns(UserWarning, match="shrunk"):
        photos = read_photos((12, 16))

    assert list(photos) == [*installed, "mine"]
    assert all(photo.shape == (3, 12, 16) and photo.min() >= 0 and photo.max() <= 1 for photo in photos.values())
    assert photos["mine"][:, 6, 8].tolist() == pytest.approx([1, 0, 0])
    for folder in (tmp_path / "absent", tmp_path / "notes.txt"):
        with pytest.raises(UsageError, match="holds no photograph"):
            read_photos((12, 16), folder=folder)


def test_a_folder_beside_the_readme_is_found_from_the_notebooks_folder(tmp_path, monkeypatch):
    (tmp_path / "holidays").mkdir()
    (tmp_path / "notebooks").mkdir()
    Image.new("RGB", (16, 12), "red").save(tmp_path / "holidays" / "mine.png")
    monkeypatch.setattr("coursekit.vision.photos.ROOT", tmp_path)
    monkeypatch.setenv("PHOTOS", "holidays")
    monkeypatch.chdir(tmp_path / "notebooks")  # where Jupyter runs them

    assert "mine" in read_photos((12, 16))


def test_unreadable_files_are_usage_errors(tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    Image.new("RGB", (64, 64), "red").save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])

    with pytest.raises(UsageError, match="does not exist"):
        load_photo(tmp_path / "absent.png")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 64)
    for name in ("text.jpg", "half.png", "empty.jpg", "photo.heic", "."):
        with pytest.raises(UsageError, match="cannot be read") as error:
            load_photo(tmp_path / name)
        assert "\n" not in str(error.value)
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
