"""Fooling images: gradient ascent on the target's logit, checked by the pictures shown to the network."""

import pytest
import torch
from torch import nn

from assignment2 import adversarial
from coursekit.checks.laws import assert_no_trace, assert_same_however_called, assert_zero_where_no_path
from coursekit.checks.recorder import Recorder
from coursekit.checks.small_networks import Blind, Dead, Linear, SmallConvNet, cancelling, seeded
from coursekit.checks.steps import true_gradient


class Stairs(nn.Module):
    """A network that says 0, then 1, then 2 of brighter and brighter pictures."""

    def forward(self, images):
        level = images.flatten(1).mean(dim=1, keepdim=True)
        return level * level.new_tensor([0.0, 3, 4]) + level.new_tensor([1.0, 0, -1])


def climb(network, image, target, **options):
    """The pictures on the way, as they were shown to the network, the result at the end."""
    recorder = Recorder(network)
    result = adversarial.fooling_image(recorder, image, target, **options)
    assert isinstance(result, torch.Tensor), f"the result is a {type(result).__name__}, expected a torch tensor"
    shapes = f"shape {tuple(result.shape)}, expected {tuple(image.shape)}"
    assert result.shape == image.shape, f"the result has {shapes}: one picture, as it came"
    path = [shown[0] for shown in recorder.distinct()]
    if not path or not torch.equal(path[-1], result):
        path.append(result.detach())
    return torch.stack(path)


@pytest.mark.points(1, "fooling_image")
def test_fooling_a_linear_model_goes_straight_along_the_targets_weights(expect, images):
    """In a linear model each step is step_size * w_target / ||w_target||, not clamped."""
    model = seeded(Linear())

    with expect.kept(image=images[0]):
        path = climb(model, images[0], 2, step_size=0.4, max_steps=3)

    weight = model.weights()[2]
    expect(len(path) - 1, 3, "three steps; the target is further away than they reach")
    lengths = 0.4 * torch.arange(4, dtype=torch.float64).view(4, 1, 1, 1)
    formula = "each step has L2 length step_size; nothing is clamped"
    expect(path, images[0] + lengths * weight / weight.norm(), formula, start=images[0])


@pytest.mark.points(1, "fooling_image")
def test_fooling_steps_follow_the_gradient_of_the_targets_logit_where_they_start(expect, images):
    """Each step is step_size * g / ||g||, where g is the gradient of the target's logit at that picture."""
    model = seeded(SmallConvNet())

    path = climb(model, images[0], 1, step_size=0.15, max_steps=6)

    assert len(path) > 1, "no step was taken: the target is not reached, and the gradient is not zero"
    slopes = torch.stack([true_gradient(model, image, 1) for image in path[:-1]])
    units = slopes / slopes.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    expect(path.diff(dim=0) / 0.15, units, "gradient / its L2 norm over the picture, taken anew at each picture")


@pytest.mark.points(1, "fooling_image")
def test_fooling_stops_at_the_first_picture_that_is_taken_for_the_target(expect, images):
    """The ascent stops at the first picture whose largest logit is the target's."""
    model = seeded(SmallConvNet())

    path = climb(model, images[0].clone(), 1, step_size=0.15, max_steps=80)

    classes = model(path).argmax(dim=1)
    fooled = [False] * (len(path) - 1) + [True]
    expect(classes == 1, torch.tensor(fooled), "only the last picture of the way is taken for the target")
    stairs = Stairs().eval()
    path = climb(stairs, torch.zeros_like(images[0]), 2, step_size=4.0, max_steps=20)
    classes = stairs(path).argmax(dim=1)
    expect(classes, torch.tensor([0, 0, 1, 1, 1, 2]), "a third class on the way is no reason to stop")
    own = int(model(images[:1]).argmax())
    same = adversarial.fooling_image(model, images[0].clone(), own, step_size=0.15, max_steps=5)
    expect(same, images[0], "a picture that is taken for the target already comes back as it is")
    for ahead, steps in (1e-9, 0), (-1e-9, 1):
        close = seeded(Linear())
        with torch.no_grad():
            logits = close(images[:1])[0]
            close.head.bias[2] += logits[torch.arange(len(logits)) != 2].max() - logits[2] + ahead
        path = climb(close, images[0].clone(), 2, step_size=0.15, max_steps=5)
        expect(len(path) - 1, steps, f"steps if the target's logit leads by {ahead:g}: the largest logit decides")


@pytest.mark.points(1, "fooling_image")
def test_fooling_takes_at_most_max_steps_and_none_without_a_gradient(expect, images):
    """At most max_steps steps are made; a zero gradient stops the ascent."""
    model = seeded(Linear())

    with expect.kept(image=images[0]):
        one = adversarial.fooling_image(model, images[0], 2, step_size=0.4, max_steps=1)
        none = adversarial.fooling_image(model, images[0], 2, step_size=0.4, max_steps=0)

    expect((one - images[0]).norm(), torch.tensor(0.4).double(), "max_steps = 1: one step of length step_size")
    expect(none, images[0], "max_steps = 0: the picture itself")
    expect.new(none, image=images)
    balanced = cancelling()
    target = int(balanced(images[:1]).argmin())
    step = adversarial.fooling_image(balanced, images[0], target, step_size=0.4, max_steps=1) - images[0]
    expect(step.norm(), torch.tensor(0.4).double(), "one step, also where the gradient's entries add up to zero")
    dead = seeded(Dead())
    target = int(dead(images[:1]).argmin())
    still = adversarial.fooling_image(dead, images[0], target, step_size=0.4, max_steps=3)
    expect(still, images[0], "where the gradient is zero there is no direction: stop")
    with torch.no_grad():
        model.head.weight *= 1e-7
        model.head.bias *= 1e-7
    faint = adversarial.fooling_image(model, images[0], 2, step_size=0.4, max_steps=1)
    expect(faint, one, "where the gradient is small the step is as long as elsewhere", tolerance=1e-3)
    target = int(seeded(Blind())(images[:1]).argmin())
    assert_zero_where_no_path(
        expect,
        lambda blind: adversarial.fooling_image(blind, images[0], target, step_size=0.4, max_steps=3),
        images[0],
    )


@pytest.mark.points(1, "fooling_image")
def test_fooling_leaves_no_trace_and_repeats(expect, images):
    """The network, its gradients and the image are unchanged, and a second call returns the same."""
    image = images[0].clone()

    def call(model, image):
        return adversarial.fooling_image(model, image, 1, step_size=0.15, max_steps=3)

    assert_no_trace(expect, call, seeded(SmallConvNet()), image, name="image")
    assert_same_however_called(expect, call, seeded(SmallConvNet()), image, name="image")
    own = int(seeded(SmallConvNet())(image[None]).argmax())
    untouched = adversarial.fooling_image(seeded(SmallConvNet()), image, own, step_size=0.1, max_steps=3)
    expect.new(untouched, image=image)
