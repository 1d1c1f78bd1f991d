"""Part 4. Each check is a sentence about a function of assignment2/robustness.py, in float64, H unlike W.

Random corruptions are held to laws: which numbers are drawn in which order is their own business. Settings come from a
table that the check puts into the module, so that an exact answer is known.
"""

import itertools
import math

import pytest
import torch
from torch import nn

from assignment2 import robustness
from coursekit.checks.laws import assert_lets_errors_through
from coursekit.checks.small_networks import SmallConvNet, broken, pictures, seeded

IMAGES = pictures(3)
MANY = (40, 50)  # (H, W) where shares are counted
VALUES = 3 * 3 * 40 * 50


@pytest.fixture(autouse=True)
def fresh_inputs():
    """Fresh pictures for every check."""
    global IMAGES
    IMAGES = pictures(3)


@pytest.fixture
def settings(monkeypatch):
    """Put five settings of one corruption into the module's table."""

    def put(name, *five):
        monkeypatch.setattr(robustness, "SEVERITIES", {**robustness.SEVERITIES, name: five})

    return put


def seed(number=0):
    return torch.Generator().manual_seed(number)


def plain(value, num_images=3, size=MANY):
    """Pictures of one grey."""
    return torch.full((num_images, 3, *size), value, dtype=torch.float64)


def distance_from_uniform(values):
    """The largest difference between the distribution of values and the uniform one on [0, 1]."""
    values = values.flatten().double().sort().values
    return (values - (torch.arange(len(values)) + 0.5) / len(values)).abs().max().item()


def assert_own_noise(result, what="noise"):
    """Hold equal pictures to different results in every image and every channel."""
    __tracebackhide__ = True
    for i, j in itertools.combinations(range(3), 2):
        images_alike = torch.allclose(result[i], result[j])
        assert not images_alike, f"two images of a batch get the same {what}: draw it for each"
        channels_alike = torch.allclose(result[:, i], result[:, j])
        assert not channels_alike, f"the channels get the same {what}: draw it for each value"


def assert_lawful(expect, corruption, images, *, random=True):
    """Hold a corruption to leaving its images, to repeating itself, and to one result however it is called."""
    __tracebackhide__ = True
    images = images.clone()

    def call(images, number=0):
        return corruption(images, 4, generator=seed(number))

    with expect.unchanged(images=images):
        result = call(images)
    expect.new(result, images=images)
    inside = isinstance(result, torch.Tensor) and bool(((result >= 0) & (result <= 1)).all())
    assert inside, "the result leaves [0, 1]: clamp it"
    expect(result, result.detach().clone(), "a result that is joined to no graph")
    expect(torch.tensor(result.shape), torch.tensor(images.shape), "a picture of the same size for each")
    assert result.dtype == images.dtype, f"the result has dtype {result.dtype}, the images {images.dtype}"
    followed = images.clone().requires_grad_()
    with expect.unchanged(images=followed), torch.no_grad():
        expect(call(followed), result, "the same seed gives the same result, detached, also under torch.no_grad()")
    one = call(images[:1].float())
    expect(one, one.detach().double().float(), "one float32 picture gives one float32 picture")
    expect(torch.tensor(one.shape), torch.tensor(images[:1].shape), "one picture gives one picture")
    assert not torch.equal(result, images), "the pictures are as they were: nothing was corrupted"
    if random:
        assert not torch.allclose(call(images, 1), result), "another seed gives the same result: use the generator"
        drawn_from = seed()
        first, second = (corruption(images, 4, generator=drawn_from) for _ in range(2))
        assert not torch.allclose(first, second), "the second call repeats the first: go on with the generator as it is"
        return
    expect(corruption(images[1:2], 4), result[1:2], "a picture alone, without a generator, as among others")


# gaussian_noise


@pytest.mark.points(1, "gaussian_noise")
def test_gaussian_noise_is_normal_with_the_severitys_sigma(expect, settings):
    settings("gaussian_noise", 0.01, 0.05, 0.02, 0.04, 0.03)
    images = 0.3 + 0.4 * pictures(3, size=MANY)

    shifts = torch.stack([robustness.gaussian_noise(images, s, generator=seed(s)) - images for s in range(1, 6)])

    sigmas = torch.tensor([0.01, 0.05, 0.02, 0.04, 0.03]).double()
    expect(shifts.flatten(1).std(dim=1), sigmas, "the noise's standard deviation is the setting", tolerance=0.04)
    noise = shifts / sigmas.view(5, 1, 1, 1, 1)
    expect(noise.flatten(1).mean(dim=1) + 1, torch.ones(5).double(), "1 + the noise's mean, which is 0", tolerance=0.05)
    assert distance_from_uniform((noise / 2**0.5).erf() / 2 + 0.5) < 0.02, "the noise is not normal"
    assert_own_noise(noise[0])


@pytest.mark.points(1, "gaussian_noise")
def test_gaussian_noise_is_clamped_and_not_rounded(expect):
    result = robustness.gaussian_noise(plain(0.5), 5, generator=seed())

    tail = 0.5 - 0.5 * math.erf(0.5 / 0.38 / 2**0.5)
    ends = torch.stack([(result <= 0).double().mean(), (result >= 1).double().mean()])
    expect(ends, torch.full((2,), tail).double(), "the share of values that end at 0, and at 1", tolerance=0.15)
    different = len(result.unique())
    assert different > VALUES / 2, f"only {different} of {VALUES} values differ: draw each one, and do not round"


