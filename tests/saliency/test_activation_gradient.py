"""The gradient of one unit of a layer with respect to every pixel."""

import pytest
import torch

from assignment2 import saliency
from coursekit.checks.laws import assert_no_trace, assert_same_however_called, assert_zero_where_no_path
from coursekit.checks.small_networks import SIZE, OneHidden, SmallConvNet, seeded


@pytest.mark.points(1, "activation_gradient")
def test_gradient_of_a_first_layer_unit_is_its_kernel_in_its_place(expect, images):
    """The gradient of a unit of the first convolution is its channel's kernel, at the unit's position."""
    model = seeded(SmallConvNet())

    result = saliency.activation_gradient(model, images, "features.0", (1, 4, 7))

    kernel = torch.zeros_like(images)
    kernel[:, :, 3:6, 6:9] = model.features[0].weight.detach()[1]
    expect(result, kernel, "the convolution's kernel of the channel, centred at (y, x) = (4, 7), zero elsewhere")


@pytest.mark.points(1, "activation_gradient")
def test_gradient_of_a_deep_unit_is_its_slope_at_every_pixel(expect, images):
    """The gradient of a deep unit is d unit / d pixel, for the layer's own output."""
    model = seeded(SmallConvNet())
    step = 1e-6 * torch.eye(3 * SIZE[0] * SIZE[1], dtype=torch.float64).view(-1, 3, *SIZE)
    with torch.no_grad():
        unit = [(model.features[:7](x + step) - model.features[:7](x - step))[:, 2, 1, 4] for x in images[:2]]

    result = saliency.activation_gradient(model, images[:2], "features.6", (2, 1, 4))

    slopes = torch.stack(unit).view(2, 3, *SIZE) / 2e-6
    expect(result, slopes, "d unit / d pixel of the layer's own output, before what follows it", tolerance=1e-5)


@pytest.mark.points(1, "activation_gradient")
def test_gradient_of_a_flat_unit_is_its_slope_and_of_an_unreached_one_zero(expect, images):
    """The gradient of a flat unit follows the chain rule; a unit that no path joins to the image gives 0."""
    model = seeded(OneHidden())

    result = saliency.activation_gradient(model, images[:1], "first", (5,))
    flat = saliency.activation_gradient(model, images, "second", (3,))

    expect(result, model.first.weight.detach()[5].view(1, 3, *SIZE), "the weights of unit 5 of the first layer")
    active = model.first(images.flatten(1)).detach() > 0  # (N, width)
    rows = (active * model.second.weight.detach()[3]) @ model.first.weight.detach()
    expect(flat, rows.view(3, 3, *SIZE), "the chain rule through the units that are active")
    assert_zero_where_no_path(
        expect, lambda blind: saliency.activation_gradient(blind, images, "head", (1,)), torch.zeros_like(images)
    )


@pytest.mark.points(1, "activation_gradient")
def test_activation_gradient_leaves_no_trace_and_repeats(expect, images):
    """The network, its gradients and the images are unchanged, and a second call returns the same."""

    def call(model, images):
        return saliency.activation_gradient(model, images, "features.3", (2, 5, 6))

    assert_no_trace(expect, call, seeded(SmallConvNet()), images, breaks_at="features.0")
    assert_same_however_called(expect, call, seeded(SmallConvNet()), images)
