"""Guided Grad-CAM: the product of guided backprop and Grad-CAM."""

import pytest
import torch
import torch.nn.functional as F

from assignment2 import saliency
from coursekit.checks.laws import assert_lets_errors_through, assert_same_however_called
from coursekit.checks.small_networks import SmallConvNet, broken, seeded


def inside_relu_rule():
    """Whether a ReLU's gradient is not the ordinary one just now."""
    signal = torch.tensor([1.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(-F.relu(signal).sum(), signal)
    return gradient.item() != -1.0


@pytest.fixture
def put_right_factors(expect, monkeypatch, images, labels):
    """Put right answers for the two factors in the module: what they gave for the three images when recorded."""

    def put():
        guided = cam = None
        if expect.recording is not None:
            guided = saliency.guided_backprop(seeded(SmallConvNet(), seed=31), images, labels)
            cam = saliency.grad_cam(seeded(SmallConvNet(), seed=31), images, labels, "features.3")
        guided, cam = expect.remember(guided, "guided"), expect.remember(cam, "cam")

        def lookup(stored, model, given, wanted):
            model(given)  # as the real ones do: a network that breaks, breaks here too
            near = [[torch.allclose(x.double(), y, atol=1e-6) for y in images] for x in given]
            assert all(map(any, near)), "both factors get the images that you were given"
            rows = [row.index(True) for row in near]
            assert torch.equal(wanted, labels[rows]), "both factors get the labels that you were given"
            return stored[rows].to(given.dtype)

        def guided_backprop(model, images, labels):
            return lookup(guided, model, images, labels)

        def grad_cam(model, images, labels, layer):
            assert layer == "features.3", (
                f"Grad-CAM of layer {layer!r}, expected 'features.3', the one that you were given"
            )
            assert not inside_relu_rule(), "Grad-CAM ran inside relu_rule: its gradients are ordinary ones"
            return lookup(cam, model, images, labels)

        monkeypatch.setattr(saliency, "guided_backprop", guided_backprop)
        monkeypatch.setattr(saliency, "grad_cam", grad_cam)

    return put


@pytest.mark.points(2, "guided_grad_cam")
def test_guided_grad_cam_is_the_product_of_its_factors_in_each_image(expect, images, labels, put_right_factors):
    """Guided Grad-CAM is guided_backprop * grad_cam of the same image, the map on all three channels."""
    put_right_factors()

    result = saliency.guided_grad_cam(seeded(SmallConvNet(), seed=31), images, labels, "features.3")

    expect.reference(result, "product", "guided_backprop * grad_cam of the same image, the map on all three channels")


@pytest.mark.points(1, "guided_grad_cam")
def test_guided_grad_cam_of_a_single_image_and_of_two_keeps_the_shape(expect, images, labels, put_right_factors):
    """One image gives (1, 3, H, W), two images give (2, 3, H, W)."""
    put_right_factors()
    model = seeded(SmallConvNet(), seed=31)

    one = saliency.guided_grad_cam(model, images[1:2], labels[1:2], "features.3")
    two = saliency.guided_grad_cam(model, images[1:], labels[1:], "features.3")

    expect.reference(one, "one", "one image gives (1, 3, H, W)")
    expect.reference(two, "two", "two images give (2, 3, H, W)")


@pytest.mark.points(1, "guided_grad_cam")
def test_guided_grad_cam_leaves_no_trace_and_repeats(expect, images, labels, put_right_factors):
    """The network, its gradients and the images are unchanged, and a second call returns the same."""
    put_right_factors()

    def call(model, images):
        return saliency.guided_grad_cam(model, images, labels, "features.3")

    model = seeded(SmallConvNet(), seed=31)
    with expect.unchanged(model=model, images=images):
        result = call(model, images)

    expect.new(result, images=images)
    assert_lets_errors_through(expect, call, broken(model, "forward"), images, "forward")
    expect(call(model, images.clone().requires_grad_()), result, "the same for images that require gradients, detached")
    assert_same_however_called(expect, call, model, images)