@pytest.mark.points(1, "gaussian_noise")
def test_gaussian_noise_leaves_no_trace_and_repeats(expect):
    assert_lawful(expect, robustness.gaussian_noise, IMAGES)


# shot_noise


@pytest.mark.points(1, "shot_noise")
def test_shot_noise_counts_photons(expect, settings):
    photons = torch.tensor([400, 20, 100, 50, 200]).double()
    settings("shot_noise", 400, 20, 100, 50, 200)

    results = torch.stack([robustness.shot_noise(plain(0.3), s, generator=seed(s)) for s in range(1, 6)])

    counts = results * photons.view(5, 1, 1, 1, 1)
    expect(counts, counts.detach().round(), "value * photons is a whole number")
    expect(results.flatten(1).mean(dim=1), plain(0.3, 1, (1, 5))[0, 0, 0], "the mean stays", tolerance=0.03)
    few = robustness.shot_noise(plain(0.05), 2, generator=seed()) * 20  # one photon expected
    shares = few.round().long().flatten().bincount(minlength=4)[:4] / few.numel()
    right = torch.tensor([1, 1, 1 / 2, 1 / 6]) / math.e
    expect(shares, right, "the shares of 0, 1, 2 and 3 photons where one is expected: Poisson's", tolerance=0.06)
    spread = results.flatten(1).var(dim=1) * photons
    expect(spread, torch.full((5,), 0.3).double(), "variance * photons = the value: a Poisson number's", tolerance=0.1)
    assert_own_noise(results[0])


@pytest.mark.points(1, "shot_noise")
def test_shot_noise_is_stronger_where_it_is_bright_and_clamped_at_white(expect, settings):
    dark, bright = (robustness.shot_noise(plain(value), 5, generator=seed()) for value in (0.0, 1.0))

    expect(dark, plain(0.0), "where there is no light there is no noise")
    white = 1 - math.exp(-3) * (1 + 3 + 4.5)  # three photons or more of three expected
    expect((bright >= 1).double().mean(), torch.tensor(white).double(), "the share that ends at white", tolerance=0.08)
    settings("shot_noise", 10, 100, 400, 10, 10)
    clear = robustness.shot_noise(IMAGES, 3, generator=seed())
    expect(clear, IMAGES, "with many photons nearly the picture itself: each value is counted alone", tolerance=0.3)
    colors = torch.tensor([0.05, 0.15, 0.35], dtype=torch.float64)
    colored = robustness.shot_noise(colors.view(1, 3, 1, 1).expand(3, 3, *MANY), 1, generator=seed())
    expect(
        colored.mean(dim=(0, 2, 3)), colors, "each channel keeps its mean, half photons expected too", tolerance=0.04
    )
    spreads = [robustness.shot_noise(plain(v), 2, generator=seed()).var() for v in (0.1, 0.2, 0.4)]
    right = torch.tensor([0.001, 0.002, 0.004]).double()
    expect(torch.stack(spreads), right, "the variance is value / photons", tolerance=0.1)


@pytest.mark.points(1, "shot_noise")
def test_shot_noise_leaves_no_trace_and_repeats(expect):
    assert_lawful(expect, robustness.shot_noise, IMAGES)


# impulse_noise


@pytest.mark.points(1, "impulse_noise")
def test_impulse_noise_makes_half_of_the_amount_black_and_half_white(expect, settings):
    amounts = torch.tensor([0.1, 0.5, 0.2, 0.4, 0.3]).double()
    settings("impulse_noise", 0.1, 0.5, 0.2, 0.4, 0.3)
    images = 0.3 + 0.4 * pictures(3, size=MANY)

    results = torch.stack([robustness.impulse_noise(images, s, generator=seed(s)) for s in range(1, 6)])

    shares = torch.stack([(results == end).flatten(1).double().mean(dim=1) for end in (0, 1)])
    expect(shares, (amounts / 2).expand(2, 5), "the shares of values that are 0, and that are 1", tolerance=0.07)
    kept = (results > 0) & (results < 1)
    expect(torch.where(kept, results, 0), torch.where(kept, images, 0), "every other value is what it was")


@pytest.mark.points(1, "impulse_noise")
def test_impulse_noise_hits_each_value_alone(expect, settings):
    settings("impulse_noise", 0.5, 0.5, 0.5, 0.5, 0.5)

    hit = robustness.impulse_noise(plain(0.5), 1, generator=seed()) != 0.5

    per_pixel = hit.sum(dim=1).flatten().bincount(minlength=4) / hit[:, 0].numel()
    right = torch.tensor([0.125, 0.375, 0.375, 0.125])
    expect(per_pixel, right, "shares of pixels in which 0, 1, 2, 3 channels are hit, amount 0.5", tolerance=0.09)
    by_image = [(hit[i] == hit[j]).double().mean() for i, j in itertools.combinations(range(3), 2)]
    expect(
        torch.stack(by_image), torch.full((3,), 0.5).double(), "each image is hit in places of its own", tolerance=0.09
    )
    others = [
        hit.roll(1, 3),
        hit.roll(1, 2),
        hit.flip(3),
        hit.flip(2),
        hit.flip(2, 3),
        hit.roll(25, 3),
        hit.roll(20, 2),
    ]
    alike = torch.stack([(hit == other).double().mean() for other in others])
    formula = "a value is hit whether its neighbours, its mirror images and those half a picture away are or not"
    expect(alike, torch.full((7,), 0.5).double(), formula, tolerance=0.09)
    by_row = hit.double().mean(dim=(0, 1, 3)).std()
    assert float(by_row) < 0.08, "which values are hit depends on the row: every value has the same chance"


