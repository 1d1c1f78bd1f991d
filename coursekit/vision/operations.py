"""Given code: where an operation of torch takes the rows and the columns of a map; `geometry` asks for each that runs.

An operation that is not listed here, or not in the form that is listed, is unknown: nobody guesses what its units see.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Axes = tuple[int | None, int | None]  # which dimension of a tensor holds the rows, and which the columns
NOWHERE: Axes = (None, None)  # every entry sees the same of the picture: there is one place


class Window(NamedTuple):
    """Along one axis entry i sees the entries i * stride - padding + dilation * (0, 1, ..., kernel - 1)."""

    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1


SAME = Window()
Windows = tuple[Window, Window]  # (vertical, horizontal)


class Unknown(Exception):
    """What an operation's units see is not a window of rows and columns; the message names the operation."""


class Call(NamedTuple):
    """An operation, the tensor of a map that it is given, and one of its results."""

    name: str
    pixel_by_pixel: bool  # as torch tags it
    given: dict[str, Any]  # all arguments, by the names in torch's schema
    argument: str  # which of them holds the tensor
    shape: tuple[int, ...]
    part: int  # the result is the part-th
    result: tuple[int, ...]  # its shape


class Moves(NamedTuple):
    """Each dimension's number in the result, None where it is gone or mixed; the windows of those that have one."""

    dims: list[int | None]
    windows: dict[int | None, Window | None] = {}  # noqa: RUF012 (nobody writes into it); None: no window says it


def where(call: Call, axes: Axes, size: tuple[int, int]) -> tuple[Axes, Windows]:
    """Return which dimensions of the result hold rows and columns, and which window of the map an entry sees.

    Args:
        axes: where the given tensor holds its rows and columns; twice the same dimension that runs over all pixels.
        size: how many rows and columns.

    Raises:
        Unknown: no window says what an entry sees.
    """
    if axes == NOWHERE:
        return NOWHERE, (SAME, SAME)
    if call.name in _RESHAPES:
        found = _reshaped(call, axes, size)
        return found, (_all_of(size[0]), _all_of(size[1])) if found == NOWHERE else (SAME, SAME)
    move = _aligned if call.pixel_by_pixel else _MOVES.get(call.name)
    if move is None:
        raise Unknown(call.name)
    dims, windows = move(call)
    seen = []
    for dim, length in zip(axes, size, strict=True):
        mixed = dim is not None and dims[dim] is None
        window = windows.get(dim, _all_of(length) if mixed else SAME)
        if window is None or (axes[0] == axes[1] and dim in windows):
            raise Unknown(call.name)
        seen.append(window)
    rows, columns = (None if dim is None else dims[dim] for dim in axes)
    return (rows, columns), (seen[0], seen[1])


def _all_of(length: int) -> Window:
    return Window(kernel=length, stride=0)


def _aligned(call: Call) -> Moves:
    """Entry by entry; a smaller tensor is spread over the larger one's last dimensions."""
    first = len(call.result) - len(call.shape)
    return Moves([first + i for i in range(len(call.shape))])


def _reshaped(call: Call, axes: Axes, size: tuple[int, int]) -> Axes:
    """Find rows and columns in the new shape: a dimension as long as they are, with as many entries behind it."""

    def find(length: int, behind: int) -> int | None:
        fits = (i for i, side in enumerate(call.result) if side == length and _behind(call.result, i) == behind)
        return next(fits, None)

    rows, columns = axes
    new: list[int | None] = [None, None]
    if rows is None or columns is None:
        i, dim = next((i, dim) for i, dim in enumerate(axes) if dim is not None)
        new[i] = found = find(call.shape[dim], _behind(call.shape, dim))
        kept = found is not None
    else:
        behind = _behind(call.shape, columns)
        above = size[1] * behind if rows == columns else _behind(call.shape, rows)
        new = [find(size[0], above), find(size[1], behind)]
        if None in new and above == size[1] * behind:  # one dimension over all pixels, in reading order
            new = [find(math.prod(size), behind)] * 2
        kept = None not in new
    if kept:
        return new[0], new[1]
    if len(call.result) > 3:
        raise Unknown(call.name)
    return NOWHERE  # flattened: by the contract its units see everything


def _behind(shape: Sequence[int], dim: int) -> int:
    return math.prod(shape[dim + 1 :])


def _mixes(call: Call, mixed: Any, *, keep: bool = True) -> Moves:
    """Entries along these dimensions (None: all) see each other."""
    count = len(call.shape)
    gone = {dim % count for dim in ([mixed] if isinstance(mixed, int) else mixed or range(count))}
    left = [i for i in range(count) if keep or i not in gone]
    return Moves([None if i in gone else left.index(i) for i in range(count)])


def _mixed(call: Call) -> Moves:
    return _mixes(call, call.given["dim"])


def _reduced(call: Call) -> Moves:
    return _mixes(call, call.given.get("dim"), keep=call.given.get("keepdim", False))


def _normalized(call: Call) -> Moves:
    """Layer norm mixes its last dimensions; batch norm the places if it measures them; group norm always."""
    if call.name == "native_layer_norm":
        return _mixes(call, range(-len(call.given["normalized_shape"]), 0))
    by_batch = "batch_norm" in call.name
    return _aligned(call) if by_batch and not call.given.get("training") else _mixes(call, range(2, len(call.shape)))


def _permuted(call: Call) -> Moves:
    order = list(range(len(call.shape)))
    if call.name == "permute":
        order = [dim % len(order) for dim in call.given["dims"]]
    else:
        one, other = (call.given.get(name, i) for i, name in enumerate(("dim0", "dim1")))
        order[one], order[other] = order[other], order[one]
    return Moves([order.index(i) for i in range(len(order))])


