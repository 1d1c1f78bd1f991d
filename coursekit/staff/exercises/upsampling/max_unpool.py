"""Exercise max_unpool: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.upsampling.shared import DETACHED

HINTS = (
    (
        "Begin with a plane of zeros for each image and each channel, as long rows of H * W pixels: then an index is "
        "just a place in such a row."
    ),
    (
        "Several values may go to one place. An assignment keeps one of them; look for the operation that adds at "
        "given places (there is one that returns a new tensor, so that gradients pass)."
    ),
    "out[n, c, p] = sum over all (y, z) with index[n, c, y, z] = p of values[n, c, y, z]",
)

MISTAKES = (
    mistake(
        "overwritten instead of added",
        "plane.scatter_add(",
        "plane.scatter(",
        hint="Two windows can have chosen one pixel: what does the slide do with 300 and 450?",
    ),
    mistake(
        "mean of the contributions",
        "plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane.scatter_reduce(2, indices.flatten(2), values.flatten(2), 'mean', include_self=False)",
        hint="When two windows chose one pixel you take something between them, and the slide does not.",
    ),
    mistake(
        "largest contribution",
        "plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane.scatter_reduce(2, indices.flatten(2), values.flatten(2), 'amax', include_self=False)",
        hint="When two windows chose one pixel, one of them is lost in your version: the smaller.",
    ),
    mistake(
        "column-major plane",
        "return plane.unflatten(2, (height, width))",
        "return plane.unflatten(2, (width, height)).mT.contiguous()",
        hint="In which order does the index count the pixels: along a row, or down a column?",
    ),
    mistake(
        "all channels in one plane",
        "plane = plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane = plane.flatten(1).scatter_add(1, indices.flatten(1), values.flatten(1)).view_as(plane)",
        hint="All but the first channel are empty in your result: each has its own plane.",
    ),
    mistake(
        "places of the first channel for all",
        "scatter_add(2, indices.flatten(2)",
        "scatter_add(2, indices[:, :1].expand_as(indices).flatten(2)",
        hint="Every channel found its maxima elsewhere: whose places do you use?",
    ),
    mistake(
        "all images in one plane",
        "plane = plane.scatter_add(2, indices.flatten(2), values.flatten(2))",
        "plane = plane.clone()\n"
        "    for i, v in zip(indices, values):\n"
        "        plane[0] = plane[0].scatter_add(1, i.flatten(1), v.flatten(1))",
        hint="All but the first image are empty in your result.",
    ),
    mistake("ones for zeros", "values.new_zeros(", "values.new_ones(", hint="Look at the pixels that no window chose."),
    mistake(
        "repeated over the window",
        body="""
        height, width = output_size
        return torch.nn.functional.interpolate(values, (height, width), mode="nearest")
        """,
        hint="Each value is spread over its neighbourhood: what did the encoder remember?",
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
        hint="You put each value at a fixed place of its window, and never ask where it came from.",
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
        hint="Twice the size is not always what was pooled.",
    ),
    mistake(
        "flat",
        "return plane.unflatten(2, (height, width))",
        "return plane",
        hint="The result is a row of numbers, no plane yet.",
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
