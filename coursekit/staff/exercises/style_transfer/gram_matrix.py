"""Exercise gram_matrix: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Texture means which features occur together, at any position. Which channels are active at the same positions?",
    ("Write each channel's map as one long row. Each entry of the matrix is the dot product of two rows."),
    ("Each image of the batch has its own matrix: never combine two images. Features may lie in memory in any order."),
    "G_n[i, j] = sum over (y, x) of F[n, i, y, x] F[n, j, y, x], and if normalised G / (C H W)",
)

MISTAKES = (
    mistake(
        "not normalised",
        "gram / (channels * height * width) if normalize else gram",
        "gram",
        hint="You never divide: if normalize is true, divide by C * H * W.",
    ),
    mistake(
        "normalize ignored",
        "gram / (channels * height * width) if normalize else gram",
        "gram / (channels * height * width)",
        hint="You always divide: if normalize is false, return the raw sums.",
    ),
    mistake(
        "switch the wrong way",
        "if normalize else gram",
        "if not normalize else gram",
        hint="You divide if normalize is false: divide if it is true.",
    ),
    mistake(
        "divided by places",
        "(channels * height * width)",
        "(height * width)",
        hint="You divide by H * W: divide by C * H * W.",
    ),
    mistake(
        "divided by channels twice",
        "(channels * height * width)",
        "(channels * channels)",
        hint="You divide by C * C: divide by C * H * W.",
    ),
    mistake(
        "divided by everything",
        "(channels * height * width)",
        "(len(features) * channels * height * width)",
        hint="You divide by the batch size too: divide by C * H * W only.",
    ),
    mistake(
        "the paper's divisor",
        "(channels * height * width)",
        "(2 * channels * height * width)",
        hint="You divide by 2 C H W: divide by C H W. The paper's other factors belong to its loss.",
    ),
    mistake(
        "batch flattened together",
        body="""
        n, c, h, w = features.shape
        flat = features.reshape(n * c, h * w)
        gram = flat @ flat.T
        return gram[None] / (c * h * w) if normalize else gram[None]
        """,
        hint="You put the channels of all images into one matrix: each image has its own (C, C).",
    ),
    mistake(
        "summed over the batch",
        "gram = flat @ flat.mT  # (N, C, C)",
        "gram = (flat @ flat.mT).sum(0, keepdim=True).expand(len(flat), -1, -1) * 1.0",
        hint="You sum over the batch: each image has its own matrix.",
    ),
    mistake(
        "first image only",
        "flat = features.flatten(2)",
        "flat = features[:1].flatten(2)",
        hint="You use only the first image of the batch: each image has its own matrix.",
    ),
    mistake(
        "axes mixed up",
        "features.flatten(2)",
        "features.permute(0, 2, 3, 1).reshape(features.shape[0], channels, -1)",
        hint="Your rows are not channels: reshape after permute mixes channels and positions.",
    ),
    mistake(
        "places instead of channels",
        "flat @ flat.mT",
        "flat.mT @ flat",
        hint="Your matrix compares positions, (H * W, H * W): sum over positions and compare channels, (C, C).",
    ),
    mistake(
        "centred",
        "features.flatten(2)",
        "features.flatten(2) - features.flatten(2).mean(2, keepdim=True)",
        hint="You subtract each channel's mean: that is a covariance. Use the features as they are.",
    ),
    mistake(
        "cosine",
        "features.flatten(2)",
        "torch.nn.functional.normalize(features.flatten(2), dim=2)",
        hint="You divide each channel by its norm: use the features as they are.",
    ),
    mistake(
        "diagonal only",
        "flat @ flat.mT",
        "torch.diag_embed(flat.square().sum(2))",
        hint="Only the diagonal of your matrix is filled: every channel is multiplied with every other.",
    ),
    mistake(
        "upper triangle",
        "flat @ flat.mT",
        "(flat @ flat.mT).triu()",
        hint="The lower triangle of your matrix is zero: the matrix must be symmetric.",
    ),
    mistake(
        "cut off",
        "features.flatten(2)",
        "features.detach().flatten(2)",
        hint="You detach the features: gradients must reach them.",
    ),
    mistake(
        "one factor cut off",
        "flat @ flat.mT",
        "flat @ flat.detach().mT",
        hint="You detach one of the two factors: your gradient is only half of the right one.",
    ),
    mistake(
        "square picture",
        "features.shape[1:]",
        "(features.shape[1], features.shape[2], features.shape[2])",
        hint="You use the height as width too: maps need not be square.",
    ),
    mistake(
        "view of memory",
        "features.flatten(2)",
        "features.view(len(features), channels, height * width)",
        hint="view() fails on features with other strides: use an operation that copies if it must.",
    ),
    mistake(
        "batch axis lost",
        "if normalize else gram",
        "if normalize and len(gram) > 1 else gram.squeeze(0) / (channels * height * width if normalize else 1)",
        hint="For a batch of one you drop the first axis: return (1, C, C).",
    ),
    mistake(
        "scaled in place",
        "flat = features.flatten(2)",
        "features.data.div_(1.0 if not normalize else 1.0 + 1e-9)\n    flat = features.flatten(2)",
        hint="div_() overwrites the caller's features: compute a new tensor.",
    ),
    mistake(
        "PyTorch's tutorial",
        body="""
        n, c, h, w = features.shape
        flat = features.reshape(n * c, h * w)
        gram = flat @ flat.T
        return gram / (n * c * h * w) if normalize else gram
        """,
        hint="You follow PyTorch's tutorial: batch flattened, divided by N C H W. Here each image has its own matrix.",
    ),
    mistake(
        "PyTorch's tutorial, always divided",
        body="""
        n, c, h, w = features.shape
        flat = features.reshape(n * c, h * w)
        return flat @ flat.T / (n * c * h * w)
        """,
        hint="You follow PyTorch's tutorial: batch flattened, divided by N C H W. Here each image has its own matrix.",
    ),
    mistake(
        "d2l's",
        body="""
        channels = features.shape[1]
        flat = features.reshape(channels, features.numel() // channels)
        gram = flat @ flat.T
        return gram / features.numel() if normalize else gram
        """,
        hint="You follow d2l: all images in one C x C matrix. Here each image has its own.",
    ),
    mistake(
        "d2l's, always divided",
        body="""
        channels = features.shape[1]
        flat = features.reshape(channels, features.numel() // channels)
        return flat @ flat.T / features.numel()
        """,
        hint="You follow d2l: all images in one C x C matrix. Here each image has its own.",
    ),
    mistake(
        "absolute features",
        "flat = features.flatten(2)",
        "flat = features.flatten(2).abs()",
        hint="You take the absolute value of the features: keep their sign.",
    ),
    mistake(
        "reshaped, not transposed",
        "flat.mT",
        "flat.reshape(len(flat), -1, channels)",
        hint="You reshape where you must transpose: reshaping does not exchange channels and positions.",
    ),
    mistake(
        "cosine if normalised",
        "return gram / (channels * height * width) if normalize else gram",
        "norms = flat.norm(dim=2)\n"
        "    return gram / (norms[:, :, None] * norms[:, None] + 1e-12) if normalize else gram",
        hint="You divide by the norms of the channels: normalised means divided by C * H * W.",
    ),
    mistake(
        "mean over positions",
        "(channels * height * width) if normalize else gram",
        "(height * width * (channels if normalize else 1))",
        hint="You divide by H * W even if normalize is false: return the raw sums then.",
    ),
    mistake(
        "scaled by the root in place",
        "flat = features.flatten(2)",
        "flat = features.flatten(2)\n    if normalize:\n        flat /= (channels * height * width) ** 0.5",
        "return gram / (channels * height * width) if normalize else gram",
        "return gram",
        hint="You scale the caller's features in place: flattened features share their memory.",
    ),
)

VARIANTS = (
    variant(
        "einsum",
        body="""
        gram = torch.einsum("ncyx,ndyx->ncd", features, features)
        return gram / features[0].numel() if normalize else gram
        """,
    ),
    variant(
        "bmm",
        body="""
        n, c, h, w = features.size()
        flat = features.reshape(n, c, h * w)
        g = torch.bmm(flat, flat.transpose(1, 2))
        if normalize:
            g = g.div(c * h * w)
        return g
        """,
    ),
    variant(
        "loops",
        body="""
        rows = []
        for image in features:
            channels = image.reshape(image.shape[0], -1)
            gram = torch.stack([torch.stack([(a * b).sum() for b in channels]) for a in channels])
            rows.append(gram / image.numel() if normalize else gram)
        return torch.stack(rows)
        """,
    ),
    variant(
        "scaled before the product",
        body="""
        divisor = features.shape[1] * features.shape[2] * features.shape[3] if normalize else 1
        flat = features.reshape(*features.shape[:2], -1) / divisor**0.5
        return torch.matmul(flat, flat.permute(0, 2, 1))
        """,
    ),
    variant(
        "outer products of places",
        body="""
        columns = features.permute(0, 2, 3, 1).flatten(1, 2)
        gram = (columns[..., :, None] * columns[..., None, :]).sum(dim=1)
        return gram / features[0].numel() if normalize else gram
        """,
    ),
)
