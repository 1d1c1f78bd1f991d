"""A gradient estimated from queries: every picture that is shown to `predict` is recorded."""

import itertools

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.laws import strided
from coursekit.checks.randomness import assert_goes_on, distance_from_uniform, seed
from coursekit.checks.recorder import BlackBox
from coursekit.checks.small_networks import Boom, Linear, broken, seeded


def crooked_scores(images):
    """Scores of four classes, of which none is linear in the picture, and no probabilities."""
    flat = images.flatten(1)
    return torch.stack(
        [(flat**2).mean(dim=1), flat.mean(dim=1) ** 3, flat.sin().mean(dim=1), 1 - flat.cos().sum(1)], dim=1
    )


def asked_pairs(shown, images):
    """For each image, the pairs (a, b) of shown pictures that lie opposite each other about it."""
    itself = any(torch.equal(picture, image) for picture in shown for image in images)
    assert not itself, "the picture itself was shown: ask on both sides of it, and nowhere else"
    inside = shown.flatten(1).amin(dim=1).ge(0) & shown.flatten(1).amax(dim=1).le(1)
    assert not inside.all(), "what is shown is clamped: leave it as it is"
    assert not inside.any(), "some of what is shown is clamped: leave it as it is"
    free, pairs = list(range(len(shown))), [[] for _ in images]
    while free:
        a = free.pop(0)
        for b, i in itertools.product(list(free), range(len(images))):
            if torch.allclose(shown[a] + shown[b], 2 * images[i], rtol=0, atol=1e-9):
                pairs[i].append((shown[a], shown[b]))
                free.remove(b)
                break
        else:
            raise AssertionError("a picture was shown without its opposite: ask at x + sigma u and at x - sigma u")
    return pairs


@pytest.mark.points(1, "estimate_gradient")
def test_estimated_gradient_is_the_mean_over_what_was_asked(expect, images):
    """The estimate is the mean over u of (f(x + sigma u) - f(x - sigma u)) u / (2 sigma)."""
    box, labels = BlackBox(crooked_scores), torch.tensor([3, 0, 1])

    result = adversarial.estimate_gradient(box, images, labels, sigma=0.1, num_samples=6, generator=seed())

    expect(len(box.shown()), 36, "two queries for each of 6 directions of each of 3 images")
    rows = []
    for pairs, label in zip(asked_pairs(box.shown(), images), labels, strict=True):
        ahead, behind = (torch.stack(side) for side in zip(*pairs, strict=True))
        rise = (crooked_scores(ahead) - crooked_scores(behind))[:, label]
        rows.append(torch.einsum("m,mchw->chw", rise, ahead - behind) / (4 * 0.1**2 * 6))
    expect(result, torch.stack(rows), "sum of (f(x + sigma u) - f(x - sigma u)) u / (2 sigma num_samples)")


@pytest.mark.points(1, "estimate_gradient")
def test_directions_are_normal_and_own_for_each_image(expect, images):
    """Every entry of u is drawn from N(0, 1), and each image has its own directions."""
    box = BlackBox(crooked_scores)

    adversarial.estimate_gradient(box, images, torch.tensor([3, 0, 1]), sigma=0.5, num_samples=4, generator=seed())

    directions = [torch.stack([a - b for a, b in pairs]) for pairs in asked_pairs(box.shown(), images)]
    by_sample = [(own, "two samples of an image have the same u: draw it for each sample") for own in directions]
    by_image = [(torch.cat(directions), "two images have the same u: draw it for each image")]
    for pool, told in by_sample + by_image:
        pairs = itertools.combinations(pool, 2)
        parallel = [min(float((a - b).norm()), float((a + b).norm())) < 1e-6 for a, b in pairs]
        assert not any(parallel), told
    every = torch.cat(directions)  # (M, 3, H, W)
    for axis, name in (1, "channels"), (2, "rows"), (3, "columns"):
        one, other = (every.select(axis, i) for i in (0, 1))
        assert not torch.allclose(one, other), f"two {name} have the same entries of u: draw one for each value"
    drawn = every.flatten()
    assert abs(drawn.std().item() - 1) < 0.08, f"the entries of u have standard deviation {drawn.std():.2f}, expected 1"
    assert drawn.abs().std().item() > 0.1, "all entries of u have the same size: they come from N(0, 1)"
    uniform = (drawn / 2**0.5).erf() / 2 + 0.5
    assert distance_from_uniform(uniform) < 0.04, "the entries of u come from N(0, 1)"
    assert drawn.abs().max().item() > 2.6, "no entry of u is large: N(0, 1) is not cut off"


@pytest.mark.points(1, "estimate_gradient")
def test_estimating_leaves_no_trace_and_repeats(expect, images):
    """The images are unchanged, the same seed gives the same estimate, and errors are passed on."""
    labels = torch.tensor([3, 0, 1])

    def call(answer, number=0, images=images):
        return adversarial.estimate_gradient(
            BlackBox(answer), images, labels, sigma=0.1, num_samples=2, generator=seed(number)
        )

    with expect.unchanged(images=images, labels=labels):
        first = call(crooked_scores)
    expect(call(crooked_scores), first, "the same seed gives the same estimate")
    followed = call(crooked_scores, images=images.clone().requires_grad_())
    expect(followed, first, "the same for images that require gradients, detached")
    for given in strided(images), images.float():
        shape, dtype = tuple(images.shape), given.dtype
        other = call(crooked_scores, images=given)
        assert (tuple(other.shape), other.dtype) == (shape, dtype), (
            f"images of {shape} {dtype} give an estimate like them"
        )
    assert not torch.allclose(call(crooked_scores, 1), first), "another seed gives another estimate"
    options = {"sigma": 0.1, "num_samples": 2}
    assert_goes_on(
        lambda g: adversarial.estimate_gradient(BlackBox(crooked_scores), images, labels, **options, generator=g)
    )
    one = adversarial.estimate_gradient(
        BlackBox(crooked_scores), images[:1], labels[:1], sigma=0.1, num_samples=2, generator=seed()
    )
    expect(torch.tensor(one.shape), torch.tensor(images[:1].shape), "one image gives (1, 3, H, W)")
    breaks = broken(seeded(Linear()), "forward")
    with expect.unchanged(images=images), pytest.raises(Boom):
        call(breaks)
