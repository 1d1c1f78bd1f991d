"""Exercise pixel_cross_entropy: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import IGNORED

HINTS = (
    ("Each pixel is a classification of its own: take the log-probability of its label, over the axis of the classes."),
    (
        "An ignored label is no class and cannot pick a log-probability: let such a pixel pick any class, and make its "
        "loss 0 afterwards."
    ),
    (
        "Count the pixels that count; where there are none, divide by something that is not 0. The log-softmax of the "
        "library is safe for large scores."
    ),
    "L = (1 / max(1, M)) * sum over the M counted pixels of log(sum over k of exp z_k) - z_label",
)

MISTAKES = (
    mistake(
        "mean over all pixels",
        "counted.sum().clamp(min=1)",
        "labels.numel()",
        hint="The more pixels are ignored, the smaller your loss becomes.",
    ),
    mistake(
        "sum over the pixels",
        " / counted.sum().clamp(min=1)",
        "",
        hint="A larger picture has a larger loss in your version.",
    ),
    mistake(
        "mean over images",
        "return losses.where(counted, 0).sum() / counted.sum().clamp(min=1)",
        "return (losses.where(counted, 0).sum((1, 2)) / counted.sum((1, 2)).clamp(min=1)).mean()",
        hint="A picture with few counted pixels weighs as much as a full one.",
    ),
    mistake(
        "NaN where every pixel is ignored",
        "counted.sum().clamp(min=1)",
        "counted.sum()",
        hint="What is nothing divided by nothing?",
    ),
    mistake("ignored pixels count as class 0", "losses.where(counted, 0).sum()", "losses.sum()", hint=IGNORED),
    mistake(
        "only 255 is ignored",
        "counted = labels != ignore_index",
        "counted = (labels != 255) & (labels >= 0)",
        hint="Which label is ignored is the caller's choice.",
    ),
    mistake(
        "softmax over the columns",
        "log_softmax(dim=1)",
        "log_softmax(dim=3)",
        hint="Which axis are the classes, among which a pixel decides?",
    ),
    mistake(
        "no logarithm",
        "-logits.log_softmax(dim=1)",
        "-logits.softmax(dim=1)",
        hint="A sure mistake costs hardly more than an unsure one in your loss.",
    ),
    mistake("sign", "losses = -logits", "losses = logits", hint="Training on your loss makes the network worse."),
    mistake(
        "logarithm of the softmax overflows",
        "logits.log_softmax(dim=1)",
        "(logits.exp() / logits.exp().sum(dim=1, keepdim=True)).log()",
        hint="Try scores of thousands.",
    ),
    mistake(
        "labels edited",
        "labels.where(counted, 0)",
        "labels.masked_fill_(~counted, 0)",
        hint="After the call the masks hold another class where they said: do not count me.",
    ),
    mistake(
        "softmax twice",
        "logits.log_softmax(dim=1)",
        "logits.softmax(dim=1).log_softmax(dim=1)",
        hint="Scores become probabilities once.",
    ),
    mistake(
        "detached",
        "return losses.where",
        "return losses.detach().where",
        hint="Nothing can learn from your loss: follow it back to the scores.",
    ),
    mistake(
        "divided by the classes",
        "counted.sum().clamp(min=1)",
        "(counted.sum().clamp(min=1) * logits.shape[1])",
        hint="Your loss is divided by the number of classes as well: average over pixels alone.",
    ),
    mistake(
        "label smoothing",
        "return losses.where",
        "losses = 0.9 * losses - 0.1 * logits.log_softmax(dim=1).mean(dim=1)\n    return losses.where",
        hint="Your loss smooths the labels: the label's class alone counts.",
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
