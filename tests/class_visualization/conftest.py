"""Fixtures for the checks of part 2: a small float64 picture with H != W, and correct sibling functions."""

import contextlib

import pytest
import torch

from coursekit.checks.laws import assert_lets_errors_through, used_network
from coursekit.checks.recorder import Recorder
from coursekit.checks.small_networks import SIZE, Boom, broken, numbers, pictures
from coursekit.checks.steps import along

SIGMA = 0.7  # of the recorded blur


@pytest.fixture
def image():
    return pictures(1)[0]


@pytest.fixture
def ranks():
    """Give every place of a picture its own rank, 0 to H * W - 1, in no order that one could guess."""
    return lambda seed=3: numbers(*SIZE, seed=seed).flatten().argsort().view(SIZE)


@pytest.fixture
def ranked_picture(ranks):
    """Make a picture in which the pixel of rank r lies (r + 1) units from grey, in a direction of its own."""

    def make():
        directions = numbers(3, *SIZE, seed=4)
        return 0.5 + (ranks() + 1) * directions / directions.norm(dim=0) / 300

    return make


@pytest.fixture
def check_ties(expect, ranks):
    """Hold a clipping to its number of pixels where many are equal: three kinds, 39 pixels of each, faint to strong."""

    def check(clip):
        kinds = ranks() // 39
        image = 0.5 + (kinds + 1).expand(3, -1, -1).double() / 16  # every sum and square is exact
        for fraction, count in (0.5, 58), (0.2, 23), (0.9, 105):
            result = clip(image.clone(), torch.ones_like(image), fraction)

            grey = (result == 0.5).all(dim=0)
            expect(
                int(grey.sum()), count, f"fraction {fraction}: {count} pixels become grey, also where many are equal"
            )
            expect(
                grey | (kinds >= count // 39), torch.ones_like(grey), "of equal pixels any, but the smaller ones first"
            )
            expect(result[:, ~grey], image[:, ~grey], "the others stay as they are")

    return check


@pytest.fixture
def right_step():
    """Give a right `ascent_step` for a network whose slope is known."""

    def of_slope(slope, network):
        def ascent_step(model, image, target, *, step_size, l2_weight):
            mark = len(network.shown) if isinstance(network, Recorder) else 0
            model(image[None])
            uphill = slope(model, image, target).to(image) - 2 * l2_weight * (image - 0.5)
            if isinstance(network, Recorder):
                network.shown[mark + 1 :] = []  # what was tried to find the slope is not a step
            return along(image, uphill, step_size)

        return ascent_step

    return of_slope


@pytest.fixture
def put_right_blur(expect, monkeypatch):
    """Put a right `blur` in the module: what one lit row and one lit column become was recorded, the rest is a product."""

    def put(size):
        from assignment2 import class_visualization as part2

        def spread(length):
            lit = torch.eye(length, dtype=torch.float64)[:, None, :, None].expand(-1, 3, -1, 2)
            blurred = (
                [part2.blur(rows.contiguous(), SIGMA)[0, :, 0] for rows in lit]
                if expect.recording is not None
                else None
            )
            return expect.remember(
                None if blurred is None else torch.stack(blurred, dim=1), f"blurred rows of {length}"
            )

        rows, columns = spread(size[0]), spread(size[1])

        def blur(image, sigma):
            assert sigma == SIGMA, f"blur was asked for sigma {sigma}, expected blur_sigma, which is {SIGMA}"
            return (rows.to(image) @ image @ columns.to(image).mT).detach()

        monkeypatch.setattr(part2, "blur", blur)
        return lambda image: blur(image, SIGMA)

    return put


@pytest.fixture
def check_noise():
    """Hold a start to noise round grey, and to another one for another seed."""

    def check(start, other):
        assert torch.equal(start, start.clamp(0, 1)), "the start leaves [0, 1]"
        assert abs(start.mean().item() - 0.5) < 0.05, (
            f"the noise has mean {start.mean().item():.2f}, expected 0.5: round grey"
        )
        assert 0.02 < start.std().item() < 0.3, "with a generator the start is noise round grey"
        assert not torch.allclose(start, other), "another seed gives the same start: draw it from the generator"

    return check


@pytest.fixture
def check_no_trace(expect, image):
    """Hold call(network) to leaving everything as it was; right siblings go forward only, so it may survive a break."""

    def check(call, network, breaks_at=""):
        for model in network, used_network(network):
            with expect.unchanged(model=model):
                call(model)
        bad = broken(network, "backward", breaks_at)
        with contextlib.suppress(Boom), expect.unchanged(model=bad):
            call(bad)
        bad = broken(network, "forward", breaks_at)
        assert_lets_errors_through(expect, lambda model, _: call(model), bad, image, "forward")

    return check


@pytest.fixture
def replayed(expect, monkeypatch):
    """Put right siblings in the module: each answers what the recorded one answered to the same picture."""

    @contextlib.contextmanager
    def put(**fractions):
        from assignment2 import class_visualization as part2

        logs = {name: [] for name in fractions}
        for name, fraction in fractions.items():
            stored = None if expect.recording is not None else expect.remember(None, name)
            answer = _answer(expect, getattr(part2, name), name, fraction, logs[name], stored)
            monkeypatch.setattr(part2, name, answer)
        yield
        if expect.recording is not None:
            for name, log in logs.items():
                expect.remember(torch.stack([torch.stack(entry) for entry in log]), name)

    return put


def _answer(expect, sibling, name, wanted, log, stored):
    def answer(image, gradient=None, fraction=None):
        if name == "zero_small_pixels" and fraction is None:
            gradient, fraction = None, gradient  # (image, fraction)
        assert fraction, f"{name} was called with fraction 0: it may not be written yet, so do not call it"
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
            expect(mine, right, f"what {name} is given at its call {place + 1}: mind the order of the operations")
        raise AssertionError(f"{name} was given other pictures than the steps before it leave")

    return answer
