"""Exercise dice: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import ABSENT, BY_PREDICTION, SMALL_COUNTER, of_a_class_mean

HINTS = (
    "As in mean_iou, but the denominator is the sum of both sizes.",
    "Leave out classes whose sizes sum to 0, and average over the others.",
    "D_k = 2 * M[k, k] / (sum of row k + sum of column k)",
)

MISTAKES = (
    mistake(
        "counted in sixteen bits",
        "ignore_index=ignore_index).float()",
        "ignore_index=ignore_index).short().float()",
        hint=SMALL_COUNTER,
    ),
    mistake("absent classes count with 0", "[sizes > 0].mean()", ".nan_to_num(0).mean()", hint=ABSENT),
    *of_a_class_mean("2 * matrix.diagonal() / sizes", "sizes", "ignore_index=ignore_index"),
    mistake(
        "divided by the truth alone",
        "/ sizes)",
        "/ (2 * matrix.sum(dim=1)).clamp(min=1))",
        hint="You divide by the true pixels only: divide by the sizes of prediction and truth together.",
    ),
    mistake(
        "factor 2 forgotten",
        "(2 * matrix.diagonal() / sizes)",
        "(matrix.diagonal() / sizes)",
        hint="The factor 2 is missing: a perfect prediction must get 1.",
    ),
    mistake(
        "intersection over union",
        "(2 * matrix.diagonal() / sizes)",
        "(matrix.diagonal() / (sizes - matrix.diagonal()))",
        hint="You compute intersection over union: Dice is 2 * intersection / (both sizes together).",
    ),
    mistake(
        "squared sizes",
        "sizes = matrix.sum(dim=0) + matrix.sum(dim=1)",
        "sizes = matrix.sum(dim=0) ** 2 + matrix.sum(dim=1) ** 2",
        hint="You square the sizes, as Milletari et al. 2016 square probabilities: add them without squares.",
    ),
    mistake(
        "mean over images for each class",
        body="""
        scores = []
        for k in range(num_classes):
            alone = []
            for p, y in zip(predictions, labels):
                p, t = (p == k) & (y != ignore_index), y == k
                t = t & (y != ignore_index)
                if (p | t).any():
                    alone.append(2 * (p & t).sum().double() / (p.sum() + t.sum()))
            if alone:
                scores.append(torch.stack(alone).mean())
        return torch.stack(scores).mean() if scores else torch.tensor(torch.nan)
        """,
        hint="You average each class's scores over the images: count the pixels of all images together.",
    ),
    mistake(
        "one-hot before ignoring",
        body="""
        counted = (labels != ignore_index)[..., None]
        truth = F.one_hot(labels.where(labels != ignore_index, 0), num_classes) * counted
        guess = F.one_hot(predictions, num_classes) * counted
        inter, sizes = (truth * guess).sum((0, 1, 2)), (truth + guess).sum((0, 1, 2))
        return (2 * inter / sizes)[sizes > 0].mean()
        """,
        hint="You encode ignored pixels too, whose prediction may be no class: select the counted pixels first.",
    ),
    mistake(
        "ignored by the prediction as well",
        body="""
        counted = (labels != ignore_index) & (predictions != ignore_index)
        pairs = num_classes * labels[counted] + predictions[counted]
        matrix = pairs.bincount(minlength=num_classes**2).view(num_classes, num_classes).double()
        inter, sizes = matrix.diagonal(), matrix.sum(dim=0) + matrix.sum(dim=1)
        return (2 * inter / sizes)[sizes > 0].mean()
        """,
        hint=BY_PREDICTION,
    ),
    mistake(
        "from the mean of intersection over union",
        "return (2 * matrix.diagonal() / sizes)[sizes > 0].mean()",
        "iou = (matrix.diagonal() / (sizes - matrix.diagonal()))[sizes > 0].mean()\n    return 2 * iou / (1 + iou)",
        hint="You convert the mean IoU: convert the IoU of each class, then average.",
    ),
    mistake(
        "divided by the union",
        "matrix.sum(dim=0) + matrix.sum(dim=1)",
        "matrix.sum(dim=0) + matrix.sum(dim=1) - matrix.diagonal()",
        hint="You divide by the union: divide by the sum of the two sizes.",
    ),
    mistake(
        "NaN of absent classes",
        "[sizes > 0].mean()",
        ".mean()",
        hint="A class that is neither in labels nor in predictions gives 0 / 0: leave it out of the mean.",
    ),
)

VARIANTS = (
    variant(
        "loop over classes",
        body="""
        keep = labels != ignore_index
        found = []
        for k in range(num_classes):
            a, b = (predictions == k) & keep, (labels == k) & keep
            size = a.sum() + b.sum()
            if size > 0:
                found.append(2 * (a & b).sum() / size)
        return torch.stack(found).mean() if found else torch.tensor(torch.nan)
        """,
    ),
    variant(
        "from intersection over union",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).double()
        iou = m.diag() / (m.sum(0) + m.sum(1) - m.diag())
        return (2 * iou / (1 + iou)).nanmean()
        """,
    ),
    variant(
        "true and false positives",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).float()
        tp = m.diagonal()
        fp, fn = m.sum(dim=0) - tp, m.sum(dim=1) - tp
        score = 2 * tp / (2 * tp + fp + fn)
        return score[~score.isnan()].mean()
        """,
    ),
)
