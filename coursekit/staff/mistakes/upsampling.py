"""Mistakes of part 6 in pooling, unpooling and transposed convolution."""

from coursekit.staff.edits import mistake

DETACHED = "A decoder behind your function could not learn: is there still a way back?"
EDITED = "Compare what you were given before and after the call."

MAX_POOL = (
    mistake(
        "max_pool",
        "indices local to the window",
        "return values, rows * width + columns",
        "return values, place",
        hint="Your places count inside each window: the decoder knows only the whole plane.",
    ),
    mistake(
        "max_pool",
        "column times height",
        "rows * width + columns",
        "columns * x.shape[-2] + rows",
        hint="Rows and columns have changed roles in your count: number the pixels as one reads.",
    ),
    mistake(
        "max_pool",
        "height for width",
        "width = x.shape[-1]",
        "width = x.shape[-2]",
        hint="How many pixels lie between a pixel and the one below it? Try a map that is not square.",
    ),
    mistake(
        "max_pool",
        "stride forgotten in the place",
        ")[:, None] * stride + place",
        ")[:, None] + place",
        "device=x.device) * stride +",
        "device=x.device) +",
        hint="Where does the second window begin? Not always one pixel after the first.",
    ),
    mistake(
        "max_pool",
        "kernel size for stride",
        ")[:, None] * stride + place",
        ")[:, None] * kernel_size + place",
        "device=x.device) * stride +",
        "device=x.device) * kernel_size +",
        hint="Your places assume windows that stand side by side, and these may overlap.",
    ),
    mistake(
        "max_pool",
        "windows always side by side",
        "x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)",
        "x.unfold(2, kernel_size, kernel_size).unfold(3, kernel_size, kernel_size)",
        hint="One of the two numbers that you are given is never used for where windows stand.",
    ),
    mistake(
        "max_pool",
        "smallest",
        "windows.max(dim=-1)",
        "windows.min(dim=-1)",
        hint="Look at the slide's first window: which of its four numbers is taken?",
    ),
    mistake(
        "max_pool",
        "mean of the window",
        "return values, rows",
        "return windows.mean(-1), rows",
        hint="That is another kind of pooling: its values stand nowhere in the picture.",
    ),
    mistake(
        "max_pool",
        "last of equal maxima",
        "values, place = windows.max(dim=-1)",
        "values, place = windows.flip(-1).max(dim=-1)\n    place = kernel_size**2 - 1 - place",
        hint="Which of several equal values counts? The docstring says it.",
    ),
    mistake(
        "max_pool",
        "gradient shared among equal maxima",
        "return values, rows",
        "return windows.amax(dim=-1), rows",
        hint="Where several values are equally large, look at which of them are told about it on the way back.",
    ),
    mistake(
        "max_pool",
        "largest absolute value",
        "windows.max(dim=-1)",
        "windows.abs().max(dim=-1)",
        hint="Try a window whose numbers are all negative.",
    ),
    mistake(
        "max_pool",
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
        "max_pool",
        "indices only",
        "return values, rows * width + columns",
        "return rows * width + columns",
        hint="Two things are asked for, and in which order?",
    ),
    mistake("max_pool", "detached", "return values, rows", "return values.detach(), rows", hint=DETACHED),
    mistake(
        "max_pool",
        "places as floating point",
        "rows * width + columns",
        "(rows * width + columns).to(x.dtype)",
        hint="A place is counted, not measured: look at the kind of numbers.",
    ),
)

