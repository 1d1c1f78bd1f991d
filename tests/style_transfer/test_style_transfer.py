"""Style transfer: each check looks at the pictures that the network was called with."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from assignment2 import style_transfer as part5
from coursekit.checks.laws import assert_no_trace, assert_same_however_called
from coursekit.checks.recorder import Recorder
from coursekit.checks.small_networks import pictures, seeded

pytestmark = pytest.mark.usefixtures("right_losses")  # a mistake in one exercise loses no points in another

SETTINGS = {
    "content_layers": ["features.6", "features.2"],  # not in the network's order
    "content_weights": [2.0, 0.3],
    "style_layers": ["features.3", "features.0", "features.5"],
    "style_weights": [900.0, 40.0, 300.0],
    "tv_weight": 0.05,
    "optimizer": "adam",
}


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


def scene(num_images=1):
    """Content, start and style, each a picture of its own."""
    return pictures(num_images, seed=1), pictures(num_images, seed=2), pictures(1, seed=3, size=(6, 10))


def adam_steps(path, slopes, step_size):
    """Where Adam goes from each picture of a path, by its formula, clamped."""
    mean = square = 0
    for t, (image, g) in enumerate(zip(path, slopes, strict=False), 1):
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g**2
        root = (square / (1 - 0.999**t)) ** 0.5
        yield (image - step_size * mean / (1 - 0.9**t) / (root + 1e-8)).clamp(0, 1)


def lbfgs(slope, image, content, num_steps):
    """Where L-BFGS goes from one image, clamped after each iteration (Nocedal and Wright 2006, algorithm 7.4)."""
    # By hand: torch's own loads its compiler, 78 MB, into the process that decides.
    image, pairs, step, before = image.clone(), [], None, None  # pairs: a step, and how much the slope changed with it
    for t in range(num_steps):
        g = slope(image, content).flatten()
        if t and step @ (g - before) > 1e-10:
            pairs.append((step, g - before))
        way, shares = g, []
        for s, y in reversed(pairs):
            shares.append(s @ way / (s @ y))
            way = way - shares[-1] * y
        if pairs:
            s, y = pairs[-1]
            way = way * (s @ y) / (y @ y)
        for s, y in pairs:
            way = way + (shares.pop() - y @ way / (s @ y)) * s
        step, before = -way if t else -way / g.abs().sum().clamp(min=1), g
        image = (image + step.view_as(image)).clamp(0, 1)
    return image


def path_of(recorder, start, result):
    """Return the pictures that the network was shown from the start on, the result last."""
    shown = [batch for batch in recorder.distinct() if batch.shape == start.shape]
    places = [i for i, batch in enumerate(shown) if torch.equal(batch, start)]
    assert places, "the network was never called with the start, where the descent begins"
    path = shown[places[-1] :]
    return path if torch.equal(path[-1], result) and len(path) > 1 else [*path, result]


def paint(network, content, style, **changes):
    network.eval()  # a mode that an earlier call switched is one check's matter
    return part5.style_transfer(network, content, style, **{**SETTINGS, **changes})


def named(settings, prefix="network."):
    """The layers' names in a `Recorder`."""
    return {key: [prefix + n for n in settings[key]] for key in ("content_layers", "style_layers")}


@pytest.mark.points(1, "style_transfer")
def test_no_steps_return_the_start(expect):
    """With num_steps = 0 the result is a copy of init, or of content without init."""
    network, (content, start, style) = seeded(Painted()), scene(2)

    for optimizer in "adam", "lbfgs":
        usual = paint(network, content, style, num_steps=0, optimizer=optimizer)
        given = paint(network, content, style, num_steps=0, optimizer=optimizer, init=start)

        expect(usual, content, "num_steps = 0 returns a copy of content")
        expect(given, start, "num_steps = 0 returns a copy of init, where one is given")
        expect.new(usual, content=content)
        expect.new(given, init=start, content=content)


