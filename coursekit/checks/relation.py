"""How a wrong array relates to the right one, where that can be said: true of any code, also of a mistake nobody knows."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

Array = np.ndarray
CLOSE = 1e-6  # relative to the largest entry
LARGEST = 5000  # of the whole numbers in a factor: near 5000, 1 number in 100 is within CLOSE of a whole one
MOST_IMAGES = 4  # of which every order is tried


@np.errstate(all="ignore")  # a square may overflow: then nothing is said
def relation_of(actual: Array, expected: Array, *, start: Array | None = None) -> str:
    """Return a sentence about a wrong result, such as "yours is 1/3 of what is expected", or nothing.

    With start, where a step begins, the sentence is about the steps to the two.
    """
    if start is not None and actual.shape == expected.shape:
        found = relation_of(actual - start, expected - start)
        return f"of the steps from where it begins: {found}" if found else ""
    if not actual.size or not np.isfinite(actual).all() or not np.isfinite(expected).all() or not expected.any():
        return ""
    if actual.shape != expected.shape:
        return _other_axes(actual, expected)
    if _same(actual, expected):
        return ""
    if not actual.any():
        return "yours is 0 everywhere" if actual.size > 1 else ""
    return _whole(actual, expected) or _factor(actual, expected) or _parts(actual, expected)


def _same(one: Array, other: Array) -> bool:
    return bool(np.abs(one - other).max() <= CLOSE * max(float(np.abs(other).max()), 1e-300))


def _whole(actual: Array, expected: Array) -> str:
    """Compare with what one operation on every entry makes of the right result."""
    signed = bool((expected < 0).any())
    counts = bool((expected == np.rint(expected)).all())  # of whole numbers a square or a sign is chance
    shares = np.unique(np.sign(expected), return_counts=True)[1] / max(expected.size, 1)
    mixed = len(shares) > 1 and shares.min() > 0.05  # else 1 nearly everywhere would be the sign
    forms: list[tuple[str, bool, Array]] = [
        ("what is expected, with the other sign", True, -expected),
        ("the absolute value of what is expected", signed, np.abs(expected)),
        ("what is expected, with 0 for every negative value", signed, expected.clip(min=0)),
        ("what is expected, with 0 for every positive value", signed, expected.clip(max=0)),
        ("1 minus what is expected", True, 1 - expected),
        ("the square of what is expected", not counts, expected**2),
        ("the square root of what is expected", not signed and not counts, np.abs(expected) ** 0.5),
        ("the sign of what is expected", mixed and actual.size > 1 and not counts, np.sign(expected)),
        ("what is expected, cut off at 0 and 1", actual.size > 1 and not counts, expected.clip(0, 1)),
    ]
    for words, possible, form in forms:
        if possible and _same(actual, form):
            return f"yours is {words}"
    if _same(np.abs(actual), np.abs(expected)):
        return "only signs are wrong"
    offset = actual - expected
    constant = np.ptp(offset) <= CLOSE * np.abs(offset).max() and np.ptp(expected) > CLOSE
    return f"yours is what is expected plus {offset.mean():.6g}, everywhere" if constant else ""


def _factor(actual: Array, expected: Array) -> str:
    """Find the one number that all entries are too large by; of a single entry only a whole number or 1 / it."""
    factor = float((actual * expected).sum() / (expected * expected).sum())
    if not factor or not _same(actual, factor * expected):
        return ""
    simple = Fraction(factor).limit_denominator(LARGEST)
    plain = simple and abs(float(simple) / factor - 1) < CLOSE
    if plain and 1 in (abs(simple.numerator), simple.denominator) and abs(simple.numerator) <= LARGEST:
        return f"yours is {simple} {'of' if abs(simple) < 1 else 'times'} what is expected"
    return f"yours is {factor:.6g} times what is expected, everywhere" if np.count_nonzero(expected) > 1 else ""


def _parts(actual: Array, expected: Array) -> str:
    """Look at single images, at the order of what stands side by side, and at where the wrong entries are."""
    if actual.ndim < 2:
        return ""
    return _flipped(actual, expected) or _each_image(actual, expected) or _entries(actual, expected)


def _flipped(actual: Array, expected: Array) -> str:
    flips = {"upside down": (-2,), "mirrored left to right": (-1,), "turned by 180 degrees": (-2, -1)}
    for words, axes in flips.items():
        if _same(actual, np.flip(expected, axes)):
            return f"yours is what is expected, {words}"
    if expected.shape[-1] == expected.shape[-2] and _same(actual, expected.swapaxes(-1, -2)):
        return "yours is what is expected with its last two axes exchanged"
    return ""


def _each_image(actual: Array, expected: Array) -> str:
    """Compare along the first axis, which images stand on: which are right, their order, a factor for each."""
    count = len(expected)
    if count < 2 or expected.ndim < 3:
        return ""
    right = [i for i in range(count) if _same(actual[i], expected[i])]
    if right and len(right) < count:
        return f"along the first axis {right} {'are' if len(right) > 1 else 'is'} right, the others are not"
    for order in itertools.permutations(range(count)) if count <= MOST_IMAGES else ():
        if _same(actual, expected[list(order)]):
            return f"yours is what is expected in the order {list(order)} of the first axis"
    if expected[0].size > 1 and all(e.any() for e in expected):
        factors = [float((a * e).sum() / (e * e).sum()) for a, e in zip(actual, expected, strict=True)]
        if all(_same(a, f * e) for a, f, e in zip(actual, factors, expected, strict=True)):
            return f"along the first axis yours are {', '.join(f'{f:.4g}' for f in factors)} times what is expected"
    return ""


def _entries(actual: Array, expected: Array) -> str:
    """Say what the wrong entries have in common: their value, or their distance from the border."""
    wrong = np.abs(actual - expected) > CLOSE * np.abs(expected).max()
    if wrong.all() or not wrong.any():
        return ""
    if not actual[wrong].any():
        return "where yours is wrong, it is 0"
    if not expected[wrong].any():
        return "yours is wrong only where 0 is expected"
    for width in range(1, min(expected.shape[-2:]) // 4 + 1):
        inside = (..., slice(width, -width), slice(width, -width))
        if not wrong[inside].any() and 2 * wrong.sum() > wrong.size - wrong[inside].size:
            return f"yours is right but for the outermost {width} pixel{'s' * (width > 1)}"
    return ""


def _other_axes(actual: Array, expected: Array) -> str:
    """Try the orders of the axes; of a shape that only lacks an axis nothing is said."""
    for order in itertools.permutations(range(actual.ndim)) if actual.ndim == expected.ndim <= MOST_IMAGES else ():
        if actual.transpose(order).shape == expected.shape and _same(actual.transpose(order), expected):
            return f"yours is what is expected with its axes in another order: transpose{order} of it is right"
    return ""
