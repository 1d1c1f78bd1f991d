"""The content loss: its value and its gradient."""

import pytest
import torch

from assignment2 import style_transfer as part5
from coursekit.checks.scalars import assert_constant, named_tensors, slope, value_of
from coursekit.checks.small_networks import numbers, pictures


@pytest.mark.points(1, "content_loss")
def test_content_loss_of_shifted_features_is_the_squared_shift_times_their_number(expect, layers, weights):
    """If F_i = P_i + s_i, the loss is the sum over layers of w_i * s_i^2 * (number of entries)."""
    for num_images in 1, 3:
        targets = layers(num_images)
        shifts = 0.3, -0.7, 2.0

        loss = part5.content_loss([p + s for p, s in zip(targets, shifts, strict=True)], targets, weights)

        wanted = sum(w * s**2 * p.numel() for w, s, p in zip(weights, shifts, targets, strict=True))
        formula = "0-d: sum over layers of w_i * shift_i^2 * number of entries"
        expect(value_of(loss), torch.tensor(wanted).double(), formula)
        same = part5.content_loss(targets, targets, weights)
        expect(value_of(same), torch.tensor(0.0).double(), "0 for the same features")


@pytest.mark.points(1, "content_loss")
def test_content_slope_is_twice_the_weighted_difference_and_none_reaches_the_targets(expect, layers, weights):
    """dL/dF_i = 2 w_i (F_i - P_i), and no gradient reaches the targets."""
    features = [f.requires_grad_() for f in layers(3)]
    targets = [p.requires_grad_() for p in layers(3, seed=10)]

    with expect.unchanged(**named_tensors(features=features, targets=targets)):
        loss = part5.content_loss(features, targets, weights)

    for feature, target, weight in zip(features, targets, weights, strict=True):
        found = slope(loss, feature)
        expect(found, 2 * weight * (feature - target).detach(), "dL/dF_i = 2 w_i (F_i - P_i)")
    assert_constant(part5.content_loss(features, targets, weights), *targets)


@pytest.mark.points(1, "content_loss")
def test_gradients_of_several_content_losses_add_at_the_picture(expect, weights):
    """The gradient at the picture is the weighted sum of the gradients through all layers."""
    image = pictures(1).requires_grad_()
    made = [image, 3 * image, (2 * image) ** 2]  # three layers that one picture feeds
    targets = [numbers(*image.shape, seed=i) for i in range(3)]

    with expect.kept(**named_tensors(targets=targets)):
        together = slope(part5.content_loss(made, targets, weights), image)

    x = image.detach()
    alone = [2 * (x - targets[0]), 6 * (3 * x - targets[1]), 16 * x * (4 * x**2 - targets[2])]
    expect(
        together, sum(w * g for w, g in zip(weights, alone, strict=True)), "the sum of the weighted layers' gradients"
    )


@pytest.mark.points(1, "content_loss")
def test_content_loss_leaves_no_trace_and_takes_any_sequence(expect, layers):
    """The arguments are unchanged; lists, tuples, any strides and float32 give the same value."""
    targets, steps = layers(2, seed=4), layers(2, seed=8)
    features = [(p + s).requires_grad_() for p, s in zip(targets, steps, strict=True)]
    wanted = sum(w * (s**2).sum() for w, s in zip((-1.0, 0.0, 2.0), steps, strict=True))

    with expect.unchanged(**named_tensors(features=features, targets=targets)):
        for kind in list, tuple:
            loss = part5.content_loss(kind(features), kind(targets), kind((-1.0, 0.0, 2.0)))
            expect(value_of(loss), wanted, "weights may be 0 or negative")
    strided = [f.detach().mT.contiguous().mT for f in features]
    expect(value_of(part5.content_loss(strided, targets, (-1.0, 0.0, 2.0))), wanted, "features with any strides")
    single = part5.content_loss([f.detach().float() for f in features], [p.float() for p in targets], [-1, 0, 2])
    formula = "float32 features give a float32 loss; weights may be whole numbers"
    expect(value_of(single), wanted.float(), formula, tolerance=1e-4)
