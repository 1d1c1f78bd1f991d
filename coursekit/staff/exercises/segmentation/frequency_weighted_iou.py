"""Exercise frequency_weighted_iou: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import BY_PREDICTION, EMPTY, PER_IMAGE, SMALL_COUNTER

HINTS = (
    "Average the classes' IoU. The weight of a class is its number of true pixels.",
    (
        "The weights are the row sums divided by the sum of the matrix. A class that does not occur has weight 0: keep 0 / 0 out of its term."
    ),
    "fwIoU = (sum over k of T_k * M[k, k] / U_k) / (sum over k of T_k), with T_k = sum of row k",
)

MISTAKES = (
    mistake(
        "counted in sixteen bits",
        "ignore_index=ignore_index).float()",
        "ignore_index=ignore_index).short().float()",
        hint=SMALL_COUNTER,
    ),
    mistake(
        "plain mean",
        "return (truth * matrix.diagonal() / union.clamp(min=1)).sum() / matrix.sum()",
        "return (matrix.diagonal() / union)[union > 0].mean()",
        hint="You weight all classes equally: weight each by the number of pixels with that label.",
    ),
    mistake(
        "weighted by the predictions",
        "(truth * matrix",
        "(matrix.sum(dim=0) * matrix",
        hint="You weight by the predicted pixels: weight by the true pixels.",
    ),
    mistake(
        "weighted by the union",
        "(truth * matrix.diagonal() / union.clamp(min=1))",
        "matrix.diagonal()",
        hint="You compute pixel accuracy: divide each intersection by its union.",
    ),
    mistake(
        "background left out",
        "return (truth * matrix",
        "matrix[0] = 0; truth = matrix.sum(dim=1)\n    return (truth * matrix",
        hint="You leave out class 0: it counts like any other class.",
    ),
    mistake(
        "weights do not sum to 1",
        "/ matrix.sum()",
        "/ truth.max()",
        hint="You divide by the largest class: divide by the number of all counted pixels.",
    ),
    mistake(
        "NaN of absent classes",
        "union.clamp(min=1)",
        "union",
        hint="A class that does not occur gives 0 / 0 = NaN: its term must be 0.",
    ),
    mistake(
        "ignore_index not passed on",
        "ignore_index=ignore_index",
        "ignore_index=255",
        hint="You always ignore label 255: use ignore_index.",
    ),
    mistake(
        "divided by all pixels",
        "/ matrix.sum()",
        "/ labels.numel()",
        hint="You divide by all pixels, ignored ones too: divide by the counted pixels.",
    ),
    mistake(
        "intersection counted twice in the union",
        " - matrix.diagonal()",
        "",
        hint="Your union counts the intersection twice: subtract it once.",
    ),
    mistake("0 where no pixel counts", "/ matrix.sum()", "/ matrix.sum().clamp(min=1)", hint=EMPTY),
    mistake(
        "divided by the classes",
        "/ matrix.sum()",
        "/ matrix.sum() / num_classes",
        hint="You also divide by the number of classes: leave this division out.",
    ),
    mistake(
        "weighted by one over the truth",
        "return (truth * matrix.diagonal() / union.clamp(min=1)).sum() / matrix.sum()",
        "weight = torch.where(truth > 0, 1 / truth, 0)\n"
        "    score = (weight * matrix.diagonal() / union.clamp(min=1)).sum() / weight.sum()\n"
        "    return score",
        hint="You weight by 1 / true pixels: weight each class by its true pixels.",
    ),
    mistake(
        "mean over images",
        body="""
        scores = []
        for p, y in zip(predictions, labels):
            matrix = confusion_matrix(p[None], y[None], num_classes, ignore_index=ignore_index).double()
            union = matrix.sum(dim=0) + matrix.sum(dim=1) - matrix.diagonal()
            scores.append((matrix.sum(dim=1) * matrix.diagonal() / union.clamp(min=1)).sum() / matrix.sum())
        return torch.stack(scores).mean()
        """,
        hint=PER_IMAGE,
    ),
    mistake(
        "ignored by the prediction as well",
        "matrix = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).float()",
        "matrix = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).float()\n"
        "    if 0 <= ignore_index < num_classes:\n        matrix[:, ignore_index] = 0",
        hint=BY_PREDICTION,
    ),
    mistake(
        "frequencies of the unions",
        "(truth * matrix.diagonal() / union.clamp(min=1)).sum() / matrix.sum()",
        "matrix.diagonal().sum() / union.sum()",
        hint="You weight each class by its union: weight it by its true pixels.",
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
