"""Part 2. Each check is a sentence about a function of assignment2/class_visualization.py, in float64, H unlike W.

Where a function takes steps, the check looks at the pictures that the network was shown on the way.
"""

import contextlib
import functools
from copy import deepcopy
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignment2 import class_visualization as part2
from coursekit.grading.harmless import (
    assert_lets_errors_through,
    assert_no_trace,
    assert_same_however_called,
    used_network,
)
from coursekit.grading.networks import (
    NUM_CLASSES,
    SIZE,
    Boom,
    Dead,
    Linear,
    SmallConvNet,
    broken,
    numbers,
    pictures,
    seeded,
)
from coursekit.grading.recorder import Recorder

IMAGE = pictures(1)[0]
SMALL = (4, 6)  # (H, W) where a check tries every pixel in turn
SIGMA = 0.7


@pytest.fixture(autouse=True)
def fresh_picture():
    """Fresh picture for every check: a wrong answer may have changed the last one."""
    global IMAGE
    IMAGE = pictures(1)[0]


class Waves(nn.Module):
    """Logits that are sums of sines of the pixels: not linear, and the slope is known by hand at every picture."""

    def __init__(self, size=SIZE):
        super().__init__()
        self.heights = nn.Parameter(torch.empty(NUM_CLASSES, 3, *size))
        self.heights.data = numbers(NUM_CLASSES, 3, *size, seed=7)

    def forward(self, images):
        return (self.heights * torch.sin(2 * images[:, None])).flatten(2).sum(2)

    def slope(self, image, target):
        return 2 * self.heights.detach()[target] * torch.cos(2 * image)


class FlatWaves(Linear):
    """The linear network, with its slope."""

    def slope(self, image, target):
        return self.weights()[target].to(image)