@pytest.mark.points(1, "impulse_noise")
def test_impulse_noise_leaves_no_trace_and_repeats(expect):
    assert_lawful(expect, robustness.impulse_noise, IMAGES)


# defocus_blur


def shifted(images, dy, dx):
    """The pictures, seen dy rows further down and dx columns further right; at the border the outermost pixels repeat."""
    height, width = images.shape[2:]
    down, right = (torch.arange(height) + dy).clamp(0, height - 1), (torch.arange(width) + dx).clamp(0, width - 1)
    return images[:, :, down][:, :, :, right]


@pytest.mark.points(1, "defocus_blur")
def test_defocus_spreads_a_point_evenly_over_a_disk(expect, settings):
    settings("defocus_blur", 3, 2.5, 1, 1.5, 2)
    point = torch.zeros(1, 3, 11, 13).double()
    point[:, :, 5, 6] = torch.tensor([1.0, 0.5, 0.25])

    for severity, radius in enumerate((3, 2.5, 1, 1.5, 2), 1):
        disk = torch.tensor([[float((y - 5) ** 2 + (x - 6) ** 2 <= radius**2) for x in range(13)] for y in range(11)])
        right = disk.double() / disk.sum() * torch.tensor([1.0, 0.5, 0.25]).double().view(1, 3, 1, 1)
        result = robustness.defocus_blur(point, severity)
        expect(result, right, f"1 / area on a disk of radius {radius}, each channel for itself")


@pytest.mark.points(1, "defocus_blur")
def test_defocus_is_the_mean_over_the_offsets_in_the_disk(expect):
    for severity, radius in enumerate((1, 1.5, 2.5, 3.5, 4.5), 1):
        offsets = [o for o in itertools.product(range(-4, 5), repeat=2) if o[0] ** 2 + o[1] ** 2 <= radius**2]
        right = torch.stack([shifted(IMAGES, *offset) for offset in offsets]).mean(dim=0)
        result = robustness.defocus_blur(IMAGES, severity)
        expect(result, right, "the mean over all offsets in the disk; at the border the outermost pixels repeat")


@pytest.mark.points(1, "defocus_blur")
def test_defocus_leaves_no_trace_and_repeats(expect):
    assert_lawful(expect, robustness.defocus_blur, IMAGES, random=False)
    expect(robustness.defocus_blur(plain(0.7), 5), plain(0.7), "a plain picture stays plain, to its border")


# frosted_glass_blur


def numbered(num_images=2, size=MANY):
    """Pictures whose every pixel has a colour of its own; the first channel tells its place."""
    count = size[0] * size[1]
    place = torch.arange(count).double() / count
    colors = torch.stack([place, 1 - place, (place * 37) % 1])
    return colors.view(1, 3, *size).repeat(num_images, 1, 1, 1)


