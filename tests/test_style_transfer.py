"""Part 5. Each check is a sentence about a function of assignment2/style_transfer.py, in float64, H unlike W.

Losses are checked by value and by slope: a loss whose value is right and whose slope is cut moves no picture. The loop is
checked by the pictures that the network was shown on the way.
"""

from itertools import pairwise

import pytest
import torch
from torch import nn

from assignment2 import style_transfer as part5
from coursekit.grading.harmless import assert_no_trace, assert_same_however_called
from coursekit.grading.networks import SIZE, numbers, pictures, seeded
from coursekit.grading.recorder import Recorder

SHAPES = (4, 5, 7), (6, 3, 2), (2, 1, 8)  # (C, H, W) of three layers
WEIGHTS = (0.5, 3.0, 0.2)


def slope(loss, tensor):
    """Return the gradient of a loss by autograd; a loss that tells no slope fails the check."""
    assert isinstance(loss, torch.Tensor), f"the loss is a {type(loss).__name__}, expected a 0-d tensor"
    assert loss.requires_grad, "the loss has no slope: it is cut off from what it is made of"
    (gradient,) = torch.autograd.grad(loss, tensor, retain_graph=True, allow_unused=True)
    assert gradient is not None, "the loss has a slope, but not in the features: where is it cut off?"
    return gradient


def assert_constant(loss, *tensors):
    """Hold a loss to sending no gradient to what is wanted of the features."""
    for gradient in torch.autograd.grad(loss, tensors, allow_unused=True):
        none = gradient is None or not gradient.any()
        assert none, "a gradient reaches what the features are compared with: that is a constant, cut it off"


def value_of(result):
    """A loss without its history: whether it has one is what the checks of the slope look at."""
    return result.detach() if isinstance(result, torch.Tensor) else result


def named_tensors(**groups):
    """Name every tensor of some lists, as `expect.unchanged` wants them."""
    return {f"{name}[{i}]": tensor for name, tensors in groups.items() for i, tensor in enumerate(tensors)}


def layers(num_images, seed=0):
    return [numbers(num_images, *shape, seed=seed + i) for i, shape in enumerate(SHAPES)]


def flat_maps(levels, size):
    """Features (N, C, H, W) whose channel c is levels[n, c] everywhere: their Gram matrix is known by hand."""
    return levels[:, :, None, None].expand(*levels.shape, *size).contiguous()


def gram_of_levels(levels):
    """The Gram matrix of `flat_maps`, normalised: every place adds the same, so the size of the map does not matter."""
    return levels[:, :, None] * levels[:, None] / levels.shape[1]


def correlations(features, *, normalize=True):
    """A right `gram_matrix` by the polarisation identity: 4 <a, b> = |a + b|^2 - |a - b|^2."""
    n, channels = features.shape[:2]
    rows = features.reshape(n, channels, -1)
    together, apart = (((rows[:, :, None] + sign * rows[:, None]) ** 2).sum(-1) for sign in (1, -1))
    return (together - apart) / (4 * rows[0].numel() if normalize else 4)


def distance(one, other):
    """|a - b|^2, as |a|^2 - 2 <a, b> + |b|^2."""
    return (one**2).sum() + (other**2).expand(one.shape).sum() - 2 * (one * other).sum()


def right_content_loss(features, targets, weights):
    return sum(w * distance(f, p.detach()) for f, p, w in zip(features, targets, weights, strict=True))


def right_style_loss(features, grams, weights):
    return sum(w * distance(correlations(f), a.detach()) for f, a, w in zip(features, grams, weights, strict=True))


def right_roughness(images):
    """A right `total_variation_loss`: what is missing from full correlation with the neighbour."""
    pairs = [(images.narrow(d, 1, images.shape[d] - 1), images.narrow(d, 0, images.shape[d] - 1)) for d in (2, 3)]
    return sum(distance(one, other) for one, other in pairs)


# content_loss


