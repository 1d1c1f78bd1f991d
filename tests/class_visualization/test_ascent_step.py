"""One gradient ascent step of length step_size, on the logit minus the penalty."""

import pytest
import torch

from assignment2 import class_visualization as part2
from coursekit.checks.laws import assert_no_trace, assert_same_however_called, assert_zero_where_no_path
from coursekit.checks.small_networks import (
    SMALL,
    Dead,
    Linear,
    SmallConvNet,
    TwoConvolutions,
    Waves,
    cancelling,
    pictures,
    seeded,
)
from coursekit.checks.steps import along, slope_by_trying


@pytest.mark.points(1, "ascent_step")
def test_step_in_a_linear_model_goes_along_its_weights_by_step_size(expect, image):
    """In a linear model the step is step_size * w_target / ||w_target||, not clamped."""
    model = seeded(Linear())

    for target, step_size in (3, 0.5), (0, 7.0):
        result = part2.ascent_step(model, image, target, step_size=step_size, l2_weight=0.0)

        expected = along(image, model.weights()[target], step_size)
        expect(result, expected, "image + step_size * w_target / ||w_target||, not clamped", start=image)


@pytest.mark.points(1, "ascent_step")
def test_step_climbs_the_score_less_the_penalty(expect, image):
    """The step follows the gradient of logit_target - l2_weight * sum((image - 0.5)^2)."""
    model = Waves().eval()

    for l2_weight in 0.6, 30.0:
        result = part2.ascent_step(model, image, 2, step_size=0.7, l2_weight=l2_weight)

        uphill = model.slope(image, 2) - 2 * l2_weight * (image - 0.5)
        expect(
            result,
            along(image, uphill, 0.7),
            "along the gradient of logit_target - l2_weight * sum((image - 0.5)^2)",
            start=image,
        )


@pytest.mark.points(1, "ascent_step")
def test_step_has_its_length_on_faint_and_steep_slopes_and_is_none_where_there_is_no_slope(expect, image):
    """The step has length step_size for tiny and huge gradients; for a zero gradient it changes nothing."""
    for scale in 0.5, 1e-8, 1e-30, 1e6:
        model = seeded(Linear())
        with torch.no_grad():
            model.head.weight *= scale

        result = part2.ascent_step(model, image, 4, step_size=0.5, l2_weight=0.0)

        expect(
            result,
            along(image, model.weights()[4], 0.5),
            f"a step of length step_size; the gradient is about {scale:g}",
            start=image,
        )
    balanced = cancelling()
    result = part2.ascent_step(balanced, image, 4, step_size=0.5, l2_weight=0.0)
    formula = "a step of length step_size; the entries of the gradient add up to zero"
    expect(result, along(image, balanced.weights()[4], 0.5), formula, start=image)
    flat = part2.ascent_step(seeded(Dead()), image, 1, step_size=0.5, l2_weight=0.0)
    expect(flat, image, "exactly the image where the gradient is zero, no 0 / 0", tolerance=0)
    expect.new(flat, image=image)
    pulled = part2.ascent_step(seeded(Dead()), image, 1, step_size=0.5, l2_weight=0.1)
    expect(pulled, along(image, 0.5 - image, 0.5), "the penalty pulls also where the logit has no slope", start=image)
    assert_zero_where_no_path(
        expect, lambda blind: part2.ascent_step(blind, image, 1, step_size=0.5, l2_weight=0.0), image
    )


@pytest.mark.points(1, "ascent_step")
def test_step_in_a_convolutional_network_goes_where_trying_every_pixel_says(expect):
    """In a convolutional network the step goes in the direction in which the objective rises fastest."""
    model = seeded(TwoConvolutions(), seed=2)
    image = pictures(1, size=SMALL)[0]

    with expect.kept(image=image):
        result = part2.ascent_step(model, image, 1, step_size=0.5, l2_weight=0.2)

    uphill = slope_by_trying(lambda x: model(x)[:, 1] - 0.2 * (x - 0.5).pow(2).sum(dim=(1, 2, 3)), image)
    formula = "the direction in which the objective rises fastest"
    expect(result, along(image, uphill, 0.5), formula, tolerance=1e-5, start=image)


@pytest.mark.points(1, "ascent_step")
def test_step_leaves_no_trace_and_repeats(expect, image):
    """The network, its gradients and the image are unchanged, and a second call returns the same."""

    def call(model, image):
        return part2.ascent_step(model, image, 3, step_size=0.5, l2_weight=0.1)

    network = seeded(SmallConvNet())
    assert_no_trace(expect, call, network, image, name="image")
    assert_same_however_called(expect, call, network, image, name="image")
    wrapped = call(lambda x: network(x), image)
    expect(wrapped, call(network, image), "the same result for a function that calls the network")
