"""Exercise mean_iou: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import ABSENT, BY_PREDICTION, SMALL_COUNTER, of_a_class_mean

HINTS = (
    (
        "Each class needs three counts: its true pixels, its predicted pixels, and the pixels in both. In the confusion matrix these are a row sum, a column sum, and the diagonal."
    ),
    "The union is both counts together, with the pixels in both counted once.",
    (
        "Average over the classes whose union is not 0. The mean of an empty tensor is NaN by itself. An empty list of tensors cannot be stacked."
    ),
    "IoU_k = M[k, k] / (sum of row k + sum of column k - M[k, k])",
)

MISTAKES = (
    mistake("counted in sixteen bits", ".float()  # (truth", ".short().float()  # (truth", hint=SMALL_COUNTER),
    mistake(
        "absent classes count with 0", "[union > 0].mean()", ".nan_to_num(0).mean() + 0 * union.sum()", hint=ABSENT
    ),
    *of_a_class_mean("matrix.diagonal() / union", "union", "labels != ignore_index"),
    mistake(
        "divided by the truth alone",
        "/ union)",
        "/ matrix.sum(dim=1).clamp(min=1))",
        hint="You divide by the true pixels only: divide by the union.",
    ),
    mistake(
        "intersection counted twice in the union",
        " - matrix.diagonal()",
        "",
        hint="Your union counts the intersection twice: subtract it once.",
    ),
    mistake(
        "dice",
        "(matrix.diagonal() / union)",
        "(2 * matrix.diagonal() / (union + matrix.diagonal()))",
        hint="You compute Dice: IoU is intersection / union.",
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
                    alone.append((p & t).sum().double() / ((p | t).sum()))
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
        return (inter / (sizes - inter))[sizes > 0].mean()
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
        return (inter / (sizes - inter))[sizes > 0].mean()
        """,
        hint=BY_PREDICTION,
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
