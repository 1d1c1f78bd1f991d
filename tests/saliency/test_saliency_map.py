"""The saliency map: |d logit of the label / d pixel|, summed over channels."""

import pytest
import torch

from assignment2 import saliency
from coursekit.checks.laws import assert_no_trace, assert_same_however_called
from coursekit.checks.small_networks import SIZE, Linear, SmallConvNet, Wrapped, seeded


@pytest.mark.points(2, "saliency_map")
def test_saliency_of_a_linear_model_is_its_weights(expect, images, labels):
    """The saliency map of a linear model is |w_label|, summed over channels."""
    model = seeded(Linear())

    result = saliency.saliency_map(model, images[:2], labels[:2])  # two pictures, three channels

    weights = model.weights()[labels[:2]]  # (N, 3, H, W)
    expect(result, sum(abs(weights[:, c]) for c in range(3)), "|w_label| summed over the three channels")


@pytest.mark.points(2, "saliency_map")
def test_saliency_is_the_slope_of_the_logit_at_every_pixel(expect, images, labels):
    """The saliency map is |d logit of the label / d pixel|, summed over channels."""
    model = seeded(SmallConvNet())
    step = 1e-6 * torch.eye(3 * SIZE[0] * SIZE[1], dtype=torch.float64).view(-1, 3, *SIZE)
    with torch.no_grad():
        pairs = zip(images[:2], labels[:2], strict=True)
        slopes = torch.stack([(model(x + step) - model(x - step))[:, k] for x, k in pairs])

    result = saliency.saliency_map(model, images[:2], labels[:2])

    slopes = (slopes / 2e-6).view(2, 3, *SIZE)
    expect(
        result,
        slopes.norm(p=1, dim=1),
        "|d logit / d pixel| summed over channels, by finite differences",
        tolerance=1e-5,
    )


@pytest.mark.points(1, "saliency_map")
def test_saliency_of_a_single_image_keeps_its_batch_axis(expect, images, labels):
    """One image, N = 1, gives a map of shape (1, H, W)."""
    model = seeded(Linear())

    result = saliency.saliency_map(model, images[:1], labels[:1])

    expect(result, model.weights()[labels[:1]].norm(p=1, dim=1), "one image gives a map of shape (1, H, W)")


@pytest.mark.points(1, "saliency_map")
def test_saliency_of_an_image_does_not_depend_on_its_batch_mates(expect, images, labels):
    """The map of an image is the same alone and in a batch with other images."""
    model = seeded(SmallConvNet())

    together = saliency.saliency_map(model, images, labels)
    alone = torch.cat([saliency.saliency_map(model, images[i : i + 1], labels[i : i + 1]) for i in range(3)])

    expect(together, alone, "the maps of three images at once are those of each image alone")
    assert together.shape == (3, *SIZE), f"the maps have shape {tuple(together.shape)}, expected {(3, *SIZE)}"


@pytest.mark.points(1, "saliency_map")
def test_saliency_is_the_same_however_it_is_called(expect, images, labels):
    """The result is the same at a second call, under no_grad, with frozen weights and in float32."""
    model = seeded(SmallConvNet())

    assert_same_however_called(expect, lambda m, x: saliency.saliency_map(m, x, labels), model, images)
    wrapped = saliency.saliency_map(Wrapped(model), images, labels)
    expect(
        wrapped, saliency.saliency_map(model, images, labels), "the same result for a function that calls the network"
    )
    assert wrapped.shape == (3, *SIZE), f"the maps have shape {tuple(wrapped.shape)}, expected {(3, *SIZE)}"


@pytest.mark.points(1, "saliency_map")
def test_saliency_leaves_images_and_network_as_they_were(expect, images, labels):
    """The network, its gradients and the images are unchanged, and errors of the network are passed on."""
    assert_no_trace(expect, lambda m, x: saliency.saliency_map(m, x, labels), seeded(SmallConvNet()), images)
