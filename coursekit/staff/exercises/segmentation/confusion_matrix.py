"""Exercise confusion_matrix: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import BY_PREDICTION, SMALL_COUNTER

HINTS = (
    (
        "The true class and the predicted class name a cell of a K x K table. Which single number names this cell, if you count along the rows?"
    ),
    (
        "Select the counted pixels first, by their label alone. Then count how often each cell's number occurs. Cells that never occur need a 0."
    ),
    "M[t, p] = number of pixels with label t and prediction p",
)

MISTAKES = (
    mistake(
        "counted in eight bits",
        ".view(num_classes, num_classes)",
        ".view(num_classes, num_classes).to(torch.uint8).long()",
        hint=SMALL_COUNTER,
    ),
    mistake(
        "transposed",
        "labels * num_classes + predictions",
        "predictions * num_classes + labels",
        hint="Your matrix is transposed: rows are the true classes, columns the predictions.",
    ),
    mistake(
        "ignored pixels counted",
        "counted = labels != ignore_index",
        "counted = labels >= 0",
        "pairs = (labels",
        "pairs = (labels.clamp(max=num_classes - 1)",
        hint="Pixels whose label is ignore_index still enter your count: select the counted pixels first.",
    ),
    mistake(
        "ignored by the prediction as well",
        "counted = labels != ignore_index",
        "counted = (labels != ignore_index) & (predictions != ignore_index)",
        hint=BY_PREDICTION,
    ),
    mistake(
        "only 255 is ignored",
        "counted = labels != ignore_index",
        "counted = (labels != 255) & (labels >= 0)",
        hint="You ignore label 255, or labels that are no class: ignore_index alone decides.",
    ),
    mistake(
        "only the first image",
        "counted = labels != ignore_index",
        "labels, predictions = labels[:1], predictions[:1]\n    counted = labels != ignore_index",
        hint="You count only the first image: count all images.",
    ),
    mistake(
        "as shares",
        ".view(num_classes, num_classes)",
        ".view(num_classes, num_classes) / max(1, len(pairs))",
        hint="Your counts are floating-point numbers: return int64, not divided by anything.",
    ),
    mistake(
        "only as large as the classes that occur",
        "minlength=num_classes**2).view(num_classes, num_classes)",
        "minlength=num_classes**2).view(num_classes, num_classes)[labels[counted].unique()]",
        hint="You leave out rows of classes that do not occur: return all K rows.",
    ),
    mistake(
        "right pixels only",
        ".view(num_classes, num_classes)",
        ".view(num_classes, num_classes).diagonal().diag()",
        hint="You keep only the diagonal: count wrong predictions too.",
    ),
    mistake(
        "a pixel only once",
        ".view(num_classes, num_classes)",
        ".view(num_classes, num_classes).clamp(max=1)",
        hint="No entry of your matrix exceeds 1: count every pixel (indexing with += counts a cell once).",
    ),
    mistake(
        "labels edited",
        "counted = labels != ignore_index",
        "labels[labels == ignore_index] = 0\n    counted = labels != ignore_index",
        hint="You write into the caller's labels: leave them unchanged.",
    ),
    mistake(
        "both ways",
        ".view(num_classes, num_classes)",
        ".view(num_classes, num_classes).add(torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes).T)",
        hint="You add the transposed matrix: count each pixel once.",
    ),
    mistake(
        "one-hot before ignoring",
        body="""
        counted = labels != ignore_index
        truth = F.one_hot(labels.where(counted, 0), num_classes) * counted[..., None]
        return torch.einsum("nhwi,nhwj->ij", truth, F.one_hot(predictions, num_classes))
        """,
        hint="You encode ignored pixels too, whose prediction may be no class: select the counted pixels first.",
    ),
    mistake(
        "a matrix for each image",
        body="""
        matrices = []
        for p, y in zip(predictions, labels):
            pairs = (y * num_classes + p)[y != ignore_index]
            matrices.append(torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes))
        return torch.stack(matrices)
        """,
        hint="You return one matrix per image: add them up.",
    ),
    mistake(
        "no minlength",
        "torch.bincount(pairs, minlength=num_classes**2)",
        "torch.bincount(pairs)",
        hint="bincount ends at the largest number that occurs: ask it for num_classes ** 2 entries.",
    ),
    mistake(
        "255 always ignored",
        "counted = labels != ignore_index",
        "counted = labels != 255",
        hint="You always ignore label 255: use ignore_index.",
    ),
    mistake(
        "largest of no pairs",
        "torch.bincount(pairs, minlength=num_classes**2).view",
        "F.pad(torch.bincount(pairs), (0, num_classes**2 - int(pairs.max()) - 1)).view",
        hint="If every pixel is ignored, you take the maximum of nothing: return a matrix of zeros there.",
    ),
)

VARIANTS = (
    variant(
        "loop over classes",
        body="""
        matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        keep = labels != ignore_index
        for t in range(num_classes):
            for p in range(num_classes):
                matrix[t, p] = ((labels == t) & (predictions == p) & keep).sum()
        return matrix
        """,
    ),
    variant(
        "index_put with accumulate",
        body="""
        matrix = torch.zeros((num_classes, num_classes), dtype=torch.int64, device=labels.device)
        keep = labels.ne(ignore_index)
        ones = torch.ones(int(keep.sum()), dtype=torch.int64, device=labels.device)
        return matrix.index_put((labels[keep], predictions[keep]), ones, accumulate=True)
        """,
    ),
    variant(
        "numpy's two-dimensional histogram",
        body="""
        import numpy as np

        keep = (labels != ignore_index).numpy()
        edges = np.arange(num_classes + 1) - 0.5
        counts, _, _ = np.histogram2d(labels.numpy()[keep], predictions.numpy()[keep], bins=(edges, edges))
        return torch.from_numpy(counts).long()
        """,
    ),
)
