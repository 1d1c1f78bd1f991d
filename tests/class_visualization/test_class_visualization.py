"""Class pictures: each check looks at the pictures that the network was called with."""

from itertools import pairwise

import pytest
import torch

from assignment2 import class_visualization as part2
from coursekit.checks.laws import assert_same_however_called, assert_zero_where_no_path
from coursekit.checks.randomness import seed
from coursekit.checks.recorder import Recorder
from coursekit.checks.small_networks import SIZE, Dead, Linear, Waves, seeded
from coursekit.checks.steps import along, assert_number_of_steps, offsets_of, path_of, roll_between

SIGMA = 0.7  # of the recorded blur


class FlatWaves(Linear):
    """The linear network, with its slope."""

    def slope(self, image, target):
        return self.head.weight.detach()[target].view_as(image).to(image)


class Plateau(FlatWaves):
    """Logits that rise no further after one step: from there on their gradient is zero."""

    level = 0.0

    def forward(self, images):
        return super().forward(images).clamp(max=self.level)

    def slope(self, image, target):
        return super().slope(image, target) * (self(image[None])[0, target] < self.level)


@pytest.fixture
def put_right_step(monkeypatch, right_step):
    """Put right siblings in the module: a step in a network that tells its slope, and clippings of nothing."""

    def put(network):
        teller = network.network if isinstance(network, Recorder) else network
        monkeypatch.setattr(part2, "zero_small_pixels", lambda image, fraction: image.clone())
        monkeypatch.setattr(part2, "zero_small_contributions", lambda image, gradient, fraction: image.clone())
        monkeypatch.setattr(
            part2, "ascent_step", right_step(lambda model, image, target: teller.slope(image, target), network)
        )

    return put


@pytest.mark.points(1, "class_visualization")
def test_start_is_grey_and_with_a_generator_noise_round_grey(expect, put_right_step, check_noise):
    """The start is grey 0.5; with a generator it is grey plus random noise."""
    model = Waves().eval()
    put_right_step(model)

    grey = part2.class_visualization(model, 1, num_steps=0, image_size=SIZE)
    noise = part2.class_visualization(model, 1, num_steps=0, image_size=SIZE, generator=seed(1))
    other = part2.class_visualization(model, 1, num_steps=0, image_size=SIZE, generator=seed(2))
    usual = part2.class_visualization(seeded(Dead()).float(), 1, num_steps=0)

    half = torch.full((3, *SIZE), 0.5, dtype=torch.float64)
    expect(grey, half, "num_steps 0 returns the start, grey 0.5")
    expect(usual, torch.full((3, 96, 96), 0.5), "image_size is 96 x 96 if nothing is said, in the model's dtype")
    expect(noise.mean(dim=0) > -1, torch.ones(SIZE, dtype=torch.bool), "a start of the same shape, from the generator")
    check_noise(noise, other)
    with torch.no_grad():
        model.heights[1] = 0
    settings = {"num_steps": 2, "image_size": SIZE, "l2_weight": 0.1}
    still = part2.class_visualization(model, 1, **settings)
    expect(still, half, "a class without a gradient: the picture stays grey")
    settings["contribution_fraction"] = 0.2
    assert_zero_where_no_path(expect, lambda blind: part2.class_visualization(blind, 1, **settings), half)


@pytest.mark.points(1, "class_visualization")
def test_every_step_goes_uphill_from_where_the_last_one_ended(expect, put_right_step):
    """Each step starts where the last one ended and follows the gradient, num_steps times."""
    network = Recorder(Waves()).eval()
    put_right_step(network)

    result = part2.class_visualization(network, 3, num_steps=4, image_size=SIZE, step_size=0.8, l2_weight=20.0)

    path = path_of(network, result)
    expect(path[0], torch.full((3, *SIZE), 0.5, dtype=torch.float64), "the first picture shown is grey")
    for number, (before, after) in enumerate(pairwise(path), 1):
        uphill = network.network.slope(before, 3) - 40.0 * (before - 0.5)
        formula = f"step {number}: uphill from there, by step_size, with l2_weight"
        expect(after, along(before, uphill, 0.8), formula, start=before)
    assert_number_of_steps(path, 4)


