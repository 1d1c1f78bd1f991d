"""Exercise max_unpool: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.upsampling.shared import DETACHED

HINTS = (
    ("Start with zeros, one row of H * W pixels for each image and channel. An index is then a position in that row."),
    (
        "Several values may go to one position. Assignment keeps only one of them. Find the operation that adds at given positions and returns a new tensor, so that gradients pass."
    ),
    "out[n, c, p] = sum over all (y, z) with index[n, c, y, z] = p of values[n, c, y, z]",
)

MISTAKES = (
    mistake(
        "overwritten instead of added",
        "plane.scatter_add(",
        "plane.scatter(",
        hint="Where two windows chose the same pixel, you keep one value: add them.",
    ),
    mistake(
        "mean of the contributions",
        "plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane.scatter_reduce(2, indices.flatten(2), values.flatten(2), 'mean', include_self=False)",
        hint="Where two windows chose the same pixel, you average the values: add them.",
    ),
    mistake(
        "largest contribution",
        "plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane.scatter_reduce(2, indices.flatten(2), values.flatten(2), 'amax', include_self=False)",
        hint="Where two windows chose the same pixel, you keep the larger value: add them.",
    ),
    mistake(
        "column-major plane",
        "return plane.unflatten(2, (height, width))",
        "return plane.unflatten(2, (width, height)).mT.contiguous()",
        hint="You read the indices column by column: they count along rows, row * W + column.",
    ),
    mistake(
        "all channels in one plane",
        "plane = plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane = plane.flatten(1).scatter_add(1, indices.flatten(1), values.flatten(1)).view_as(plane)",
        hint="You put all channels into the first one: each channel has its own plane.",
    ),
    mistake(
        "places of the first channel for all",
        "scatter_add(2, indices.flatten(2)",
        "scatter_add(2, indices[:, :1].expand_as(indices).flatten(2)",
        hint="You use the first channel's indices for all channels: each channel has its own.",
    ),
    mistake(
        "all images in one plane",
        "plane = plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane = plane.clone()\n"
        "    for i, v in zip(indices, values):\n"
        "        plane[0] = plane[0].scatter_add(1, i.flatten(1), v.flatten(1))",
        hint="You put all images into the first one: each image has its own plane.",
    ),
    mistake(
        "ones for zeros",
        "values.new_zeros(",
        "values.new_ones(",
        hint="Pixels that no window chose are 1: they must be 0.",
    ),
    mistake(
        "repeated over the window",
        body="""
        height, width = output_size
        return torch.nn.functional.interpolate(values, (height, width), mode="nearest")
        """,
        hint="You repeat each value over its window: write it only where its index says.",
    ),
    mistake(
        "a corner of the window",
        body="""
        height, width = output_size
        plane = values.new_zeros(*values.shape[:2], height, width)
        step = (max(1, height // values.shape[2]), max(1, width // values.shape[3]))
        plane[:, :, :: step[0], :: step[1]][:, :, : values.shape[2], : values.shape[3]] = values
        return plane
        """,
        hint="You write each value to the corner of its window: write it where its index says.",
    ),
    mistake(
        "detached",
        "return plane.unflatten(2, (height, width))",
        "return plane.unflatten(2, (height, width)).detach()",
        hint=DETACHED,
    ),
    mistake(
        "size of the picture guessed",
        "height, width = output_size",
        "height, width = (2 * side for side in values.shape[-2:])",
        hint="You take twice the size of values: use output_size.",
    ),
    mistake(
        "flat",
        "return plane.unflatten(2, (height, width))",
        "return plane",
        hint="You return rows of H * W pixels: return (N, C, H, W).",
    ),
    mistake(
        "largest contribution, or 0",
        "plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane.scatter_reduce(2, indices.flatten(2), values.flatten(2), 'amax')",
        hint="Where two windows chose the same pixel, you keep the larger value, or 0: add them.",
    ),
    mistake(
        "row and column by the height",
        body="""
        height, width = output_size
        rows, columns = (indices // height).clamp(max=height - 1), (indices % height).clamp(max=width - 1)
        plane = values.new_zeros(*values.shape[:2], height * width)
        plane = plane.scatter_add(2, (rows * width + columns).flatten(2), values.flatten(2))
        return plane.unflatten(2, (height, width))
        """,
        hint="You divide the index by the height: row and column are index // W and index % W.",
    ),
    mistake(
        "places of the first image for all",
        "scatter_add(2, indices.flatten(2)",
        "scatter_add(2, indices[:1].expand_as(indices).flatten(2)",
        hint="You use the first image's indices for all images: each image has its own.",
    ),
    mistake(
        "zeros always float32",
        "values.new_zeros(*values.shape[:2], height * width)",
        "torch.zeros(*values.shape[:2], height * width)",
        hint="Your zeros are always float32: give them the dtype of values.",
    ),
    mistake(
        "view of any strides",
        "indices.flatten(2), values.flatten(2)",
        "indices.view(*indices.shape[:2], -1), values.view(*values.shape[:2], -1)",
        hint="Your view fails where the tensor is not contiguous: use what works for all strides.",
    ),
)

VARIANTS = (
    variant(
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
        "one-hot matrix",
        body="""
        area = output_size[0] * output_size[1]
        hot = torch.nn.functional.one_hot(indices.flatten(2), area).to(values.dtype)
        return torch.einsum("nck,ncka->nca", values.flatten(2), hot).view(*values.shape[:2], *output_size)
        """,
    ),
)
