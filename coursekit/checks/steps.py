"""Pictures on their way: where a step must lead, in which direction a score rises, and which way a picture has gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from coursekit.checks.recorder import Recorder


def along(image: Tensor, direction: Tensor, distance: float) -> Tensor:
    """Go a distance from a picture in a direction."""
    length = direction.norm().item()
    return image + distance / length * direction if length else image.clone()


def slope_by_trying(scores: Callable[[Tensor], Tensor], image: Tensor, step: float = 1e-5) -> Tensor:
    """Try every pixel: how much does the score rise? scores answers for many pictures (B, 3, H, W) at once: (B,)."""
    moves = step * torch.eye(image.numel(), dtype=image.dtype).view(-1, *image.shape)
    with torch.no_grad():
        rises = scores(image + moves) - scores(image - moves)
    return rises.view(image.shape) / (2 * step)


def true_gradient(network: Callable[[Tensor], Tensor], image: Tensor, target: int) -> Tensor:
    """Return the gradient of a logit at one picture, by the book: the direction that a step is held to."""
    image = image.detach().clone().requires_grad_()
    with torch.enable_grad():
        logit = network(image[None])[0, target]
        (gradient,) = torch.autograd.grad(logit, image)
    return gradient


def path_of(recorder: Recorder, result: Tensor) -> list[Tensor]:
    """Return the pictures that the network was shown, one after another, the result last."""
    shown = [image for batch in recorder.distinct() for image in batch]
    return shown if shown and torch.equal(shown[-1], result) else [*shown, result]


def assert_number_of_steps(path: Sequence[Tensor], num_steps: int) -> None:
    """Hold a path to its number of steps."""
    assert len(path) == num_steps + 1, f"the picture was moved {len(path) - 1} times, expected num_steps = {num_steps}"


def by_image(recorder: Recorder, images: Tensor) -> list[Tensor]:
    """Return for each image the pictures near it in the order in which they were shown, in batches or one by one.

    The images themselves are left out: to look at them once more is no mistake.
    """
    shown = torch.cat(recorder.distinct())
    distance, owner = (shown[:, None] - images[None]).flatten(2).norm(dim=2).min(dim=1)
    return [shown[(owner == i) & (distance > 0)] for i in range(len(images))]


def roll_between(one: Tensor, other: Tensor) -> tuple[int, ...] | None:
    """Return the offset (rows, columns) by which one must be rolled to become the other, or None."""
    places = [divmod(int(picture[0].argmax()), picture.shape[2]) for picture in (one, other)]
    shift = tuple((b - a + side // 2) % side - side // 2 for a, b, side in zip(*places, one.shape[1:], strict=True))
    return shift if torch.allclose(one.roll(shift, dims=(1, 2)), other, atol=1e-9) else None


def offsets_of(recorder: Recorder, result: Tensor, weights: Tensor, step_size: float) -> list[tuple[int, ...]]:
    """Find by which offset each step's picture was rolled, from the last step back to the first."""
    groups: list[list[Tensor]] = []  # what was shown; pictures that differ by a roll alone stand together
    for (picture,) in [*recorder.shown, result[None]]:
        if groups and roll_between(groups[-1][0], picture):
            groups[-1].append(picture)
        else:
            groups.append([picture])
    offsets: list[tuple[int, ...]] = []
    shift, after = (0, 0), result
    for number in range(len(groups) - 1, 0, -1):
        moved = [(p, roll_between(along(p, weights, step_size).clamp(0, 1), after)) for p in groups[number - 1]]
        found = next(((p, roll) for p, roll in moved if roll), None)
        ends = [along(p, weights, step_size).clamp(0, 1).flatten().sort().values for p in groups[number - 1]]
        scattered = not found and any(torch.allclose(end, after.flatten().sort().values, atol=1e-9) for end in ends)
        assert not scattered, f"step {number}: the right values in wrong places: roll rows and columns, there and back"
        assert found, f"step {number} is not a step uphill on a rolled picture, rolled back and clamped"
        after, shift = found[0], (shift[0] - found[1][0], shift[1] - found[1][1])
        offsets.insert(0, shift)
    return offsets