@pytest.mark.points(1, "content_loss")
def test_content_loss_of_shifted_features_is_the_squared_shift_times_their_number(expect):
    for num_images in 1, 3:
        targets = layers(num_images)
        shifts = 0.3, -0.7, 2.0

        loss = part5.content_loss([p + s for p, s in zip(targets, shifts, strict=True)], targets, WEIGHTS)

        wanted = sum(w * s**2 * p.numel() for w, s, p in zip(WEIGHTS, shifts, targets, strict=True))
        formula = "0-d: sum over layers of w_i * shift_i^2 * number of entries"
        expect(value_of(loss), torch.tensor(wanted).double(), formula)
        same = part5.content_loss(targets, targets, WEIGHTS)
        expect(value_of(same), torch.tensor(0.0).double(), "0 for the same features")


@pytest.mark.points(1, "content_loss")
def test_content_slope_is_twice_the_weighted_difference_and_none_reaches_the_targets(expect):
    features = [f.requires_grad_() for f in layers(3)]
    targets = [p.requires_grad_() for p in layers(3, seed=10)]

    with expect.unchanged(**named_tensors(features=features, targets=targets)):
        loss = part5.content_loss(features, targets, WEIGHTS)

    for feature, target, weight in zip(features, targets, WEIGHTS, strict=True):
        found = slope(loss, feature)
        expect(found, 2 * weight * (feature - target).detach(), "dL/dF_i = 2 w_i (F_i - P_i)")
    assert_constant(part5.content_loss(features, targets, WEIGHTS), *targets)


@pytest.mark.points(1, "content_loss")
def test_gradients_of_several_content_losses_add_at_the_picture(expect):
    image = pictures(1).requires_grad_()
    made = [image, 3 * image, (2 * image) ** 2]  # three layers that one picture feeds
    targets = [numbers(*image.shape, seed=i) for i in range(3)]

    with expect.kept(**named_tensors(targets=targets)):
        together = slope(part5.content_loss(made, targets, WEIGHTS), image)

    x = image.detach()
    alone = [2 * (x - targets[0]), 6 * (3 * x - targets[1]), 16 * x * (4 * x**2 - targets[2])]
    expect(
        together, sum(w * g for w, g in zip(WEIGHTS, alone, strict=True)), "the sum of the weighted layers' gradients"
    )


@pytest.mark.points(1, "content_loss")
def test_content_loss_leaves_no_trace_and_takes_any_sequence(expect):
    targets, steps = layers(2, seed=4), layers(2, seed=8)
    features = [(p + s).requires_grad_() for p, s in zip(targets, steps, strict=True)]
    wanted = sum(w * (s**2).sum() for w, s in zip((-1.0, 0.0, 2.0), steps, strict=True))

    with expect.unchanged(**named_tensors(features=features, targets=targets)):
        for kind in list, tuple:
            loss = part5.content_loss(kind(features), kind(targets), kind((-1.0, 0.0, 2.0)))
            expect(value_of(loss), wanted, "a layer may count nothing, or be pushed away from")
    strided = [f.detach().mT.contiguous().mT for f in features]
    expect(value_of(part5.content_loss(strided, targets, (-1.0, 0.0, 2.0))), wanted, "features with any strides")
    single = part5.content_loss([f.detach().float() for f in features], [p.float() for p in targets], [-1, 0, 2])
    formula = "float32 features give a float32 loss; weights may be whole numbers"
    expect(value_of(single), wanted.float(), formula, tolerance=1e-4)


# gram_matrix


@pytest.mark.points(2, "gram_matrix")
def test_gram_of_flat_maps_is_the_product_of_their_levels(expect):
    levels = torch.tensor([[1.0, -2.0, 3.0, 0.5]]).double()
    for size in (5, 7), (1, 3):
        features = flat_maps(levels, size)

        summed = part5.gram_matrix(features, normalize=False)
        shared = part5.gram_matrix(features)

        outer = levels[:, :, None] * levels[:, None]
        expect(summed, outer * size[0] * size[1], "normalize=False: the sum over all places, not divided")
        expect(shared, outer / 4, "normalised: divided by C * H * W")
    expect(part5.gram_matrix(flat_maps(levels, (5, 7)), normalize=True), outer / 4, "normalize=True is the default")


