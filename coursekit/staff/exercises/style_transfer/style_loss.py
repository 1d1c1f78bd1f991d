"""Exercise style_loss: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.style_transfer.shared import NO_SLOPE, OF_THE_LAYERS, OF_THE_NUMBER

HINTS = (
    "This is content_loss with Gram matrices instead of features.",
    "Compute the Gram matrix of each layer with gram_matrix. Compare it with the style's matrix for that layer.",
    "One style may serve many images: then its matrix is (1, C, C), and broadcasting repeats it.",
    "L = sum_i w_i sum over (n, c, d) of (G(F_i) - A_i)^2, with G(F) = F F^T / (C H W)",
)

MISTAKES = (
    mistake(
        "mean over entries",
        ".square().sum()",
        ".square().mean()",
        hint="You average the squared differences: sum them.",
    ),
    mistake(
        "mean over images",
        "w * (gram_matrix(f) - a.detach()).square().sum()",
        "w * (gram_matrix(f) - a.detach()).square().sum() / len(f)",
        hint="You divide by the number of images: sum over the batch.",
    ),
    mistake(
        "the paper's quarter",
        "w * (gram_matrix",
        "w / 4 * (gram_matrix",
        hint="You multiply by 1/4, as Gatys et al. 2015 do: leave the factor out.",
    ),
    mistake(
        "not squared",
        ".square().sum()",
        ".norm()",
        hint="You take the norm: return the norm squared, which is the sum of squared differences.",
    ),
    mistake(
        "absolute difference",
        ".square().sum()",
        ".abs().sum()",
        hint="You sum absolute differences: sum squared differences instead.",
    ),
    mistake(
        "raw sums",
        "gram_matrix(f)",
        "gram_matrix(f, normalize=False)",
        hint="Your Gram matrices are raw sums (normalize=False): the given ones are normalised.",
    ),
    mistake(
        "features for grams",
        body="""
        total = 0
        for f, a, w in zip(features, grams, weights):
            flat = f.flatten(2)
            mean = flat.mean(2)
            total = total + w * (mean[:, :, None] * mean[:, None] / f.shape[1] - a.detach()).square().sum()
        return total
        """,
        hint="You multiply the channels' means: build the Gram matrix of the features, as gram_matrix does.",
    ),
    mistake(
        "weights ignored",
        "w * (gram_matrix",
        "(gram_matrix",
        hint="You ignore the weights: multiply each layer's term by its weight.",
    ),
    mistake(
        "weight squared too",
        "w * (gram_matrix(f) - a.detach()).square()",
        "(w * (gram_matrix(f) - a.detach())).square()",
        hint="You square the weight too: multiply by the weight after squaring.",
    ),
    mistake(
        "weights reversed",
        "zip(features, grams, weights, strict=True)",
        "zip(features, grams, tuple(weights)[::-1], strict=True)",
        hint="You use the weights in reverse order: weight i belongs to layer i.",
    ),
    *OF_THE_LAYERS,
    mistake("grams not cut off", "a.detach()", "a", hint="Gradients also reach the style's grams: detach them."),
    mistake("features cut off", "gram_matrix(f)", "gram_matrix(f).detach()", hint=NO_SLOPE),
    *OF_THE_NUMBER,
    mistake(
        "diagonal only",
        ".square().sum()",
        ".square().diagonal(dim1=1, dim2=2).sum()",
        hint="You compare only the diagonals of the matrices: sum over all entries.",
    ),
    mistake(
        "difference in the grams' memory",
        "(gram_matrix(f) - a.detach())",
        "(a.detach().sub_(gram_matrix(f)) if len(a) == len(f) else gram_matrix(f) - a.detach())",
        hint="sub_() overwrites the caller's grams: a detached tensor shares their memory.",
    ),
    mistake(
        "batch averaged first",
        "(gram_matrix(f) - a.detach()).square()",
        "((gram_matrix(f) - a.detach()).mean(0)[None] * torch.ones_like(gram_matrix(f))).square()",
        hint="You average the differences over the batch before you square: square first, then sum.",
    ),
    mistake(
        "first image only",
        "gram_matrix(f)",
        "gram_matrix(f[:1])",
        hint="You use only the first image of the batch: use all images.",
    ),
    mistake(
        "grams paired with images",
        "a.detach()",
        "a.detach()[[0] * len(f)]",
        hint="You compare every image with the first gram: if there are N, image i has gram i.",
    ),
    mistake(
        "gram of the gram",
        "(gram_matrix(f) - a.detach())",
        "(gram_matrix(f) - gram_matrix(a.detach()[:, :, :, None]))",
        hint="You compute the Gram matrix of the given grams: they are Gram matrices already.",
    ),
    mistake(
        "each pair once",
        "(gram_matrix(f) - a.detach()).square().sum()",
        "(gram_matrix(f) - a.detach()).triu().square().sum()",
        hint="You count each pair of channels once: sum over all entries (c, d), so (d, c) too.",
    ),
    mistake(
        "grams averaged over the batch",
        "gram_matrix(f)",
        "gram_matrix(f).mean(0, keepdim=True)",
        hint="You average the Gram matrices over the batch: compare each image's own.",
    ),
    mistake(
        "one gram, one image",
        "(gram_matrix(f) - a.detach()).square().sum()",
        "sum((g - b.detach()).square().sum() for g, b in zip(gram_matrix(f), a))",
        hint="If there is one gram for N images, you use the first image only: compare all with it.",
    ),
    mistake(
        "summed before squaring",
        "(gram_matrix(f) - a.detach()).square().sum()",
        "(gram_matrix(f) - a.detach()).sum().square()",
        hint="You sum the differences, then square: square each difference first.",
    ),
    mistake(
        "the paper's divisor",
        "(gram_matrix(f) - a.detach()).square().sum()",
        "(gram_matrix(f) - a.detach()).square().sum() / (4 * f.shape[1] ** 2 * f[0, 0].numel() ** 2)",
        hint="You divide by 4 C^2 (H W)^2, as the paper does: the Gram matrices are normalised already.",
    ),
)

VARIANTS = (
    variant(
        "loop",
        body="""
        total = 0
        for i, feature in enumerate(features):
            total += weights[i] * ((gram_matrix(feature) - grams[i].detach()) ** 2).sum()
        return total
        """,
    ),
    variant(
        "own Gram matrix",
        body="""
        total = torch.zeros((), dtype=features[0].dtype, device=features[0].device)
        for f, a, w in zip(features, grams, weights):
            n, c, h, v = f.shape
            flat = f.reshape(n, c, -1)
            total = total + w * torch.sum((flat @ flat.transpose(1, 2) / (c * h * v) - a.data) ** 2)
        return total
        """,
    ),
    variant(
        "image by image",
        body="""
        total = 0
        for f, a, w in zip(features, grams, weights):
            a = a.detach().expand(len(f), -1, -1)
            for i in range(len(f)):
                total = total + w * (gram_matrix(f[i : i + 1], normalize=True)[0] - a[i]).pow(2).sum()
        return total
        """,
    ),
    variant(
        "raw sums divided here",
        body="""
        terms = []
        for f, a, w in zip(features, grams, weights):
            gram = gram_matrix(f, normalize=False) / (f.shape[1] * f.shape[2] * f.shape[3])
            terms.append(w * torch.nn.functional.mse_loss(gram, a.detach().expand_as(gram), reduction="sum"))
        return sum(terms)
        """,
    ),
)
