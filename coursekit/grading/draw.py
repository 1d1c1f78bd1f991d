"""Draw the two arrays of a failed comparison, and their difference, as PNG pictures inside a page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from coursekit.grading.picture import Picture

if TYPE_CHECKING:
    from torch import Tensor

MOST = 2  # pictures of one array; those with the largest errors are shown
LARGEST_SIDE = 256

# Anchors, evenly spaced: viridis, and ColorBrewer's blue-white-red. Both are told apart by the colour-blind.
VIRIDIS = ((68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137), (53, 183, 121),
           (109, 205, 89), (180, 222, 44), (253, 231, 37))  # fmt: skip
BLUE_WHITE_RED = ((5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (247, 247, 247), (244, 165, 130),
                  (214, 96, 77), (178, 24, 43), (103, 0, 31))  # fmt: skip
NOT_FINITE = {True: ("black", (0, 0, 0)), False: ("white", (255, 255, 255))}  # signed or not: in neither scale


@dataclass(frozen=True)
class Drawing:
    """One picture, and what its colours mean."""

    title: str
    source: str  # a data: address
    width: int
    height: int
    scale: str  # the meaning of the colours in words
    colors: str = ""  # of a map: its colour bar, as the stops of a CSS gradient, with the numbers at its ends
    low: str = ""
    high: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Row:
    """The student's picture, the reference's and their difference, of one image of the batch."""

    name: str
    drawings: tuple[Drawing, ...]


def draw(picture: Picture) -> tuple[Row, ...]:
    """Draw what can be drawn: maps (H, W), (N, H, W) or (N, C, H, W), colour pictures (N, 3, H, W)."""
    actual, expected = _stack(picture.actual), _stack(picture.expected)
    if expected is None:
        return ()
    if actual is None or actual.shape != expected.shape:
        return (_row("", None if actual is None else actual[0], expected[0]),)
    with np.errstate(all="ignore"):
        error = np.abs(actual - expected).reshape(len(actual), -1).max(axis=1)
    worst = sorted(np.argsort(-np.nan_to_num(error, nan=np.inf), kind="stable")[:MOST].tolist())
    batch = picture.expected.shape[: -expected[0].ndim]
    return tuple(_row(_place(i, batch), actual[i], expected[i]) for i in worst)


def draw_own(picture: Picture) -> tuple[Row, ...]:
    """Draw what a student's right function made: the first images of the batch, in one row."""
    stack = _stack(picture.actual)
    if stack is None:
        return ()
    batch = picture.actual.shape[: -stack[0].ndim]
    shown = enumerate(stack[:MOST])
    return (Row("", tuple(_drawing(_place(i, batch), image, _span(image), _is_signed(image)) for i, image in shown)),)


def _place(i: int, batch: tuple[int, ...]) -> str:
    return f"index {', '.join(str(int(k)) for k in np.unravel_index(i, batch))}" if batch else "result"


def _stack(array: np.ndarray) -> np.ndarray | None:
    """Return pictures (N, 3, H, W) or maps (N, H, W); None for what is neither.

    Three axes are N maps: whether (3, H, W) is one picture in colour cannot be seen, and three maps are right for both.
    """
    if array.ndim < 2 or not array.size or max(array.shape[-2:]) > LARGEST_SIDE:
        return None
    if array.ndim == 4 and array.shape[1] == 3:
        return array
    return array.reshape(-1, *array.shape[-2:])


def _row(name: str, actual: np.ndarray | None, expected: np.ndarray) -> Row:
    """Draw one image of the batch; yours and the reference share one scale, unless one would be lost in it."""
    shown = [("reference", expected)] if actual is None else [("yours", actual), ("reference", expected)]
    spans = [_span(array) for _, array in shown]
    shared = min(spans) > max(spans) / 4
    signed = any(_is_signed(array) for _, array in shown)
    drawings = [
        _drawing(title, array, max(spans) if shared else span, signed)
        for (title, array), span in zip(shown, spans, strict=True)
    ]
    if actual is not None and actual.shape == expected.shape:
        with np.errstate(all="ignore"):
            drawings.append(_difference(actual - expected))
    return Row(name, tuple(drawings))


def _difference(difference: np.ndarray) -> Drawing:
    which = ""
    if difference.ndim == 3:  # of the three channels the one that is most wrong
        which = "worst channel: "
        worst = np.nan_to_num(np.abs(difference), nan=np.inf).argmax(axis=0)
        difference = np.take_along_axis(difference, worst[None], axis=0)[0]  # (H, W)
    drawing = _drawing("yours − reference", difference, _span(difference), True)
    remark = "; ".join(text for text in (which.removesuffix(": "), drawing.remark) if text)
    return replace(drawing, scale=which + drawing.scale, remark=remark)


def _span(array: np.ndarray) -> float:
    """The largest finite magnitude."""
    return float(np.abs(array[np.isfinite(array)]).max(initial=0))


def _is_signed(array: np.ndarray) -> bool:
    return bool((array[np.isfinite(array)] < 0).any())


def _drawing(title: str, array: np.ndarray, span: float, signed: bool) -> Drawing:
    """Draw a map (H, W), or a picture (3, H, W), whose zero is mid-grey where there are negative values."""
    span = span or 1.0
    finite = np.isfinite(array)
    values = np.where(finite, array, 0) / span
    unit = (values.clip(-1, 1) + 1) / 2 if signed else values.clip(0, 1)  # in [0, 1]
    bar = {}
    if array.ndim == 3:
        pixels = (255 * unit).round().astype(np.uint8).transpose(1, 2, 0)  # (H, W, 3)
        finite = finite.all(axis=0)
        scale = f"grey 0, full colour ±{span:.3g}" if signed else f"black 0, full colour {span:.3g}"
    else:
        anchors = np.array(BLUE_WHITE_RED if signed else VIRIDIS, dtype=np.float64)
        places = np.linspace(0, 1, len(anchors))
        pixels = np.stack([np.interp(unit, places, anchors[:, c]) for c in range(3)], axis=-1).round().astype(np.uint8)
        scale = f"blue −{span:.3g}, white 0, red {span:.3g}" if signed else f"violet 0, yellow {span:.3g}"
        stops = ", ".join(f"rgb({r:.0f} {g:.0f} {b:.0f})" for r, g, b in anchors)
        bar = {"colors": stops, "low": f"−{span:.3g}" if signed else "0", "high": f"{span:.3g}"}
    name, pixels[~finite] = NOT_FINITE[signed]
    remark = "" if finite.all() else f"{int((~finite).sum())} not finite, {name}"
    height, width = pixels.shape[:2]
    return Drawing(title, _png(pixels), width, height, "; ".join(filter(None, (scale, remark))), **bar, remark=remark)


def data_address(image: Tensor) -> str:
    """Return a picture (3, H, W) in [0, 1] as a data: address."""
    return _png((255 * image.detach().float().cpu().clamp(0, 1)).round().byte().permute(1, 2, 0).numpy())


def _png(pixels: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