@pytest.mark.points(1, "gram_matrix")
def test_gram_counts_what_occurs_together_and_not_where(expect):
    features = numbers(1, 4, 5, 7, seed=1)
    order = numbers(35, seed=2).argsort()

    moved = features.flatten(2)[:, :, order].unflatten(2, (5, 7)).contiguous()
    apart = torch.zeros(1, 3, 5, 7).double()
    apart[0, 0, 0], apart[0, 1, 1:3], apart[0, 2, 3:] = 2.0, 1.0, -3.0  # no place has two channels

    expect(part5.gram_matrix(moved), correlations(features), "the same after the places are shuffled")
    counts = torch.diag(torch.tensor([4.0 * 7, 14.0, 9.0 * 14])).double()[None]
    expect(part5.gram_matrix(apart, normalize=False), counts, "channels that never meet have entry 0")


@pytest.mark.points(1, "gram_matrix")
def test_every_image_has_its_own_gram_matrix(expect):
    features = numbers(2, 4, 5, 7, seed=3)
    features[1] *= 5

    result = part5.gram_matrix(features)

    alone = [correlations(features[i : i + 1]) for i in range(2)]
    expect(result, torch.cat(alone), "(N, C, C): images of one batch do not meet")
    for i in range(2):
        expect(part5.gram_matrix(features[i : i + 1]), alone[i], "(1, C, C) for a batch of one")
    one_channel = part5.gram_matrix(features[:, :1], normalize=False)
    expect(one_channel, (features[:, 0] ** 2).sum((1, 2))[:, None, None], "(N, 1, 1) for one channel: its square")


@pytest.mark.points(1, "gram_matrix")
def test_slope_through_the_gram_matrix_mixes_the_channels(expect):
    for normalize in True, False:
        features = numbers(2, 4, 5, 7, seed=5).requires_grad_()
        upstream = numbers(2, 4, 4, seed=6)

        found = slope((part5.gram_matrix(features, normalize=normalize) * upstream).sum(), features)

        both = upstream + upstream.mT
        wanted = torch.einsum("nij,njyx->niyx", both, features.detach()) / (4 * 5 * 7 if normalize else 1)
        expect(found, wanted, "dL/dF = (U + U^T) F, divided as G is, for an upstream U")


@pytest.mark.points(1, "gram_matrix")
def test_gram_matrix_takes_any_strides_and_leaves_no_trace(expect):
    features = numbers(2, 4, 5, 7, seed=7)
    wanted = correlations(features)
    forms = {
        "channels last": features.to(memory_format=torch.channels_last),
        "turned": features.mT.contiguous().mT,
        "every second column": features.repeat_interleave(2, dim=3)[..., ::2],
        "followed by autograd": features.clone().requires_grad_() * 1,
    }

    for form, given in forms.items():
        with expect.unchanged(features=given):
            result = part5.gram_matrix(given)
        expect(result.detach(), wanted, f"the same for features that lie in memory otherwise: {form}")
    with torch.no_grad():
        expect(part5.gram_matrix(features), wanted, "the same under the caller's torch.no_grad()")
    expect(part5.gram_matrix(features.float()), wanted.float(), "float32 gives float32", tolerance=1e-4)
    one_place = numbers(2, 1, 1, 1, seed=9)
    for normalize in True, False:
        expect.new(part5.gram_matrix(one_place, normalize=normalize), features=one_place)


# style_loss


def right_gram(monkeypatch):
    monkeypatch.setattr(part5, "gram_matrix", correlations)


@pytest.mark.points(2, "style_loss")
def test_style_loss_is_the_weighted_squared_distance_of_normalised_grams(expect, monkeypatch):
    right_gram(monkeypatch)
    for num_images in 1, 3:
        levels = [numbers(num_images, c, seed=c) for c in (4, 6, 2)]
        away = [numbers(num_images, c, c, seed=20 + c) for c in (4, 6, 2)]
        features = [flat_maps(v, size) for v, size in zip(levels, ((5, 7), (3, 2), (1, 8)), strict=True)]
        grams = [gram_of_levels(v) + a for v, a in zip(levels, away, strict=True)]

        loss = part5.style_loss(features, grams, WEIGHTS)

        wanted = sum(w * (a**2).sum() for w, a in zip(WEIGHTS, away, strict=True))
        expect(value_of(loss), wanted, "0-d: sum over layers, images and pairs of channels of w_i (G_i - A_i)^2")


