"""Exercise transposed_conv2d: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.upsampling.shared import DETACHED

HINTS = (
    (
        "Draw the slide: each input pixel stamps its kernel, stride further than the last, and overlaps add. How large is the output that holds all stamps?"
    ),
    (
        "A loop over the pixels is right but slow. Entry (i, j) of all stamps lies stride apart on the output: one slice with a step selects these positions. So loop over the kernel's entries."
    ),
    (
        "For entry (i, j), each output channel is a weighted sum over the input channels: a product with a (C_in, C_out) matrix at each pixel. Crop the border at the end."
    ),
    "out[n, o, y * stride + i - p, z * stride + j - p] = sum over c, y, z, i, j with that place of x[n, c, y, z] * w[c, o, i, j]",
)

MISTAKES = (
    mistake(
        "channels exchanged where there are as many of both",
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])',
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j].mT if channels == x.shape[1] else weight[:, :, i, j])',
        hint="If C_in equals C_out, you swap the channel axes of the weight: use it as given.",
    ),
    mistake(
        "kernel rotated",
        "weight[:, :, i, j])",
        "weight[:, :, kh - 1 - i, kw - 1 - j])",
        hint="You rotate the kernel: stamp it as it stands.",
    ),
    mistake(
        "stamps overwrite each other",
        "out[:, :, rows, columns] += torch",
        "out[:, :, rows, columns] = torch",
        hint="Where stamps overlap, the last one overwrites the others: add them.",
    ),
    mistake(
        "stride ignored where stamps stand",
        "slice(i, i + (height - 1) * stride + 1, stride)",
        "slice(i, i + height)",
        "slice(j, j + (width - 1) * stride + 1, stride)",
        "slice(j, j + width)",
        hint="Your stamps are one pixel apart: they must be stride apart.",
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
        hint="You skip input pixels: stamp every one. stride is the distance between stamps on the output.",
    ),
    mistake(
        "padding added",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return torch.nn.functional.pad(out, (padding, padding, padding, padding))",
        hint="You enlarge the output by padding: crop it instead.",
    ),
    mistake(
        "padding ignored",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out",
        hint="You ignore padding: crop that many rows and columns on each side.",
    ),
    mistake(
        "cropped on two sides only",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:, padding:].contiguous()",
        hint="You crop only above and on the left: crop all four sides.",
    ),
    mistake(
        "cropped to minus nothing",
        "padding:bottom, padding:right",
        "padding:-padding, padding:-padding",
        hint="With padding 0 your slice 0:-0 is empty: end the slice at a position counted from the start.",
    ),
    mistake(
        "cropped twice at the far sides",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, : bottom - padding, : right - padding].contiguous()",
        hint="You crop twice below and on the right: crop once on each of the four sides.",
    ),
    mistake(
        "kernel transposed in the plane",
        "weight[:, :, i, j])",
        "weight[:, :, i * kw % kh if kh == kw else i, j] if kh != kw else weight[:, :, j, i])",
        hint="You swap rows and columns of square kernels: use entry (i, j).",
    ),
    mistake(
        "channels exchanged where they can be",
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])',
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j].reshape(channels, -1).mT)',
        hint="reshape() mixes the weight's channel axes: use its (C_in, C_out) matrix as it is.",
    ),
    mistake(
        "mean over the input channels",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:bottom, padding:right] / x.shape[1]",
        hint="You divide by the number of input channels: sum over them.",
    ),
    mistake(
        "first input channel only",
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])',
        'torch.einsum("nihw,io->nohw", x[:, :1], weight[:1, :, i, j])',
        hint="You use only the first input channel: sum over all input channels.",
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
        hint="You detach the kernel: gradients must reach weight.",
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
        hint="Where stamps overlap, you average them: add them.",
    ),
    mistake(
        "divided by the kernel's size",
        "return out[:, :, padding:bottom, padding:right].contiguous()",
        "return out[:, :, padding:bottom, padding:right].contiguous() / (kh * kw)",
        hint="You divide by the number of kernel entries: stamp the kernel as it stands.",
    ),
    mistake(
        "cropped twice at the near sides",
        "padding:bottom, padding:right",
        "2 * padding :, 2 * padding :",
        hint="You crop twice above and on the left: crop once on each of the four sides.",
    ),
    mistake(
        "only rows cropped",
        "padding:bottom, padding:right",
        "padding:bottom",
        hint="You crop only rows: crop columns too.",
    ),
    mistake(
        "only columns cropped",
        "padding:bottom, padding:right",
        ":, padding:right",
        hint="You crop only columns: crop rows too.",
    ),
    mistake(
        "zeros after the last pixel",
        "(height - 1) * stride + kh, (width - 1) * stride + kw)",
        "height * stride + kh - 1, width * stride + kw - 1)",
        hint="Your output is too large below and on the right: nothing follows the last copy of the kernel.",
    ),
    mistake(
        "each channel alone where there are as many of both",
        'torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])',
        'torch.einsum("nihw,io->nohw", x, torch.diag(weight[:, :, i, j].diagonal())\n'
        "                if channels == x.shape[1] else weight[:, :, i, j])",
        hint="You use only the kernels from a channel to itself: every input channel reaches every output channel.",
    ),
    mistake(
        "half of the padding",
        "    bottom, right = out",
        "    padding = padding // 2\n    bottom, right = out",
        hint="You crop half of padding: crop padding rows and columns from each of the four sides.",
    ),
    mistake(
        "weight read as (C_out, C_in)",
        '"nihw,io->nohw"',
        '"nihw,oi->nohw"',
        hint="You read weight as (C_out, C_in, kh, kw): its first axis is C_in.",
    ),
    mistake(
        "kernel taken for square",
        "_, channels, kh, kw = weight.shape",
        "_, channels, kh, _ = weight.shape\n    kw = kh",
        hint="You take the kernel for square: kh and kw may differ.",
    ),
    mistake(
        "stride zeros between pixels",
        "n, _, height, width = x.shape",
        "stride = stride + (stride > 1)\n    n, _, height, width = x.shape",
        hint="You put stride zeros between two pixels: stride - 1, so that copies lie stride apart.",
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