@pytest.mark.points(2, "style_transfer")
def test_first_step_moves_every_pixel_against_the_sign_of_its_gradient(expect, true_slope):
    """The first Adam step moves every pixel by step_size against the sign of its gradient."""
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
def test_every_step_follows_the_gradient_of_all_losses_at_the_picture_as_it_is(expect, true_slope):
    """Every Adam step uses the gradient of the whole loss at the current, clamped image."""
    recorder, (content, start, style) = Recorder(seeded(Painted())).eval(), scene()
    network = recorder.network

    # The second leaves [0, 1] at once, is clamped, and ends at a higher loss than a step before; in the third the loss
    # rises before it falls. In the last it hardly changes, which is no reason to stop.
    for num_steps, step_size, init in (4, 0.02, start), (4, 0.6, start), (3, 0.1, content), (3, 1e-7, start):
        recorder.shown.clear()
        steps = {"num_steps": num_steps, "step_size": step_size, "init": init}
        result = paint(recorder, content, style, **named(SETTINGS), **steps)

        path = path_of(recorder, init, result)
        slopes = [true_slope(network, image, content, style, SETTINGS) for image in path[:-1]]
        for number, (step, image) in enumerate(zip(adam_steps(path, slopes, step_size), path[1:], strict=False), 1):
            expect(image, step, f"step {number} of Adam on the whole loss, clamped to [0, 1] after the step")
        moved = sum(not torch.equal(one, other) for one, other in pairwise(path))
        assert moved == num_steps, f"the picture was moved {moved} times, expected num_steps = {num_steps}"


@pytest.mark.points(1, "style_transfer")
def test_what_is_wanted_is_computed_once_and_not_at_every_step(expect):
    """Targets and Gram matrices are computed once, not at every step."""
    recorder, (content, start, style) = Recorder(seeded(Painted())).eval(), scene()
    seen = []
    for num_steps in 2, 6:
        recorder.shown.clear()
        paint(recorder, content, style, num_steps=num_steps, init=start, **named(SETTINGS))
        seen.append([sum(torch.equal(x, given) for x in recorder.shown) for given in (content, style)])

    assert seen[0][0], "the network was never called with content: its features are the targets"
    assert seen[0][1], "the network was never called with style: its Gram matrices are the targets"
    assert seen[0] == seen[1], "content or style is shown again at every step: compute targets and Gram matrices once"


@pytest.mark.points(1, "style_transfer")
def test_two_pictures_together_are_painted_as_each_alone(expect):
    """Two images in a batch give the same result as two separate calls."""
    network, (content, start, style) = seeded(Painted()), scene(2)
    alone = {"init": start, "num_steps": 3, "step_size": 0.05}

    with expect.kept(content=content, style=style, init=start):
        together = paint(network, content, style, **alone)

    singles = [paint(network, content[i : i + 1], style, **{**alone, "init": start[i : i + 1]}) for i in range(2)]
    expect(together, torch.cat(singles), "a batch of two equals two calls")
    assert not any(torch.equal(together, given) for given in (start, content)), "nothing was painted"


@pytest.mark.points(1, "style_transfer")
def test_lbfgs_is_the_default_and_each_step_is_one_iteration_for_one_image(expect, true_slope):
    """L-BFGS is the default: each step is one iteration on the whole loss for one image alone, clamped."""
    network, (content, start, style) = seeded(Painted()).eval(), scene(2)
    usual = {key: value for key, value in SETTINGS.items() if key != "optimizer"}

    for num_steps in 1, 2, 3:
        network.eval()  # a mode that an earlier call switched is one check's matter
        result = part5.style_transfer(network, content, style, **usual, num_steps=num_steps, init=start)

        def slope(image, wanted):
            return true_slope(network, image, wanted, style, SETTINGS)

        wanted = torch.cat(
            [lbfgs(slope, *pair, num_steps) for pair in zip(start.split(1), content.split(1), strict=True)]
        )
        formula = f"num_steps = {num_steps}: so many L-BFGS iterations for each image alone, clamped after each"
        expect(result, wanted, formula)


@pytest.mark.points(1, "style_transfer")
def test_style_transfer_leaves_no_trace_and_repeats(expect):
    """The network and the arguments are unchanged, and a second call returns the same."""
    _, start, style = scene()
    content = pictures(1, seed=4)  # no slope is so near 0 that float32 changes its sign, and with it Adam's step
    style = style.requires_grad_()

    def call(network, images):
        small = style.to(images.dtype) if images.dtype != style.dtype else style
        init = start.to(images.dtype)
        with expect.unchanged(style=style, init=init):
            return paint(network, images, small, num_steps=2, step_size=0.01, init=init)

    assert_no_trace(expect, call, seeded(Painted()), content, breaks_at="features.6", name="content")
    assert_same_however_called(expect, call, seeded(Painted()), content, name="content")
    quick = paint(seeded(Painted()), content, style, num_steps=3, optimizer="lbfgs")
    assert not quick.requires_grad, "the result is still joined to the autograd graph: detach it"