@pytest.mark.points(1, "style_loss")
def test_one_style_of_another_size_serves_all_images(expect, monkeypatch):
    right_gram(monkeypatch)
    levels = [numbers(1, c, seed=c) for c in (3, 5)]
    grams = [gram_of_levels(v) for v in levels]  # (1, C, C), of maps of any size

    for size in (4, 6), (9, 2):
        same = [flat_maps(v.expand(3, -1), size) for v in levels]
        louder = [flat_maps(v.expand(3, -1) * torch.tensor([1.0, 2.0, 0.0]).double()[:, None], size) for v in levels]

        loss = part5.style_loss(same, grams, [1.0, 1.0])
        expect(value_of(loss), 0 * grams[0].sum(), "0: the maps' size does not matter")

        wanted = sum(w * (9 + 1) * (a**2).sum() for w, a in zip((0.5, 2.0), grams, strict=True))
        loss = part5.style_loss(louder, grams, [0.5, 2.0])
        expect(value_of(loss), wanted, "each image is compared with the one style")


@pytest.mark.points(1, "style_loss")
def test_style_slope_reaches_the_features_and_not_the_grams(expect, monkeypatch):
    right_gram(monkeypatch)
    features = [f.requires_grad_() for f in layers(2)]
    grams = [numbers(2, c, c, seed=30 + c).requires_grad_() for c, _, _ in SHAPES]

    with expect.unchanged(**named_tensors(features=features, grams=grams)):
        loss = part5.style_loss(features, grams, WEIGHTS)

    for feature, gram, weight in zip(features, grams, WEIGHTS, strict=True):
        found = slope(loss, feature)
        off = 2 * weight * (correlations(feature) - gram).detach()
        wanted = torch.einsum("nij,njyx->niyx", off + off.mT, feature.detach()) / feature[0].numel()
        expect(found, wanted, "dL/dF_i = 2 w_i (E + E^T) F_i / (C H W), with E = G_i - A_i")
    assert_constant(part5.style_loss(features, grams, WEIGHTS), *grams)


@pytest.mark.points(1, "style_loss")
def test_style_loss_leaves_no_trace_and_takes_any_sequence(expect, monkeypatch):
    right_gram(monkeypatch)
    features = [f.requires_grad_() for f in layers(2, seed=40)]
    grams = [correlations(f).detach() + (i + 1) for i, f in enumerate(features)]
    wanted = torch.tensor(2 * (-1.0 * 16 * 1 + 0.0 + 2.0 * 4 * 9)).double()

    with expect.unchanged(**named_tensors(features=features, grams=grams)):
        for kind in list, tuple:
            loss = part5.style_loss(kind(features), kind(grams), kind((-1.0, 0.0, 2.0)))
            expect(value_of(loss), wanted, "a layer may count nothing, or be pushed away from")
    single = part5.style_loss([f.detach().float() for f in features], [a.float() for a in grams], [-1, 0, 2])
    formula = "float32 features give a float32 loss; weights may be whole numbers"
    expect(value_of(single), wanted.float(), formula, tolerance=1e-4)


# total_variation_loss


@pytest.mark.points(1, "total_variation_loss")
def test_roughness_of_a_ramp_counts_every_pair_of_neighbours(expect):
    rows, columns = torch.meshgrid(torch.arange(5).double(), torch.arange(7).double(), indexing="ij")
    base = numbers(2, 3, 1, 1, seed=1)

    loss = part5.total_variation_loss(base + 0.2 * rows + 0.03 * columns)

    wanted = 2 * 3 * (0.2**2 * 4 * 7 + 0.03**2 * 5 * 6)
    formula = "N * 3 * (a^2 (H - 1) W + b^2 H (W - 1)) for the ramp a y + b x: nothing wraps round"
    expect(loss, torch.tensor(wanted).double(), formula)
    for size, pairs in (((1, 7), 0.03**2 * 6), ((5, 1), 0.2**2 * 4), ((1, 1), 0.0)):
        narrow = (base + 0.2 * rows + 0.03 * columns)[:, :, : size[0], : size[1]]
        result = part5.total_variation_loss(narrow)
        expect(
            result, torch.tensor(2 * 3 * pairs).double(), "a single row or column has the other direction's pairs only"
        )


