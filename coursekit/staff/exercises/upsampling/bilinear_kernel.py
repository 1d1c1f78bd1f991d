"""Exercise bilinear_kernel: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "In one dimension: how much does a pixel weigh at a place that lies a distance d away, if the next pixel lies "
        "factor away?"
    ),
    (
        "It is a tent: 1 at the middle, 0 at distance factor, straight between. In two dimensions multiply the tents "
        "of both directions."
    ),
    "Each channel is enlarged for itself: only entries from a channel to itself are not zero.",
    "k[c, c, i, j] = (1 - |i - m| / f) * (1 - |j - m| / f), with m = (k - 1) / 2",
)

MISTAKES = (
    mistake(
        "all channels mixed",
        "torch.eye(channels)",
        "torch.ones(channels, channels)",
        hint="Should a red pixel become green when it is enlarged?",
    ),
    mistake(
        "one channel axis",
        "torch.eye(channels)[:, :, None, None]",
        "torch.ones(channels, 1, 1, 1)",
        hint="Look at the shape: from which channel to which does an entry lead?",
    ),
    mistake(
        "size 2 * factor always",
        "2 * factor - factor % 2",
        "2 * factor",
        hint="Which size has a middle pixel, and for which factors is there one?",
    ),
    mistake(
        "size of the factor",
        "2 * factor - factor % 2",
        "factor",
        hint="A kernel that is only as wide as the step never blends two pixels.",
    ),
    mistake(
        "middle off by half a pixel",
        "middle = (size - 1) / 2",
        "middle = size / 2",
        hint="Your tent is not symmetric: compare its first and last entry.",
    ),
    mistake(
        "middle rounded",
        "middle = (size - 1) / 2",
        "middle = (size - 1) // 2",
        hint="For an even size the middle lies between two entries.",
    ),
    mistake(
        "sums to 1",
        "return between * line[:, None] * line",
        "return between * line[:, None] * line / line.sum() ** 2",
        hint="Your enlarged map is darker than the map: what do the stamps that meet in one pixel add up to?",
    ),
    mistake(
        "flat",
        "line = 1 - (torch.arange(size) - middle).abs() / factor",
        "line = torch.ones(size) / 2",
        hint="Far and near pixels have the same weight in your kernel.",
    ),
    mistake(
        "a cone",
        "return between * line[:, None] * line",
        "return between * (line[:, None] + line) / 2",
        hint="How do the weights of two directions combine? Look at a corner.",
    ),
    mistake(
        "divided by the half size",
        ".abs() / factor",
        ".abs() / (size / 2)",
        hint="At which distance does the weight reach zero? For odd factors yours is another one.",
    ),
    mistake(
        "squared distance",
        "(torch.arange(size) - middle).abs() / factor",
        "((torch.arange(size) - middle) / factor).square()",
        hint="Your weights fall with the squared distance: a tent falls in a straight line.",
    ),
)

VARIANTS = (
    variant(
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
