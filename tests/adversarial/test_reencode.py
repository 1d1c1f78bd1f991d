"""Re-encoding: every value becomes the nearest of equally spaced levels."""

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.laws import ANY_STRIDES, strided


@pytest.mark.points(1, "reencode")
def test_reencoding_gives_the_nearest_of_the_levels(expect, inner_images):
    """Every value becomes the nearest of `levels` equally spaced values from 0 to 1."""
    inner_images[0, 0, 0, :3] = torch.tensor([0.01, 0.49, 0.5 + 1e-9], dtype=torch.float64)

    for levels in (2, 5, 256, 1000):
        grid = torch.linspace(0, 1, levels, dtype=torch.float64)
        nearest = grid[(inner_images[..., None] - grid).abs().argmin(dim=-1)]
        result = adversarial.reencode(inner_images.clone(), levels=levels)
        expect(result, nearest, f"the nearest of {levels} equally spaced values from 0 to 1")


@pytest.mark.points(1, "reencode")
def test_reencoding_twice_is_reencoding_once_and_leaves_no_trace(expect, images):
    """Values on the grid stay; the images are unchanged and the result is detached."""
    followed = images.clone().requires_grad_()

    with expect.unchanged(images=followed):
        once = adversarial.reencode(followed, levels=7)

    assert not once.requires_grad, "the result is still joined to the autograd graph: detach it"
    expect(adversarial.reencode(once, levels=7), once, "values on the grid stay")
    ends = torch.tensor([0.0, 1.0]).double().expand(1, 3, 2, 2).contiguous()
    for levels in 4, 65_536:
        expect(adversarial.reencode(ends, levels=levels), ends, "0 and 1 are levels")
    expect.new(once, images=followed)
    expect(adversarial.reencode(strided(images), levels=7), once, ANY_STRIDES)
    expect(adversarial.reencode(images.float(), levels=7), once.float(), "float32 gives float32")
    assert not torch.equal(once, images), "nothing was rounded"