@pytest.mark.points(1, "total_variation_loss")
def test_roughness_pulls_every_pixel_towards_its_neighbours(expect):
    images = numbers(2, 3, 4, 6, seed=2).requires_grad_()

    loss = part5.total_variation_loss(images)
    found = slope(loss, images)

    wanted, total = torch.zeros(2, 3, 4, 6).double(), 0.0
    for y, x in torch.cartesian_prod(torch.arange(4), torch.arange(6)).tolist():
        for v, u in ((y + 1, x), (y, x + 1)):
            if v < 4 and u < 6:
                step = (images[:, :, v, u] - images[:, :, y, x]).detach()
                wanted[:, :, v, u] += 2 * step
                wanted[:, :, y, x] -= 2 * step
                total += (step * step).sum()
    expect(loss.detach(), total, "the sum over all pairs of neighbours of the squared difference")
    expect(found, wanted, "each pair pulls both its pixels together, with twice their difference")


@pytest.mark.points(1, "total_variation_loss")
def test_roughness_leaves_no_trace(expect):
    images = pictures(3).requires_grad_()
    whole = right_roughness(images).detach()

    with expect.unchanged(images=images):
        loss = part5.total_variation_loss(images)
    with torch.no_grad():
        again = part5.total_variation_loss(images)

    expect(loss.detach(), whole, "summed over images, channels and pairs")
    expect(again.detach(), whole, "the same under the caller's torch.no_grad()")
    single = part5.total_variation_loss(images.detach().float())
    expect(single, whole.float(), "float32 pictures give a float32 loss", tolerance=1e-4)


# style_transfer


class Painted(nn.Module):
    """Convolutions with in-place ReLUs and a pool, for pictures of any size."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.ReLU(True),
            nn.Conv2d(4, 5, 3, padding=1),
            nn.ReLU(True),
            nn.MaxPool2d(2),
            nn.Conv2d(5, 6, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, images):
        return self.features(images - 0.5)


SETTINGS = {
    "content_layers": ["features.2", "features.6"],
    "content_weights": [0.3, 2.0],
    "style_layers": ["features.0", "features.3", "features.5"],
    "style_weights": [40.0, 900.0, 300.0],
    "tv_weight": 0.05,
    "optimizer": "adam",
}
STYLE_SIZE = (6, 10)


@pytest.fixture
def losses(monkeypatch):
    """Put right siblings in the module."""
    right_gram(monkeypatch)
    monkeypatch.setattr(part5, "content_loss", right_content_loss)
    monkeypatch.setattr(part5, "style_loss", right_style_loss)
    monkeypatch.setattr(part5, "total_variation_loss", right_roughness)


def scene(num_images=1):
    """Content, start and style, each a picture of its own."""
    return pictures(num_images, seed=1), pictures(num_images, seed=2), pictures(1, seed=3, size=STYLE_SIZE)


def outputs_of(network, images):
    """What every layer returns, before anything in place follows."""
    found, images = {}, images - 0.5
    for i, layer in enumerate(network.features):
        images = found[f"features.{i}"] = layer(images.clone())
    return found


def true_slope(network, image, content, style, settings):
    """The slope of the whole loss at a picture, by the book."""
    x = image.detach().clone().requires_grad_()
    now, wanted, painted = (outputs_of(network, picture) for picture in (x, content, style))
    loss = settings["tv_weight"] * right_roughness(x)
    for name, weight in zip(settings["content_layers"], settings["content_weights"], strict=True):
        loss = loss + weight * distance(now[name], wanted[name].detach())
    for name, weight in zip(settings["style_layers"], settings["style_weights"], strict=True):
        loss = loss + weight * distance(correlations(now[name]), correlations(painted[name]).detach())
    return torch.autograd.grad(loss, x)[0]


def adam_steps(path, slopes, step_size):
    """Where Adam goes from each picture of a path, by its formula, clamped."""
    mean = square = 0
    for t, (image, g) in enumerate(zip(path, slopes, strict=False), 1):
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g**2
        root = (square / (1 - 0.999**t)) ** 0.5
        yield (image - step_size * mean / (1 - 0.9**t) / (root + 1e-8)).clamp(0, 1)


def path_of(recorder, start, result):
    """Return the pictures that the network was shown from the start on, the result last."""
    shown = [batch for batch in recorder.distinct() if batch.shape == start.shape]
    places = [i for i, batch in enumerate(shown) if torch.equal(batch, start)]
    assert places, "the network was never shown the start: from where does the descent begin?"
    path = shown[places[-1] :]
    return path if torch.equal(path[-1], result) and len(path) > 1 else [*path, result]


def paint(network, content, style, **changes):
    return part5.style_transfer(network, content, style, **{**SETTINGS, **changes})


def named(settings, prefix="network."):
    """The layers' names in a `Recorder`."""
    return {key: [prefix + n for n in settings[key]] for key in ("content_layers", "style_layers")}