def _parted(call: Call) -> Moves:
    """One part of a dimension: slice, select, split, unbind."""
    dim, length = call.given.get("dim", 0) % len(call.shape), call.shape[call.given.get("dim", 0)]
    if call.name == "slice":
        start = call.given.get("start") or 0
        start = max(start + length if start < 0 else start, 0)
        return Moves(list(range(len(call.shape))), {dim: Window(stride=call.given.get("step", 1), padding=-start)})
    if call.name in ("select", "unbind"):
        index = call.given.get("index", call.part) % length
        return _mixes(call, dim, keep=False)._replace(windows={dim: Window(stride=0, padding=-index)})
    sizes = call.given.get("split_sizes", [call.given.get("split_size")] * (call.part + 1))
    return Moves(list(range(len(call.shape))), {dim: Window(padding=-sum(sizes[: call.part]))})


def _multiplied(call: Call) -> Moves:
    """Matrices: the left one's columns and the right one's rows are summed over; an added bias is aligned."""
    if call.argument == "self" and "add" in call.name:
        return _aligned(call)
    return _mixes(call, -2 if call.argument in ("mat2", "batch2") else -1)


def _windowed(call: Call) -> Moves:
    """A convolution or a pooling: windows over the last two dimensions."""
    given, count = call.given, len(call.shape)
    if count != 4 or call.argument not in ("input", "self"):
        raise Unknown(call.name)
    kernel = given["weight"].shape[2:] if "weight" in given else given["kernel_size"]
    stride = given.get("stride") or kernel
    sides = kernel, stride, given.get("padding", (0,)), given.get("dilation", (1,))
    windows = [Window(*(int(side[i]) for side in sides)) for i in (0, -1)]
    if given.get("transposed"):
        windows = [_transposed(window) for window in windows]
    return Moves(list(range(count)), {count - 2: windows[0], count - 1: windows[1]})


def _transposed(window: Window) -> Window:
    if window.stride != 1:
        raise Unknown(f"a transposed convolution of stride {window.stride}")
    return window._replace(padding=window.dilation * (window.kernel - 1) - window.padding)


def _adaptive(call: Call) -> Moves:
    """Adaptive pooling: equal windows where the sizes divide, the whole side where one entry is left."""
    windows: dict[int | None, Window | None] = {}
    for dim in (len(call.shape) - 2, len(call.shape) - 1):
        length, left = call.shape[dim], call.result[dim]
        windows[dim] = Window(kernel=length // left, stride=length // left) if length % left == 0 else None
        if left == 1:
            windows[dim] = Window(kernel=length, stride=0)
    return Moves(list(range(len(call.shape))), windows)


def _padded(call: Call) -> Moves:
    """Padding counts from the last dimension: (left, right, top, bottom); what is behind a map moves nothing."""
    count = len(call.shape)
    before = {count - 1 - i: int(side) for i, side in enumerate(call.given["pad"][::2])}
    return Moves(list(range(count)), {dim: Window(padding=side) for dim, side in before.items()})


def _elsewhere(call: Call) -> Moves:
    """What is done along these dimensions has no window: joining, reversing, sorting. Elsewhere nothing moves."""
    dims = call.given.get("dims", call.given.get("dim", 0))
    dims = [dims] if isinstance(dims, int) else dims or range(len(call.shape))
    if call.name == "index":
        dims = [dim for dim, index in enumerate(call.given["indices"]) if index is not None]
        if call.shape[: dims[0]] + call.shape[dims[0] + 1 :] != call.result[: dims[0]] + call.result[dims[0] + 1 :]:
            raise Unknown("indexing with tensors")
    return Moves(list(range(len(call.shape))), {dim % len(call.shape): None for dim in dims})


def _stacked(call: Call) -> Moves:
    dim = call.given.get("dim", 0) % len(call.result)
    return Moves([i + (i >= dim) for i in range(len(call.shape))])


def _resized(call: Call) -> Moves:
    if call.shape != call.result:
        raise Unknown(call.name)
    return _aligned(call)


_RESHAPES = ("view", "_unsafe_view", "reshape", "_reshape_alias", "unsqueeze", "unsqueeze_", "squeeze", "squeeze_")
_MOVES: dict[str, Callable[[Call], Moves]] = {
    name: move
    for move, names in {
        _aligned: "alias channel_shuffle copy_ detach expand fill_ hardswish hardswish_ lift_fresh native_channel_shuffle"
        " native_dropout _prelu_kernel _to_copy",
        _adaptive: "_adaptive_avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d",
        _elsewhere: "cat cumsum flip gather glu index index_select roll sort topk",
        _mixed: "_log_softmax _softmax",
        _multiplied: "addmm baddbmm bmm linear mm",
        _normalized: "batch_norm cudnn_batch_norm native_batch_norm _native_batch_norm_legit"
        " _native_batch_norm_legit_no_training _batch_norm_no_update native_group_norm native_layer_norm",
        _padded: "constant_pad_nd",
        _parted: "select slice split split_with_sizes unbind",
        _permuted: "permute t transpose",
        _reduced: "amax amin linalg_vector_norm logsumexp max mean min std sum var var_mean",
        _resized: "upsample_bicubic2d upsample_bilinear2d upsample_nearest2d",
        _stacked: "stack",
        _windowed: "avg_pool2d convolution _convolution cudnn_convolution max_pool2d_with_indices mkldnn_convolution",
    }.items()
    for name in names.split()
}