MAX_UNPOOL = (
    mistake(
        "max_unpool",
        "overwritten instead of added",
        "plane.scatter_add(",
        "plane.scatter(",
        hint="Two windows can have chosen one pixel: what does the slide do with 300 and 450?",
    ),
    mistake(
        "max_unpool",
        "mean of the contributions",
        "plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane.scatter_reduce(2, indices.flatten(2), values.flatten(2), 'mean', include_self=False)",
        hint="When two windows chose one pixel you take something between them, and the slide does not.",
    ),
    mistake(
        "max_unpool",
        "largest contribution",
        "plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane.scatter_reduce(2, indices.flatten(2), values.flatten(2), 'amax', include_self=False)",
        hint="When two windows chose one pixel, one of them is lost in your version: the smaller.",
    ),
    mistake(
        "max_unpool",
        "column-major plane",
        "return plane.unflatten(2, (height, width))",
        "return plane.unflatten(2, (width, height)).mT.contiguous()",
        hint="In which order does the index count the pixels: along a row, or down a column?",
    ),
    mistake(
        "max_unpool",
        "all channels in one plane",
        "plane = plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane = plane.flatten(1).scatter_add(1, indices.flatten(1), values.flatten(1)).view_as(plane)",
        hint="All but the first channel are empty in your result: each has its own plane.",
    ),
    mistake(
        "max_unpool",
        "places of the first channel for all",
        "scatter_add(2, indices.flatten(2)",
        "scatter_add(2, indices[:, :1].expand_as(indices).flatten(2)",
        hint="Every channel found its maxima elsewhere: whose places do you use?",
    ),
    mistake(
        "max_unpool",
        "all images in one plane",
        "plane = plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane = plane.clone()\n"
        "    for i, v in zip(indices, values):\n"
        "        plane[0] = plane[0].scatter_add(1, i.flatten(1), v.flatten(1))",
        hint="All but the first image are empty in your result.",
    ),
    mistake(
        "max_unpool",
        "ones for zeros",
        "values.new_zeros(",
        "values.new_ones(",
        hint="Look at the pixels that no window chose.",
    ),
    mistake(
        "max_unpool",
        "repeated over the window",
        body="""
        height, width = output_size
        return torch.nn.functional.interpolate(values, (height, width), mode="nearest")
        """,
        hint="Each value is spread over its neighbourhood: what did the encoder remember?",
    ),
    mistake(
        "max_unpool",
        "a corner of the window",
        body="""
        height, width = output_size
        plane = values.new_zeros(*values.shape[:2], height, width)
        step = (max(1, height // values.shape[2]), max(1, width // values.shape[3]))
        plane[:, :, :: step[0], :: step[1]][:, :, : values.shape[2], : values.shape[3]] = values
        return plane
        """,
        hint="You put each value at a fixed place of its window, and never ask where it came from.",
    ),
    mistake(
        "max_unpool",
        "detached",
        "return plane.unflatten(2, (height, width))",
        "return plane.unflatten(2, (height, width)).detach()",
        hint=DETACHED,
    ),
    mistake(
        "max_unpool",
        "size of the picture guessed",
        "height, width = output_size",
        "height, width = (2 * side for side in values.shape[-2:])",
        hint="Twice the size is not always what was pooled.",
    ),
    mistake(
        "max_unpool",
        "flat",
        "return plane.unflatten(2, (height, width))",
        "return plane",
        hint="The result is a row of numbers, no plane yet.",
    ),
)