@pytest.mark.points(1, "style_transfer")
def test_no_steps_return_the_start(expect, losses):
    network, (content, start, style) = seeded(Painted()), scene(2)

    for optimizer in "adam", "lbfgs":
        usual = paint(network, content, style, num_steps=0, optimizer=optimizer)
        given = paint(network, content, style, num_steps=0, optimizer=optimizer, init=start)

        expect(usual, content, "num_steps = 0 returns a copy of content")
        expect(given, start, "num_steps = 0 returns a copy of init, where one is given")
        expect.new(usual, content=content)
        expect.new(given, init=start, content=content)


@pytest.mark.points(2, "style_transfer")
def test_first_step_moves_every_pixel_against_the_sign_of_its_gradient(expect, losses):
    network, (content, start, style) = seeded(Painted()), scene()
    content_only = {"style_layers": [], "style_weights": [], "tv_weight": 0.0}
    style_only = {"content_layers": [], "content_weights": [], "tv_weight": 0.0}
    rough_only = {**content_only, **style_only, "tv_weight": 1.0}
    cases = {"content": content_only, "style": style_only, "total variation": rough_only, "all losses": {}}

    for what, changes in cases.items():
        for init in None, start:
            result = paint(network, content, style, num_steps=1, step_size=0.03, init=init, **changes)

            begin = content if init is None else init
            g = true_slope(network, begin, content, style, {**SETTINGS, **changes})
            where = "content" if init is None else "init"
            formula = f"from {where}, with {what}: each pixel moves by step_size downhill, or into the clamp"
            expect(result, (begin - 0.03 * g.sign() * (g.abs() > 1e-6)).clamp(0, 1), formula, tolerance=1e-4)


@pytest.mark.points(2, "style_transfer")
def test_every_step_follows_the_gradient_of_all_losses_at_the_picture_as_it_is(expect, losses):
    recorder, (content, start, style) = Recorder(seeded(Painted())).eval(), scene()
    network = recorder.network

    # The second leaves [0, 1] at once and is clamped; in the third the loss rises before it falls.
    for num_steps, step_size, init in (4, 0.02, start), (5, 0.4, start), (3, 0.1, content):
        recorder.shown.clear()
        settings = {**SETTINGS, **named(SETTINGS)}
        result = part5.style_transfer(
            recorder, content, style, **{**settings, "num_steps": num_steps, "step_size": step_size, "init": init}
        )

        path = path_of(recorder, init, result)
        slopes = [true_slope(network, image, content, style, SETTINGS) for image in path[:-1]]
        for number, (step, image) in enumerate(zip(adam_steps(path, slopes, step_size), path[1:], strict=False), 1):
            expect(image, step, f"step {number} of Adam on the whole loss, clamped to [0, 1] after the step")
        moved = sum(not torch.equal(one, other) for one, other in pairwise(path))
        assert moved == num_steps, f"the picture was moved {moved} times, expected num_steps = {num_steps}"


