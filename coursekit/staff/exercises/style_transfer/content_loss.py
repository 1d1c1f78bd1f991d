"""Exercise content_loss: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.style_transfer.shared import CONSTANT, NO_SLOPE, OF_THE_LAYERS, OF_THE_NUMBER

HINTS = (
    (
        "Two pictures show the same thing if a layer answers the same to both, place by place. How far apart are the "
        "answers?"
    ),
    (
        "For each layer one number: difference, square, sum over everything. Then the layers' numbers, each times its "
        "weight, are added."
    ),
    (
        "The features follow the picture; what they are compared with stands still. Make sure that autograd knows "
        "which is which."
    ),
    "L = sum_i w_i sum over (n, c, y, x) of (F_i - P_i)^2, dL / dF_i = 2 w_i (F_i - P_i), dL / dP_i = 0",
)

MISTAKES = (
    mistake(
        "mean over entries",
        ".square().sum()",
        ".square().mean()",
        hint="Your loss does not grow with the number of entries: compare the symbol in front of the square with yours.",
    ),
    mistake(
        "mean over images",
        "w * (f - p.detach()).square().sum()",
        "w * (f - p.detach()).square().sum() / len(f)",
        hint="With several images your loss is too small: nothing here is shared out among the images.",
    ),
    mistake(
        "halved",
        "w * (f",
        "0.5 * w * (f",
        hint="The paper puts a factor in front that the lecture and the docstring leave out.",
    ),
    mistake("not squared", ".square().sum()", ".norm()", hint="A shift twice as large should cost four times as much."),
    mistake(
        "absolute difference",
        ".square().sum()",
        ".abs().sum()",
        hint="Your loss pulls equally hard near and far: look at its exponent.",
    ),
    mistake(
        "weight squared too",
        "w * (f - p.detach()).square()",
        "(w * (f - p.detach())).square()",
        hint="A layer with half the weight counts a quarter with you: what stands under the square?",
    ),
    mistake("weights ignored", "w * (f", "(f", hint="All layers count the same with you, whatever their weight."),
    mistake(
        "weights shared out",
        "torch.stack(terms).sum()",
        "torch.stack(terms).sum() / sum(weights)",
        hint="The weights are factors, not shares: they need not add up to anything.",
    ),
    *OF_THE_LAYERS,
    mistake("targets not cut off", "p.detach()", "p", hint=CONSTANT),
    mistake("features cut off", "(f - p.detach())", "(f.detach() - p.detach())", hint=NO_SLOPE),
    mistake(
        "only the first layer's slope",
        "w * (f - p.detach()).square().sum() for f, p, w in zip(features, targets, weights, strict=True)",
        "w * ((f if f is features[0] else f.detach()) - p.detach()).square().sum() for f, p, w in "
        "zip(features, targets, weights, strict=True)",
        hint="The value counts all layers, but only one of them sends its slope back.",
    ),
    *OF_THE_NUMBER,
    mistake(
        "mean over channels",
        ".square().sum()",
        ".square().mean(1).sum()",
        hint="A layer with more channels counts no more than one with few: over which axes do you add?",
    ),
    mistake(
        "first image only",
        "(f - p.detach())",
        "(f[0] - p[0].detach())",
        hint="Only one image of the batch is looked at.",
    ),
    mistake(
        "targets cut off for everybody",
        "p.detach()",
        "p.detach_()",
        hint="What you were lent comes back without its history: make a constant of your own instead.",
    ),
    mistake(
        "difference in the targets' memory",
        "(f - p.detach())",
        "p.detach().sub_(f)",
        hint="After the call the targets hold something else: a detached tensor still lies in the same memory.",
    ),
    mistake(
        "weights reversed",
        "zip(features, targets, weights, strict=True)",
        "zip(features, targets, tuple(weights)[::-1], strict=True)",
        hint="Each weight meets another layer than the one at its own place.",
    ),
    mistake(
        "batch averaged first",
        "(f - p.detach()).square()",
        "(f - p.detach()).mean(0)[None].expand_as(f).square()",
        hint="Opposite differences of two images cancel in your loss: square before anything is put together.",
    ),
    mistake(
        "squared in place",
        "(f - p.detach()).square().sum()",
        "f.data.sub_(p.detach()).square().sum() + 0 * f.sum()",
        hint="After the call the features hold something else: you work in the memory that was lent to you.",
    ),
    mistake(
        "root of the sum",
        "torch.stack(terms).sum()",
        "torch.stack(terms).sum().sqrt()",
        hint="You take a root at the end: the loss is the squared distance itself.",
    ),
    mistake(
        "divided by 4 C H W",
        "(f - p.detach()).square().sum()",
        "(f - p.detach()).square().sum() / (4 * f.shape[1] * f[0, 0].numel())",
        hint="You divide by 4 C H W, as some implementations do: here nothing is divided.",
    ),
)

VARIANTS = (
    variant(
        "loop",
        body="""
        total = 0
        for i in range(len(features)):
            total = total + weights[i] * torch.sum((features[i] - targets[i].detach()) ** 2)
        return total
        """,
    ),
    variant(
        "mse",
        body="""
        mse = torch.nn.functional.mse_loss
        return sum(mse(f, p.detach(), reduction="sum") * w for f, p, w in zip(features, targets, weights))
        """,
    ),
    variant(
        "expanded square",
        body="""
        total = features[0].new_zeros(())
        for feature, target, weight in zip(features, targets, weights):
            f, p = feature.flatten(), target.detach().flatten()
            total = total + weight * (f @ f - 2 * (f @ p) + p @ p)
        return total
        """,
    ),
    variant(
        "norms over one long vector",
        body="""
        parts = [(f - p.data).reshape(-1) * abs(w) ** 0.5 for f, p, w in zip(features, targets, weights)]
        signs = [torch.sign(torch.tensor(float(w))).item() for w in weights]
        return sum(s * part.dot(part) for s, part in zip(signs, parts))
        """,
    ),
)
