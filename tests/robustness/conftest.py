"""Fixtures for the checks of part 4: three small float64 images with H != W, known settings, the laws of a corruption.

Random corruptions are checked by their laws; the order in which numbers are drawn is free.
"""

import pytest
import torch

from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.randomness import seed
from coursekit.checks.small_networks import pictures


@pytest.fixture
def images():
    return pictures(3)


@pytest.fixture
def settings(monkeypatch):
    """Put five settings of one corruption into the module's table, so that an exact answer is known."""

    def put(name, *five):
        from assignment2 import robustness

        monkeypatch.setattr(robustness, "SEVERITIES", {**robustness.SEVERITIES, name: five})

    return put


@pytest.fixture
def assert_lawful(expect):
    """Hold a corruption to leaving its images, to repeating itself, and to one result however it is called."""

    def check(corruption, images, *, random=True):
        __tracebackhide__ = True
        images = images.clone()

        def call(images, number=0):
            return corruption(images, 4, generator=seed(number))

        with expect.unchanged(images=images):
            result = call(images)
        expect.new(result, images=images)
        inside = isinstance(result, torch.Tensor) and bool(((result >= 0) & (result <= 1)).all())
        assert inside, "the result leaves [0, 1]: clamp it"
        expect(result, result.detach().clone(), "a detached result")
        expect(torch.tensor(result.shape), torch.tensor(images.shape), "a picture of the same size for each")
        assert result.dtype == images.dtype, f"the result has dtype {result.dtype}, the images {images.dtype}"
        followed = images.clone().requires_grad_()
        with expect.unchanged(images=followed):
            expect(call(followed), result, "the same seed gives the same result, detached")
            with torch.no_grad():
                expect(call(followed), result, "the same seed gives the same result, also under torch.no_grad()")
        odd = call(strided(images))
        expect(torch.tensor(odd.shape), torch.tensor(images.shape), "pictures of any strides (permuted, cropped)")
        one = call(images[:1].float())
        expect(one, one.detach().double().float(), "one float32 picture gives one float32 picture")
        expect(torch.tensor(one.shape), torch.tensor(images[:1].shape), "one picture gives one picture")
        assert not torch.equal(result, images), "the pictures are as they were: nothing was corrupted"
        if random:
            assert not torch.allclose(call(images, 1), result), "another seed gives the same result: use the generator"
            drawn_from = seed()
            first, second = (corruption(images, 4, generator=drawn_from) for _ in range(2))
            assert not torch.allclose(first, second), (
                "the second call draws the numbers of the first: do not copy or reseed the generator"
            )
            return
        expect(odd, result, ANY_STRIDES)
        expect(corruption(images[1:2], 4), result[1:2], "a picture alone, without a generator, as among others")

    return check


@pytest.fixture
def shifted():
    """Give the pictures, seen dy rows further down and dx columns further right; at the border the outermost pixels repeat."""

    def shift(images, dy, dx):
        height, width = images.shape[2:]
        down, right = (torch.arange(height) + dy).clamp(0, height - 1), (torch.arange(width) + dx).clamp(0, width - 1)
        return images[:, :, down][:, :, :, right]

    return shift


@pytest.fixture
def sampled():
    """Give bilinear samples at the rows y and the columns x; beyond the border the outermost pixels."""

    def sample(images, y, x):
        height, width = images.shape[2:]
        y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
        top, left = y.floor().long(), x.floor().long()
        down, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
        below, beside = y - top, x - left
        upper = images[:, :, top, left] * (1 - beside) + images[:, :, top, right] * beside
        lower = images[:, :, down, left] * (1 - beside) + images[:, :, down, right] * beside
        return upper * (1 - below) + lower * below

    return sample


@pytest.fixture
def table():
    """Make error rates (C, S) that differ from corruption to corruption and from severity to severity."""

    def make(number, rows=3, columns=5):
        rates = torch.rand(rows, columns, generator=seed(number), dtype=torch.float64)
        return rates * torch.linspace(0.1, 0.9, rows).double()[:, None]

    return make


@pytest.fixture
def total():
    """Give the sum of a list of numbers, one after another."""
    return lambda rates: sum(float(rate) for rate in rates)
