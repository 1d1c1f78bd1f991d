"""Stylized training images: a random fraction is repainted, each image in a random style."""

import pytest
import torch
from torch import nn

from assignment2 import style_transfer as part5
from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.randomness import distance_from_uniform, seed
from coursekit.checks.small_networks import SIZE, pictures


@pytest.fixture
def labels():
    return torch.tensor([4, 0, 2, 2, 1, 3, 0, 4, 1, 3])


@pytest.fixture
def styles():
    """Three styles, each with a size and a level of its own."""
    return [0.1 * (i + 1) + 0 * pictures(1, size=(3 + i, 4))[0] for i in range(3)]


class Mark:
    """A transfer that remembers what it was given, and answers image / 2 + the level of the style."""

    def __init__(self, styles):
        self.styles, self.calls = styles, []

    def __call__(self, image, style):
        assert image.shape == (3, *SIZE), (
            f"transfer was given an image of shape {tuple(image.shape)}, expected (3, H, W)"
        )
        assert any(style is s or (style.shape == s.shape and torch.equal(style, s)) for s in self.styles), (
            f"transfer was given a style of shape {tuple(style.shape)}, expected one of styles, (3, h, w)"
        )
        assert torch.is_grad_enabled(), "transfer ran under no_grad: one that descends needs gradients"
        self.calls.append((image.detach().clone(), style.shape[1] - 3))
        return image / 2 + style.mean()


@pytest.mark.points(1, "stylize")
def test_every_image_is_repainted_in_its_place_and_keeps_its_label(expect, labels, styles):
    """Each image is repainted by one call transfer(image, style); order and labels stay."""
    images, mark = pictures(10), Mark(styles)

    with expect.kept(images=images, labels=labels):
        result, new_labels = part5.stylize(images, labels, styles[1:2], mark)

    expect(result, images / 2 + 0.2, "transfer(image, style), each in its image's place")
    expect(new_labels, labels, "the labels of the images: a style changes nothing about what is there")
    assert len(mark.calls) == 10, f"transfer was called {len(mark.calls)} times for 10 images"
    odd, _ = part5.stylize(strided(images), labels, styles[1:2], Mark(styles))
    expect(odd, result, ANY_STRIDES)
    one, _ = part5.stylize(images[:1], labels[:1], styles[1:2], Mark(styles))
    expect(one, result[:1], "one image gives (1, 3, H, W)")


@pytest.mark.points(1, "stylize")
def test_a_random_share_is_repainted_each_in_a_random_style(expect, labels, styles):
    """round(fraction * N) random images are repainted, each in a random style from the generator."""
    images = pictures(10)
    seen, used, places = set(), set(), set()
    for number in range(10):
        for fraction, count in (0.0, 0), (0.3, 3), (0.58, 6), (1.0, 10), (0.14, 1), (0.25, 2):
            mark = Mark(styles)

            result, new_labels = part5.stylize(images, labels, styles, mark, fraction=fraction, generator=seed(number))

            changed = [i for i in range(10) if not torch.equal(result[i], images[i])]
            assert mark.calls or not changed, "no image was repainted, but the images changed: keep them in their order"
            assert len(changed) == count, (
                f"{len(changed)} of 10 images were repainted, expected {count}: round({fraction} * N)"
            )
            assert len(mark.calls) == count, f"transfer was called {len(mark.calls)} times for {count} repainted images"
            levels = {i: round(((result[i] - images[i] / 2).mean() * 10).item()) for i in changed}
            for i, level in levels.items():
                expect(result[i], images[i] / 2 + 0.1 * level, "each repainted image in one of the styles")
            expect(new_labels, labels, "all labels stay")
            seen.add(tuple(changed) if fraction == 0.3 else None)
            places.update(changed if fraction < 1 else ())
            used.add(tuple(levels.values()) if fraction == 1.0 else None)
    drawn = {levels for levels in used if levels}
    assert any(len(set(levels)) > 1 for levels in drawn), "all images get one style: draw one for each"
    assert len(seen) > 4 or len(drawn) > 4, "other seeds give the very same pictures: draw from the generator"
    assert seen != {None, (0, 1, 2)}, "it is always the first images that are repainted: draw the places"
    runs = [sum((i + 1) % 10 not in chosen for i in chosen) == 1 for chosen in seen if chosen]
    assert not all(runs), "the repainted images always lie side by side: draw each place"
    assert len(seen) > 4, "other seeds choose the same images: draw the places from the generator"
    assert len(drawn) > 6, "other seeds choose the same styles: draw a style for every image from the generator"
    assert {level for levels in drawn for level in levels} == {1, 2, 3}, "some of the styles are never drawn"
    assert len(places) == 10, "some images are never repainted: every place may be drawn"
    check_all_equally_likely()
    again = [part5.stylize(images, labels, styles, Mark(styles), fraction=0.5, generator=seed(3))[0] for _ in range(2)]
    expect(again[1], again[0], "the same seed gives the same pictures", tolerance=0)
    one = seed(3)
    first, second = (
        part5.stylize(images, labels, styles, Mark(styles), fraction=0.5, generator=one)[0] for _ in range(2)
    )
    assert not torch.equal(first, second), (
        "two calls with one generator draw the same: take the draws from the generator itself, not from a copy of it"
    )


