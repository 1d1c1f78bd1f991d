"""Exercise bilinear_kernel: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    ("In one dimension: how much does a pixel at distance d weigh, if the next pixel lies factor away?"),
    (
        "The weight is a triangle: 1 at the centre, 0 at distance factor, linear between. In two dimensions, multiply the weights of both directions."
    ),
    "Each channel is enlarged by itself: entries between different channels are zero.",
    "k[c, c, i, j] = (1 - |i - m| / f) * (1 - |j - m| / f), with m = (k - 1) / 2",
)

MISTAKES = (
    mistake(
        "all channels mixed",
        "torch.eye(channels)",
        "torch.ones(channels, channels)",
        hint="Your kernel mixes channels: entries between different channels must be zero.",
    ),
    mistake(
        "one channel axis",
        "torch.eye(channels)[:, :, None, None]",
        "torch.ones(channels, 1, 1, 1)",
        hint="Your shape is (channels, 1, k, k): return (channels, channels, k, k).",
    ),
    mistake(
        "size 2 * factor always",
        "2 * factor - factor % 2",
        "2 * factor",
        hint="For odd factors your kernel is one too large: use 2 * factor - factor % 2.",
    ),
    mistake(
        "size of the factor",
        "2 * factor - factor % 2",
        "factor",
        hint="Your kernel is too small: its side is 2 * factor - factor % 2.",
    ),
    mistake(
        "middle off by half a pixel",
        "middle = (size - 1) / 2",
        "middle = size / 2",
        hint="Your kernel is not symmetric: its middle is at (k - 1) / 2.",
    ),
    mistake(
        "middle rounded",
        "middle = (size - 1) / 2",
        "middle = (size - 1) // 2",
        hint="You round the middle down: for even k it lies between two entries.",
    ),
    mistake(
        "sums to 1",
        "return between * line[:, None] * line",
        "return between * line[:, None] * line / line.sum() ** 2",
        hint="Your weights sum to 1, so the enlarged map is too dark: the weight at the middle is 1.",
    ),
    mistake(
        "flat",
        "line = 1 - (torch.arange(size) - middle).abs() / factor",
        "line = torch.ones(size) / 2",
        hint="All your weights are the same: they must decrease linearly with the distance.",
    ),
    mistake(
        "a cone",
        "return between * line[:, None] * line",
        "return between * (line[:, None] + line) / 2",
        hint="You average the weights of the two directions: multiply them.",
    ),
    mistake(
        "divided by the half size",
        ".abs() / factor",
        ".abs() / (size / 2)",
        hint="You divide the distance by half the size: divide it by factor.",
    ),
    mistake(
        "squared distance",
        "(torch.arange(size) - middle).abs() / factor",
        "((torch.arange(size) - middle) / factor).square()",
        hint="Your weights decrease with the squared distance: they must decrease linearly.",
    ),
    mistake(
        "radial",
        "return between * line[:, None] * line",
        "offsets = torch.arange(size) - middle\n"
        "    return between * (1 - (offsets[:, None] ** 2 + offsets**2).sqrt() / factor).clamp(min=0)",
        hint="Your weights depend on the distance from the middle: multiply one weight per direction.",
    ),
    mistake(
        "middle as for even sizes",
        "middle = (size - 1) / 2",
        "middle = factor - 0.5",
        hint="Your middle is right for even factors only: it is (k - 1) / 2.",
    ),
    mistake(
        "a pyramid",
        "between * line[:, None] * line",
        "between * (line[:, None] + line - 1).clamp(min=0)",
        hint="Your weight falls with |i - m| + |j - m|: multiply one weight per direction instead.",
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
