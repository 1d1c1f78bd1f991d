"""Exercise max_pool: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.upsampling.shared import DETACHED

HINTS = (
    "Cut x into its windows first. One operation then gives each window's largest value and its position in the window.",
    (
        "Tensor.unfold cuts along one axis without copying. Use it for rows, then for columns, and join the two axes of the window."
    ),
    (
        "The position in the window is a row and a column. Add the window's own first row and column in the plane: its number times the stride."
    ),
    "index[y, z] = (y * stride + i) * W + z * stride + j, with (i, j) the place of the first largest entry of window (y, z)",
)

MISTAKES = (
    mistake(
        "indices local to the window",
        "return values, rows * width + columns",
        "return values, place",
        hint="Your indices count inside each window: count in the whole plane, row * W + column.",
    ),
    mistake(
        "equal maxima in column order",
        body="""
        windows = x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)
        highest, row = windows.max(dim=-2)
        values, column = highest.max(dim=-1)
        row = row.gather(-1, column[..., None])[..., 0]
        h, w = values.shape[-2:]
        return values, (torch.arange(h)[:, None] * stride + row) * x.shape[-1] + torch.arange(w) * stride + column
        """,
        hint="Of equal maxima you take the one in the first column: take the first in reading order.",
    ),
    mistake(
        "column times height",
        "rows * width + columns",
        "columns * x.shape[-2] + rows",
        hint="Your indices are column * H + row: use row * W + column.",
    ),
    mistake(
        "height for width",
        "width = x.shape[-1]",
        "width = x.shape[-2]",
        hint="You multiply the row by the height: multiply it by the width.",
    ),
    mistake(
        "stride forgotten in the place",
        ")[:, None] * stride + place",
        ")[:, None] + place",
        "device=x.device) * stride +",
        "device=x.device) +",
        hint="Your indices ignore stride: window i starts at i * stride.",
    ),
    mistake(
        "kernel size for stride",
        ")[:, None] * stride + place",
        ")[:, None] * kernel_size + place",
        "device=x.device) * stride +",
        "device=x.device) * kernel_size +",
        hint="Your indices assume windows kernel_size apart: they are stride apart.",
    ),
    mistake(
        "windows always side by side",
        "x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)",
        "x.unfold(2, kernel_size, kernel_size).unfold(3, kernel_size, kernel_size)",
        hint="Your windows are kernel_size apart: they must be stride apart.",
    ),
    mistake(
        "smallest",
        "windows.max(dim=-1)",
        "windows.min(dim=-1)",
        hint="You take the smallest value of each window: take the largest.",
    ),
    mistake(
        "mean of the window",
        "return values, rows",
        "return windows.mean(-1), rows",
        hint="Your values are the means of the windows: return the largest values.",
    ),
    mistake(
        "last of equal maxima",
        "values, place = windows.max(dim=-1)",
        "values, place = windows.flip(-1).max(dim=-1)\n    place = kernel_size**2 - 1 - place",
        hint="Of equal maxima you take the last: take the first.",
    ),
    mistake(
        "gradient shared among equal maxima",
        "return values, rows",
        "return windows.amax(dim=-1), rows",
        hint="amax() shares the gradient among equal maxima: only the first may receive it.",
    ),
    mistake(
        "largest absolute value",
        "windows.max(dim=-1)",
        "windows.abs().max(dim=-1)",
        hint="You take the largest absolute value: take the largest value itself.",
    ),
    mistake(
        "padded with zeros",
        body="""
        height, width = x.shape[-2:]
        padded = torch.nn.functional.pad(x, (0, -(width - kernel_size) % stride, 0, -(height - kernel_size) % stride))
        values, places = torch.nn.functional.max_pool2d(padded, kernel_size, stride, return_indices=True)
        wide = padded.shape[-1]
        return values, places // wide * width + places % wide
        """,
        hint="You pad the map, so windows reach over its border: windows must lie inside x.",
    ),
    mistake(
        "indices only",
        "return values, rows * width + columns",
        "return rows * width + columns",
        hint="You return only the indices: return values and indices.",
    ),
    mistake("detached", "return values, rows", "return values.detach(), rows", hint=DETACHED),
    mistake(
        "places as floating point",
        "rows * width + columns",
        "(rows * width + columns).to(x.dtype)",
        hint="Your indices are floating-point numbers: return int64.",
    ),
    mistake(
        "place divided by the stride",
        "place // kernel_size",
        "place // stride",
        hint="You divide the position in the window by stride: a window's row has kernel_size entries.",
    ),
    mistake(
        "maximum starts at 0",
        "return values, rows",
        "return values.clamp(min=0), rows",
        hint="Your running maximum starts at 0, but all values may be negative: start at minus infinity.",
    ),
    mistake(
        "maximum starts at -999",
        "return values, rows",
        "return values.clamp(min=-999), rows",
        hint="Your running maximum starts at a fixed number, but values may be smaller: start at minus infinity.",
    ),
    mistake(
        "place 0 where all is minus infinity",
        "return values, rows * width + columns",
        "return values, torch.where(values == -torch.inf, 0, rows * width + columns)",
        hint="Where a window holds only -inf, your index is 0: it is that of the window's first entry.",
    ),
    mistake(
        "place of an equal value elsewhere",
        "return values, rows * width + columns",
        "where = (x.flatten(2)[:, :, None] == values.flatten(2)[..., None]).long().argmax(-1)\n"
        "    return values, where.view_as(values)",
        hint="You look for the value in the whole plane: an equal value may lie outside the window.",
    ),
    mistake(
        "windows over the border",
        "width = x.shape[-1]",
        "width = x.shape[-1]\n"
        "    more = [-(side - kernel_size) % stride for side in x.shape[-2:]]\n"
        "    x = torch.nn.functional.pad(x, (0, more[1], 0, more[0]), value=-torch.inf)",
        hint="Your last windows reach over the border (ceil): windows must lie inside x (floor).",
    ),
    mistake(
        "width of the pooled map",
        "rows * width + columns",
        "rows * w + columns",
        hint="You number the places by the width of the pooled map: use the width of x.",
    ),
    mistake(
        "place in the window read by columns",
        "[:, None] * stride + place // kernel_size",
        "[:, None] * stride + place % kernel_size",
        "device=x.device) * stride + place % kernel_size",
        "device=x.device) * stride + place // kernel_size",
        hint="You read the place in the window as column, then row: it counts row by row.",
    ),
    mistake(
        "counted through all planes",
        "return values, rows",
        "planes = torch.arange(x.shape[0] * x.shape[1], device=x.device).view(*x.shape[:2], 1, 1)\n"
        "    return values, planes * x[0, 0].numel() + rows",
        hint="Your indices count on from channel to channel: count in each H x W plane alone.",
    ),
)

VARIANTS = (
    variant(
        "torch's own operator",
        body="""
        return torch.nn.functional.max_pool2d(x, kernel_size, stride, return_indices=True)
        """,
    ),
    variant(
        "loop over windows",
        body="""
        n, c, height, width = x.shape
        values, indices = [], []
        rows = range(0, height - kernel_size + 1, stride)
        columns = range(0, width - kernel_size + 1, stride)
        for top in rows:
            for left in columns:
                window = x[:, :, top : top + kernel_size, left : left + kernel_size].flatten(2)
                place = window.argmax(dim=2, keepdim=True)
                values.append(window.gather(2, place))
                indices.append((top + place // kernel_size) * width + left + place % kernel_size)
        size = (n, c, len(rows), len(columns))
        return torch.cat(values, 2).view(size), torch.cat(indices, 2).view(size)
        """,
    ),
    variant(
        "unfold of the plane and of its numbers",
        body="""
        number = torch.arange(x.shape[2] * x.shape[3], device=x.device).view(x.shape[2:])
        places = number.unfold(0, kernel_size, stride).unfold(1, kernel_size, stride).flatten(2)
        windows = x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride).flatten(4)
        best = windows.argmax(-1, keepdim=True)
        indices = places.expand(*windows.shape).gather(-1, best).squeeze(-1)
        return x.flatten(2).gather(2, indices.flatten(2)).view(indices.shape), indices
        """,
    ),
)
