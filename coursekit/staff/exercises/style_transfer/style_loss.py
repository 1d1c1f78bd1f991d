"""Exercise style_loss: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.style_transfer.shared import CONSTANT, NO_SLOPE, OF_THE_LAYERS, OF_THE_NUMBER

HINTS = (
    "It is the other loss once more, with another description of the layer.",
    "Describe each layer as the exercise before does, then compare with what was computed from the style picture.",
    "One style may stand for many images: its matrix has a first axis of one, and arithmetic stretches it.",
    "L = sum_i w_i sum over (n, c, d) of (G(F_i) - A_i)^2, with G(F) = F F^T / (C H W)",
)

MISTAKES = (
    mistake(
        "mean over entries",
        ".square().sum()",
        ".square().mean()",
        hint="Your loss does not grow with the number of pairs of channels: compare the symbol in front of the square with yours.",
    ),
    mistake(
        "mean over images",
        "w * (gram_matrix(f) - a.detach()).square().sum()",
        "w * (gram_matrix(f) - a.detach()).square().sum() / len(f)",
        hint="With several images your loss is too small: nothing here is shared out among the images.",
    ),
    mistake(
        "the paper's quarter",
        "w * (gram_matrix",
        "w / 4 * (gram_matrix",
        hint="The paper puts a factor in front that the lecture and the docstring leave out.",
    ),
    mistake(
        "not squared", ".square().sum()", ".norm()", hint="A distance twice as large should cost four times as much."
    ),
    mistake(
        "absolute difference",
        ".square().sum()",
        ".abs().sum()",
        hint="Your loss pulls equally hard near and far: look at its exponent.",
    ),
    mistake(
        "raw sums",
        "gram_matrix(f)",
        "gram_matrix(f, normalize=False)",
        hint="You compare sums with something that was divided: a larger picture looks like another style.",
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
        hint="You correlate the averages of the channels; what occurs at the same place is averaged away before it can meet.",
    ),
    mistake(
        "weights ignored",
        "w * (gram_matrix",
        "(gram_matrix",
        hint="All layers count the same with you, whatever their weight.",
    ),
    mistake(
        "weight squared too",
        "w * (gram_matrix(f) - a.detach()).square()",
        "(w * (gram_matrix(f) - a.detach())).square()",
        hint="A layer with half the weight counts a quarter with you: what stands under the square?",
    ),
    mistake(
        "weights reversed",
        "zip(features, grams, weights, strict=True)",
        "zip(features, grams, tuple(weights)[::-1], strict=True)",
        hint="Each weight meets another layer than the one at its own place.",
    ),
    *OF_THE_LAYERS,
    mistake("grams not cut off", "a.detach()", "a", hint=CONSTANT),
    mistake("features cut off", "gram_matrix(f)", "gram_matrix(f).detach()", hint=NO_SLOPE),
    *OF_THE_NUMBER,
    mistake(
        "diagonal only",
        ".square().sum()",
        ".square().diagonal(dim1=1, dim2=2).sum()",
        hint="You compare each channel with itself; texture is in what occurs together.",
    ),
    mistake(
        "difference in the grams' memory",
        "(gram_matrix(f) - a.detach())",
        "(a.detach().sub_(gram_matrix(f)) if len(a) == len(f) else gram_matrix(f) - a.detach())",
        hint="After the call the style holds something else: a detached tensor still lies in the same memory.",
    ),
    mistake(
        "batch averaged first",
        "(gram_matrix(f) - a.detach()).square()",
        "((gram_matrix(f) - a.detach()).mean(0)[None] * torch.ones_like(gram_matrix(f))).square()",
        hint="The style of one image makes up for that of another in your loss: each image is compared by itself.",
    ),
    mistake(
        "first image only",
        "gram_matrix(f)",
        "gram_matrix(f[:1])",
        hint="Only one image of the batch is compared with its style.",
    ),
    mistake(
        "grams paired with images",
        "a.detach()",
        "a.detach()[[0] * len(f)]",
        hint="All images are compared with the same matrix, also where each has one of its own.",
    ),
    mistake(
        "gram of the gram",
        "(gram_matrix(f) - a.detach())",
        "(gram_matrix(f) - gram_matrix(a.detach()[:, :, :, None]))",
        hint="What is given is a matrix of correlations already: you correlate it once more.",
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
