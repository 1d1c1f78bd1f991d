"""Noisy prediction: the mean of the softmax over noisy copies."""

import itertools

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.laws import assert_same_however_called
from coursekit.checks.randomness import assert_goes_on, distance_from_uniform, seed
from coursekit.checks.recorder import Recorder
from coursekit.checks.small_networks import Boom, SmallConvNet, broken, seeded
from coursekit.checks.steps import by_image


def look(model, images, number=0, **options):
    """The answer, and for each image the noise of its copies, as they were shown to the network."""
    recorder = Recorder(model)
    result = adversarial.noisy_predict(recorder, images, generator=seed(number), **options)
    return result, by_image(recorder, images)


@pytest.mark.points(1, "noisy_predict")
def test_noisy_prediction_is_the_mean_probability_over_the_copies(expect, images):
    """The result is the mean of the softmax over num_samples noisy copies of each image."""
    model = seeded(SmallConvNet())

    result, copies = look(model, images, sigma=0.2, num_samples=6)

    counts = torch.tensor([len(group) for group in copies])
    expect(counts, torch.tensor([6, 6, 6]), "num_samples copies of each image are shown")
    means = torch.stack([model(group).softmax(dim=1).mean(dim=0) for group in copies]).detach()
    expect(result, means, "the mean of the softmax, not the softmax of a mean")


@pytest.mark.points(1, "noisy_predict")
def test_noise_is_normal_own_for_each_copy_and_not_clamped(images):
    """The noise is N(0, sigma^2), drawn for each value of each copy; the copies are not clamped."""
    model = seeded(SmallConvNet())

    _, copies = look(model, images, sigma=0.2, num_samples=6)

    counts = [len(group) for group in copies]
    assert counts == [6, 6, 6], f"num_samples = 6 different noisy copies of each image are shown, yours were {counts}"
    noise = torch.cat([group - image for group, image in zip(copies, images, strict=True)]) / 0.2
    one, two, _ = (group - image for group, image in zip(copies, images, strict=True))
    for i, j in itertools.combinations(range(6), 2):
        assert not torch.allclose(one[i], one[j], atol=1e-6), "two copies have the same noise: draw it for each copy"
        assert not torch.allclose(one[i], -one[j], atol=1e-6), "two copies have opposite noise: draw it for each copy"
    for mine, other in itertools.product(one, two):
        assert not torch.allclose(mine, other, atol=1e-6), "two images have the same noise: draw it for each image"
    assert not torch.allclose(noise[:, 0], noise[:, 1]), (
        "the three channels have the same noise: draw it for each value"
    )
    assert not torch.allclose(noise[:, :, 0], noise[:, :, 1]), "two rows have the same noise: draw it for each value"
    assert float(torch.cat(copies).min()) < -0.05, "the noisy copies are clamped: leave them as they are"
    assert abs(noise.std().item() - 1) < 0.06, f"the noise is {noise.std().item():.2f} times as strong as sigma"
    assert distance_from_uniform((noise / 2**0.5).erf() / 2 + 0.5) < 0.04, "the noise is normal, with mean 0"


@pytest.mark.points(1, "noisy_predict")
def test_noisy_prediction_leaves_no_trace_and_repeats(expect, images):
    """The network and the images are unchanged, and the same seed gives the same result."""
    model = seeded(SmallConvNet())

    def call(model, images, sigma=0.2):
        return adversarial.noisy_predict(model, images, sigma=sigma, num_samples=2, generator=seed())

    with expect.unchanged(model=model, images=images):
        result = call(model, images)
    expect.new(result, images=images)
    expect(
        call(model, images.clone().requires_grad_()), result, "the same, detached, for images that require gradients"
    )
    assert_same_however_called(expect, lambda m, x: call(m, x, sigma=0.0), model, images)
    assert not torch.allclose(look(model, images, 1, sigma=0.2, num_samples=2)[0], result), "another seed, other noise"
    options = {"sigma": 0.2, "num_samples": 2}
    assert_goes_on(lambda generator: adversarial.noisy_predict(model, images, **options, generator=generator))
    still, _ = look(model, images[:1], sigma=0.0, num_samples=2)
    expect(still, model(images[:1]).softmax(dim=1).detach(), "without noise the network's own probabilities, (1, K)")
    bad = broken(model, "forward")
    with expect.unchanged(model=bad, images=images), pytest.raises(Boom):
        call(bad, images)
