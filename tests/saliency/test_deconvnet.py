"""The deconvnet projection of a channel's strongest unit, down to the pixels."""

import pytest
import torch
from torch import nn

from assignment2 import saliency
from coursekit.checks.laws import assert_no_trace, assert_same_however_called, assert_zero_where_no_path
from coursekit.checks.small_networks import SIZE, Beside, OneHidden, SmallConvNet, seeded


@pytest.fixture(autouse=True)
def right_sibling(monkeypatch, right_rule):
    """Put a right rule in the module, so that a mistake in one exercise loses no points in another."""
    monkeypatch.setattr(saliency, "deconvnet_relu_gradient", right_rule("deconvnet"))


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_of_one_hidden_layer_keeps_positive_weights(expect, images, right_rule):
    """With one hidden layer, the projection is W^T max(v, 0); for a unit without a path to the image, 0."""
    model = seeded(OneHidden())

    result = saliency.deconvnet(model, images, "second", 3)

    row = model.second.weight.detach()[3]
    kept = right_rule("deconvnet")(row, row) @ model.first.weight.detach()
    expect(result, kept.view(1, 3, *SIZE).repeat(3, 1, 1, 1), "W^T (v where v > 0), whichever units are active")
    both = saliency.deconvnet(seeded(OneHidden(Beside())), images, "second", 3)
    kept = kept + row @ model.first.weight.detach()
    formula = "beside a ReLU, a path without one gets v as it is: no rule changes it"
    expect(both, kept.view(1, 3, *SIZE).repeat(3, 1, 1, 1), formula)
    assert_zero_where_no_path(
        expect, lambda blind: saliency.deconvnet(blind, images, "head", 3), torch.zeros_like(images)
    )


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_projects_the_strongest_unit_through_the_switches(expect, images):
    """The gradient starts with 1 at the channel's strongest unit and 0 at all other units of the layer."""
    model = seeded(SmallConvNet())

    expect.reference(
        saliency.deconvnet(model, images, "features.6", 4),
        "late",
        "seed 1 at the channel's strongest unit, 0 elsewhere",
    )
    expect.reference(
        saliency.deconvnet(model, images[:1], "features.2", 1),
        "early",
        "the output of the layer, before what follows it",
    )
    with torch.no_grad():
        model.features[0].bias -= 50
    expect.reference(
        saliency.deconvnet(model, images[:1], "features.0", 1),
        "negative",
        "the largest unit of the layer's own output, also where all are negative and an in-place ReLU follows",
    )


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_takes_the_largest_unit_and_of_equals_the_first_in_reading_order(expect):
    """The strongest unit is the largest one; of equal units, the first in reading order."""
    model = point_net()
    images = torch.zeros(2, 3, 4, 5, dtype=torch.float64)
    images[0, :, 2, 1] = images[0, :, 1, 3] = 1.0
    images[1, :] = 1.0
    images[1, :, 3, 0] = 0.5

    result = saliency.deconvnet(model, images, "points", 1)

    expected = torch.zeros_like(images)
    expected[0, :, 1, 3] = expected[1, :, 0, 0] = torch.tensor([1.0, 2.0, 4.0])
    expect(result, expected, "seed 1 at the largest unit; of equal ones the first, row by row")


def point_net():
    """A 1 x 1 convolution with whole numbers, so that equal pixels give exactly equal units, all of them negative."""
    model = seeded(PointNet())
    with torch.no_grad():
        model.points.weight[1] = torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1)
        model.points.bias[1] = -20
    return model


class PointNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.points = nn.Conv2d(3, 2, 1)
        self.head = nn.Linear(2, 3)

    def forward(self, images):
        return self.head(self.points(images).mean((2, 3)))


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_leaves_no_trace_and_repeats(expect, images):
    """The network, its gradients and the images are unchanged, and a second call returns the same."""

    def call(model, images):
        return saliency.deconvnet(model, images, "features.6", 2)

    assert_no_trace(expect, call, seeded(SmallConvNet()), images, breaks_at="features.0")
    assert_same_however_called(expect, call, seeded(SmallConvNet()), images)
