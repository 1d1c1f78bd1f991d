"""Differential evolution, followed from outside: which pixel each picture replaces, and which three members a child comes from."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.checks.recorder import BlackBox

Trios = Callable[[int], Iterable[Sequence[int]]]  # of the number of a child, those that it may come from


def genes_of(shown: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """Return (M, 2) positions and (M, 3) colours of the pixel in which each picture differs from the image."""
    __tracebackhide__ = True
    differs = (shown != image).any(dim=1)  # (M, H, W)
    counts = differs.flatten(1).sum(dim=1)
    assert int(counts.max()) <= 1, f"a picture shown to predict differs in {int(counts.max())} pixels, expected one"
    assert int(counts.min()) == 1, "a picture shown to predict is the image itself: one pixel is replaced"
    places = differs.nonzero()  # (M, 3): picture, y, x
    return places[:, 1:], shown[places[:, 0], :, places[:, 1], places[:, 2]]


def generations_of(
    box: BlackBox, image: Tensor, population: int, answer: Callable[[Tensor], Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """Return, for each generation that was shown, its genes (population, 5), positions first, and its answers."""
    __tracebackhide__ = True
    groups = box.shown().split(population)
    assert len(groups[-1]) == population, "each generation shows every member once: a multiple of population in all"
    genes = [torch.cat([part.double() for part in genes_of(group, image)], dim=1) for group in groups]
    with torch.no_grad():
        answers = [answer(group) for group in groups]
    return genes, answers


class Fit(NamedTuple):
    """How children (P, 5) agree with trios (M, 3, 5): by colour (P, M), and where the sum must lie, (M, 2) each."""

    same_colour: Tensor
    low: Tensor
    high: Tensor


def fit(children: Tensor, trios: Tensor) -> Fit:
    """Compare children with r1 + 0.5 (r2 - r3) of trios. Positions are known to the pixel only: to an interval."""
    one, two, three = trios.unbind(dim=1)
    colours = (one + 0.5 * (two - three))[:, 2:].clamp(min=0).clamp(max=1)
    low = one[:, :2] + 0.5 * (two[:, :2] - three[:, :2] - 1)
    return Fit(((colours - children[:, None, 2:]).abs() < 1e-9).all(dim=2), low, low + 2)


def explaining(child: Tensor, trios: Tensor, sides: Tensor) -> Tensor:
    """Return (M,): which of the trios the child can come from. A position outside is drawn anew: any will do."""
    (same_colour,), low, high = fit(child[None], trios)
    may_be_outside = (low < 0) | (high > sides)
    possible = ((child[:2] < high) & (child[:2] + 1 > low)) | may_be_outside
    return same_colour & possible.all(dim=1)


def parents(children: Tensor, pools: Sequence[Tensor], sides: Tensor, choose: Trios) -> list[Tensor]:
    """Return for each child which trios of its pool can explain it; choose(i) lists those that child i may come from."""
    pairs = enumerate(zip(children, pools, strict=True))
    return [explaining(child, pool[torch.tensor([*choose(i)])], sides) for i, (child, pool) in pairs]


class Redrawn(NamedTuple):
    """Children whose position on an axis certainly fell outside: the new pixel, where it fell, their old member's pixel, their run."""

    place: Tensor
    outside: Tensor
    old: Tensor
    run: Tensor


def redrawn(runs: Sequence[tuple[Tensor, Tensor]], axis: int, side: int) -> Redrawn:
    """Find what fell outside in the first children of several runs: (members, children), (P, 5) each."""
    rows = []
    trios = torch.tensor([*itertools.permutations(range(len(runs[0][0])), 3)])
    for run, (members, children) in enumerate(runs):
        same_colour, low, high = fit(children, members[trios])
        outside = (high[:, axis] <= 0) | (low[:, axis] >= side)
        for i, trio in (same_colour & outside & (same_colour.sum(dim=1, keepdim=True) == 1)).nonzero().tolist():
            rows.append([children[i, axis].item(), low[trio, axis].item() + 1, members[i, axis].item(), run])
    return Redrawn(*torch.tensor(rows, dtype=torch.float64).view(-1, 4).unbind(dim=1))
