"""Exercise transposed_conv2d: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.upsampling.shared import DETACHED

HINTS = (
    (
        "Draw the slide: the first pixel stamps its kernel, the second pixel stamps beside it, and where they overlap "
        "the numbers add. How large is the sheet on which all stamps fit?"
    ),
    (
        "A loop over the pixels is right and slow. The stamps' entries (i, j) all lie stride apart on the sheet: one "
        "slice with a step catches them all, so a loop over the kernel's few entries is enough."
    ),
    (
        "For entry (i, j), every output channel gets a weighted sum over the input channels: a product with a (C_in, "
        "C_out) matrix at each pixel. At the end cut the border."
    ),
    "out[n, o, y * stride + i - p, z * stride + j - p] = sum over c, y, z, i, j with that place of x[n, c, y, z] * w[c, o, i, j]",
)

MISTAKES = (
    mistake(
        "channels exchanged where there are as many of both",
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])',
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j].mT if channels == x.shape[1] else weight[:, :, i, j])',
        hint="Where input and output have equally many channels, yours change places: follow one entry of the kernel.",
    ),
    mistake(
        "kernel rotated",
        "weight[:, :, i, j])",
        "weight[:, :, kh - 1 - i, kw - 1 - j])",
        hint="A stamp looks like the kernel itself: look at one input pixel alone.",
    ),
    mistake(
        "stamps overwrite each other",
        "out[:, :, rows, columns] += torch",
        "out[:, :, rows, columns] = torch",
        hint="Where stamps overlap, only the last one is left in your result.",
    ),
    mistake(
        "stride ignored where stamps stand",
        "slice(i, i + (height - 1) * stride + 1, stride)",
        "slice(i, i + height)",
        "slice(j, j + (width - 1) * stride + 1, stride)",
        "slice(j, j + width)",
        hint="Your stamps stand side by side, whatever distance is asked for.",
    ),
    mistake(
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
        "padding added",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return torch.nn.functional.pad(out, (padding, padding, padding, padding))",
        hint="With this option your result grows: here it undoes what the convolution's border had added.",
    ),
    mistake(
        "padding ignored",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out",
        hint="One option changes nothing in your result.",
    ),
    mistake(
        "cropped on two sides only",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:, padding:].contiguous()",
        hint="A border has four sides.",
    ),
    mistake(
        "cropped to minus nothing",
        "padding:bottom, padding:right",
        "padding:-padding, padding:-padding",
        hint="Where nothing is to be cut off your result is empty: what does a slice mean that ends at minus 0?",
    ),
    mistake(
        "cropped twice at the far sides",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, : bottom - padding, : right - padding].contiguous()",
        hint="The size is right, but you cut everything away at the lower and right side.",
    ),
    mistake(
        "kernel transposed in the plane",
        "weight[:, :, i, j])",
        "weight[:, :, i * kw % kh if kh == kw else i, j] if kh != kw else weight[:, :, j, i])",
        hint="Rows and columns of a square kernel are exchanged.",
    ),
    mistake(
        "channels exchanged where they can be",
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])',
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j].reshape(channels, -1).mT)',
        hint="Which channel of the input meets which of the output? Follow one entry of the kernel.",
    ),
    mistake(
        "mean over the input channels",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:bottom, padding:right] / x.shape[1]",
        hint="With more input channels your result does not grow: do contributions add or average?",
    ),
    mistake(
        "first input channel only",
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])',
        'torch.einsum("nihw,io->nohw", x[:, :1], weight[:1, :, i, j])',
        hint="Only one of the input's channels reaches the result.",
    ),
    mistake(
        "detached",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:bottom, padding:right].detach().clone()",
        hint=DETACHED,
    ),
    mistake(
        "kernel cut off from learning",
        "x, weight[:, :, i, j])",
        "x, weight.detach()[:, :, i, j])",
        hint="The slide calls the kernel learnable: follow the gradient to it.",
    ),
    mistake(
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
    mistake(
        "divided by the kernel's size",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:bottom, padding:right].contiguous() / (kh * kw)",
        hint="Your stamps are divided by the number of kernel entries: stamp the kernel as it stands.",
    ),
)

VARIANTS = (
    variant(
        "torch's own operator",
        body="""
        return torch.nn.functional.conv_transpose2d(x, weight, stride=stride, padding=padding)
        """,
    ),
    variant(
        "loop over input pixels",
        body="""
        kh, kw = weight.shape[2:]
        out = x.new_zeros(len(x), weight.shape[1], (x.shape[2] - 1) * stride + kh, (x.shape[3] - 1) * stride + kw)
        for row in range(x.shape[2]):
            for column in range(x.shape[3]):
                stamp = torch.tensordot(x[:, :, row, column], weight, dims=1)
                top, left = row * stride, column * stride
                out[:, :, top : top + kh, left : left + kw] = out[:, :, top : top + kh, left : left + kw] + stamp
        return out[:, :, padding : out.shape[2] - padding, padding : out.shape[3] - padding].clone()
        """,
    ),
    variant(
        "fold",
        body="""
        kh, kw = weight.shape[2:]
        columns = torch.einsum("iokl,nihw->noklhw", weight, x).flatten(1, 3).flatten(2)
        size = ((x.shape[2] - 1) * stride + kh - 2 * padding, (x.shape[3] - 1) * stride + kw - 2 * padding)
        return torch.nn.functional.fold(columns, size, (kh, kw), padding=padding, stride=stride)
        """,
    ),
    variant(
        "zeros between the pixels, then a convolution with the rotated kernel",
        body="""
        kh, kw = weight.shape[2:]
        n, c, h, w = x.shape
        apart = x.new_zeros(n, c, (h - 1) * stride + 1, (w - 1) * stride + 1)
        apart[:, :, ::stride, ::stride] = x
        apart = torch.nn.functional.pad(apart, (kw - 1, kw - 1, kh - 1, kh - 1))
        full = torch.nn.functional.conv2d(apart, weight.transpose(0, 1).flip(-1, -2))
        return full[:, :, padding : full.shape[2] - padding, padding : full.shape[3] - padding].contiguous()
        """,
    ),
)