class Looking(nn.Module):
    """Two convolutions with in-place ReLUs and two linear layers, for pictures of 4 x 6."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(True), nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3), nn.ReLU(True)
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(3 * 2 * 4, 6), nn.ReLU(True), nn.Linear(6, NUM_CLASSES))

    def forward(self, images):
        return self.head(self.features(images))


def along(image, direction, distance):
    """Go a distance from a picture in a direction."""
    length = direction.norm().item()
    return image + distance / length * direction if length else image.clone()


def right_step(slope, network):
    """Give a right `ascent_step` for a network whose slope is known."""

    def ascent_step(model, image, target, *, step_size, l2_weight):
        mark = len(network.shown) if isinstance(network, Recorder) else 0
        model(image[None])
        uphill = slope(model, image, target).to(image) - 2 * l2_weight * (image - 0.5)
        if isinstance(network, Recorder):
            network.shown[mark + 1 :] = []  # what was tried to find the slope is not a step
        return along(image, uphill, step_size)

    return ascent_step


def put_right_step(monkeypatch, network):
    """Put right siblings in the module: a step in a network that tells its slope, and clippings of nothing."""
    teller = network.network if isinstance(network, Recorder) else network
    monkeypatch.setattr(part2, "zero_small_pixels", lambda image, fraction: image.clone())
    monkeypatch.setattr(part2, "zero_small_contributions", lambda image, gradient, fraction: image.clone())
    monkeypatch.setattr(
        part2, "ascent_step", right_step(lambda model, image, target: teller.slope(image, target), network)
    )


def put_right_blur(expect, monkeypatch, size):
    """Put a right `blur` in the module: what one lit row and one lit column become was recorded, the rest is a product."""

    def spread(length):
        lit = torch.eye(length, dtype=torch.float64)[:, None, :, None].expand(-1, 3, -1, 2)
        blurred = (
            [part2.blur(rows.contiguous(), SIGMA)[0, :, 0] for rows in lit] if expect.recording is not None else None
        )
        return expect.remember(None if blurred is None else torch.stack(blurred, dim=1), f"blurred rows of {length}")

    rows, columns = spread(size[0]), spread(size[1])

    def blur(image, sigma):
        assert sigma == SIGMA, f"blur was asked for sigma {sigma}, expected blur_sigma, which is {SIGMA}"
        return (rows.to(image) @ image @ columns.to(image).mT).detach()

    monkeypatch.setattr(part2, "blur", blur)
    return lambda image: blur(image, SIGMA)


@contextlib.contextmanager
def replayed(expect, monkeypatch, **fractions):
    """Put right siblings in the module: each answers what the recorded one answered to the same picture."""
    logs = {name: [] for name in fractions}
    for name, fraction in fractions.items():
        stored = None if expect.recording is not None else expect.remember(None, name)
        monkeypatch.setattr(part2, name, _answer(expect, name, fraction, logs[name], stored))
    yield
    if expect.recording is not None:
        for name, log in logs.items():
            expect.remember(torch.stack([torch.stack(entry) for entry in log]), name)


def _answer(expect, name, wanted, log, stored):
    sibling = getattr(part2, name)

    def answer(image, gradient=None, fraction=None):
        if name == "zero_small_pixels" and fraction is None:
            gradient, fraction = None, gradient  # (image, fraction)
        given = [image.detach()] if gradient is None else [image.detach(), gradient.detach() / gradient.norm()]
        if stored is None:
            result = sibling(*(value for value in (image, gradient, fraction) if value is not None))
            log.append([*given, result])
            return result
        assert fraction == wanted, f"{name} was asked for the fraction {fraction}, expected {wanted}"
        log.append(given)
        for *inputs, output in stored:
            if all(torch.allclose(mine, right, atol=1e-5) for mine, right in zip(given, inputs, strict=True)):
                return output.to(image)
        place = min(len(log), len(stored)) - 1
        for mine, right in zip(given, stored[place], strict=False):
            expect(mine, right, f"what {name} is given in step {place + 1}: mind the order of the operations")
        raise AssertionError(f"{name} was given other pictures than the steps before it leave")

    return answer


def path_of(recorder, result):
    """Return the pictures that the network was shown, one after another, the result last."""
    shown = [image for batch in recorder.distinct() for image in batch]
    return shown if shown and torch.equal(shown[-1], result) else [*shown, result]


def check_number_of_steps(path, num_steps):
    assert len(path) == num_steps + 1, f"the picture was moved {len(path) - 1} times, expected num_steps = {num_steps}"


def check_no_trace(expect, call, network, breaks_at=""):
    """Hold call(network) to leaving everything as it was; right siblings go forward only, so it may survive a break."""
    for model in network, used_network(network):
        with expect.unchanged(model=model):
            call(model)
    bad = broken(network, "backward", breaks_at)
    with contextlib.suppress(Boom), expect.unchanged(model=bad):
        call(bad)
    bad = broken(network, "forward", breaks_at)
    assert_lets_errors_through(expect, lambda model, _: call(model), bad, IMAGE, "forward")


def slope_by_trying(scores, image, step=1e-5):
    """Try every pixel: how much does the score rise? scores answers for many pictures (B, 3, H, W) at once: (B,)."""
    moves = step * torch.eye(image.numel(), dtype=image.dtype).view(-1, *image.shape)
    with torch.no_grad():
        rises = scores(image + moves) - scores(image - moves)
    return rises.view(image.shape) / (2 * step)


# ascent_step


@pytest.mark.points(1, "ascent_step")
def test_step_in_a_linear_model_goes_along_its_weights_by_step_size(expect):
    model = seeded(Linear())

    for target, step_size in (3, 0.5), (0, 7.0):
        result = part2.ascent_step(model, IMAGE, target, step_size=step_size, l2_weight=0.0)

        expected = along(IMAGE, model.weights()[target], step_size)
        expect(result, expected, "image + step_size * w_target / ||w_target||, not clamped")


@pytest.mark.points(1, "ascent_step")
def test_step_climbs_the_score_less_the_penalty(expect):
    model = Waves().eval()

    for l2_weight in 0.6, 30.0:
        result = part2.ascent_step(model, IMAGE, 2, step_size=0.7, l2_weight=l2_weight)

        uphill = model.slope(IMAGE, 2) - 2 * l2_weight * (IMAGE - 0.5)
        expect(
            result, along(IMAGE, uphill, 0.7), "along the gradient of logit_target - l2_weight * sum((image - 0.5)^2)"
        )


@pytest.mark.points(1, "ascent_step")
def test_step_has_its_length_on_faint_and_steep_slopes_and_is_none_where_there_is_no_slope(expect):
    for scale in 1e-30, 1e6:
        model = seeded(Linear())
        with torch.no_grad():
            model.head.weight *= scale

        result = part2.ascent_step(model, IMAGE, 4, step_size=0.5, l2_weight=0.0)

        expect(
            result, along(IMAGE, model.weights()[4], 0.5), f"a step of length step_size; the slope is about {scale:g}"
        )
    flat = part2.ascent_step(seeded(Dead()), IMAGE, 1, step_size=0.5, l2_weight=0.0)
    expect(flat, IMAGE, "exactly the image where the gradient is zero, no 0 / 0", tolerance=0)
    expect.new(flat, image=IMAGE)


@pytest.mark.points(1, "ascent_step")
def test_step_in_a_convolutional_network_goes_where_trying_every_pixel_says(expect):
    model = seeded(Looking(), seed=2)
    image = pictures(1, size=SMALL)[0]

    with expect.kept(image=image):
        result = part2.ascent_step(model, image, 1, step_size=0.5, l2_weight=0.2)

    uphill = slope_by_trying(lambda x: model(x)[:, 1] - 0.2 * (x - 0.5).pow(2).sum(dim=(1, 2, 3)), image)
    expect(result, along(image, uphill, 0.5), "the direction in which the objective rises fastest", tolerance=1e-5)


@pytest.mark.points(1, "ascent_step")
def test_step_leaves_no_trace_and_repeats(expect):
    def call(model, image):
        return part2.ascent_step(model, image, 3, step_size=0.5, l2_weight=0.1)

    network = seeded(SmallConvNet())
    assert_no_trace(expect, call, network, IMAGE)
    assert_same_however_called(expect, call, network, IMAGE)
    wrapped = call(lambda x: network(x), IMAGE)
    expect(wrapped, call(network, IMAGE), "the same result for a function that calls the network")


# blur


@pytest.mark.points(1, "blur")
def test_blur_spreads_one_pixel_as_a_gaussian_does(expect):
    for sigma in 0.9, 0.4, 1.4, 2.4:
        image = torch.zeros(3, 41, 45, dtype=torch.float64)
        image[1, 20, 22] = 2.0

        result = part2.blur(image, sigma)

        expect(result.sum(dim=(1, 2)), image.sum(dim=(1, 2)), "the weights sum to 1, and no channel reaches another")
        dy, dx = torch.arange(41.0).double()[:, None] - 20, torch.arange(45.0).double() - 22
        distance = (dy**2 + dx**2).sqrt()
        near = distance <= 3 * sigma
        bell = torch.exp(-((distance / sigma) ** 2) / 2)
        formula = "weights proportional to exp(-(dy^2 + dx^2) / (2 sigma^2)), as far as 3 sigma"
        expect(result[1][near] / result[1].max(), bell[near], formula)
        for axis, sides in (1, "above and below"), (2, "on the left and on the right"):
            expect(
                result.flip(axis), result, f"the same {sides} of the pixel: the weight depends on the distance alone"
            )


@pytest.mark.points(1, "blur")
def test_blur_goes_on_beyond_the_border_with_the_outermost_pixels(expect):
    for sigma in SIGMA, 4.0:
        wide = F.pad(IMAGE, (20, 20, 20, 20), mode="replicate")

        result = part2.blur(IMAGE, sigma)

        inner = part2.blur(wide, sigma)[:, 20:-20, 20:-20]
        expect(result, inner, "the same as if the picture were larger, its outermost pixels repeated")
        constant = part2.blur(torch.full_like(IMAGE, 0.3), sigma)
        expect(constant, torch.full_like(IMAGE, 0.3), "a constant picture stays as it is, at the border too")
        assert not torch.equal(result, IMAGE), f"nothing was blurred with sigma {sigma}"
    expect(part2.blur(IMAGE, 0.0), IMAGE, "sigma 0 changes nothing", tolerance=0)
    expect(part2.blur(IMAGE, 0), IMAGE, "sigma 0 changes nothing, also as a whole number", tolerance=0)


@pytest.mark.points(1, "blur")
def test_blur_leaves_no_trace(expect):
    image = IMAGE.clone().requires_grad_()

    with expect.unchanged(image=image):
        result = part2.blur(image, SIGMA)
        untouched = part2.blur(image, 0.0)

    for picture in result, untouched:
        assert not picture.requires_grad, "the result is still joined to the autograd graph: detach it"
        expect.new(picture, image=image)
    expect(
        part2.blur(IMAGE.float(), SIGMA), result.float(), "a float32 picture gives a float32 picture", tolerance=1e-5
    )
    assert not torch.equal(result, IMAGE), "nothing was blurred"


# zero_small_pixels


def ranks(seed=3):
    """Give every place of a picture its own rank, 0 to H * W - 1, in no order that one could guess."""
    return numbers(*SIZE, seed=seed).flatten().argsort().view(SIZE)


def ranked_picture():
    """A picture in which the pixel of rank r lies (r + 1) units from grey, in a direction of its own."""
    directions = numbers(3, *SIZE, seed=4)
    return 0.5 + (ranks() + 1) * directions / directions.norm(dim=0) / 300


@pytest.mark.points(2, "zero_small_pixels")
def test_pixels_with_the_smallest_norm_become_grey_and_no_others(expect):
    for fraction, count in (0.35, 40), (0.1, 11), (0.2, 23), (0.99, 115), (0.0, 0), (1.0, 117):
        image = ranked_picture()

        result = part2.zero_small_pixels(image, fraction)

        expected = image.clone()
        expected[:, ranks() < count] = 0.5
        formula = f"fraction {fraction} of {SIZE[0]} x {SIZE[1]} pixels: the {count} nearest to grey are 0.5, the others as before"
        expect(result, expected, formula)


@pytest.mark.points(1, "zero_small_pixels")
def test_zeroing_small_pixels_leaves_no_trace(expect):
    for fraction in 0.0, 0.3:
        image = ranked_picture().float().requires_grad_()

        with expect.unchanged(image=image):
            result = part2.zero_small_pixels(image, fraction)

        expected = image.detach().clone()
        expected[:, ranks() < int(fraction * 117)] = 0.5
        expect(result, expected, "a float32 picture gives a float32 picture, detached")
        expect.new(result, image=image)


# zero_small_contributions


def ranked_contributions(image):
    """A gradient with which the pixel of rank r contributes r + 1 units to the score, up or down."""
    signs = numbers(*SIZE, seed=6).sign()
    away = image - 0.5
    gradient = numbers(*image.shape, seed=5)
    wanted = signs * (ranks(seed=8) + 1) / 50
    return gradient + away * (wanted - (away * gradient).sum(dim=0)) / away.norm(dim=0) ** 2


@pytest.mark.points(2, "zero_small_contributions")
def test_pixels_that_contribute_least_become_grey_and_no_others(expect):
    for fraction, count in (0.35, 40), (0.1, 11), (0.2, 23), (0.99, 115), (0.0, 0), (1.0, 117):
        image = ranked_picture()

        result = part2.zero_small_contributions(image, ranked_contributions(image), fraction)

        expected = image.clone()
        expected[:, ranks(seed=8) < count] = 0.5
        formula = f"fraction {fraction} of {SIZE[0]} x {SIZE[1]} pixels: the {count} that contribute least are 0.5"
        expect(result, expected, formula)


@pytest.mark.points(1, "zero_small_contributions")
def test_zeroing_small_contributions_leaves_no_trace(expect):
    for fraction in 0.0, 0.3:
        image = ranked_picture().float().requires_grad_()
        gradient = ranked_contributions(ranked_picture()).float()

        with expect.unchanged(image=image, gradient=gradient):
            result = part2.zero_small_contributions(image, gradient, fraction)

        expected = image.detach().clone()
        expected[:, ranks(seed=8) < int(fraction * 117)] = 0.5
        expect(result, expected, "a float32 picture gives a float32 picture, detached")
        expect.new(result, image=image, gradient=gradient)


# class_visualization


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def check_noise(expect, start, other):
    assert torch.equal(start, start.clamp(0, 1)), "the start leaves [0, 1]"
    assert abs(start.mean().item() - 0.5) < 0.05, (
        f"the noise has mean {start.mean().item():.2f}, expected 0.5: round grey"
    )
    assert 0.02 < start.std().item() < 0.3, "with a generator the start is noise round grey"
    assert not torch.allclose(start, other), "another seed gives the same start: draw it from the generator"


@pytest.mark.points(1, "class_visualization")
def test_start_is_grey_and_with_a_generator_noise_round_grey(expect, monkeypatch):
    model = Waves().eval()
    put_right_step(monkeypatch, model)

    grey = part2.class_visualization(model, 1, num_steps=0, image_size=SIZE)
    noise = part2.class_visualization(model, 1, num_steps=0, image_size=SIZE, generator=generator(1))
    other = part2.class_visualization(model, 1, num_steps=0, image_size=SIZE, generator=generator(2))
    usual = part2.class_visualization(seeded(Dead()).float(), 1, num_steps=0)

    expect(grey, torch.full((3, *SIZE), 0.5, dtype=torch.float64), "num_steps 0 returns the start, grey 0.5")
    expect(usual, torch.full((3, 96, 96), 0.5), "image_size is 96 x 96 if nothing is said, in the model's dtype")
    expect(noise.mean(dim=0) > -1, torch.ones(SIZE, dtype=torch.bool), "a start of the same shape, from the generator")
    check_noise(expect, noise, other)


@pytest.mark.points(1, "class_visualization")
def test_every_step_goes_uphill_from_where_the_last_one_ended(expect, monkeypatch):
    network = Recorder(Waves()).eval()
    put_right_step(monkeypatch, network)

    result = part2.class_visualization(network, 3, num_steps=4, image_size=SIZE, step_size=0.8, l2_weight=20.0)

    path = path_of(network, result)
    expect(path[0], torch.full((3, *SIZE), 0.5, dtype=torch.float64), "the first picture shown is grey")
    for number, (before, after) in enumerate(pairwise(path), 1):
        uphill = network.network.slope(before, 3) - 40.0 * (before - 0.5)
        expect(after, along(before, uphill, 0.8), f"step {number}: uphill from there, by step_size, with l2_weight")
    check_number_of_steps(path, 4)


@pytest.mark.points(1, "class_visualization")
def test_picture_is_clamped_after_every_step(expect, monkeypatch):
    network = Recorder(Waves()).eval()
    put_right_step(monkeypatch, network)

    result = part2.class_visualization(network, 0, num_steps=5, image_size=SIZE, step_size=9.0)

    assert torch.equal(result, result.clamp(0, 1)), "the result leaves [0, 1]"
    path = path_of(network, result)
    for number, (before, after) in enumerate(pairwise(path), 1):
        stepped = along(before, network.network.slope(before, 0), 9.0)
        expect(after, stepped.clamp(0, 1), f"step {number}: uphill, then clamped to [0, 1]")
    check_number_of_steps(path, 5)


@pytest.mark.points(1, "class_visualization")
def test_every_second_picture_is_blurred_after_its_step(expect, monkeypatch):
    model = seeded(FlatWaves())
    put_right_step(monkeypatch, model)
    blurred = put_right_blur(expect, monkeypatch, SIZE)
    one = along(torch.zeros_like(IMAGE), model.weights()[4], 0.6)  # a step, the same everywhere in a linear network

    result = part2.class_visualization(
        model, 4, num_steps=5, image_size=SIZE, step_size=0.6, blur_every=2, blur_sigma=SIGMA
    )

    formula = "five equal steps, blurred with blur_sigma after the second and the fourth"
    expect(result, 0.5 + one + blurred(2 * one + blurred(2 * one)), formula)


@pytest.mark.points(1, "class_visualization")
def test_small_pixels_then_small_contributions_become_grey_after_the_blur(expect, monkeypatch):
    model = Waves().eval()
    put_right_blur(expect, monkeypatch, SIZE)
    settings = {"blur_every": 1, "blur_sigma": SIGMA, "pixel_fraction": 0.3, "contribution_fraction": 0.45}

    with replayed(expect, monkeypatch, zero_small_pixels=0.3, zero_small_contributions=0.45):
        monkeypatch.setattr(
            part2, "ascent_step", right_step(lambda _, image, target: model.slope(image, target), model)
        )
        result = part2.class_visualization(
            model, 2, num_steps=3, image_size=SIZE, step_size=6.0, l2_weight=4.0, **settings
        )

    formula = (
        "each step: uphill, blur, small pixels, small contributions by the logit's gradient before the step, clamp"
    )
    expect.reference(result, "result", formula)


@pytest.mark.points(1, "class_visualization")
def test_every_step_is_taken_on_a_picture_rolled_by_a_new_offset_and_rolled_back(expect, monkeypatch):
    network = Recorder(seeded(FlatWaves()))
    put_right_step(monkeypatch, network)

    result = part2.class_visualization(
        network, 1, num_steps=60, image_size=SIZE, step_size=0.02, jitter=2, generator=generator()
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
    check_slope_of_contributions(monkeypatch)


def check_slope_of_contributions(monkeypatch):
    """Hold one step with jitter to clipping by the slope at the picture that the step began with, the rolled one."""
    network = Recorder(Waves()).eval()
    put_right_step(monkeypatch, network)
    monkeypatch.setattr(part2, "zero_small_contributions", clipped)
    for seed in range(5):
        network.shown.clear()
        result = part2.class_visualization(
            network, 2, num_steps=1, image_size=SIZE, step_size=1.0, contribution_fraction=0.45, jitter=2,
            generator=generator(seed),
        )  # fmt: skip
        starts = [image for batch in network.shown for image in batch]
        slopes = [network.network.slope(image, 2) for image in starts]
        ends = [clipped(along(image, g, 1.0), g, 0.45) for image, g in zip(starts, slopes, strict=True)]
        found = any(roll_between(end.clamp(0, 1), result) for end in ends)
        assert found, "with jitter: small contributions by the logit's gradient at the rolled picture before the step"


def clipped(image, gradient, fraction):
    """A right `zero_small_contributions`, where no two contributions are equal."""
    b = ((image - 0.5) * gradient).sum(dim=0).abs()
    limit = b.flatten().sort().values[int(fraction * b.numel())]
    return image.where(b >= limit, 0.5).detach()


def offsets_of(recorder, result, weights, step_size):
    """Find by which offset each step's picture was rolled, from the last step back to the first."""
    groups = []  # what was shown; pictures that differ by a roll alone stand together
    for (picture,) in [*recorder.shown, result[None]]:
        if groups and roll_between(groups[-1][0], picture):
            groups[-1].append(picture)
        else:
            groups.append([picture])
    offsets, shift, after = [], (0, 0), result
    for number in range(len(groups) - 1, 0, -1):
        moved = [(p, roll_between(along(p, weights, step_size).clamp(0, 1), after)) for p in groups[number - 1]]
        found = next(((p, roll) for p, roll in moved if roll), None)
        ends = [along(p, weights, step_size).clamp(0, 1).flatten().sort().values for p in groups[number - 1]]
        scattered = not found and any(torch.allclose(end, after.flatten().sort().values, atol=1e-9) for end in ends)
        assert not scattered, f"step {number}: the right values in wrong places: roll rows and columns, there and back"
        assert found, f"step {number} is not a step uphill on a rolled picture, rolled back and clamped"
        after, shift = found[0], (shift[0] - found[1][0], shift[1] - found[1][1])
        offsets.insert(0, shift)
    return offsets


