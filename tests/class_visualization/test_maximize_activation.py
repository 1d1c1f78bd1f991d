"""Pictures for a channel of a layer: each check looks at the pictures that the network was called with."""

import functools
from copy import deepcopy
from itertools import pairwise

import pytest
import torch

from assignment2 import class_visualization as part2
from coursekit.checks.laws import assert_zero_where_no_path
from coursekit.checks.randomness import seed
from coursekit.checks.recorder import Recorder
from coursekit.checks.small_networks import SMALL, TwoConvolutions, seeded
from coursekit.checks.steps import along, assert_number_of_steps, path_of, slope_by_trying

SIGMA = 0.7  # of the recorded blur


@pytest.fixture
def put_right_search(monkeypatch, right_step):
    """Put a right `ascent_step` in the module: for the network as for a function of yours, also one without a gradient."""

    def slope(model, image, target):
        image = image.detach().clone().requires_grad_()
        with torch.enable_grad():
            score = model(image[None])[0, target]
        if score.requires_grad:
            return torch.autograd.grad(score, image, materialize_grads=True)[0]
        return slope_by_trying(lambda x: model(x)[:, target].detach(), image)

    return lambda network: monkeypatch.setattr(part2, "ascent_step", right_step(slope, network))


@pytest.mark.points(1, "maximize_activation")
def test_ascent_on_a_first_layer_channel_follows_the_sum_of_its_kernels(expect, put_right_search):
    """For a channel of the first convolution, the ascent follows the sum of its kernels."""
    model = seeded(TwoConvolutions())
    put_right_search(model)
    nothing = torch.zeros(3, *SMALL, dtype=torch.float64)
    kernels = slope_by_trying(lambda x: model.features[0](x)[:, 2].sum(dim=(1, 2)), nothing)
    l2_weight = kernels.norm().item() / 2  # with it the score rises up to one unit from grey

    for num_steps, distance in (2, 0.8), (3, 1.2), (4, 0.8):
        result = part2.maximize_activation(
            model, "features.0", 2, num_steps=num_steps, image_size=SMALL, step_size=0.4, l2_weight=l2_weight
        )

        expected = along(torch.full_like(kernels, 0.5), kernels, distance)
        formula = "up and down the slope of (sum over positions - l2_weight * sum((image - 0.5)^2))"
        expect(result, expected, formula, start=torch.full_like(kernels, 0.5))


@pytest.mark.points(1, "maximize_activation")
def test_every_step_goes_uphill_for_the_layers_own_output(expect, put_right_search):
    """The score is the sum of the channel in the layer's own output, before the next layer."""
    parts = {
        "head.3": lambda net, x: net(x),
        "features.3": lambda net, x: net.features[:4](x),
        "head.1": lambda net, x: net.head[:2](net.features(x)),
    }

    def sums(part, whole, channel, pictures):
        return part(whole, pictures)[:, channel].reshape(len(pictures), -1).sum(dim=1)

    for layer, channel, num_steps in ("head.3", 0, 1), ("features.3", 1, 3), ("head.1", 4, 2):
        network = Recorder(seeded(TwoConvolutions(), seed=1))
        put_right_search(network)

        result = part2.maximize_activation(
            network, f"network.{layer}", channel, num_steps=num_steps, image_size=SMALL, step_size=0.5, l2_weight=0.3
        )

        path = path_of(network, result)
        for number, (before, after) in enumerate(pairwise(path), 1):
            scores = functools.partial(sums, parts[layer], network.network, channel)
            uphill = slope_by_trying(scores, before)
            formula = f"step {number}: uphill for the sum of the channel of {layer}, before what follows the layer"
            expect(after, along(before, uphill - 0.6 * (before - 0.5), 0.5).clamp(0, 1), formula, start=before)
        assert_number_of_steps(path, num_steps)


@pytest.mark.points(1, "maximize_activation")
def test_picture_starts_and_is_blurred_and_clamped_as_a_class_picture_is(
    expect, put_right_search, put_right_blur, check_noise
):
    """The start, the blur and the clamp are those of class_visualization."""
    model = seeded(TwoConvolutions())
    put_right_search(model)
    blurred = put_right_blur(SMALL)
    grey = torch.full((3, *SMALL), 0.5, dtype=torch.float64)
    kernels = slope_by_trying(lambda x: model.features[0](x)[:, 1].sum(dim=(1, 2)), torch.zeros_like(grey))

    def paint(**settings):
        return part2.maximize_activation(model, "features.0", 1, image_size=SMALL, blur_sigma=SIGMA, **settings)

    expect(paint(num_steps=0), grey, "num_steps 0 returns the start, grey 0.5")
    check_noise(paint(num_steps=0, generator=seed(1)), paint(num_steps=0, generator=seed(2)))
    one = along(0 * grey, kernels, 0.4)
    soft = paint(num_steps=3, step_size=0.4, blur_every=2)
    expect(soft, 0.5 + blurred(2 * one) + one, "three equal steps, blurred with blur_sigma after the second")
    hard = paint(num_steps=2, step_size=9.0, blur_every=1)
    stepped = along(blurred(along(grey, kernels, 9.0)).clamp(0, 1), kernels, 9.0)
    expect(hard, blurred(stepped).clamp(0, 1), "twice: step, blur, clamp to [0, 1]")
    with torch.no_grad():
        model.features[0].bias -= 1e3
    start, end = (
        part2.maximize_activation(
            model, "features.1", 3, num_steps=n, image_size=SMALL, blur_every=1, blur_sigma=SIGMA, generator=seed()
        )
        for n in (0, 2)
    )
    expect(end, blurred(blurred(start)), "where the gradient is zero, no step is taken, but every picture is blurred")
    pulled = part2.maximize_activation(
        model, "features.1", 3, num_steps=1, image_size=SMALL, step_size=0.2, l2_weight=0.1, generator=seed()
    )
    expect(pulled, along(start, 0.5 - start, 0.2), "the penalty pulls also where the channel has no slope", start=start)


@pytest.mark.points(1, "maximize_activation")
def test_maximizing_leaves_no_trace_repeats_and_survives_a_dead_channel(expect, put_right_search, check_no_trace):
    """The network is unchanged, calls repeat, and a channel with zero gradient leaves the picture grey."""
    model = seeded(TwoConvolutions())
    put_right_search(model)

    def call(network):
        return part2.maximize_activation(network, "features.3", 1, num_steps=2, image_size=SMALL, generator=seed())

    check_no_trace(call, model, breaks_at="features.0")
    first = call(model)
    with torch.no_grad():
        expect(call(model), first, "the same result again, under the caller's torch.no_grad()")
    expect(call(deepcopy(model).requires_grad_(False)), first, "the same result on a copy with frozen weights")
    with torch.no_grad():
        model.features[0].bias -= 1e3
    dead = part2.maximize_activation(model, "features.1", 3, num_steps=2, image_size=SMALL)
    grey = torch.full((3, *SMALL), 0.5, dtype=torch.float64)
    expect(dead, grey, "a channel with zero gradient leaves the picture as it is")
    uphill = {"num_steps": 2, "image_size": SMALL}
    assert_zero_where_no_path(expect, lambda blind: part2.maximize_activation(blind, "head", 1, **uphill), grey)
