"""Exercise frequency_weighted_iou: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import EMPTY, SMALL_COUNTER

HINTS = (
    "An average of the classes' intersections over unions, in which a class weighs as much as it has true pixels.",
    (
        "The weights are the rows' sums over the sum of everything. A class that is not there has weight 0; take care "
        "that 0 / 0 does not come in by it."
    ),
    "fwIoU = (sum over k of T_k * M[k, k] / U_k) / (sum over k of T_k), with T_k = sum of row k",
)

MISTAKES = (
    mistake(
        "counted in sixteen bits",
        "ignore_index=ignore_index).double()",
        "ignore_index=ignore_index).short().double()",
        hint=SMALL_COUNTER,
    ),
    mistake(
        "plain mean",
        "return (truth * matrix.diagonal() / union.clamp(min=1)).sum() / matrix.sum()",
        "return (matrix.diagonal() / union)[union > 0].mean()",
        hint="Small classes weigh as much as large ones in your version.",
    ),
    mistake(
        "weighted by the predictions",
        "(truth * matrix",
        "(matrix.sum(dim=0) * matrix",
        hint="Whose pixels give the weight: the truth's or the network's?",
    ),
    mistake(
        "weighted by the union",
        "(truth * matrix.diagonal() / union.clamp(min=1))",
        "matrix.diagonal()",
        hint="What you compute is the share of right pixels.",
    ),
    mistake(
        "background left out",
        "return (truth * matrix",
        "matrix[0] = 0; truth = matrix.sum(dim=1)\n    return (truth * matrix",
        hint="Class 0 is a class.",
    ),
    mistake("weights do not sum to 1", "/ matrix.sum()", "/ truth.max()", hint="Add up your weights."),
    mistake(
        "NaN of absent classes",
        "union.clamp(min=1)",
        "union",
        hint="A class that occurs nowhere makes your score undefined.",
    ),
    mistake(
        "ignore_index not passed on",
        "ignore_index=ignore_index",
        "ignore_index=255",
        hint="Which label is ignored is the caller's choice.",
    ),
    mistake(
        "divided by all pixels", "/ matrix.sum()", "/ labels.numel()", hint="Ignored pixels are in your denominator."
    ),
    mistake(
        "intersection counted twice in the union",
        " - matrix.diagonal()",
        "",
        hint="Even a perfect prediction does not reach 1: count the pixels in both once.",
    ),
    mistake("0 where no pixel counts", "/ matrix.sum()", "/ matrix.sum().clamp(min=1)", hint=EMPTY),
    mistake(
        "divided by the classes",
        "/ matrix.sum()",
        "/ matrix.sum() / num_classes",
        hint="Your score is divided by the number of classes: the weights already sum to 1.",
    ),
)

VARIANTS = (
    variant(
        "loop over classes",
        body="""
        keep = labels != ignore_index
        total = torch.zeros((), dtype=torch.float64)
        for k in range(num_classes):
            a, b = (predictions == k) & keep, (labels == k) & keep
            if b.any():
                total = total + b.sum() * (a & b).sum() / (a | b).sum()
        return total / keep.sum()
        """,
    ),
    variant(
        "nansum of weight times ratio",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).double()
        weight = m.sum(1) / m.sum()
        iou = m.diag() / (m.sum(0) + m.sum(1) - m.diag())
        return (weight * iou.nan_to_num(0)).sum()
        """,
    ),
    variant(
        "only classes that are there",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).float()
        there = m.sum(1) > 0
        union = m.sum(0) + m.sum(1) - m.diag()
        parts = m.sum(1)[there] * m.diag()[there] / union[there]
        return parts.sum() / m.sum()
        """,
    ),
)
