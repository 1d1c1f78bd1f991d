"""Exercise pixel_cross_entropy: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    ("Each pixel is classified by itself: take the log-probability of its label, over the class axis."),
    (
        "An ignored label is no class and has no log-probability. Let such a pixel take any class, and set its loss to 0 afterwards."
    ),
    (
        "Divide by the number of counted pixels. If there is none, divide by 1. Torch's log-softmax is safe for large logits."
    ),
    "L = (1 / max(1, M)) * sum over the M counted pixels of log(sum over k of exp z_k) - z_label",
)

MISTAKES = (
    mistake(
        "one maximum for all pixels",
        "logits.log_softmax(dim=1)",
        "(logits - logits.max() - (logits - logits.max()).exp().sum(dim=1, keepdim=True).log())",
        hint="You subtract one maximum from all pixels: far below it, exp gives 0 and its log is infinite.",
    ),
    mistake(
        "mean over all pixels",
        "counted.sum().clamp(min=1)",
        "labels.numel()",
        hint="You divide by all pixels, ignored ones too: divide by the counted pixels.",
    ),
    mistake(
        "sum over the pixels",
        " / counted.sum().clamp(min=1)",
        "",
        hint="You sum over the pixels: divide by the number of counted pixels.",
    ),
    mistake(
        "mean over images",
        "return losses.where(counted, 0).sum() / counted.sum().clamp(min=1)",
        "return (losses.where(counted, 0).sum((1, 2)) / counted.sum((1, 2)).clamp(min=1)).mean()",
        hint="You average per image first: average over all counted pixels of the batch.",
    ),
    mistake(
        "NaN where every pixel is ignored",
        "counted.sum().clamp(min=1)",
        "counted.sum()",
        hint="If every pixel is ignored, you compute 0 / 0: return 0.",
    ),
    mistake(
        "ignored pixels count as class 0",
        "losses.where(counted, 0).sum()",
        "losses.sum()",
        hint="Ignored pixels still count, as some class: set their loss to 0.",
    ),
    mistake(
        "only 255 is ignored",
        "counted = labels != ignore_index",
        "counted = (labels != 255) & (labels >= 0)",
        hint="You ignore label 255, or labels that are no class: ignore_index alone decides.",
    ),
    mistake(
        "softmax over the columns",
        "log_softmax(dim=1)",
        "log_softmax(dim=3)",
        hint="Your softmax runs over the columns of the image: use the class axis.",
    ),
    mistake(
        "no logarithm",
        "-logits.log_softmax(dim=1)",
        "-logits.softmax(dim=1)",
        hint="You use probabilities: use their logarithms.",
    ),
    mistake(
        "sign",
        "losses = -logits",
        "losses = logits",
        hint="Your loss has the wrong sign: it must be minus the log-probability.",
    ),
    mistake(
        "logarithm of the softmax overflows",
        "logits.log_softmax(dim=1)",
        "(logits.exp() / logits.exp().sum(dim=1, keepdim=True)).log()",
        hint="exp() overflows for large logits: use torch's log-softmax.",
    ),
    mistake(
        "labels edited",
        "labels.where(counted, 0)",
        "labels.masked_fill_(~counted, 0)",
        hint="You overwrite the caller's labels in place: compute a new tensor.",
    ),
    mistake(
        "softmax twice",
        "logits.log_softmax(dim=1)",
        "logits.softmax(dim=1).log_softmax(dim=1)",
        hint="You apply the softmax twice: apply log_softmax to the logits themselves.",
    ),
    mistake(
        "detached",
        "return losses.where",
        "return losses.detach().where",
        hint="You detach the losses: gradients must reach the logits.",
    ),
    mistake(
        "divided by the classes",
        "counted.sum().clamp(min=1)",
        "(counted.sum().clamp(min=1) * logits.shape[1])",
        hint="You also divide by the number of classes: divide by the number of counted pixels only.",
    ),
    mistake(
        "label smoothing",
        "return losses.where",
        "losses = 0.9 * losses - 0.1 * logits.log_softmax(dim=1).mean(dim=1)\n    return losses.where",
        hint="You smooth the labels: use the log-probability of the label's class only.",
    ),
    mistake(
        "ignored pixels count as the last class",
        "labels.where(counted, 0)",
        "labels.clamp(0, logits.shape[1] - 1)",
        "losses.where(counted, 0).sum()",
        "losses.sum()",
        hint="Ignored pixels still count, as some class: set their loss to 0.",
    ),
    mistake(
        "one pixel more",
        "counted.sum().clamp(min=1)",
        "(counted.sum() + 1)",
        hint="You add 1 to the number of counted pixels: divide by the number itself, or by 1 if none.",
    ),
    mistake(
        "an epsilon in the logarithm",
        "logits.log_softmax(dim=1)",
        "(logits.softmax(dim=1) + 1e-8).log()",
        hint="You add an epsilon to the probabilities: use torch's log-softmax.",
    ),
    mistake(
        "a constant where every pixel is ignored",
        "return losses.where",
        "if not counted.any():\n        return torch.tensor(0.0, dtype=logits.dtype)\n    return losses.where",
        hint="If every pixel is ignored, you return a constant: return a 0 that is joined to the logits.",
    ),
    mistake(
        "softmax over the batch",
        "log_softmax(dim=1)",
        "log_softmax(dim=0)",
        hint="Your softmax runs over the images of the batch: use the class axis.",
    ),
    mistake(
        "255 always ignored",
        "counted = labels != ignore_index",
        "counted = labels != 255",
        hint="You always ignore label 255: use ignore_index.",
    ),
)

VARIANTS = (
    variant(
        "torch's own, summed",
        body="""
        total = F.cross_entropy(logits, labels, ignore_index=ignore_index, reduction="sum")
        return total / max(1, int((labels != ignore_index).sum()))
        """,
    ),
    variant(
        "only the counted pixels",
        body="""
        rows = logits.movedim(1, -1)[labels != ignore_index]
        targets = labels[labels != ignore_index]
        if len(targets) == 0:
            return (logits * 0).sum()
        return (rows.logsumexp(dim=1) - rows[torch.arange(len(rows)), targets]).mean()
        """,
    ),
    variant(
        "one-hot, the maximum taken off",
        body="""
        keep = labels != ignore_index
        shifted = logits - logits.detach().amax(1, keepdim=True)
        log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
        hot = F.one_hot(torch.where(keep, labels, 0), logits.shape[1]).movedim(-1, 1) * keep[:, None]
        return -(log_p * hot).sum() / torch.clamp(keep.sum(), min=1)
        """,
    ),
)