TRANSPOSED_CONV2D = (
    mistake(
        "transposed_conv2d",
        "kernel rotated",
        "weight[:, :, i, j])",
        "weight[:, :, kh - 1 - i, kw - 1 - j])",
        hint="A stamp looks like the kernel itself: look at one input pixel alone.",
    ),
    mistake(
        "transposed_conv2d",
        "stamps overwrite each other",
        "out[:, :, rows, columns] += torch",
        "out[:, :, rows, columns] = torch",
        hint="Where stamps overlap, only the last one is left in your result.",
    ),
    mistake(
        "transposed_conv2d",
        "stride ignored where stamps stand",
        "slice(i, i + (height - 1) * stride + 1, stride)",
        "slice(i, i + height)",
        "slice(j, j + (width - 1) * stride + 1, stride)",
        "slice(j, j + width)",
        hint="Your stamps stand side by side, whatever distance is asked for.",
    ),
    mistake(
        "transposed_conv2d",
        "stride taken on the input",
        body="""
        out = torch.nn.functional.conv_transpose2d(x, weight)
        size = ((x.shape[2] - 1) * stride + weight.shape[2], (x.shape[3] - 1) * stride + weight.shape[3])
        out = torch.nn.functional.conv_transpose2d(x[:, :, ::stride, ::stride], weight)
        out = torch.nn.functional.pad(out, (0, size[1] - out.shape[3], 0, size[0] - out.shape[2]))
        return out[:, :, padding : size[0] - padding, padding : size[1] - padding].contiguous()
        """,
        hint="You leave input pixels out; the distance is between stamps on the output.",
    ),
    mistake(
        "transposed_conv2d",
        "padding added",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return torch.nn.functional.pad(out, (padding, padding, padding, padding))",
        hint="With this option your result grows: here it undoes what the convolution's border had added.",
    ),
    mistake(
        "transposed_conv2d",
        "padding ignored",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out",
        hint="One option changes nothing in your result.",
    ),
    mistake(
        "transposed_conv2d",
        "cropped on two sides only",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:, padding:].contiguous()",
        hint="A border has four sides.",
    ),
    mistake(
        "transposed_conv2d",
        "cropped to minus nothing",
        "padding:bottom, padding:right",
        "padding:-padding, padding:-padding",
        hint="Where nothing is to be cut off your result is empty: what does a slice mean that ends at minus 0?",
    ),
    mistake(
        "transposed_conv2d",
        "cropped twice at the far sides",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, : bottom - padding, : right - padding].contiguous()",
        hint="The size is right, but you cut everything away at the lower and right side.",
    ),
    mistake(
        "transposed_conv2d",
        "kernel transposed in the plane",
        "weight[:, :, i, j])",
        "weight[:, :, i * kw % kh if kh == kw else i, j] if kh != kw else weight[:, :, j, i])",
        hint="Rows and columns of a square kernel are exchanged.",
    ),
    mistake(
        "transposed_conv2d",
        "channels exchanged where they can be",
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])',
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j].reshape(channels, -1).mT)',
        hint="Which channel of the input meets which of the output? Follow one entry of the kernel.",
    ),
    mistake(
        "transposed_conv2d",
        "mean over the input channels",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:bottom, padding:right] / x.shape[1]",
        hint="With more input channels your result does not grow: do contributions add or average?",
    ),
    mistake(
        "transposed_conv2d",
        "first input channel only",
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])',
        'torch.einsum("nihw,io->nohw", x[:, :1], weight[:1, :, i, j])',
        hint="Only one of the input's channels reaches the result.",
    ),
    mistake(
        "transposed_conv2d",
        "detached",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:bottom, padding:right].detach().clone()",
        hint=DETACHED,
    ),
    mistake(
        "transposed_conv2d",
        "kernel cut off from learning",
        "x, weight[:, :, i, j])",
        "x, weight.detach()[:, :, i, j])",
        hint="The slide calls the kernel learnable: follow the gradient to it.",
    ),
    mistake(
        "transposed_conv2d",
        "overlaps averaged",
        body="""
        F = torch.nn.functional
        out = F.conv_transpose2d(x, weight, stride=stride)
        count = F.conv_transpose2d(torch.ones_like(x[:, :1]), torch.ones_like(weight[:1, :1]), stride=stride)
        out = out / count.clamp(min=1)
        return out[:, :, padding : out.shape[2] - padding, padding : out.shape[3] - padding].contiguous()
        """,
        hint="Where stamps overlap you take their mean.",
    ),
)