@pytest.mark.points(1, "class_visualization")
def test_picture_is_clamped_after_every_step(expect, put_right_step):
    """The picture is clamped to [0, 1] after every step, not only at the end."""
    network = Recorder(Waves()).eval()
    put_right_step(network)

    result = part2.class_visualization(network, 0, num_steps=5, image_size=SIZE, step_size=9.0)

    assert torch.equal(result, result.clamp(0, 1)), "the result leaves [0, 1]"
    path = path_of(network, result)
    for number, (before, after) in enumerate(pairwise(path), 1):
        stepped = along(before, network.network.slope(before, 0), 9.0)
        expect(after, stepped.clamp(0, 1), f"step {number}: uphill, then clamped to [0, 1]")
    assert_number_of_steps(path, 5)


@pytest.mark.points(1, "class_visualization")
def test_every_second_picture_is_blurred_after_its_step(expect, image, put_right_step, put_right_blur):
    """With blur_every = 2, the picture is blurred after every second step."""
    model = seeded(FlatWaves())
    put_right_step(model)
    blurred = put_right_blur(SIZE)
    one = along(torch.zeros_like(image), model.weights()[4], 0.6)  # a step, the same everywhere in a linear network

    result = part2.class_visualization(
        model, 4, num_steps=5, image_size=SIZE, step_size=0.6, blur_every=2, blur_sigma=SIGMA
    )

    formula = "five equal steps, blurred with blur_sigma after the second and the fourth"
    expect(result, 0.5 + one + blurred(2 * one + blurred(2 * one)), formula)
    model = seeded(Plateau())
    model.level = FlatWaves.forward(model, torch.full_like(image, 0.5)[None])[0, 4].item() + 0.01
    put_right_step(model)
    high = part2.class_visualization(
        model, 4, num_steps=2, image_size=SIZE, step_size=0.6, blur_every=2, blur_sigma=SIGMA
    )
    expect(
        high, 0.5 + blurred(one), "one step uphill; then the gradient is zero, and the picture is blurred all the same"
    )


@pytest.mark.points(1, "class_visualization")
def test_small_pixels_then_small_contributions_become_grey_after_the_blur(
    expect, monkeypatch, put_right_blur, right_step, replayed
):
    """After step and blur: first the smallest pixels become grey, then the smallest contributions."""
    model = Waves().eval()
    put_right_blur(SIZE)
    settings = {"blur_every": 1, "blur_sigma": SIGMA, "pixel_fraction": 0.3, "contribution_fraction": 0.45}

    with replayed(zero_small_pixels=0.3, zero_small_contributions=0.45):
        monkeypatch.setattr(
            part2, "ascent_step", right_step(lambda _, image, target: model.slope(image, target), model)
        )
        uphill = {"num_steps": 3, "image_size": SIZE, "step_size": 6.0, "l2_weight": 4.0}
        alone = {**settings, "blur_every": 3, "contribution_fraction": 0.0, "num_steps": 4}
        pixels = part2.class_visualization(model, 2, **{**uphill, **alone})
        expect.reference(pixels, "pixels alone", "small pixels become grey in every step, whether it blurs or not")
        result = part2.class_visualization(model, 2, **uphill, **settings)
        contributions = part2.class_visualization(model, 2, **uphill, contribution_fraction=0.45)

    formula = (
        "each step: uphill, blur, small pixels, small contributions by the logit's gradient before the step, clamp"
    )
    expect.reference(result, "result", formula)
    expect.reference(contributions, "contributions alone", "small contributions become grey, also without a blur")


@pytest.mark.points(1, "class_visualization")
def test_every_step_is_taken_on_a_picture_rolled_by_a_new_offset_and_rolled_back(expect, monkeypatch, put_right_step):
    """With jitter, each step acts on a picture rolled by a new random offset, then rolled back."""
    network = Recorder(seeded(FlatWaves()))
    put_right_step(network)

    result = part2.class_visualization(
        network, 1, num_steps=60, image_size=SIZE, step_size=0.02, jitter=2, generator=seed()
    )

    offsets = offsets_of(network, result, network.network.weights()[1], 0.02)
    assert len(offsets) == 60, f"the picture was moved {len(offsets)} times, expected num_steps = 60"
    for number, offset in enumerate(offsets, 1):
        inside = all(-2 <= side <= 2 for side in offset)
        assert inside, f"step {number} was taken on a picture rolled by {offset}, expected -2..2 from where it belongs"
    for axis, name in enumerate(("rows", "columns")):
        seen = sorted({offset[axis] for offset in offsets})
        assert seen == [-2, -1, 0, 1, 2], f"in 60 steps the picture was rolled by {seen} {name}, expected all of -2..2"
    assert any(dy != dx for dy, dx in offsets), "rows and columns are rolled by the same offset: draw one for each"
    network.shown.clear()
    result = part2.class_visualization(
        network, 1, num_steps=20, image_size=SIZE, step_size=0.02, jitter=2, generator=seed(1)
    )
    other = offsets_of(network, result, network.network.weights()[1], 0.02)
    assert other != offsets[:20], "another seed rolls the picture by the same offsets: draw them from generator"
    wide = Recorder(seeded(FlatWaves((48, 64))))
    put_right_step(wide)
    result = part2.class_visualization(
        wide, 1, num_steps=20, image_size=(48, 64), step_size=0.02, jitter=20, generator=seed()
    )
    offsets = offsets_of(wide, result, wide.network.slope(result, 1), 0.02)
    assert max(abs(side) for offset in offsets for side in offset) > 12, "jitter 20: all of -20..20 are as likely"
    check_slope_of_contributions(monkeypatch, put_right_step)


