"""Right solutions of upsampling that are written in other ways."""

from coursekit.staff.edits import variant

VARIANTS = (
    variant(
        "max_pool",
        "torch's own operator",
        body="""
        return torch.nn.functional.max_pool2d(x, kernel_size, stride, return_indices=True)
        """,
    ),
    variant(
        "max_pool",
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
        "max_pool",
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
    variant(
        "max_unpool",
        "loop over channels",
        body="""
        planes = []
        for value, index in zip(values.flatten(0, 1), indices.flatten(0, 1)):
            plane = torch.zeros(output_size[0] * output_size[1], dtype=values.dtype, device=values.device)
            planes.append(plane.index_add(0, index.flatten(), value.flatten()))
        return torch.stack(planes).view(*values.shape[:2], *output_size)
        """,
    ),
    variant(
        "max_unpool",
        "index_put with accumulate",
        body="""
        n, c = values.shape[:2]
        out = values.new_zeros(n, c, *output_size)
        at = torch.meshgrid(torch.arange(n), torch.arange(c), indexing="ij")
        batch, channel = (a[..., None, None].expand_as(indices) for a in at)
        return out.index_put((batch, channel, indices // output_size[1], indices % output_size[1]), values, accumulate=True)
        """,
    ),
    variant(
        "max_unpool",
        "one-hot matrix",
        body="""
        area = output_size[0] * output_size[1]
        hot = torch.nn.functional.one_hot(indices.flatten(2), area).to(values.dtype)
        return torch.einsum("nck,ncka->nca", values.flatten(2), hot).view(*values.shape[:2], *output_size)
        """,
    ),
    variant(
        "transposed_conv2d",
        "torch's own operator",
        body="""
        return torch.nn.functional.conv_transpose2d(x, weight, stride=stride, padding=padding)
        """,
    ),
    variant(
        "transposed_conv2d",
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
        "transposed_conv2d",
        "fold",
        body="""
        kh, kw = weight.shape[2:]
        columns = torch.einsum("iokl,nihw->noklhw", weight, x).flatten(1, 3).flatten(2)
        size = ((x.shape[2] - 1) * stride + kh - 2 * padding, (x.shape[3] - 1) * stride + kw - 2 * padding)
        return torch.nn.functional.fold(columns, size, (kh, kw), padding=padding, stride=stride)
        """,
    ),
    variant(
        "transposed_conv2d",
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
    variant("rotate_kernel", "two quarter turns", body="return torch.rot90(weight, 2, (-2, -1)).clone()"),
    variant("rotate_kernel", "mirrored twice", body="return weight.flip(-1).flip(-2)"),
    variant(
        "rotate_kernel",
        "indices",
        body="""
        rows = torch.arange(weight.shape[2] - 1, -1, -1)
        columns = torch.arange(weight.shape[3] - 1, -1, -1)
        return weight[:, :, rows][:, :, :, columns]
        """,
    ),
    variant(
        "bilinear_kernel",
        "loops",
        body="""
        k = 2 * factor - (1 if factor % 2 else 0)
        m = (k - 1) / 2
        kernel = torch.zeros(channels, channels, k, k)
        for c in range(channels):
            for i in range(k):
                for j in range(k):
                    kernel[c, c, i, j] = (1 - abs(i - m) / factor) * (1 - abs(j - m) / factor)
        return kernel
        """,
    ),
    variant(
        "bilinear_kernel",
        "outer product",
        body="""
        half = (2 * factor - factor % 2 - 1) / 2
        tent = 1 - torch.linspace(-half, half, int(2 * half) + 1).abs() / factor
        kernel = torch.zeros(channels, channels, len(tent), len(tent))
        for c in range(channels):
            kernel[c, c] = torch.outer(tent, tent)
        return kernel
        """,
    ),
    variant(
        "bilinear_kernel",
        "numpy's grid, as the paper's authors wrote it",
        body="""
        import numpy as np

        size = 2 * factor - factor % 2
        center = factor - 1 if size % 2 == 1 else factor - 0.5
        og = np.ogrid[:size, :size]
        tent = (1 - abs(og[0] - center) / factor) * (1 - abs(og[1] - center) / factor)
        weight = np.zeros((channels, channels, size, size), dtype=np.float32)
        weight[range(channels), range(channels)] = tent
        return torch.from_numpy(weight)
        """,
    ),
)
