"""The k images with the strongest response of a channel, and the patch that each strongest unit sees."""

import pytest
import torch

from assignment2 import saliency
from coursekit.checks.laws import ANY_STRIDES, assert_lets_errors_through, strided, used_network
from coursekit.checks.small_networks import SIZE, SmallConvNet, broken, seeded


def small_net_field(model, layer, unit, image_size):
    """The receptive field in a SmallConvNet, by hand."""
    if layer.startswith("classifier"):
        assert len(unit) == 1, f"receptive_field was asked for the unit {unit} of a flat layer, expected (channel,)"
        return 0, 0, *image_size
    first, after, step = {"features.0": (-1, 2, 1), "features.6": (-4, 6, 2)}[layer]
    _, y, x = unit
    height, width = image_size
    top, left = max(step * y + first, 0), max(step * x + first, 0)
    return top, left, min(step * y + after, height), min(step * x + after, width)


@pytest.fixture(autouse=True)
def right_sibling(monkeypatch):
    """Put a right receptive_field in the module, so that a mistake in one exercise loses no points in another."""
    monkeypatch.setattr(saliency, "receptive_field", small_net_field)


def strongest_units(layer_output):
    """(value, y, x) of the largest unit of each image, by plain search."""
    return [
        max((value.item(), y, x) for y, row in enumerate(plane) for x, value in enumerate(row))
        for plane in layer_output
    ]


def check_patches(expect, images, model, layer, channel, k):
    depth = int(layer.split(".")[1]) + 1
    with torch.no_grad():
        units = strongest_units(model.features[:depth](images)[:, channel])
    order = sorted(range(3), key=lambda i: -units[i][0])[:k]
    boxes = [small_net_field(model, layer, (channel, *units[i][1:]), SIZE) for i in order]

    result = saliency.top_patches(model, images, layer, channel, k)

    values = torch.tensor([units[i][0] for i in order], dtype=torch.float64)
    expect(result.values, values, "the strongest unit of the channel in each image, in falling order")
    expect(result.indices, torch.tensor(order), "the images, the one with the strongest unit first")
    expect(result.boxes, torch.tensor(boxes), "top, left, bottom, right of what each image's strongest unit sees")
    assert len(result.patches) == k, f"{len(result.patches)} patches, expected {k}"
    for patch, i, (top, left, bottom, right) in zip(result.patches, order, boxes, strict=True):
        expect(patch, images[i, :, top:bottom, left:right], "the patch is image[:, top:bottom, left:right]")


@pytest.mark.points(2, "top_patches")
def test_top_patches_cut_out_what_the_strongest_units_see(expect, images):
    """The patches show the receptive field of each image's strongest unit, strongest image first."""
    for layer, channel, k in ("features.0", 1, 3), ("features.6", 2, 2), ("features.6", 3, 1):  # not the batch's order
        check_patches(expect, images, seeded(SmallConvNet()), layer, channel, k)
    nearly_equal = images[:1] + 1e-4 * (images - images[:1])
    check_patches(expect, nearly_equal, seeded(SmallConvNet()), "features.6", 3, 3)


@pytest.mark.points(1, "top_patches")
def test_top_patches_of_a_channel_that_is_negative_everywhere(expect, images):
    """The strongest unit is found also where all units are negative, and in a flat layer."""
    model = seeded(SmallConvNet())
    with torch.no_grad():
        model.features[0].bias -= 50

    check_patches(expect, images, model, "features.0", 1, 2)
    flat = saliency.top_patches(seeded(SmallConvNet()), images, "classifier.3", 1, 3)
    with torch.no_grad():
        scores = seeded(SmallConvNet())(images)[:, 1]
    expect(
        flat.values, scores.sort(descending=True).values, "in a flat layer an image's strongest unit is its only one"
    )
    expect(flat.indices, scores.argsort(descending=True), "the images, the one with the largest unit first")
    expect(flat.boxes, torch.tensor([[0, 0, *SIZE]] * 3), "a unit of a flat layer sees the whole image")


@pytest.mark.points(1, "top_patches")
def test_top_patches_leave_no_trace(expect, images):
    """The network and the images are unchanged, and the results are new, detached tensors."""

    def call(model, images):
        return saliency.top_patches(model, images, "features.0", 3, 2)

    model = seeded(SmallConvNet())
    with expect.unchanged(model=model, images=images):
        call(model, images)
    followed = images.clone().requires_grad_()
    followed.grad = torch.ones_like(followed)
    with expect.unchanged(model=used_network(model), images=followed):
        result = call(used_network(model), followed)
    assert_lets_errors_through(expect, call, broken(model, "forward"), images, "forward")
    assert not result.values.requires_grad, "values are still joined to the autograd graph: detach them"
    for patch in result.patches:
        expect.new(patch, images=followed)
        assert not patch.requires_grad, "the patches are still joined to the autograd graph: detach them"
    expect(call(model, strided(images)).values, call(model, images).values, ANY_STRIDES)
    one = saliency.top_patches(model, images[1:2], "features.0", 3, 1)
    expect(torch.tensor(one.boxes.shape), torch.tensor([1, 4]), "one image gives one box, (1, 4)")
    single = call(seeded(SmallConvNet()).float(), images.float())
    assert single.values.dtype == torch.float32, f"float32 images give values of {single.values.dtype}"
