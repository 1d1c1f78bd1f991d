"""Exercise max_pool: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.upsampling.shared import DETACHED

HINTS = (
    "Cut x into its windows first; then one operation gives the largest value of each and its place in the window.",
    (
        "Tensor.unfold cuts along one axis without copying: do it for rows, then for columns, and join the two axes of "
        "the window."
    ),
    (
        "The place in the window is a row and a column in it; the window itself begins at a row and a column of the "
        "plane, which you know from its number and the stride."
    ),
    "index[y, z] = (y * stride + i) * W + z * stride + j, with (i, j) the place of the first largest entry of window (y, z)",
)

MISTAKES = (
    mistake(
        "indices local to the window",
        "return values, rows * width + columns",
        "return values, place",
        hint="Your places count inside each window: the decoder knows only the whole plane.",
    ),
    mistake(
        "column times height",
        "rows * width + columns",
        "columns * x.shape[-2] + rows",
        hint="Rows and columns have changed roles in your count: number the pixels as one reads.",
    ),
    mistake(
        "height for width",
        "width = x.shape[-1]",
        "width = x.shape[-2]",
        hint="How many pixels lie between a pixel and the one below it? Try a map that is not square.",
    ),
    mistake(
        "stride forgotten in the place",
        ")[:, None] * stride + place",
        ")[:, None] + place",
        "device=x.device) * stride +",
        "device=x.device) +",
        hint="Where does the second window begin? Not always one pixel after the first.",
    ),
    mistake(
        "kernel size for stride",
        ")[:, None] * stride + place",
        ")[:, None] * kernel_size + place",
        "device=x.device) * stride +",
        "device=x.device) * kernel_size +",
        hint="Your places assume windows that stand side by side, and these may overlap.",
    ),
    mistake(
        "windows always side by side",
        "x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)",
        "x.unfold(2, kernel_size, kernel_size).unfold(3, kernel_size, kernel_size)",
        hint="One of the two numbers that you are given is never used for where windows stand.",
    ),
    mistake(
        "smallest",
        "windows.max(dim=-1)",
        "windows.min(dim=-1)",
        hint="Look at the slide's first window: which of its four numbers is taken?",
    ),
    mistake(
        "mean of the window",
        "return values, rows",
        "return windows.mean(-1), rows",
        hint="That is another kind of pooling: its values stand nowhere in the picture.",
    ),
    mistake(
        "last of equal maxima",
        "values, place = windows.max(dim=-1)",
        "values, place = windows.flip(-1).max(dim=-1)\n    place = kernel_size**2 - 1 - place",
        hint="Which of several equal values counts? The docstring says it.",
    ),
    mistake(
        "gradient shared among equal maxima",
        "return values, rows",
        "return windows.amax(dim=-1), rows",
        hint="Where several values are equally large, look at which of them are told about it on the way back.",
    ),
    mistake(
        "largest absolute value",
        "windows.max(dim=-1)",
        "windows.abs().max(dim=-1)",
        hint="Try a window whose numbers are all negative.",
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
        hint="At the lower and right border you reach over the edge of the map.",
    ),
    mistake(
        "indices only",
        "return values, rows * width + columns",
        "return rows * width + columns",
        hint="Two things are asked for, and in which order?",
    ),
    mistake("detached", "return values, rows", "return values.detach(), rows", hint=DETACHED),
    mistake(
        "places as floating point",
        "rows * width + columns",
        "(rows * width + columns).to(x.dtype)",
        hint="A place is counted, not measured: look at the kind of numbers.",
    ),
    mistake(
        "place divided by the stride",
        "place // kernel_size",
        "place // stride",
        hint="Inside a window a row has kernel_size places: your row number counts with another width.",
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