ROTATE_KERNEL = (
    mistake(
        "rotate_kernel",
        "rows only",
        "weight.flip(2, 3)",
        "weight.flip(2)",
        hint="That is a mirror: half a turn moves columns as well.",
    ),
    mistake(
        "rotate_kernel",
        "columns only",
        "weight.flip(2, 3)",
        "weight.flip(3)",
        hint="That is a mirror: half a turn moves rows as well.",
    ),
    mistake(
        "rotate_kernel",
        "all axes",
        "weight.flip(2, 3)",
        "weight.flip(0, 1, 2, 3)",
        hint="Only the plane turns; a channel stays where it is.",
    ),
    mistake(
        "rotate_kernel",
        "channel axes",
        "weight.flip(2, 3)",
        "weight.flip(0, 1)",
        hint="Which of the four axes are places in the picture?",
    ),
    mistake(
        "rotate_kernel",
        "quarter turn",
        "weight.flip(2, 3)",
        "torch.rot90(weight, 1, (2, 3))",
        hint="How many degrees has your turn? Follow one corner.",
    ),
    mistake(
        "rotate_kernel",
        "transposed",
        "weight.flip(2, 3)",
        "weight.transpose(2, 3).contiguous()",
        hint="Mirrored along a diagonal is not turned: follow the two corners of the diagonal.",
    ),
    mistake(
        "rotate_kernel",
        "channels exchanged as well",
        "weight.flip(2, 3)",
        "weight.flip(2, 3).transpose(0, 1).contiguous()",
        hint="The shape is another one now: the exchange of channels is a step of its own.",
    ),
    mistake(
        "rotate_kernel", "nothing done", "weight.flip(2, 3)", "weight.clone()", hint="Your kernel comes back as it was."
    ),
    mistake("rotate_kernel", "detached", "weight.flip(2, 3)", "weight.flip(2, 3).detach()", hint=DETACHED),
    mistake(
        "rotate_kernel",
        "in place",
        "return weight.flip(2, 3)",
        "turned = weight.flip(2, 3)\n    weight.data.copy_(turned)\n    return turned",
        hint=EDITED,
    ),
)

BILINEAR_KERNEL = (
    mistake(
        "bilinear_kernel",
        "all channels mixed",
        "torch.eye(channels)",
        "torch.ones(channels, channels)",
        hint="Should a red pixel become green when it is enlarged?",
    ),
    mistake(
        "bilinear_kernel",
        "one channel axis",
        "torch.eye(channels)[:, :, None, None]",
        "torch.ones(channels, 1, 1, 1)",
        hint="Look at the shape: from which channel to which does an entry lead?",
    ),
    mistake(
        "bilinear_kernel",
        "size 2 * factor always",
        "2 * factor - factor % 2",
        "2 * factor",
        hint="Which size has a middle pixel, and for which factors is there one?",
    ),
    mistake(
        "bilinear_kernel",
        "size of the factor",
        "2 * factor - factor % 2",
        "factor",
        hint="A kernel that is only as wide as the step never blends two pixels.",
    ),
    mistake(
        "bilinear_kernel",
        "middle off by half a pixel",
        "middle = (size - 1) / 2",
        "middle = size / 2",
        hint="Your tent is not symmetric: compare its first and last entry.",
    ),
    mistake(
        "bilinear_kernel",
        "middle rounded",
        "middle = (size - 1) / 2",
        "middle = (size - 1) // 2",
        hint="For an even size the middle lies between two entries.",
    ),
    mistake(
        "bilinear_kernel",
        "sums to 1",
        "return between * line[:, None] * line",
        "return between * line[:, None] * line / line.sum() ** 2",
        hint="Your enlarged map is darker than the map: what do the stamps that meet in one pixel add up to?",
    ),
    mistake(
        "bilinear_kernel",
        "flat",
        "line = 1 - (torch.arange(size) - middle).abs() / factor",
        "line = torch.ones(size) / 2",
        hint="Far and near pixels have the same weight in your kernel.",
    ),
    mistake(
        "bilinear_kernel",
        "a cone",
        "return between * line[:, None] * line",
        "return between * (line[:, None] + line) / 2",
        hint="How do the weights of two directions combine? Look at a corner.",
    ),
    mistake(
        "bilinear_kernel",
        "divided by the half size",
        ".abs() / factor",
        ".abs() / (size / 2)",
        hint="At which distance does the weight reach zero? For odd factors yours is another one.",
    ),
)

MISTAKES = MAX_POOL + MAX_UNPOOL + TRANSPOSED_CONV2D + ROTATE_KERNEL + BILINEAR_KERNEL