def check_slope_of_contributions(monkeypatch, put_right_step):
    """Hold one step with jitter to clipping by the slope at the picture that the step began with, the rolled one."""
    network, asked = Recorder(Waves()).eval(), []
    put_right_step(network)

    def clip_nothing(image, gradient, fraction):
        assert fraction == 0.45, f"zero_small_contributions was asked for {fraction}, expected contribution_fraction"
        asked.append((image.detach(), gradient.detach()))
        return image.clone()

    monkeypatch.setattr(part2, "zero_small_contributions", clip_nothing)
    for number in range(5):
        network.shown.clear()
        asked.clear()
        result = part2.class_visualization(
            network, 2, num_steps=1, image_size=SIZE, step_size=1.0, contribution_fraction=0.45, jitter=2,
            generator=seed(number),
        )  # fmt: skip
        starts = [image for batch in network.shown for image in batch]
        steps = [(along(image, slope, 1.0), slope) for image in starts for slope in [network.network.slope(image, 2)]]
        if asked:
            found = any(parallel(asked[-1], step) and roll_between(step[0].clamp(0, 1), result) for step in steps)
        else:  # a body that clips by itself
            moves = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)]
            found = any(small_ones_are_grey(result.roll(move, (1, 2)), *step) for step in steps for move in moves)
        assert found, "with jitter: small contributions by the logit's gradient at the rolled picture before the step"
    with torch.no_grad():
        network.network.heights[2] = 0
    asked.clear()
    flat = part2.class_visualization(
        network, 2, num_steps=1, image_size=SIZE, contribution_fraction=0.45, generator=seed()
    )
    grey = int((flat == 0.5).all(dim=0).sum())
    assert asked or grey == 52, "where the gradient is zero, contribution_fraction of the pixels become grey too"


def parallel(asked, step):
    """Say whether a sibling was asked about the stepped picture and a gradient of the slope's direction."""
    (image, gradient), (end, slope) = asked, step
    return torch.allclose(image, end) and torch.allclose(gradient / gradient.norm(), slope / slope.norm())


def small_ones_are_grey(result, end, slope):
    """Say whether result is end, clamped, with the 52 of its 9 x 13 pixels grey that say least along slope."""
    grey = (result == 0.5).all(dim=0)
    said = ((end - 0.5) * slope).sum(dim=0).abs()
    kept = torch.allclose(result[:, ~grey], end.clamp(0, 1)[:, ~grey])
    return int(grey.sum()) == 52 and kept and bool(said[grey].max() < said[~grey].min())


@pytest.mark.points(1, "class_visualization")
def test_class_visualization_leaves_no_trace_and_repeats(expect, image, put_right_step, check_no_trace):
    """The network and its gradients are unchanged, and the same seed gives the same picture."""
    model = Waves().eval()
    put_right_step(model)
    settings = {"num_steps": 3, "image_size": SIZE, "contribution_fraction": 0.2, "jitter": 3}

    def call(network):
        return part2.class_visualization(network, 1, generator=seed(), **settings)

    check_no_trace(call, model)
    assert_same_however_called(expect, lambda network, _: call(network), model, image)
    with expect.unchanged(model=model):
        part2.class_visualization(model, 1, num_steps=1, image_size=SIZE)  # without a generator nothing is drawn
    single = Waves().float().eval()
    expect(call(lambda x: single(x)), call(single), "the same result for a function that calls the network")
