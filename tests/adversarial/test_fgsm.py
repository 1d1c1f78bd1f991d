"""FGSM: one step of size eps per value, along the sign of the gradient of the cross-entropy."""

import itertools

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.laws import assert_no_trace, assert_same_however_called
from coursekit.checks.small_networks import SIZE, Linear, SmallConvNet, seeded


@pytest.mark.points(2, "fgsm")
def test_fgsm_on_a_linear_model_moves_every_value_by_eps_up_the_cross_entropy(
    expect, labels, inner_images, slope_of_the_loss
):
    """In a linear model every value moves by +eps or -eps, so that the cross-entropy rises."""
    model = seeded(Linear())

    result = adversarial.fgsm(model, inner_images, labels, 0.03)

    up = slope_of_the_loss(model, inner_images, labels) > 0
    expect(
        result - inner_images.detach(),
        torch.where(up, 0.03, -0.03).double(),
        "eps where the slope of the loss is positive, else -eps",
    )


@pytest.mark.points(1, "fgsm")
def test_targeted_fgsm_moves_towards_the_labels(expect, labels, inner_images, slope_of_the_loss):
    """With targeted=True, every value moves by eps so that the wanted class's cross-entropy falls."""
    model = seeded(Linear())

    result = adversarial.fgsm(model, inner_images, labels, 0.03, targeted=True)

    up = slope_of_the_loss(model, inner_images, labels) > 0
    expect(
        result - inner_images.detach(),
        torch.where(up, -0.03, 0.03).double(),
        "the cross-entropy of the wanted classes falls",
    )


@pytest.mark.points(1, "fgsm")
def test_fgsm_of_a_convolutional_network_for_the_given_labels(expect, images, labels):
    """FGSM = x + eps * sign(d cross-entropy / d x), clamped to [0, 1], for the given labels."""
    result = adversarial.fgsm(seeded(SmallConvNet()), images, labels, 0.1)

    expect.reference(result, "conv", "clamp(x + eps * sign(d loss / d x)) to [0, 1], the labels those that were given")


@pytest.mark.points(1, "fgsm")
def test_fgsm_stays_in_the_box_and_in_the_ball_to_the_last_bit(images, labels, assert_inside):
    """Every value stays in [0, 1] and within eps of images, also in float32."""
    for dtype, eps in itertools.product((torch.float32, torch.float64), (8 / 255, 0.3, 1.0)):
        given = images.to(dtype)
        given[0, 0], given[1, 1] = 0, 1

        result = adversarial.fgsm(seeded(SmallConvNet()).to(dtype), given, labels, eps)

        assert_inside(result, given, eps)
        assert not torch.equal(result, given), "no pixel was moved"


@pytest.mark.points(1, "fgsm")
def test_fgsm_of_a_network_that_is_certain_in_float32(expect, inner_images):
    """If float32 rounds the label's probability to 1, nothing moves; a targeted step still moves."""
    model = seeded(Linear())
    own = model(inner_images).argmax(dim=1)
    weights = model.weights().clone()
    certain = model.float()
    with torch.no_grad():
        certain.head.weight *= 1e5
        certain.head.bias *= 1e5

    stuck = adversarial.fgsm(certain, inner_images.float(), own, 0.03)
    moved = adversarial.fgsm(certain, inner_images.float(), (own + 1) % 5, 0.03, targeted=True)

    expect(
        stuck, inner_images.float(), "the probability is exactly 1, the loss is flat: nothing moves, and nothing is NaN"
    )
    towards = (weights[(own + 1) % 5] - weights[own]).sign() * 0.03
    expect(
        (moved - inner_images.float()).double(),
        towards,
        "towards another class the gradient is not zero",
        tolerance=1e-5,
    )


@pytest.mark.points(1, "fgsm")
def test_fgsm_leaves_values_alone_that_the_network_does_not_see(expect, labels, inner_images):
    """Where the gradient is zero, sign(0) = 0 and the value stays."""
    model = seeded(Linear())
    hidden = torch.zeros(3, *SIZE, dtype=torch.bool)
    hidden[1, 2:5, 4:9] = True
    with torch.no_grad():
        model.head.weight[:, hidden.flatten()] = 0

    result = adversarial.fgsm(model, inner_images, labels, 0.03)
    with torch.no_grad():
        model.head.weight *= 1e-12
    faint = adversarial.fgsm(model, inner_images, labels, 0.03)

    expect(result[:, hidden], inner_images[:, hidden], "sign(0) = 0: where the gradient is zero the value stays")
    expect(
        (result - inner_images.detach())[:, ~hidden].abs().mean(),
        torch.tensor(0.03).double(),
        "all other values move by eps",
    )
    moved = (faint - inner_images)[:, ~hidden].abs().mean()
    expect(moved, torch.tensor(0.03).double(), "by eps also where the gradient is small: only its sign counts")
    unmoved = adversarial.fgsm(model, inner_images, labels, 0.0)
    expect(unmoved, inner_images, "with eps = 0 nothing moves")
    expect.new(unmoved, images=inner_images)


@pytest.mark.points(1, "fgsm")
def test_fgsm_of_an_image_does_not_depend_on_its_batch_mates(expect, images, labels):
    """The result of an image is the same alone and in a batch with other images."""
    model = seeded(SmallConvNet())

    together = adversarial.fgsm(model, images, labels, 0.1)
    alone = [adversarial.fgsm(model, images[i : i + 1], labels[i : i + 1], 0.1) for i in range(3)]

    expect(together, torch.cat(alone), "three images at once give what each gives alone")
    assert not torch.equal(together, images), "no pixel was moved"


@pytest.mark.points(1, "fgsm")
def test_fgsm_leaves_no_trace_and_repeats(expect, images, labels):
    """The network, its gradients and the arguments are unchanged, and a second call returns the same."""
    network = seeded(SmallConvNet())

    def call(model, images):
        return adversarial.fgsm(model, images, labels, 0.1)

    with expect.unchanged(labels=labels):
        assert_no_trace(expect, call, network, images)
    assert_same_however_called(expect, call, network, images)
    wrapped = call(lambda x: network(x), images)
    expect(wrapped, call(network, images), "the same result for a function that calls the network")
