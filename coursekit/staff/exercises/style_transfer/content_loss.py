"""Exercise content_loss: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.style_transfer.shared import NO_SLOPE, OF_THE_LAYERS, OF_THE_NUMBER

HINTS = (
    (
        "Two images have the same content if a layer gives the same output for both, position by position. How far apart are the outputs?"
    ),
    (
        "For each layer: take the difference, square it, sum over everything. Multiply by the layer's weight, then add the layers."
    ),
    ("Gradients go to the features only. The targets are constants: autograd must know that."),
    "L = sum_i w_i sum over (n, c, y, x) of (F_i - P_i)^2, dL / dF_i = 2 w_i (F_i - P_i), dL / dP_i = 0",
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
        "w * (f - p.detach()).square().sum()",
        "w * (f - p.detach()).square().sum() / len(f)",
        hint="You divide by the number of images: sum over the batch.",
    ),
    mistake(
        "halved",
        "w * (f",
        "0.5 * w * (f",
        hint="You multiply by 1/2, as Gatys et al. 2015 do: leave the factor out.",
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
        "weight squared too",
        "w * (f - p.detach()).square()",
        "(w * (f - p.detach())).square()",
        hint="You square the weight too: multiply by the weight after squaring.",
    ),
    mistake(
        "weights ignored", "w * (f", "(f", hint="You ignore the weights: multiply each layer's term by its weight."
    ),
    mistake(
        "weights shared out",
        "torch.stack(terms).sum()",
        "torch.stack(terms).sum() / sum(weights)",
        hint="You divide by the sum of the weights: leave this division out.",
    ),
    *OF_THE_LAYERS,
    mistake("targets not cut off", "p.detach()", "p", hint="Gradients also reach the targets: detach them."),
    mistake("features cut off", "(f - p.detach())", "(f.detach() - p.detach())", hint=NO_SLOPE),
    mistake(
        "only the first layer's slope",
        "w * (f - p.detach()).square().sum() for f, p, w in zip(features, targets, weights, strict=True)",
        "w * ((f if f is features[0] else f.detach()) - p.detach()).square().sum() for f, p, w in "
        "zip(features, targets, weights, strict=True)",
        hint="You detach the features of all layers but the first: gradients must reach every layer.",
    ),
    *OF_THE_NUMBER,
    mistake(
        "mean over channels",
        ".square().sum()",
        ".square().mean(1).sum()",
        hint="You average over the channels: sum over them.",
    ),
    mistake(
        "first image only",
        "(f - p.detach())",
        "(f[0] - p[0].detach())",
        hint="You use only the first image of the batch: use all images.",
    ),
    mistake(
        "targets cut off for everybody",
        "p.detach()",
        "p.detach_()",
        hint="detach_() changes the caller's targets: detach into a tensor of your own.",
    ),
    mistake(
        "difference in the targets' memory",
        "(f - p.detach())",
        "p.detach().sub_(f)",
        hint="sub_() overwrites the caller's targets: a detached tensor shares their memory.",
    ),
    mistake(
        "weights reversed",
        "zip(features, targets, weights, strict=True)",
        "zip(features, targets, tuple(weights)[::-1], strict=True)",
        hint="You use the weights in reverse order: weight i belongs to layer i.",
    ),
    mistake(
        "batch averaged first",
        "(f - p.detach()).square()",
        "(f - p.detach()).mean(0)[None].expand_as(f).square()",
        hint="You average the differences over the batch before you square: square first, then sum.",
    ),
    mistake(
        "squared in place",
        "(f - p.detach()).square().sum()",
        "f.data.sub_(p.detach()).square().sum() + 0 * f.sum()",
        hint="sub_() overwrites the caller's features: compute the difference as a new tensor.",
    ),
    mistake(
        "root of the sum",
        "torch.stack(terms).sum()",
        "torch.stack(terms).sum().sqrt()",
        hint="You take the square root at the end: return the sum of squares.",
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