def travelled(result):
    """(N, 2, H, W): how many rows and columns the pixel that lies here has come."""
    __tracebackhide__ = True
    assert bool(result.isfinite().all()), "the result is not finite: sigma 0 means no blur, not a blur of width 0"
    height, width = result.shape[2:]
    place = (result[:, 0] * height * width).round().long()
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    return torch.stack([rows - place // width, columns - place % width], dim=1)


def gaussian(images, sigma):
    """Blur by a wide Gaussian, written as two products of matrices; at the border the outermost pixels repeat."""
    for axis in (2, 3):
        length = images.shape[axis]
        place, offsets = torch.arange(length)[:, None], torch.arange(-12, 13)
        bell = (-(offsets.double() ** 2) / (2 * sigma**2)).exp()
        weights = torch.zeros(length, length).double()
        weights.scatter_add_(1, (place + offsets).clamp(0, length - 1), (bell / bell.sum()).expand(length, -1))
        images = (images.movedim(axis, -1) @ weights.T).movedim(-1, axis)
    return images


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_only_moves_colours_where_nothing_is_blurred(expect, settings):
    settings("frosted_glass_blur", (0, 2, 3), (0, 1, 1), (0, 3, 2), (0, 2, 0), (0, 1, 4))

    small = numbered(size=(20, 26))
    for severity in range(1, 6):
        result = robustness.frosted_glass_blur(small, severity, generator=seed())
        order = result[:, 0].flatten(1).argsort(dim=1)
        colors = result.flatten(2).gather(2, order[:, None].expand(-1, 3, -1))
        expect(colors, small.flatten(2), "the colours, sorted, are those of the picture: none lost, none made")
    expect(robustness.frosted_glass_blur(small, 4, generator=seed()), small, "without a round nothing moves")
    assert not torch.equal(robustness.frosted_glass_blur(small, 1, generator=seed()), small), "no pixel has moved"


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_moves_pixels_at_most_reach_rows_and_columns(expect, settings):
    settings("frosted_glass_blur", (0, 1, 1), (0, 2, 1), (0, 3, 1), (0, 5, 1), (0, 4, 1))

    for severity, reach in enumerate((1, 2, 3, 5, 4), 1):
        result = robustness.frosted_glass_blur(numbered(), severity, generator=seed(severity))
        way = travelled(result)
        far = way.abs().amax(dim=1)  # (N, H, W)
        # Exchanges in a loop, one after another, carry a few pixels along: many stay within reach, few go beyond twice.
        carried = (far <= reach).double().mean() > 0.5 and 0.002 < (far > 2 * reach).double().mean() < 0.15
        assert far.max() <= reach or carried, f"with reach {reach} pixels come from too far away"
        moving = (far > 0).double().mean().item()
        assert moving > (0.55 if reach == 1 else 0.8), f"only {moving:.0%} of the pixels move: every one is exchanged"
        edge = torch.cat([far[:, 0], far[:, -1], far[:, :, 0], far[:, :, -1]], dim=1)
        assert (edge > 0).double().mean() > 0.3, "most pixels at the border stay: every pixel is exchanged"
        sides = torch.tensor(MANY).view(1, 2, 1, 1)
        across = reach == 1 and bool((way.abs() >= sides - 2).any())
        assert not across, "pixels change places with those at the opposite border: the picture ends there"
        spread = torch.stack([(way == d).any(dim=0).flatten(1).any(dim=1) for d in (-reach, reach)])
        assert bool(spread.all()), f"with reach {reach} some pixels go {reach} up, down, left and right"
        assert not torch.equal(way[0], way[1]), "two images are mixed in the same way: each has a glass of its own"


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_mixes_more_with_every_round(expect, settings):
    settings("frosted_glass_blur", (0, 2, 1), (0, 2, 2), (0, 2, 3), (0, 2, 4), (0, 2, 6))

    ways = [travelled(robustness.frosted_glass_blur(numbered(5, (30, 38)), s, generator=seed(s))) for s in range(1, 6)]

    spread = torch.stack([way[:, :, 6:-6, 6:-6].double().square().mean() for way in ways]).sqrt()
    assert float(spread.min()) > 0, "no pixel has moved"
    by_root = spread / torch.tensor([1, 2, 3, 4, 6]).double().sqrt()
    right = by_root.detach().mean().expand(5)
    expect(by_root, right, "the way grows with the root of the number of rounds, as in a random walk", tolerance=0.15)


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_blurs_twice(expect, settings):
    settings("frosted_glass_blur", (0.65, 2, 0), (1.0, 2, 0), (1.0, 2, 1), (1.5, 2, 0), (0.4, 2, 0))
    images = pictures(2, size=MANY)

    for severity, sigma in (1, 0.65), (2, 1.0), (4, 1.5), (5, 0.4):
        result = robustness.frosted_glass_blur(images, severity, generator=seed())
        right = gaussian(gaussian(images, sigma), sigma)
        expect(result, right, f"without a round: a Gaussian of {sigma} pixels, twice", tolerance=0.01)
    settings("frosted_glass_blur", *[(3.0, 1, 3)] * 5)
    edge = plain(0.0)
    edge[..., 25:] = 1
    profile = robustness.frosted_glass_blur(edge, 1, generator=seed()).mean(dim=(0, 1, 2))
    right = gaussian(gaussian(edge, 3.0), 3.0).mean(dim=(0, 1, 2))
    expect(profile, right, "with three rounds: twice as well, not in every round", tolerance=0.05)


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_lies_between_the_two_blurs(settings):
    settings("frosted_glass_blur", *[(1.0, 2, 1)] * 5)
    point = torch.zeros(1, 3, 31, 35).double()
    point[:, :, 15, 17] = 1
    result = robustness.frosted_glass_blur(point, 3, generator=seed())
    spots = [shifted(gaussian(point, 2**0.5), dy, dx) for dy, dx in itertools.product(range(-4, 5), repeat=2)]
    spots += [shifted(gaussian(point, 1.0), dy, dx) for dy, dx in itertools.product(range(-4, 5), repeat=2)]
    assert min(float((result - spot).abs().max()) for spot in spots) > 0.002, "blur before the pixels change places too"
    heights = [gaussian(point, sigma).flatten().sort().values for sigma in (1.0, 2**0.5)]
    mixed = result.flatten().sort().values
    assert min(float((mixed - h).abs().max()) for h in heights) > 0.002, "blur after the pixels changed places too"
    assert float(mixed.max()) < 0.5, "a point stays a point: nothing was blurred"


@pytest.mark.points(1, "frosted_glass_blur")
def test_frosted_glass_leaves_no_trace_and_repeats(expect):
    assert_lawful(expect, robustness.frosted_glass_blur, IMAGES)


# motion_blur


def sampled(images, y, x):
    """Bilinear samples at the rows y and the columns x; beyond the border the outermost pixels."""
    height, width = images.shape[2:]
    y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    top, left = y.floor().long(), x.floor().long()
    down, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    below, beside = y - top, x - left
    upper = images[:, :, top, left] * (1 - beside) + images[:, :, top, right] * beside
    lower = images[:, :, down, left] * (1 - beside) + images[:, :, down, right] * beside
    return upper * (1 - below) + lower * below


def moved(image, length, angles):
    """One picture (1, 3, H, W), smeared along a centred line at each of the angles (A,): (A, 3, H, W)."""
    rows, columns = (torch.arange(side).double() for side in image.shape[2:])
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    steps = torch.arange(length).double().view(-1, 1, 1) - (length - 1) / 2
    down, across = (part.view(-1, 1, 1, 1) * steps for part in (angles.sin(), angles.cos()))  # (A, length, 1, 1)
    return sampled(image, y + down, x + across)[0].mean(dim=2).movedim(1, 0)


def nearest_smear(image, length, result):
    """The smeared picture that fits best, over all angles."""
    angles, width = torch.arange(90).double() * math.pi / 90, math.pi / 90
    while width > 1e-10:
        smears = moved(image, length, angles)
        best = (smears - result).abs().sum(dim=(1, 2, 3)).argmin()
        angles, width = angles[best] + torch.linspace(-1, 1, 9).double() * width, width / 3
    return smears[best : best + 1]


@pytest.mark.points(1, "motion_blur")
def test_motion_blur_is_the_mean_along_a_centred_line(expect, settings):
    lengths = (3, 9, 5, 11, 7)
    settings("motion_blur", *lengths)

    for severity in (1, 2, 5):
        result = robustness.motion_blur(IMAGES[:2], severity, generator=seed(severity))
        right = [nearest_smear(IMAGES[i : i + 1], lengths[severity - 1], result[i : i + 1].detach()) for i in range(2)]
        formula = "mean of bilinear samples on a centred line, at the angle that fits best"
        expect(result, torch.cat(right), formula, tolerance=1e-5)


def direction(result):
    """The angle, from 0 to 1 for half a turn, of the smear that a single point has left in each image."""
    weight = result[:, 0] / result[:, 0].sum(dim=(1, 2), keepdim=True)
    y, x = torch.meshgrid(*(torch.arange(side).double() for side in result.shape[2:]), indexing="ij")
    y, x = y - (result.shape[2] - 1) / 2, x - (result.shape[3] - 1) / 2
    mixed, across, down = ((weight * p).sum(dim=(1, 2)) for p in (y * x, x * x, y * y))
    return (0.5 * torch.atan2(2 * mixed, across - down) / math.pi) % 1


@pytest.mark.points(1, "motion_blur")
def test_motion_blur_has_an_angle_of_its_own_for_each_image_in_all_directions(expect, settings):
    settings("motion_blur", *[9] * 5)
    point = torch.zeros(1000, 3, 15, 17).double()
    point[:, :, 7, 8] = 1

    result = robustness.motion_blur(point, 4, generator=seed())

    angles = direction(result)
    assert float(angles.std()) > 0.05, "all images move in one direction: draw an angle for each"
    assert len((angles * 1000).round().unique()) > 60, "there are only a few directions: an angle is a real number"
    assert int((8 * angles).long().bincount(minlength=8).min()) > 0, "some directions never come: all are as likely"
    assert distance_from_uniform(angles) < 0.08, "some directions come more often: all are as likely"
    expect(result[:, 0], result[:, 1].detach().clone(), "the channels of an image move together")
    expect(result.sum(dim=(2, 3)), torch.ones(1000, 3).double(), "inside the picture no light is lost")
    middle = (result.detach().flip(2, 3) - result).abs().amax()
    expect(middle + 1, torch.tensor(1.0).double(), "1 + the difference from its own mirror image: the line is centred")


@pytest.mark.points(1, "motion_blur")
def test_motion_blur_leaves_no_trace_and_repeats(expect):
    assert_lawful(expect, robustness.motion_blur, IMAGES)
    result = robustness.motion_blur(plain(0.7), 5, generator=seed())
    expect(result, plain(0.7), "a plain picture stays plain, to its border")


# zoom_blur


@pytest.mark.points(1, "zoom_blur")
def test_zoom_blur_is_the_mean_over_the_zooms(expect):
    cases = itertools.product((IMAGES, pictures(2, size=(8, 10))), enumerate(robustness.SEVERITIES["zoom_blur"], 1))

    for images, (severity, (step, number)) in cases:
        center_y, center_x = (images.shape[2] - 1) / 2, (images.shape[3] - 1) / 2
        y, x = torch.meshgrid(*(torch.arange(side).double() for side in images.shape[2:]), indexing="ij")
        result = robustness.zoom_blur(images, severity)
        zooms = [1 + k * step for k in range(number)]
        parts = [sampled(images, center_y + (y - center_y) / z, center_x + (x - center_x) / z) for z in zooms]
        expect(result, torch.stack(parts).mean(dim=0), "the mean of the picture at zoom 1, 1 + step, 1 + 2 step, ...")


@pytest.mark.points(1, "zoom_blur")
def test_zoom_blur_flattens_a_ramp_by_the_mean_of_one_over_the_zoom(expect, settings):
    settings("zoom_blur", (0.1, 3), (0.25, 5), (0.2, 1), (1.0, 2), (0.05, 7))
    y, x = torch.meshgrid((torch.arange(9).double() - 4) / 9, (torch.arange(13).double() - 6) / 13, indexing="ij")
    slopes = torch.stack([y / 2, x / 2, (x - y) / 3])[None]

    for severity, (step, number) in enumerate(((0.1, 3), (0.25, 5), (0.2, 1), (1.0, 2), (0.05, 7)), 1):
        result = robustness.zoom_blur(0.5 + slopes, severity)
        flatter = sum(1 / (1 + k * step) for k in range(number)) / number
        expect(result - 0.5, flatter * slopes, "offset / z, averaged over the zooms, z = 1 once")


@pytest.mark.points(1, "zoom_blur")
def test_zoom_blur_leaves_no_trace_and_repeats(expect):
    assert_lawful(expect, robustness.zoom_blur, IMAGES, random=False)
    expect(robustness.zoom_blur(plain(0.7), 5), plain(0.7), "a plain picture stays plain, to its border")


# corruption_errors


class Reads(nn.Module):
    """A network that reads the class off the picture's first value, in tenths."""

    def forward(self, images):
        return 7.0 * nn.functional.one_hot((images[:, 0, 0, 0] * 10).round().long(), 5).to(images)


LABELS = torch.arange(40) % 5
WRONG = torch.tensor([[0, 3, 8, 20, 40], [1, 5, 5, 6, 31], [0, 0, 0, 0, 2]])  # of 40 images, under each corruption


def labelled_pictures():
    """Forty pictures that `Reads` takes for LABELS."""
    images = pictures(40, size=(4, 6))
    images[:, 0, 0, 0] = LABELS / 10
    return images


def spoiling(row, generator, clean):
    """A corruption that turns the last WRONG[row, severity - 1] pictures into those of another class."""

    def corruption(images, severity, *, generator=None):
        assert severity in (1, 2, 3, 4, 5), f"a corruption was called with severity {severity!r}: 1 to 5"
        assert generator is right_generator, "the corruption gets the generator that you were given"
        assert torch.equal(images, clean), "each corruption gets the clean images, all of them"
        spoiled = images.clone()
        count = int(WRONG[row, severity - 1])
        spoiled[len(images) - count :, 0, 0, 0] = ((LABELS + 1 + row) % 5 / 10)[len(images) - count :].to(images)
        return spoiled

    right_generator = generator
    return corruption


@pytest.mark.points(1, "corruption_errors")
def test_corruption_errors_are_the_shares_of_wrong_answers(expect):
    generator, images, labels = seed(), labelled_pictures(), LABELS.clone()
    labels[:2] = (labels[:2] + 4) % 5  # two clean pictures that the network does not know, whatever is done to them
    corruptions = [spoiling(row, generator, images.clone()) for row in range(3)]

    errors = robustness.corruption_errors(Reads().eval(), images, labels, corruptions, generator=generator)

    right = (WRONG + 2).clamp(max=40).double() / 40
    expect(
        errors, right, "wrong answers / images, against the labels; a row for each corruption, severity 1 to 5 across"
    )


@pytest.mark.points(1, "corruption_errors")
def test_corruption_errors_of_one_image_and_one_corruption(expect):
    labels = torch.tensor([2])
    image = labelled_pictures()[2:3]

    def corruption(images, severity, *, generator):
        spoiled = images.clone()
        spoiled[:, 0, 0, 0] = 0.2 if severity in (1, 4) else 0.3
        return spoiled

    errors = robustness.corruption_errors(Reads().eval(), image, labels, [corruption], generator=seed())

    expect(errors, torch.tensor([[0.0, 1, 1, 0, 1]]).double(), "(1, 5): right at severity 1 and 4, wrong at the others")


@pytest.mark.points(1, "corruption_errors")
def test_corruption_errors_leave_no_trace(expect):
    model, images, labels = seeded(SmallConvNet()), pictures(4), torch.tensor([0, 1, 2, 3])

    def shift(images, severity, *, generator):
        return images + 0.02 * severity * torch.randn(images.shape, generator=generator, dtype=images.dtype)

    def call(model, images):
        return robustness.corruption_errors(model, images, labels, (shift,), generator=seed())

    with expect.unchanged(model=model, images=images, labels=labels):
        result = call(model, images)
    expect(call(model, images.clone().requires_grad_()), result, "the same again, for images that ask for gradients")
    draws = []

    def drawing(images, severity, *, generator):
        draws.append(float(torch.rand((), generator=generator)))
        return images

    robustness.corruption_errors(model, images, labels, [drawing] * 7, generator=seed())
    expect(len(draws), 35, "seven corruptions, each called at five severities")
    assert len(set(draws)) == 35, "two calls draw the same random numbers: hand the generator on as it is"
    single = robustness.corruption_errors(model.float(), images.float(), labels, [shift], generator=seed())
    expect(single, single.detach().double().float(), "float32 images give a float32 result")
    assert_lets_errors_through(expect, call, broken(model.double(), "forward"), images, "forward")


# mean_corruption_error, core


def table(number, rows=3, columns=5):
    """Error rates (C, S) that differ from corruption to corruption and from severity to severity."""
    rates = torch.rand(rows, columns, generator=seed(number), dtype=torch.float64)
    return rates * torch.linspace(0.1, 0.9, rows).double()[:, None]


def total(rates):
    """The sum of a list of numbers, one after another."""
    return sum(float(rate) for rate in rates)


@pytest.mark.points(2, "mean_corruption_error")
def test_mce_is_the_mean_over_corruptions_of_the_ratio_of_the_sums_over_severities(expect):
    for number, (rows, columns) in enumerate(((3, 5), (7, 5), (1, 5), (4, 2))):
        errors, baseline = table(number, rows, columns), table(50 + number, rows, columns)
        ratios = [total(mine) / total(theirs) for mine, theirs in zip(errors, baseline, strict=True)]

        result = robustness.mean_corruption_error(errors, baseline)

        right = torch.tensor(total(ratios) / rows).double()
        expect(result, right, "mean over c of (sum over s of E[c, s] / sum over s of baseline[c, s]), 0-d")


@pytest.mark.points(1, "mean_corruption_error")
def test_mce_of_the_baseline_is_one_and_half_the_errors_are_half(expect):
    baseline = table(1)

    expect(robustness.mean_corruption_error(baseline, baseline), torch.tensor(1.0).double(), "1, not 100")
    half = robustness.mean_corruption_error(baseline / 2, baseline)
    expect(half, torch.tensor(0.5).double(), "fewer errors than the baseline: a smaller number")


@pytest.mark.points(1, "mean_corruption_error")
def test_mce_weighs_an_easy_corruption_as_much_as_a_hard_one(expect):
    baseline = torch.tensor([[0.01, 0.02, 0.03], [0.5, 0.8, 0.9]]).double()
    errors = torch.tensor([[0.03, 0.06, 0.09], [0.5, 0.8, 0.9]]).double()

    result = robustness.mean_corruption_error(errors, baseline)

    expect(result, torch.tensor(2.0).double(), "(3 + 1) / 2: three times as many errors there, as many here")


@pytest.mark.points(1, "mean_corruption_error")
def test_mce_sums_before_it_divides(expect):
    baseline = torch.tensor([[0.0, 0.1, 0.4], [0.2, 0.2, 0.2]]).double()
    errors = torch.tensor([[0.1, 0.1, 0.3], [0.1, 0.2, 0.0]]).double()

    result = robustness.mean_corruption_error(errors, baseline)

    expect(result, torch.tensor(0.75).double(), "(0.5 / 0.5 + 0.3 / 0.6) / 2: one severity without errors does no harm")


@pytest.mark.points(1, "mean_corruption_error")
def test_mce_leaves_no_trace(expect):
    errors, baseline = table(3), table(4)

    with expect.unchanged(errors=errors, baseline=baseline):
        result = robustness.mean_corruption_error(errors, baseline)

    expect.new(result, errors=errors, baseline=baseline)
    followed = robustness.mean_corruption_error(errors.clone().requires_grad_(), baseline)
    expect(followed, result, "the same for a table that asks for gradients, detached")
    single = robustness.mean_corruption_error(errors.float(), baseline.float())
    expect(single, result.float(), "float32 tables give a float32 result", tolerance=1e-4)
    assert result.dim() == 0, f"the result has shape {tuple(result.shape)}, expected one number (0-d)"


# relative_mean_corruption_error


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_subtracts_the_clean_error_at_every_severity(expect):
    for number, (rows, columns) in enumerate(((3, 5), (1, 4), (5, 2))):
        errors, baseline = table(number, rows, columns), 0.3 + 0.5 * table(60 + number, rows, columns)
        worse = [total(row) - columns * 0.07 for row in errors]
        baseline_worse = [total(row) - columns * 0.21 for row in baseline]
        right = total([a / b for a, b in zip(worse, baseline_worse, strict=True)]) / rows

        result = robustness.relative_mean_corruption_error(errors, 0.07, baseline, 0.21)

        expect(result, torch.tensor(right).double(), "mean over c of sum_s (E - clean) / sum_s (baseline - its clean)")


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_of_the_baseline_is_one_and_of_an_unharmed_network_zero(expect):
    baseline = 0.3 + table(1) / 2

    same = robustness.relative_mean_corruption_error(baseline, 0.2, baseline, 0.2)
    unharmed = robustness.relative_mean_corruption_error(
        torch.full((3, 5), 0.4, dtype=torch.float64), 0.4, baseline, 0.2
    )

    expect(same, torch.tensor(1.0).double(), "1 for the baseline itself")
    expect(unharmed, torch.tensor(0.0).double(), "0 for a network that errs as often as on clean images")
    better = robustness.relative_mean_corruption_error(table(2) / 4, 0.5, baseline, 0.2)
    assert float(better) < 0, "a network that errs less than on clean images: less than 0, not clamped"


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_divides_the_sums_of_each_corruption(expect):
    baseline = torch.tensor([[0.05, 0.2, 0.3], [0.5, 0.8, 0.8]]).double()  # one below its clean error, 0.1
    errors = torch.tensor([[0.2, 0.2, 0.5], [0.4, 0.4, 0.3]]).double()

    result = robustness.relative_mean_corruption_error(errors, 0.1, baseline, 0.1)

    right = (0.6 / 0.25 + 0.8 / 1.8) / 2
    expect(result, torch.tensor(right).double(), "the clean error counts three times, once a severity; then two ratios")


@pytest.mark.points(1, "relative_mean_corruption_error")
def test_relative_mce_takes_clean_errors_as_numbers_or_tensors_and_leaves_no_trace(expect):
    errors, baseline, clean = table(3), 0.3 + table(4) / 2, torch.tensor(0.05).double()

    with expect.unchanged(errors=errors, baseline=baseline, clean=clean):
        result = robustness.relative_mean_corruption_error(errors, clean, baseline, clean)

    number = robustness.relative_mean_corruption_error(errors.clone().requires_grad_(), 0.05, baseline, 0.05)
    expect(number, result, "0-d tensors as floats, detached")
    single = robustness.relative_mean_corruption_error(errors.float(), 0.05, baseline.float(), 0.05)
    expect(single, result.float(), "float32 tables give a float32 result", tolerance=1e-4)
    assert result.dim() == 0, f"the result has shape {tuple(result.shape)}, expected one number (0-d)"


# cue_conflict


@pytest.mark.points(1, "cue_conflict")
def test_cue_conflict_transfers_texture_i_to_content_i(expect):
    content, texture = IMAGES, pictures(3, seed=5, size=(5, 7))
    seen = []

    def transfer(image, style):
        seen.append(image)
        shapes = f"{tuple(image.shape)} and {tuple(style.shape)}"
        assert shapes == "(3, 9, 13) and (3, 5, 7)", f"transfer gets {shapes}, expected (3, 9, 13) and (3, 5, 7)"
        assert torch.is_grad_enabled(), "transfer ran under no_grad: one that climbs or descends needs gradients"
        return 0.7 * image + 0.3 * style.mean(dim=(1, 2), keepdim=True)

    result = robustness.cue_conflict(content, texture, transfer)

    right = 0.7 * content + 0.3 * texture.mean(dim=(2, 3), keepdim=True)
    expect(result, right, "transfer(content[i], texture[i]) for each i, in order")
    expect(len(seen), 3, "transfer is called once a pair")


@pytest.mark.points(1, "cue_conflict")
def test_cue_conflict_is_clamped_and_detached(expect):
    content = (3 * IMAGES - 1).requires_grad_()  # transfer may overshoot, and may keep its graph

    result = robustness.cue_conflict(content, IMAGES.flip(3), lambda image, style: image + 0.1 * style)

    right = (content.detach() + 0.1 * IMAGES.flip(3)).clamp(0, 1)
    expect(result, right, "what transfer makes, clamped to [0, 1], detached")
    parameter = torch.tensor(0.5).double().requires_grad_()
    kept = robustness.cue_conflict(IMAGES, IMAGES, lambda image, style: parameter * image)
    expect(kept, 0.5 * IMAGES, "detached, also from what transfer itself holds")


@pytest.mark.points(1, "cue_conflict")
def test_cue_conflict_leaves_no_trace(expect):
    content, texture = IMAGES.clone(), pictures(3, seed=5)

    with expect.unchanged(content=content, texture=texture):
        result = robustness.cue_conflict(content, texture, lambda image, style: image)

    expect.new(result, content=content, texture=texture)
    expect(result, content, "a transfer that changes nothing gives the content back")
    one = robustness.cue_conflict(content[:1].float(), texture[:1].float(), lambda image, style: style)
    expect(one, texture[:1].float(), "one pair in float32 gives one picture in float32")


# shape_bias, core

A, B, C, D = 0, 1, 2, 3
TRIALS = (  # prediction, shape, texture
    (A, A, B),
    (B, A, B),
    (C, A, B),
    (A, A, A),
    (D, D, C),
    (C, C, A),
    (B, A, A),
    (A, B, A),
    (B, B, C),
    (D, A, C),
)


def trials(*chosen):
    """Three tensors (T,) of the trials of these numbers."""
    return tuple(torch.tensor([TRIALS[i][k] for i in chosen], dtype=torch.int64) for k in range(3))


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_counts_shape_decisions_among_decisions_for_a_cue(expect):
    bias = robustness.shape_bias(*trials(0, 1, 4, 5, 7))

    expect(bias, 3 / 5, "three follow the shape, two the texture: 3 / (3 + 2)")
    expect(robustness.shape_bias(*trials(0, 4)), 1.0, "every decision by shape")
    expect(robustness.shape_bias(*trials(1, 7)), 0.0, "every decision by texture")


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_leaves_out_predictions_of_a_third_class(expect):
    bias = robustness.shape_bias(*trials(0, 1, 2, 9, 4, 5, 2))

    expect(bias, 3 / 4, "a trial whose prediction is neither the shape's nor the texture's class counts nowhere")


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_leaves_out_trials_without_a_conflict(expect):
    bias = robustness.shape_bias(*trials(3, 0, 1, 7, 6, 3))

    expect(bias, 1 / 3, "a trial whose shape and texture are one class counts nowhere, whatever is predicted")


@pytest.mark.points(1, "shape_bias")
def test_shape_bias_of_no_decision_is_nan_and_nothing_is_changed(expect):
    for undecided in ((2, 9), (3, 6), ()):
        nothing = robustness.shape_bias(*trials(*undecided))
        assert isinstance(nothing, float), f"the result is a {type(nothing).__name__}, expected a float"
        assert math.isnan(nothing), f"of no decision there is no share: expected NaN, not {nothing:g}"
    three = trials(*range(10))
    with expect.unchanged(predictions=three[0], shapes=three[1], textures=three[2]):
        bias = robustness.shape_bias(*three)
    expect(bias, 4 / 6, "four follow the shape, two the texture")
