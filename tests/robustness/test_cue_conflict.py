"""Cue conflicts: the shape of one picture with the texture of another."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.small_networks import pictures


@pytest.mark.points(1, "cue_conflict")
def test_cue_conflict_transfers_texture_i_to_content_i(expect, images):
    """Entry i is transfer(content[i], texture[i]), called once per pair with gradients enabled."""
    content, texture = images, pictures(3, seed=5, size=(5, 7))
    seen = []

    def transfer(image, style):
        seen.append(image)
        shapes = f"{tuple(image.shape)} and {tuple(style.shape)}"
        assert shapes == "(3, 9, 13) and (3, 5, 7)", f"transfer gets {shapes}, expected (3, 9, 13) and (3, 5, 7)"
        assert torch.is_grad_enabled(), "transfer ran under no_grad: one that climbs or descends needs gradients"
        return 0.7 * image + 0.3 * style.mean(dim=(1, 2), keepdim=True)

    with expect.kept(content=content, texture=texture):
        result = robustness.cue_conflict(content, texture, transfer)

    right = 0.7 * content + 0.3 * texture.mean(dim=(2, 3), keepdim=True)
    expect(result, right, "transfer(content[i], texture[i]) for each i, in order")
    expect(len(seen), 3, "transfer is called once a pair")


@pytest.mark.points(1, "cue_conflict")
def test_cue_conflict_is_clamped_and_detached(expect, images):
    """The result is clamped to [0, 1] and detached."""
    content = images.clone().requires_grad_()

    # transfer may overshoot, and may keep its graph
    result = robustness.cue_conflict(content, images.flip(3), lambda image, style: 3 * image - 1 + 0.1 * style)

    right = (3 * images - 1 + 0.1 * images.flip(3)).clamp(0, 1)
    expect(result, right, "what transfer makes, clamped to [0, 1], detached")
    parameter, half = torch.tensor(0.5).double().requires_grad_(), 0.5 * images
    kept = robustness.cue_conflict(images, images, lambda image, style: parameter * image)
    expect(kept, half, "detached, also from the parameters of transfer")


@pytest.mark.points(1, "cue_conflict")
def test_cue_conflict_leaves_no_trace(expect, images):
    """The arguments are unchanged, and the result is a new tensor of the content's dtype."""
    content, texture = images.clone(), pictures(3, seed=5)

    with expect.unchanged(content=content, texture=texture):
        result = robustness.cue_conflict(content, texture, lambda image, style: image)

    expect.new(result, content=content, texture=texture)
    expect(result, content, "a transfer that changes nothing gives the content back")
    odd = robustness.cue_conflict(strided(content), strided(texture), lambda image, style: image + style / 9)
    expect(odd, (content + texture / 9).clamp(0, 1), ANY_STRIDES)
    one = robustness.cue_conflict(content[:1].float(), texture[:1].float(), lambda image, style: style)
    expect(one, texture[:1].float(), "one pair in float32 gives one picture in float32")
