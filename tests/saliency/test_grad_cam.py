"""Grad-CAM: ReLU of the weighted sum of a layer's channels, enlarged, then divided by its maximum."""

import pytest
import torch

from assignment2 import saliency
from coursekit.checks.laws import assert_no_trace, assert_same_however_called, assert_zero_where_no_path
from coursekit.checks.small_networks import SIZE, Dead, ReluEverywhere, SmallConvNet, pictures, seeded


@pytest.mark.points(2, "grad_cam")
def test_grad_cam_is_the_rectified_weighted_sum_of_a_layers_channels(expect, images, labels):
    """Grad-CAM = ReLU(sum over channels of w_c A_c), where w_c is the spatial mean of the gradient."""
    late = saliency.grad_cam(seeded(SmallConvNet(inplace=False), seed=5), images, labels, "features.6")
    other_size = pictures(3, seed=4, size=(14, 10))
    beside_skip = saliency.grad_cam(seeded(ReluEverywhere(), seed=3), other_size, labels, "last")

    formula = "ReLU(sum_c mean(d logit / d A_c) A_c), enlarged bilinearly, then divided by its maximum"
    expect.reference(late, "late", formula)
    expect.reference(beside_skip, "reused relu", formula)


@pytest.mark.points(1, "grad_cam")
def test_grad_cam_takes_the_layers_own_output_before_an_in_place_relu(expect, images, labels):
    """A is the layer's output before an in-place ReLU that follows the layer changes it."""
    result = saliency.grad_cam(seeded(SmallConvNet(), seed=1), images, labels, "features.3")

    formula = "the layer's output as it was when the layer returned it, negative values too: record_outputs keeps it"
    expect.reference(result, "before relu", formula)
    reused = saliency.grad_cam(seeded(ReluEverywhere(), seed=3), images, labels, "down")
    expect.reference(reused, "before a reused relu", formula)


@pytest.mark.points(1, "grad_cam")
def test_grad_cam_has_maximum_one_in_each_image_and_an_empty_map_stays_zero(expect, images, labels):
    """Each map has maximum 1 after it was enlarged; a map that is zero everywhere stays zero."""
    model = seeded(SmallConvNet(inplace=False), seed=5)
    faint_second = images * torch.tensor([1.0, 1e-3, 1.0], dtype=torch.float64).view(3, 1, 1, 1)

    result = saliency.grad_cam(model, faint_second, labels, "features.6")

    expect.reference(result, "scaled", "each map divided by its own maximum, after it was enlarged")
    empty = torch.zeros(3, *SIZE, dtype=torch.float64)
    dead = saliency.grad_cam(seeded(Dead()), images, labels, "features")
    expect(dead, empty, "a map that is zero everywhere stays zero, no 0 / 0")
    narrow = saliency.grad_cam(seeded(Dead()), pictures(2, size=(5, 1)), labels[:2], "features")
    expect(narrow, torch.zeros(2, 5, 1, dtype=torch.float64), "pictures one pixel wide give maps one pixel wide")
    some_empty = saliency.grad_cam(seeded(SmallConvNet(inplace=False)), images, labels, "features.7")
    expect.reference(some_empty, "some empty", "one map that is zero everywhere beside two that are not")
    with torch.no_grad():
        model.classifier[3].weight *= 1e-9
    faint = saliency.grad_cam(model, faint_second, labels, "features.6")
    expect.reference(faint, "scaled", "maximum 1 also where all scores are faint", tolerance=1e-5)
    assert_zero_where_no_path(expect, lambda blind: saliency.grad_cam(blind, images, labels, "features"), empty)


@pytest.mark.points(1, "grad_cam")
def test_grad_cam_of_an_image_does_not_depend_on_its_batch_mates(expect, images, labels):
    """The map of an image is the same alone and in a batch with other images."""
    model = seeded(SmallConvNet(inplace=False), seed=5)

    together = saliency.grad_cam(model, images, labels, "features.6")
    alone = [saliency.grad_cam(model, images[i : i + 1], labels[i : i + 1], "features.6") for i in range(3)]

    expect(together, torch.cat(alone), "the maps of three images at once are those of each image alone")
    assert together.shape == (3, *SIZE), f"the maps have shape {tuple(together.shape)}, expected {(3, *SIZE)}"


@pytest.mark.points(1, "grad_cam")
def test_grad_cam_leaves_no_trace_and_repeats(expect, images, labels):
    """The network, its gradients and the images are unchanged, and a second call returns the same."""

    def call(model, images):
        return saliency.grad_cam(model, images, labels, "features.6")

    assert_no_trace(expect, call, seeded(SmallConvNet(inplace=False)), images)
    assert_same_however_called(expect, call, seeded(SmallConvNet(inplace=False), seed=5), images)
