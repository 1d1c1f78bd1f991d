"""Error rates: one row per corruption, one column per severity."""

import pytest
import torch
from torch import nn

from assignment2 import robustness
from coursekit.checks.laws import ANY_STRIDES, assert_lets_errors_through, strided
from coursekit.checks.randomness import seed
from coursekit.checks.small_networks import SmallConvNet, broken, pictures, seeded


class Reads(nn.Module):
    """A network that reads the class off the picture's first value, in tenths."""

    def forward(self, images):
        return 7.0 * nn.functional.one_hot((images[:, 0, 0, 0] * 10).round().long(), 5).to(images)


LABELS = torch.arange(41) % 5  # a prime number: no mean over batches is the mean over images


WRONG = torch.tensor([[0, 3, 8, 20, 40], [1, 5, 5, 6, 31], [0, 0, 0, 0, 2]])  # of 41 images, under each corruption


def labelled_pictures():
    """Pictures that `Reads` takes for LABELS."""
    images = pictures(len(LABELS), size=(4, 6))
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
    """Entry (c, s) is the fraction of wrong predictions under corruption c at severity s."""
    generator, images, labels = seed(), labelled_pictures(), LABELS.clone()
    labels[:2] = (labels[:2] + 4) % 5  # two clean pictures that the network does not know, whatever is done to them
    corruptions = [spoiling(row, generator, images.clone()) for row in range(3)]

    errors = robustness.corruption_errors(Reads().eval(), images, labels, corruptions, generator=generator)

    right = (WRONG + 2).clamp(max=len(LABELS)).double() / len(LABELS)
    expect(
        errors, right, "wrong answers / images, against the labels; a row for each corruption, severity 1 to 5 across"
    )


@pytest.mark.points(1, "corruption_errors")
def test_corruption_errors_of_one_image_and_one_corruption(expect):
    """One image and one corruption give a result of shape (1, 5)."""
    labels = torch.tensor([2])
    image = labelled_pictures()[2:3]

    def corruption(images, severity, *, generator):
        spoiled = images.clone()
        spoiled[:, 0, 0, 0] = 0.2 if severity in (1, 4) else 0.3
        return spoiled

    errors = robustness.corruption_errors(Reads().eval(), image, labels, [corruption], generator=seed())

    right = torch.tensor([[0.0, 1, 1, 0, 1]]).double()
    expect(errors, right, "(1, 5): right at severity 1 and 4, wrong at the others")
    many = robustness.corruption_errors(
        Reads().eval(), image.repeat(300, 1, 1, 1), labels.repeat(300), [corruption], generator=seed()
    )
    expect(many, right, "the same share of 300 images as of one")


@pytest.mark.points(1, "corruption_errors")
def test_corruption_errors_leave_no_trace(expect):
    """The network and the images are unchanged, and all corruptions draw from the same generator."""
    model, images, labels = seeded(SmallConvNet()), pictures(4), torch.tensor([0, 1, 2, 3])

    def shift(images, severity, *, generator):
        return images + 0.02 * severity * torch.randn(images.shape, generator=generator, dtype=images.dtype)

    def call(model, images):
        return robustness.corruption_errors(model, images, labels, (shift,), generator=seed())

    with expect.unchanged(model=model, images=images, labels=labels):
        result = call(model, images)
    expect(call(model, strided(images)), result, ANY_STRIDES)
    expect(call(model, images.clone().requires_grad_()), result, "the same again, for images that require gradients")
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