@pytest.mark.points(1, "style_transfer")
def test_what_is_wanted_is_computed_once_and_not_at_every_step(expect, losses):
    recorder, (content, start, style) = Recorder(seeded(Painted())).eval(), scene()
    settings = {**SETTINGS, **named(SETTINGS), "init": start}

    seen = []
    for num_steps in 2, 6:
        recorder.shown.clear()
        part5.style_transfer(recorder, content, style, num_steps=num_steps, **settings)
        seen.append([sum(torch.equal(x, given) for x in recorder.shown) for given in (content, style)])

    assert seen[0][0], "the network was never shown content: what should the features be compared with?"
    assert seen[0][1], "the network was never shown style: which texture is wanted?"
    assert seen[0] == seen[1], "content or style is shown again at every step: what is wanted of a layer never changes"


@pytest.mark.points(1, "style_transfer")
def test_two_pictures_together_are_painted_as_each_alone(expect, losses):
    network, (content, start, style) = seeded(Painted()), scene(2)
    alone = {"init": start, "num_steps": 3, "step_size": 0.05}

    with expect.kept(content=content, style=style, init=start):
        together = paint(network, content, style, **alone)

    singles = [paint(network, content[i : i + 1], style, **{**alone, "init": start[i : i + 1]}) for i in range(2)]
    expect(together, torch.cat(singles), "a batch of two equals two calls")
    assert not any(torch.equal(together, given) for given in (start, content)), "nothing was painted"


@pytest.mark.points(1, "style_transfer")
def test_lbfgs_is_the_default_and_finds_the_content_through_an_invertible_layer(expect, losses):
    network = nn.Sequential(nn.Conv2d(3, 3, 1)).double().eval()
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[2.0, 1, 0], [0, 2, -1], [1, 0, 1]])[:, :, None, None])
    content, start, style = scene(2)
    settings = {"content_layers": ["0"], "content_weights": [1.0], "style_layers": [], "style_weights": []}

    shown = Recorder(network).eval()
    result = part5.style_transfer(
        shown, content, style, num_steps=24, init=start, **{**settings, "content_layers": ["network.0"]}
    )

    expect(result, content, "the only picture with these features", tolerance=1e-3)
    assert len(shown.shown) > 1, "the network was hardly shown a picture: descend from init"
    bright = part5.style_transfer(network, content * 0 + 1, style, num_steps=12, init=start, tv_weight=-0.0, **settings)
    assert torch.equal(bright, bright.clamp(0, 1)), "the result leaves [0, 1]: clamp after every step"


@pytest.mark.points(1, "style_transfer")
def test_style_transfer_leaves_no_trace_and_repeats(expect, losses):
    _, start, style = scene()
    content = pictures(1, seed=4)  # no slope is so near 0 that float32 changes its sign, and with it Adam's step
    style = style.requires_grad_()

    def call(network, images):
        small = style.to(images.dtype) if images.dtype != style.dtype else style
        init = start.to(images.dtype)
        with expect.unchanged(style=style, init=init):
            return paint(network, images, small, num_steps=2, step_size=0.01, init=init)

    assert_no_trace(expect, call, seeded(Painted()), content, breaks_at="features.6")
    assert_same_however_called(expect, call, seeded(Painted()), content)
    quick = paint(seeded(Painted()), content, style, num_steps=3, optimizer="lbfgs")
    assert not quick.requires_grad, "the result is still joined to the autograd graph: detach it"


# stylize

LABELS = torch.tensor([4, 0, 2, 2, 1, 3, 0, 4, 1, 3])
STYLES = [0.1 * (i + 1) + 0 * pictures(1, size=(3 + i, 4))[0] for i in range(3)]  # sizes and levels of their own


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class Mark:
    """A transfer that remembers what it was given, and answers image / 2 + the level of the style."""

    def __init__(self):
        self.calls = []

    def __call__(self, image, style):
        assert image.shape == (3, *SIZE), (
            f"transfer was given an image of shape {tuple(image.shape)}, expected (3, H, W)"
        )
        assert any(style is s or (style.shape == s.shape and torch.equal(style, s)) for s in STYLES), (
            f"transfer was given a style of shape {tuple(style.shape)}, expected one of styles, (3, h, w)"
        )
        self.calls.append((image.detach().clone(), style.shape[1] - 3))
        return image / 2 + style.mean()


