"""Exercise gram_matrix: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Texture is what occurs together, wherever it is. Which features react at the same places?",
    (
        "Put the places of a map in one long row, one row for each channel. Each entry of the matrix is the product of "
        "two rows."
    ),
    (
        "A batch is a stack of such matrices, one for each image: no image meets another. Features may lie in memory "
        "in any order."
    ),
    "G_n[i, j] = sum over (y, x) of F[n, i, y, x] F[n, j, y, x], and if normalised G / (C H W)",
)

MISTAKES = (
    mistake(
        "not normalised",
        "gram / (channels * height * width) if normalize else gram",
        "gram",
        hint="What you return grows with the size of the map, also where it should not.",
    ),
    mistake(
        "normalize ignored",
        "gram / (channels * height * width) if normalize else gram",
        "gram / (channels * height * width)",
        hint="There is a switch for the raw sums, and you never look at it.",
    ),
    mistake(
        "switch the wrong way",
        "if normalize else gram",
        "if not normalize else gram",
        hint="You divide exactly where the caller does not want it.",
    ),
    mistake(
        "divided by places",
        "(channels * height * width)",
        "(height * width)",
        hint="You divide by the number of places; of how many numbers does a layer's map consist?",
    ),
    mistake(
        "divided by channels twice",
        "(channels * height * width)",
        "(channels * channels)",
        hint="You divide by the number of entries of the matrix; it is the entries of the features that are counted.",
    ),
    mistake(
        "divided by everything",
        "(channels * height * width)",
        "(len(features) * channels * height * width)",
        hint="Your matrix shrinks when more images come in the same batch.",
    ),
    mistake(
        "the paper's divisor",
        "(channels * height * width)",
        "(2 * channels * height * width)",
        hint="The paper has a factor of its own in the loss; the matrix itself is divided by the number of entries, once.",
    ),
    mistake(
        "batch flattened together",
        body="""
        n, c, h, w = features.shape
        flat = features.reshape(n * c, h * w)
        gram = flat @ flat.T
        return gram[None] / (c * h * w) if normalize else gram[None]
        """,
        hint="Channels of different images meet in your matrix: keep the images apart.",
    ),
    mistake(
        "summed over the batch",
        "gram = flat @ flat.mT  # (N, C, C)",
        "gram = (flat @ flat.mT).sum(0, keepdim=True).expand(len(flat), -1, -1) * 1.0",
        hint="All images of a batch get the same matrix from you: each has its own.",
    ),
    mistake(
        "first image only",
        "flat = features.flatten(2)",
        "flat = features[:1].flatten(2)",
        hint="Only one image of the batch is looked at.",
    ),
    mistake(
        "axes mixed up",
        "features.flatten(2)",
        "features.permute(0, 2, 3, 1).reshape(features.shape[0], channels, -1)",
        hint="Your rows are no channels: a reshape does not move axes, it only counts through memory in another way.",
    ),
    mistake(
        "places instead of channels",
        "flat @ flat.mT",
        "flat.mT @ flat",
        hint="Your matrix relates places with places: which axis should be summed away?",
    ),
    mistake(
        "centred",
        "features.flatten(2)",
        "features.flatten(2) - features.flatten(2).mean(2, keepdim=True)",
        hint="You compute a covariance: nothing is subtracted here before the products.",
    ),
    mistake(
        "cosine",
        "features.flatten(2)",
        "torch.nn.functional.normalize(features.flatten(2), dim=2)",
        hint="How strongly a channel reacts is lost in your matrix: the products are raw, not angles.",
    ),
    mistake(
        "diagonal only",
        "flat @ flat.mT",
        "torch.diag_embed(flat.square().sum(2))",
        hint="You measure each channel alone; texture is in what occurs together.",
    ),
    mistake(
        "upper triangle",
        "flat @ flat.mT",
        "(flat @ flat.mT).triu()",
        hint="Half of your matrix is empty; it should be its own mirror image.",
    ),
    mistake(
        "cut off",
        "features.flatten(2)",
        "features.detach().flatten(2)",
        hint="Nothing can descend on your matrix: the way back to the features is cut.",
    ),
    mistake(
        "one factor cut off",
        "flat @ flat.mT",
        "flat @ flat.detach().mT",
        hint="The slope is half of what it should be: the features stand in the product twice.",
    ),
    mistake(
        "square picture",
        "features.shape[1:]",
        "(features.shape[1], features.shape[2], features.shape[2])",
        hint="You take the map for a square one: height and width differ.",
    ),
    mistake(
        "view of memory",
        "features.flatten(2)",
        "features.view(len(features), channels, height * width)",
        hint="Your code breaks on features whose memory is laid out in another order: ask for the shape in a way that may copy.",
    ),
    mistake(
        "batch axis lost",
        "if normalize else gram",
        "if normalize and len(gram) > 1 else gram.squeeze(0) / (channels * height * width if normalize else 1)",
        hint="For a batch of one the first axis disappears from your result.",
    ),
    mistake(
        "scaled in place",
        "flat = features.flatten(2)",
        "features.data.div_(1.0 if not normalize else 1.0 + 1e-9)\n    flat = features.flatten(2)",
        hint="After the call the features hold something else: you work in the memory that was lent to you.",
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
        hint="Your entries are never negative: features keep their sign.",
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
