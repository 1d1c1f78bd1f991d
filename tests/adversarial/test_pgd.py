"""PGD: many FGSM steps, each followed by the projection into the eps ball and the clamp to [0, 1]."""

import itertools

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.laws import assert_no_trace, assert_same_however_called
from coursekit.checks.randomness import assert_goes_on, distance_from_uniform, seed
from coursekit.checks.recorder import Recorder
from coursekit.checks.small_networks import Linear, SmallConvNet, seeded
from coursekit.checks.steps import by_image


@pytest.mark.points(2, "pgd")
def test_pgd_takes_a_fresh_gradient_at_every_step(expect, images, labels):
    """Each step takes the gradient at the current image; the last iterate is returned."""
    model, options = seeded(SmallConvNet()), {"step_size": 0.03, "num_steps": 4}

    expect.reference(
        adversarial.pgd(model, images, labels, 0.07, **options), "away", "step, ball, box, four times; the last iterate"
    )
    expect.reference(
        adversarial.pgd(model, images, labels, 0.07, targeted=True, **options),
        "towards",
        "with targeted the loss falls",
    )


@pytest.mark.points(1, "pgd")
def test_pgd_on_a_linear_model_walks_until_it_stands_at_the_edge_of_the_ball(expect, inner_images):
    """In a linear model the distance grows by step_size per step, until it is eps."""
    model, labels = seeded(Linear(num_classes=2)), torch.tensor([1, 0, 1])
    weights = model.weights()
    away = (weights[1 - labels] - weights[labels]).sign()  # the same at every picture: there are two classes

    for num_steps, distance in (0, 0.0), (1, 0.02), (3, 0.06), (5, 0.07), (9, 0.07):
        recorder = Recorder(model)
        result = adversarial.pgd(recorder, inner_images, labels, 0.07, step_size=0.02, num_steps=num_steps)
        expect(result - inner_images.detach(), distance * away, f"{num_steps} steps of 0.02 in a ball of 0.07")
    paths = by_image(recorder, inner_images)
    assert all(map(len, paths)), "no gradient was taken at a moved image: take it anew in every step"
    expect(
        torch.stack([path[0] for path in paths]) - inner_images.detach(),
        0.02 * away,
        "a step of step_size, however many follow",
    )
    far = adversarial.pgd(model, inner_images, labels, 0.07, step_size=1.0, num_steps=1, generator=seed())
    expect(
        far - inner_images.detach(),
        0.07 * away,
        "a step longer than the ball, from a random start: cut off at the edge only",
    )
    with torch.no_grad():
        model.head.weight[:, :50] = 0  # values that the network does not see
        model.head.weight *= 1e-12  # a small gradient has a sign too
    away.flatten(1)[:, :50] = 0
    result = adversarial.pgd(model, inner_images, labels, 0.07, step_size=0.02, num_steps=2, targeted=True)
    expect(
        result - inner_images.detach(),
        -0.04 * away,
        "targeted: two steps the other way, none where the gradient is zero",
    )


@pytest.mark.points(1, "pgd")
def test_pgd_shows_the_network_only_pictures_in_the_box_and_in_the_ball(images, labels, assert_inside):
    """Every image shown to the network lies in [0, 1] and within eps of images."""
    for dtype, eps in itertools.product((torch.float32, torch.float64), (8 / 255, 0.3)):
        given = images.to(dtype)
        given[0, 0], given[1, 1] = 0, 1
        recorder = Recorder(seeded(SmallConvNet()).to(dtype))

        result = adversarial.pgd(recorder, given, labels, eps, step_size=eps / 2, num_steps=5, generator=seed())

        for group, image in zip(by_image(recorder, given), given, strict=True):
            assert_inside(group, image, eps, "a picture on the way")
        assert_inside(result, given, eps)


@pytest.mark.points(1, "pgd")
def test_pgd_with_a_generator_starts_uniformly_in_the_ball(expect, labels, inner_images, slope_of_the_loss):
    """With a generator, the start is uniform in the eps ball, with one draw per value."""
    model = seeded(Linear())

    start = adversarial.pgd(model, inner_images, labels, 0.2, step_size=0.05, num_steps=0, generator=seed())

    shift = (start - inner_images) / 0.2
    assert float(shift.abs().max()) > 0.5, "with a generator the attack starts at a random place in the ball"
    assert not torch.allclose(shift[0], shift[1]), "each image has a random start of its own"
    assert not torch.allclose(shift[:, 0], shift[:, 1]), "each value has a draw of its own, also in another channel"
    assert abs(float(shift.mean())) < 0.1, "the ball has two sides: as many values begin brighter as darker"
    assert float(shift.abs().median()) < 0.8, "the attack starts anywhere in the ball, not only at its edge"
    assert distance_from_uniform((shift + 1) / 2) < 0.08, "every value's shift is uniform between -eps and eps"
    again = adversarial.pgd(model, inner_images, labels, 0.2, step_size=0.05, num_steps=0, generator=seed())
    expect(again, start, "the same seed gives the same start")
    options = {"step_size": 0.05, "num_steps": 0}
    assert_goes_on(lambda generator: adversarial.pgd(model, inner_images, labels, 0.2, **options, generator=generator))
    towards = adversarial.pgd(
        model, inner_images, labels, 0.2, step_size=0.05, num_steps=0, targeted=True, generator=seed()
    )
    assert float((towards - inner_images).abs().max()) > 0.1, "a targeted attack starts at a random place too"
    recorder = Recorder(model)
    result = adversarial.pgd(recorder, inner_images, labels, 0.2, step_size=0.05, num_steps=1, generator=seed(1))
    groups = by_image(recorder, inner_images)
    away = all(len(group) and float((group[0] - inner_images[i]).abs().max()) > 0.05 for i, group in enumerate(groups))
    assert away, "the first gradient is taken at the random start"
    begin = torch.stack([group[0] for group in groups])
    free = (begin - inner_images).abs() < 0.15  # a step from here does not reach the edge
    step = torch.where(slope_of_the_loss(model, begin, labels) > 0, 0.05, -0.05).double()
    expect(torch.where(free, result - begin, 0), torch.where(free, step, 0), "the first step goes on from the start")


@pytest.mark.points(1, "pgd")
def test_pgd_leaves_no_trace_and_repeats(expect, images, labels):
    """The network and the arguments are unchanged, and a second call returns the same."""

    def call(model, images):
        return adversarial.pgd(model, images, labels, 0.07, step_size=0.03, num_steps=2)

    def random_call(model, images):
        return adversarial.pgd(model, images, labels, 0.07, step_size=0.03, num_steps=2, generator=seed())

    assert_no_trace(expect, random_call, seeded(SmallConvNet()), images)
    assert_same_however_called(expect, call, seeded(SmallConvNet()), images)
    model = seeded(SmallConvNet())
    with expect.unchanged(images=images, labels=labels, model=model):
        together = adversarial.pgd(model, images, labels, 0.07, step_size=0.03, num_steps=3)
        none = adversarial.pgd(model, images, labels, 0.07, step_size=0.03, num_steps=0)
    expect.new(none, images=images)
    alone = adversarial.pgd(model, images[1:2], labels[1:2], 0.07, step_size=0.03, num_steps=3)
    expect(together[1:2], alone, "three images at once give what each gives alone")
