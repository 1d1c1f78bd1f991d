"""Exercise pixel_accuracy: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.segmentation.shared import BY_PREDICTION, EMPTY, IGNORED, PER_IMAGE, SMALL_COUNTER

HINTS = (
    "Compare both maps pixel by pixel. The result is true or false for each pixel.",
    "Select the counted pixels before you average. The mean of an empty tensor is NaN, as it should be.",
    "accuracy = (right and counted) / counted",
)

MISTAKES = (
    mistake(
        "counted in sixteen bits",
        "[counted].float().mean()",
        "[counted].sum(dtype=torch.int16).float() / counted.sum()",
        hint=SMALL_COUNTER,
    ),
    mistake("ignored pixels are wrong", "(predictions == labels)[counted]", "(predictions == labels)", hint=IGNORED),
    mistake(
        "ignored pixels are right",
        "(predictions == labels)[counted]",
        "((predictions == labels) | ~counted)",
        hint="Ignored pixels count as right: leave them out.",
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
        "counted = labels != 255",
        hint="You always ignore label 255: use ignore_index.",
    ),
    mistake(
        "background not counted",
        "counted = labels != ignore_index",
        "counted = (labels != ignore_index) & (labels != 0)",
        hint="You leave out class 0: it counts like any other class.",
    ),
    mistake(
        "mean over images",
        "return (predictions == labels)[counted].float().mean()",
        "hits = (predictions == labels) & counted\n    return (hits.sum((1, 2)).double() / counted.sum((1, 2))).mean()",
        hint=PER_IMAGE,
    ),
    mistake(
        "errors",
        "predictions == labels",
        "predictions != labels",
        hint="You return the share of wrong pixels: return the share of right ones.",
    ),
    mistake(
        "a count",
        ".float().mean()",
        ".float().sum()",
        hint="You return the number of right pixels: divide by the number of counted pixels.",
    ),
    mistake("0 where no pixel counts", ".float().mean()", ".float().mean().nan_to_num(0)", hint=EMPTY),
    mistake(
        "percent",
        ".float().mean()",
        ".float().mean() * 100",
        hint="Your result is in percent: return a share from 0 to 1.",
    ),
    mistake(
        "a Python number",
        ".float().mean()",
        ".float().mean().item()",
        hint="You return a Python number: return a 0-d tensor.",
    ),
    mistake(
        "mean over classes",
        "return (predictions == labels)[counted].float().mean()",
        "hits = [(predictions == labels)[counted & (labels == k)].double().mean() for k in labels[counted].unique()]\n    return torch.stack(hits).mean() if hits else torch.tensor(torch.nan)",
        hint="You average the accuracies of the classes (mean accuracy): average over all counted pixels.",
    ),
)

VARIANTS = (
    variant(
        "two sums, float32",
        body="""
        keep = labels != ignore_index
        return ((predictions == labels) & keep).sum() / keep.sum()
        """,
    ),
    variant(
        "flat with masked_select",
        body="""
        keep = labels.ne(ignore_index)
        hits = predictions.masked_select(keep) == labels.masked_select(keep)
        return hits.float().mean()
        """,
    ),
    variant(
        "from the confusion matrix",
        body="""
        keep = labels != ignore_index
        if not keep.any():
            return torch.tensor(float("nan"))
        k = int(max(labels[keep].max(), predictions[keep].max())) + 1
        matrix = confusion_matrix(predictions.where(keep, 0), labels, max(k, 2), ignore_index=ignore_index)
        return matrix.trace() / matrix.sum()
        """,
    ),
)