def roll_between(one, other):
    """Return the offset (rows, columns) by which one must be rolled to become the other, or None."""
    places = [divmod(int(picture[0].argmax()), picture.shape[2]) for picture in (one, other)]
    shift = [(b - a + side // 2) % side - side // 2 for a, b, side in zip(*places, one.shape[1:], strict=True)]
    return tuple(shift) if torch.allclose(one.roll(shift, dims=(1, 2)), other, atol=1e-9) else None


@pytest.mark.points(1, "class_visualization")
def test_class_visualization_leaves_no_trace_and_repeats(expect, monkeypatch):
    model = Waves().eval()
    put_right_step(monkeypatch, model)
    settings = {"num_steps": 3, "image_size": SIZE, "contribution_fraction": 0.2, "jitter": 3}

    def call(network):
        return part2.class_visualization(network, 1, generator=generator(), **settings)

    check_no_trace(expect, call, model)
    assert_same_however_called(expect, lambda network, _: call(network), model, IMAGE)
    single = Waves().float().eval()
    expect(call(lambda x: single(x)), call(single), "the same result for a function that calls the network")


# maximize_activation


def put_right_search(monkeypatch, network):
    """Put a right `ascent_step` in the module: for the network as for a function of yours, also one without a gradient."""

    def slope(model, image, target):
        image = image.detach().clone().requires_grad_()
        with torch.enable_grad():
            score = model(image[None])[0, target]
        if score.requires_grad:
            return torch.autograd.grad(score, image, materialize_grads=True)[0]
        return slope_by_trying(lambda x: model(x)[:, target].detach(), image)

    monkeypatch.setattr(part2, "ascent_step", right_step(slope, network))


@pytest.mark.points(1, "maximize_activation")
def test_ascent_on_a_first_layer_channel_follows_the_sum_of_its_kernels(expect, monkeypatch):
    model = seeded(Looking())
    put_right_search(monkeypatch, model)
    nothing = torch.zeros(3, *SMALL, dtype=torch.float64)
    kernels = slope_by_trying(lambda x: model.features[0](x)[:, 2].sum(dim=(1, 2)), nothing)
    l2_weight = kernels.norm().item() / 2  # with it the score rises up to one unit from grey

    for num_steps, distance in (2, 0.8), (3, 1.2), (4, 0.8):
        result = part2.maximize_activation(
            model, "features.0", 2, num_steps=num_steps, image_size=SMALL, step_size=0.4, l2_weight=l2_weight
        )

        expected = along(torch.full_like(kernels, 0.5), kernels, distance)
        expect(result, expected, "up and down the slope of (sum over positions - l2_weight * sum((image - 0.5)^2))")


@pytest.mark.points(1, "maximize_activation")
def test_every_step_goes_uphill_for_the_layers_own_output(expect, monkeypatch):
    parts = {
        "head.3": lambda net, x: net(x),
        "features.3": lambda net, x: net.features[:4](x),
        "head.1": lambda net, x: net.head[:2](net.features(x)),
    }

    def sums(part, whole, channel, pictures):
        return part(whole, pictures)[:, channel].reshape(len(pictures), -1).sum(dim=1)

    for layer, channel, num_steps in ("head.3", 0, 1), ("features.3", 1, 3), ("head.1", 4, 2):
        network = Recorder(seeded(Looking(), seed=1))
        put_right_search(monkeypatch, network)

        result = part2.maximize_activation(
            network, f"network.{layer}", channel, num_steps=num_steps, image_size=SMALL, step_size=0.5, l2_weight=0.3
        )

        path = path_of(network, result)
        for number, (before, after) in enumerate(pairwise(path), 1):
            scores = functools.partial(sums, parts[layer], network.network, channel)
            uphill = slope_by_trying(scores, before)
            formula = f"step {number}: uphill for the sum of the channel of {layer}, before what follows the layer"
            expect(after, along(before, uphill - 0.6 * (before - 0.5), 0.5).clamp(0, 1), formula)
        check_number_of_steps(path, num_steps)


@pytest.mark.points(1, "maximize_activation")
def test_picture_starts_and_is_blurred_and_clamped_as_a_class_picture_is(expect, monkeypatch):
    model = seeded(Looking())
    put_right_search(monkeypatch, model)
    blurred = put_right_blur(expect, monkeypatch, SMALL)
    grey = torch.full((3, *SMALL), 0.5, dtype=torch.float64)
    kernels = slope_by_trying(lambda x: model.features[0](x)[:, 1].sum(dim=(1, 2)), torch.zeros_like(grey))

    def paint(**settings):
        return part2.maximize_activation(model, "features.0", 1, image_size=SMALL, blur_sigma=SIGMA, **settings)

    expect(paint(num_steps=0), grey, "num_steps 0 returns the start, grey 0.5")
    check_noise(expect, paint(num_steps=0, generator=generator(1)), paint(num_steps=0, generator=generator(2)))
    one = along(0 * grey, kernels, 0.4)
    soft = paint(num_steps=3, step_size=0.4, blur_every=2)
    expect(soft, 0.5 + blurred(2 * one) + one, "three equal steps, blurred with blur_sigma after the second")
    hard = paint(num_steps=2, step_size=9.0, blur_every=1)
    stepped = along(blurred(along(grey, kernels, 9.0)).clamp(0, 1), kernels, 9.0)
    expect(hard, blurred(stepped).clamp(0, 1), "twice: step, blur, clamp to [0, 1]")


@pytest.mark.points(1, "maximize_activation")
def test_maximizing_leaves_no_trace_repeats_and_survives_a_dead_channel(expect, monkeypatch):
    model = seeded(Looking())
    put_right_search(monkeypatch, model)

    def call(network):
        return part2.maximize_activation(network, "features.3", 1, num_steps=2, image_size=SMALL, generator=generator())

    check_no_trace(expect, call, model, breaks_at="features.0")
    first = call(model)
    with torch.no_grad():
        expect(call(model), first, "the same result again, under the caller's torch.no_grad()")
    expect(call(deepcopy(model).requires_grad_(False)), first, "the same result on a copy with frozen weights")
    with torch.no_grad():
        model.features[0].bias -= 1e3
    dead = part2.maximize_activation(model, "features.1", 3, num_steps=2, image_size=SMALL)
    expect(
        dead, torch.full((3, *SMALL), 0.5, dtype=torch.float64), "a channel without a slope leaves the picture as it is"
    )
