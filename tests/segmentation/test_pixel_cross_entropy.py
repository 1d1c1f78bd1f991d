"""The cross-entropy per pixel, averaged over the pixels that count."""

import pytest
import torch

from assignment2 import segmentation
from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.small_networks import numbers


@pytest.fixture
def corner():
    """Labels (1, 2, 3), one pixel ignored."""
    return torch.tensor([[[0, 1, 2], [2, 255, 1]]])


def followed(logits):
    """Run the loss on logits that autograd follows: the value, and the gradient of the logits."""
    logits = logits.detach().clone().requires_grad_()

    def backward(loss):
        assert isinstance(loss, torch.Tensor), f"the result is a {type(loss).__name__}, expected a torch tensor"
        assert loss.dim() == 0, f"the result has shape {tuple(loss.shape)}, expected a 0-d tensor"
        assert loss.requires_grad, "the loss is detached from the logits: it must be differentiable"
        (gradient,) = torch.autograd.grad(loss, logits)
        value = loss.detach()
        return value, gradient

    return logits, backward


@pytest.mark.points(1, "pixel_cross_entropy")
def test_the_loss_is_the_mean_over_the_pixels_that_count_of_the_whole_batch(expect, corner):
    """The loss is the mean over all counted pixels of the batch, not the mean of the images' means."""
    flat, backward = followed(torch.zeros(1, 3, 2, 3, dtype=torch.float64))
    loss, gradient = backward(segmentation.pixel_cross_entropy(flat, corner))
    expect(loss, torch.tensor(3.0).double().log(), "equal logits of three classes: log 3, whatever the labels")
    right = torch.full((1, 3, 2, 3), 1 / 3, dtype=torch.float64).scatter(1, corner.clamp(max=2)[:, None], -2 / 3)
    right[:, :, 1, 1] = 0
    expect(gradient, right / 5, "(softmax - one-hot) / 5: five of six pixels count, the ignored one has no gradient")

    logits = numbers(3, 4, 5, 7, seed=41)
    labels = torch.arange(3 * 5 * 7).view(3, 5, 7) * 7 % 4
    labels[0] = 255
    labels[1, 2:] = 255
    logits, backward = followed(logits)
    loss, gradient = backward(segmentation.pixel_cross_entropy(logits, labels))
    expect.reference(loss, "three", "the sum over the counted pixels of log sum exp - logit, over their number")
    expect.reference(gradient, "gradient", "(softmax - one-hot) / the number of counted pixels")


@pytest.mark.points(1, "pixel_cross_entropy")
def test_where_every_pixel_is_ignored_the_loss_is_zero_with_zero_gradient(expect, corner):
    """If every pixel is ignored, the loss is 0 and its gradient is 0."""
    for ignored in (255, -1, 0):
        logits, backward = followed(numbers(2, 3, 4, 5, seed=42))
        labels = torch.full((2, 4, 5), ignored)

        loss, gradient = backward(segmentation.pixel_cross_entropy(logits, labels, ignore_index=ignored))

        expect(loss, torch.tensor(0.0).double(), "no pixel counts: 0, not NaN")
        expect(gradient, torch.zeros(2, 3, 4, 5).double(), "no pixel counts: no gradient")
    logits, backward = followed(numbers(1, 3, 2, 3, seed=43))
    loss, _ = backward(segmentation.pixel_cross_entropy(logits, corner.clamp(max=2), ignore_index=2))
    expect.reference(loss, "a class", "ignore_index may be a class: its pixels do not count")


@pytest.mark.points(1, "pixel_cross_entropy")
def test_the_loss_is_stable_pure_and_repeats(expect, corner):
    """The loss is finite for logits of thousands; the arguments are unchanged and calls repeat."""
    large = numbers(1, 3, 2, 3, seed=44).sign() * 4000
    large[..., 0, 0] -= 9000  # every logit of one pixel lies far below those of the others
    logits, backward = followed(large)
    loss, gradient = backward(segmentation.pixel_cross_entropy(logits, corner.clone()))
    expect.reference(loss, "thousands", "logits of thousands: no overflow")
    assert bool(gradient.isfinite().all()), "the gradient is not finite for logits of thousands"

    x, labels = numbers(2, 3, 2, 3, seed=45), corner.expand(2, 2, 3).clone()
    negative = labels.masked_fill(labels == 255, -1)
    with expect.unchanged(logits=x, labels=labels, negative=negative):
        first = segmentation.pixel_cross_entropy(x, labels)
        segmentation.pixel_cross_entropy(x, negative, ignore_index=-1)
    with torch.no_grad():
        expect(segmentation.pixel_cross_entropy(x, labels), first, "the same under the caller's no_grad")
    expect(segmentation.pixel_cross_entropy(strided(x), strided(labels)), first, ANY_STRIDES)
    single = segmentation.pixel_cross_entropy(x.float(), labels)
    expect(single, first.float(), "float32 logits give a float32 loss", tolerance=1e-5)