@pytest.mark.points(1, "stylize")
def test_every_image_is_repainted_in_its_place_and_keeps_its_label(expect):
    images, mark = pictures(10), Mark()

    with expect.kept(images=images, labels=LABELS):
        result, labels = part5.stylize(images, LABELS, STYLES[1:2], mark)

    expect(result, images / 2 + 0.2, "transfer(image, style), each in its image's place")
    expect(labels, LABELS, "the labels of the images: a style changes nothing about what is there")
    assert len(mark.calls) == 10, f"transfer was called {len(mark.calls)} times for 10 images"


@pytest.mark.points(1, "stylize")
def test_a_random_share_is_repainted_each_in_a_random_style(expect):
    images = pictures(10)
    seen, used = set(), set()
    for seed in range(8):
        for fraction, count in (0.0, 0), (0.3, 3), (0.58, 6), (1.0, 10), (0.14, 1):
            mark = Mark()

            result, labels = part5.stylize(images, LABELS, STYLES, mark, fraction=fraction, generator=generator(seed))

            changed = [i for i in range(10) if not torch.equal(result[i], images[i])]
            assert len(changed) == count, (
                f"{len(changed)} of 10 images were repainted, expected {count}: round({fraction} * N)"
            )
            assert len(mark.calls) == count, f"transfer was called {len(mark.calls)} times for {count} repainted images"
            levels = {i: round(((result[i] - images[i] / 2).mean() * 10).item()) for i in changed}
            for i, level in levels.items():
                expect(result[i], images[i] / 2 + 0.1 * level, "each repainted image in one of the styles")
            expect(labels, LABELS, "all labels stay")
            seen.add(tuple(changed) if fraction == 0.3 else None)
            used.add(tuple(levels.values()) if fraction == 1.0 else None)
    drawn = {levels for levels in used if levels}
    assert any(len(set(levels)) > 1 for levels in drawn), "all images get one style: draw one for each"
    assert len(seen) > 4 or len(drawn) > 4, "other seeds give the very same pictures: draw from the generator"
    assert seen != {None, (0, 1, 2)}, "it is always the first images that are repainted: draw the places"
    assert len(seen) > 4, "other seeds choose the same images: draw the places from the generator"
    assert len(drawn) > 6, "other seeds choose the same styles: draw a style for every image from the generator"
    assert {level for levels in drawn for level in levels} == {1, 2, 3}, "some of the styles are never drawn"
    again = [part5.stylize(images, LABELS, STYLES, Mark(), fraction=0.5, generator=generator(3))[0] for _ in range(2)]
    expect(again[1], again[0], "the same seed gives the same pictures", tolerance=0)
    one = generator(3)
    first, second = (part5.stylize(images, LABELS, STYLES, Mark(), fraction=0.5, generator=one)[0] for _ in range(2))
    assert not torch.equal(first, second), (
        "two calls with one generator draw the same: take the draws from the generator itself, not from a copy of it"
    )


@pytest.mark.points(1, "stylize")
def test_stylize_leaves_no_trace(expect):
    for fraction in 0.0, 0.5:
        images, labels = pictures(10).float().requires_grad_(), LABELS.clone()
        weight = torch.ones((), requires_grad=True)

        with expect.unchanged(images=images, labels=labels):
            new_images, new_labels = part5.stylize(
                images,
                labels,
                STYLES,
                lambda image, style: image * weight / 2 + style.mean().float(),  # noqa: B023
                fraction=fraction,
                generator=generator(1),
            )

        assert not new_images.requires_grad, "the result is still joined to the autograd graph: detach it"
        assert new_images.dtype == torch.float32, f"the images became {new_images.dtype}: keep their dtype"
        expect.new(new_images, images=images)
        expect.new(new_labels, labels=labels)
