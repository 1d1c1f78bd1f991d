"""Guided backprop: the gradient of the label's logit, with the guided rule at every ReLU."""

import pytest

from assignment2 import saliency
from coursekit.checks.laws import assert_no_trace, assert_same_however_called
from coursekit.checks.small_networks import SIZE, Beside, OneHidden, ReluEverywhere, SmallConvNet, seeded


@pytest.fixture(autouse=True)
def right_sibling(monkeypatch, right_rule):
    """Put a right rule in the module, so that a mistake in one exercise loses no points in another."""
    monkeypatch.setattr(saliency, "guided_relu_gradient", right_rule("guided"))


@pytest.mark.points(1, "guided_backprop")
def test_guided_backprop_of_one_hidden_layer_keeps_positive_weights_of_active_units(expect, images, labels, right_rule):
    """With one hidden layer, only positive weights of active units reach the pixels."""
    model = seeded(OneHidden())

    result = saliency.guided_backprop(model, images, labels)

    active = model.first(images.flatten(1)).detach() > 0  # (N, width)
    upstream = model.second.weight.detach()[labels]  # (N, width)
    rows = right_rule("guided")(upstream, active.double()) @ model.first.weight.detach()
    expect(result, rows.view(3, 3, *SIZE), "W^T (v_label where v_label > 0 and the unit is active)")


@pytest.mark.points(1, "guided_backprop")
def test_guided_backprop_reaches_every_relu_functional_reused_or_beside_a_skip(expect, images, labels, right_rule):
    """The guided rule acts at every ReLU: a module, F.relu, in place, used twice, or beside a skip."""
    result = saliency.guided_backprop(seeded(ReluEverywhere(), seed=3), images, labels)

    expect.reference(result, "signed", "the guided rule at every ReLU: module, functional, in place, used twice")
    one = saliency.guided_backprop(seeded(ReluEverywhere(), seed=3), images[:1], labels[:1])
    expect(one, result[:1], "the same for the first image alone, with its batch axis")
    model = seeded(OneHidden(Beside()))
    both = saliency.guided_backprop(model, images, labels)
    upstream, active = model.second.weight.detach()[labels], model.first(images.flatten(1)).detach() > 0
    rows = (right_rule("guided")(upstream, active.double()) + upstream) @ model.first.weight.detach()
    expect(both, rows.view(3, 3, *SIZE), "beside a ReLU, a path without one gets v_label as it is: no rule changes it")


@pytest.mark.points(1, "guided_backprop")
def test_guided_backprop_of_a_convolutional_network_is_signed_and_for_the_given_label(expect, images, labels):
    """The result is the signed gradient of the given label's logit, with the guided rule at every ReLU."""
    result = saliency.guided_backprop(seeded(SmallConvNet()), images, labels)

    expect.reference(result, "signed", "the gradient of the label's logit with the guided rule at every ReLU")


@pytest.mark.points(1, "guided_backprop")
def test_guided_backprop_leaves_no_trace_and_repeats(expect, images, labels):
    """The network, its gradients and the images are unchanged, and a second call returns the same."""

    def call(model, images):
        return saliency.guided_backprop(model, images, labels)

    assert_no_trace(expect, call, seeded(SmallConvNet()), images)
    assert_same_however_called(expect, call, seeded(ReluEverywhere(), seed=3), images)
