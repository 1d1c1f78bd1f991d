"""Exercise mean_iou: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import ABSENT, SMALL_COUNTER, of_a_class_mean

HINTS = (
    (
        "Each class needs three numbers: its pixels in the truth, its pixels in the prediction, and those in both. "
        "Count them class by class, or find them in the confusion matrix: a row's sum, a column's sum, the diagonal."
    ),
    "The union has both, and the pixels in both only once.",
    (
        "Average over the classes that have a union at all, found or not. The mean of an empty tensor is NaN by "
        "itself; an empty list of tensors cannot be stacked."
    ),
    "IoU_k = M[k, k] / (sum of row k + sum of column k - M[k, k])",
)

MISTAKES = (
    mistake("counted in sixteen bits", ".double()  # (truth", ".short().double()  # (truth", hint=SMALL_COUNTER),
    mistake(
        "absent classes count with 0", "[union > 0].mean()", ".nan_to_num(0).mean() + 0 * union.sum()", hint=ABSENT
    ),
    *of_a_class_mean("matrix.diagonal() / union", "union", "labels != ignore_index"),
    mistake(
        "divided by the truth alone",
        "/ union)",
        "/ matrix.sum(dim=1).clamp(min=1))",
        hint="A network that calls everything a cat finds all cats: who pays for the rest?",
    ),
    mistake(
        "intersection counted twice in the union",
        " - matrix.diagonal()",
        "",
        hint="Even a perfect prediction does not reach 1: count the pixels in both once.",
    ),
    mistake(
        "dice",
        "(matrix.diagonal() / union)",
        "(2 * matrix.diagonal() / (union + matrix.diagonal()))",
        hint="That is the other overlap score, which is never smaller.",
    ),
)

VARIANTS = (
    variant(
        "loop over classes",
        body="""
        keep = labels != ignore_index
        ious = []
        for k in range(num_classes):
            a, b = (predictions == k) & keep, (labels == k) & keep
            if (a | b).any():
                ious.append((a & b).sum().double() / (a | b).sum())
        return torch.stack(ious).mean() if ious else torch.tensor(float("nan"), dtype=torch.float64)
        """,
    ),
    variant(
        "nanmean",
        body="""
        m = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index)
        return (m.diag() / (m.sum(0) + m.sum(1) - m.diag())).nanmean()
        """,
    ),
    variant(
        "one-hot masks",
        body="""
        keep = (labels != ignore_index).flatten()
        p = F.one_hot(predictions.flatten()[keep], num_classes).bool()
        t = F.one_hot(labels.flatten()[keep], num_classes).bool()
        inter, union = (p & t).sum(0).double(), (p | t).sum(0).double()
        return (inter[union > 0] / union[union > 0]).mean()
        """,
    ),
)