class TheStyle(nn.Module):
    """A transfer that answers the style. (A network travels to where the function runs, a function would be called back.)"""

    def forward(self, _image, style):
        return style


def check_all_equally_likely():
    """Hold 600 dots to places and styles that are drawn one by one and equally likely."""
    dots, styles = (
        torch.zeros(600, 3, 1, 1).double(),
        [torch.full((3, 1, 1), value).double() for value in (0.25, 0.5, 0.75)],
    )
    result, _ = part5.stylize(dots, torch.zeros(600).long(), styles, TheStyle(), fraction=0.5, generator=seed(5))
    style = (4 * result[:, 0, 0, 0]).round()
    uneven = distance_from_uniform(style.nonzero().flatten() / 600)
    assert uneven < 0.15, "which images are repainted: all places are equally likely"
    chosen = style > 0
    pairs = chosen[:-1] & chosen[1:]
    side_by_side = pairs.double().mean().item()
    assert abs(side_by_side - 0.25) < 0.1, (
        f"two neighbours are repainted in {side_by_side:.0%}, expected 25%: draw each place"
    )
    shares = style[chosen].long().bincount(minlength=4)[1:] / 300
    assert bool(((shares - 1 / 3).abs() < 0.13).all()), "every style is equally likely"
    alike = (style[:-1] == style[1:])[pairs].double().mean().item()
    assert abs(alike - 1 / 3) < 0.16, (
        f"neighbours get the same style in {alike:.0%}, expected 33%: draw each style alone"
    )


@pytest.mark.points(1, "stylize")
def test_stylize_leaves_no_trace(expect, labels, styles):
    """The arguments are unchanged, and the results are new, detached tensors."""
    for fraction, kinds, generator in (0.0, 3, seed(1)), (0.5, 3, seed(1)), (1.0, 1, None):
        images = pictures(10).float().requires_grad_()
        weight = torch.ones((), requires_grad=True)

        with expect.unchanged(images=images, labels=labels):
            new_images, new_labels = part5.stylize(
                images,
                labels,
                styles[:kinds],
                lambda image, style: image * weight / 2 + style.mean().float(),  # noqa: B023
                fraction=fraction,
                generator=generator,
            )

        assert not new_images.requires_grad, "the result is still joined to the autograd graph: detach it"
        assert new_images.dtype == torch.float32, f"the images became {new_images.dtype}: keep their dtype"
        expect.new(new_images, images=images)
        expect.new(new_labels, labels=labels)
