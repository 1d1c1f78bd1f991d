"""Mistakes of part 6 in the loss, the scores and the regions."""

from coursekit.staff.edits import Edit, mistake

EMPTY = "What does your score say of masks in which no pixel counts?"
ABSENT = "A class that occurs neither in the masks nor in the predictions has something to say in your mean."
ONLY_PREDICTED = "A class that was predicted and is not there escapes without punishment."
IGNORED = "Some pixels have a label that says: do not count me."
PER_IMAGE = "You average over pictures; the pixels of all pictures belong into one count first."

CROSS_ENTROPY = (
    mistake(
        "pixel_cross_entropy",
        "mean over all pixels",
        "counted.sum().clamp(min=1)",
        "labels.numel()",
        hint="The more pixels are ignored, the smaller your loss becomes.",
    ),
    mistake(
        "pixel_cross_entropy",
        "sum over the pixels",
        " / counted.sum().clamp(min=1)",
        "",
        hint="A larger picture has a larger loss in your version.",
    ),
    mistake(
        "pixel_cross_entropy",
        "mean over images",
        "return losses.where(counted, 0).sum() / counted.sum().clamp(min=1)",
        "return (losses.where(counted, 0).sum((1, 2)) / counted.sum((1, 2)).clamp(min=1)).mean()",
        hint="A picture with few counted pixels weighs as much as a full one.",
    ),
    mistake(
        "pixel_cross_entropy",
        "NaN where every pixel is ignored",
        "counted.sum().clamp(min=1)",
        "counted.sum()",
        hint="What is nothing divided by nothing?",
    ),
    mistake(
        "pixel_cross_entropy",
        "ignored pixels count as class 0",
        "losses.where(counted, 0).sum()",
        "losses.sum()",
        hint=IGNORED,
    ),
    mistake(
        "pixel_cross_entropy",
        "only 255 is ignored",
        "counted = labels != ignore_index",
        "counted = (labels != 255) & (labels >= 0)",
        hint="Which label is ignored is the caller's choice.",
    ),
    mistake(
        "pixel_cross_entropy",
        "softmax over the columns",
        "log_softmax(dim=1)",
        "log_softmax(dim=3)",
        hint="Which axis are the classes, among which a pixel decides?",
    ),
    mistake(
        "pixel_cross_entropy",
        "no logarithm",
        "-logits.log_softmax(dim=1)",
        "-logits.softmax(dim=1)",
        hint="A sure mistake costs hardly more than an unsure one in your loss.",
    ),
    mistake(
        "pixel_cross_entropy",
        "sign",
        "losses = -logits",
        "losses = logits",
        hint="Training on your loss makes the network worse.",
    ),
    mistake(
        "pixel_cross_entropy",
        "logarithm of the softmax overflows",
        "logits.log_softmax(dim=1)",
        "(logits.exp() / logits.exp().sum(dim=1, keepdim=True)).log()",
        hint="Try scores of thousands.",
    ),
    mistake(
        "pixel_cross_entropy",
        "labels edited",
        "labels.where(counted, 0)",
        "labels.masked_fill_(~counted, 0)",
        hint="After the call the masks hold another class where they said: do not count me.",
    ),
    mistake(
        "pixel_cross_entropy",
        "softmax twice",
        "logits.log_softmax(dim=1)",
        "logits.softmax(dim=1).log_softmax(dim=1)",
        hint="Scores become probabilities once.",
    ),
    mistake(
        "pixel_cross_entropy",
        "detached",
        "return losses.where",
        "return losses.detach().where",
        hint="Nothing can learn from your loss: follow it back to the scores.",
    ),
)

CONFUSION_MATRIX = (
    mistake(
        "confusion_matrix",
        "transposed",
        "labels * num_classes + predictions",
        "predictions * num_classes + labels",
        hint="Which of the two says the row?",
    ),
    mistake(
        "confusion_matrix",
        "ignored pixels counted",
        "counted = labels != ignore_index",
        "counted = labels >= 0",
        "pairs = (labels",
        "pairs = (labels.clamp(max=num_classes - 1)",
        hint=IGNORED,
    ),
    mistake(
        "confusion_matrix",
        "ignored by the prediction as well",
        "counted = labels != ignore_index",
        "counted = (labels != ignore_index) & (predictions != ignore_index)",
        hint="A network cannot choose which pixels count.",
    ),
    mistake(
        "confusion_matrix",
        "only 255 is ignored",
        "counted = labels != ignore_index",
        "counted = (labels != 255) & (labels >= 0)",
        hint="Which label is ignored is the caller's choice.",
    ),
    mistake(
        "confusion_matrix",
        "only the first image",
        "counted = labels != ignore_index",
        "labels, predictions = labels[:1], predictions[:1]\n    counted = labels != ignore_index",
        hint="Count the pixels of your matrix, and those of all pictures.",
    ),
    mistake(
        "confusion_matrix",
        "as shares",
        ".view(num_classes, num_classes)",
        ".view(num_classes, num_classes) / max(1, len(pairs))",
        hint="Counts are wanted, whole numbers.",
    ),
    mistake(
        "confusion_matrix",
        "only as large as the classes that occur",
        "minlength=num_classes**2).view(num_classes, num_classes)",
        "minlength=num_classes**2).view(num_classes, num_classes)[labels[counted].unique()]",
        hint="A class that does not occur has a row as well.",
    ),
    mistake(
        "confusion_matrix",
        "right pixels only",
        ".view(num_classes, num_classes)",
        ".view(num_classes, num_classes).diagonal().diag()",
        hint="Where are the pixels that were taken for something else?",
    ),
    mistake(
        "confusion_matrix",
        "a pixel only once",
        ".view(num_classes, num_classes)",
        ".view(num_classes, num_classes).clamp(max=1)",
        hint="How often was a class taken for another, not only whether.",
    ),
    mistake(
        "confusion_matrix",
        "labels edited",
        "counted = labels != ignore_index",
        "labels[labels == ignore_index] = 0\n    counted = labels != ignore_index",
        hint="Compare the masks before and after the call.",
    ),
)

PIXEL_ACCURACY = (
    mistake(
        "pixel_accuracy",
        "ignored pixels are wrong",
        "(predictions == labels)[counted]",
        "(predictions == labels)",
        hint=IGNORED,
    ),
    mistake(
        "pixel_accuracy",
        "ignored pixels are right",
        "(predictions == labels)[counted]",
        "((predictions == labels) | ~counted)",
        hint="Pixels that do not count are counted as hits in your version.",
    ),
    mistake(
        "pixel_accuracy",
        "only 255 is ignored",
        "counted = labels != ignore_index",
        "counted = labels != 255",
        hint="Which label is ignored is the caller's choice.",
    ),
    mistake(
        "pixel_accuracy",
        "background not counted",
        "counted = labels != ignore_index",
        "counted = (labels != ignore_index) & (labels != 0)",
        hint="Class 0 is a class.",
    ),
    mistake(
        "pixel_accuracy",
        "mean over images",
        "return (predictions == labels)[counted].double().mean()",
        "hits = (predictions == labels) & counted\n    return (hits.sum((1, 2)).double() / counted.sum((1, 2))).mean()",
        hint=PER_IMAGE,
    ),
    mistake(
        "pixel_accuracy",
        "errors",
        "predictions == labels",
        "predictions != labels",
        hint="A perfect prediction has score 0 in your version.",
    ),
    mistake(
        "pixel_accuracy",
        "a count",
        ".double().mean()",
        ".double().sum()",
        hint="A share lies between 0 and 1.",
    ),
    mistake(
        "pixel_accuracy",
        "0 where no pixel counts",
        ".double().mean()",
        ".double().mean().nan_to_num(0)",
        hint=EMPTY,
    ),
    mistake(
        "pixel_accuracy",
        "percent",
        ".double().mean()",
        ".double().mean() * 100",
        hint="A share lies between 0 and 1.",
    ),
    mistake(
        "pixel_accuracy",
        "a Python number",
        ".double().mean()",
        ".double().mean().item()",
        hint="Look at the kind of thing that comes back.",
    ),
)


def of_a_class_mean(function: str, ratio: str, weight: str) -> tuple[Edit, ...]:
    """Mistakes that both mean_iou and dice know: ratio and weight are the solution's own words for the sizes."""
    return (
        mistake(
            function,
            "absent classes count with 0",
            f"[{weight} > 0].mean()",
            ".nan_to_num(0).mean()" if function == "dice" else f".nan_to_num(0).mean() + 0 * {weight}.sum()",
            hint=ABSENT,
        ),
        mistake(
            function,
            "absent classes count with 1",
            f"[{weight} > 0].mean()",
            ".nan_to_num(1).mean()",
            hint="A class that nobody has seen gets full marks in your mean.",
        ),
        mistake(
            function,
            "classes that are only predicted are left out",
            f"[{weight} > 0].mean()",
            "[matrix.sum(dim=1) > 0].mean()",
            hint=ONLY_PREDICTED,
        ),
        mistake(
            function,
            "classes that are never predicted are left out",
            f"[{weight} > 0].mean()",
            "[matrix.sum(dim=0) > 0].mean()",
            hint="A class that is there and that nobody finds is a failure; with you it does not count.",
        ),
        mistake(
            function,
            "class of ignore_index left out",
            f"[{weight} > 0].mean()",
            f"[({weight} > 0) & (torch.arange(num_classes) != ignore_index)].mean()",
            hint="Pixels that are ignored by their label do not count; elsewhere that class may be predicted, wrongly.",
        ),
        mistake(
            function,
            "background left out",
            f"[{weight} > 0].mean()",
            f"[1:][{weight}[1:] > 0].mean()",
            hint="Class 0 is a class.",
        ),
        mistake(
            function,
            "pooled over classes",
            ratio,
            ratio.replace("matrix.diagonal()", "matrix.diagonal().sum()").replace(weight, f"{weight}.sum()")
            + ".expand(num_classes)",
            hint="A large class drowns the small ones in your score: when do you average?",
        ),
        mistake(
            function,
            "mean over images",
            body=f"""
            scores = []
            for p, y in zip(predictions, labels):
                matrix = confusion_matrix(p[None], y[None], num_classes, ignore_index=ignore_index).double()
                union = matrix.sum(dim=0) + matrix.sum(dim=1) - matrix.diagonal()
                sizes = matrix.sum(dim=0) + matrix.sum(dim=1)
                scores.append(({ratio})[{weight} > 0].mean())
            return torch.stack(scores).mean()
            """,
            hint=PER_IMAGE,
        ),
        mistake(
            function,
            "ignore_index not passed on",
            "ignore_index=ignore_index",
            "ignore_index=255",
            hint="Which label is ignored is the caller's choice.",
        ),
        mistake(
            function,
            "one number a class",
            f"[{weight} > 0].mean()",
            f"[{weight} > 0]",
            hint="One number is asked for.",
        ),
        mistake(
            function,
            "0 where no pixel counts",
            f"[{weight} > 0].mean()",
            f"[{weight} > 0].mean().nan_to_num(0)",
            hint=EMPTY,
        ),
        mistake(
            function,
            "divided by the truth alone",
            f"/ {weight})",
            "/ matrix.sum(dim=1).clamp(min=1))"
            if function == "mean_iou"
            else "/ (2 * matrix.sum(dim=1)).clamp(min=1))",
            hint="A network that calls everything a cat finds all cats: who pays for the rest?",
        ),
    )


MEAN_IOU = (
    *of_a_class_mean("mean_iou", "matrix.diagonal() / union", "union"),
    mistake(
        "mean_iou",
        "intersection counted twice in the union",
        " - matrix.diagonal()",
        "",
        hint="Even a perfect prediction does not reach 1: count the pixels in both once.",
    ),
    mistake(
        "mean_iou",
        "dice",
        "(matrix.diagonal() / union)",
        "(2 * matrix.diagonal() / (union + matrix.diagonal()))",
        hint="That is the other overlap score, which is never smaller.",
    ),
)

DICE = (
    *of_a_class_mean("dice", "2 * matrix.diagonal() / sizes", "sizes"),
    mistake(
        "dice",
        "factor 2 forgotten",
        "(2 * matrix.diagonal() / sizes)",
        "(matrix.diagonal() / sizes)",
        hint="A perfect prediction reaches only a half.",
    ),
    mistake(
        "dice",
        "intersection over union",
        "(2 * matrix.diagonal() / sizes)",
        "(matrix.diagonal() / (sizes - matrix.diagonal()))",
        hint="That is the other overlap score, which is never larger.",
    ),
)

FREQUENCY_WEIGHTED_IOU = (
    mistake(
        "frequency_weighted_iou",
        "plain mean",
        "return (truth * matrix.diagonal() / union.clamp(min=1)).sum() / matrix.sum()",
        "return (matrix.diagonal() / union)[union > 0].mean()",
        hint="Small classes weigh as much as large ones in your version.",
    ),
    mistake(
        "frequency_weighted_iou",
        "weighted by the predictions",
        "(truth * matrix",
        "(matrix.sum(dim=0) * matrix",
        hint="Whose pixels give the weight: the truth's or the network's?",
    ),
    mistake(
        "frequency_weighted_iou",
        "weighted by the union",
        "(truth * matrix.diagonal() / union.clamp(min=1))",
        "matrix.diagonal()",
        hint="What you compute is the share of right pixels.",
    ),
    mistake(
        "frequency_weighted_iou",
        "background left out",
        "return (truth * matrix",
        "matrix[0] = 0; truth = matrix.sum(dim=1)\n    return (truth * matrix",
        hint="Class 0 is a class.",
    ),
    mistake(
        "frequency_weighted_iou",
        "weights do not sum to 1",
        "/ matrix.sum()",
        "/ truth.max()",
        hint="Add up your weights.",
    ),
    mistake(
        "frequency_weighted_iou",
        "NaN of absent classes",
        "union.clamp(min=1)",
        "union",
        hint="A class that occurs nowhere makes your score undefined.",
    ),
    mistake(
        "frequency_weighted_iou",
        "ignore_index not passed on",
        "ignore_index=ignore_index",
        "ignore_index=255",
        hint="Which label is ignored is the caller's choice.",
    ),
    mistake(
        "frequency_weighted_iou",
        "divided by all pixels",
        "/ matrix.sum()",
        "/ labels.numel()",
        hint="Ignored pixels are in your denominator.",
    ),
    mistake(
        "frequency_weighted_iou",
        "intersection counted twice in the union",
        " - matrix.diagonal()",
        "",
        hint="Even a perfect prediction does not reach 1: count the pixels in both once.",
    ),
    mistake(
        "frequency_weighted_iou",
        "0 where no pixel counts",
        "/ matrix.sum()",
        "/ matrix.sum().clamp(min=1)",
        hint=EMPTY,
    ),
)


def numbered(each: str) -> str:
    """The body of a wrong instance_labels that numbers each picture by scikit-image."""
    return f"""
    from skimage.measure import label as number
    import numpy as np

    inside = ((labels != background) & (labels != ignore_index)).numpy()
    shifted = (labels - labels.min() + 1).numpy() * inside
    return torch.stack([torch.from_numpy({each}.astype(np.int64)) for x in shifted])
    """


INSTANCE_LABELS = (
    mistake(
        "instance_labels",
        "corners connect",
        body=numbered("number(x, connectivity=2)"),
        hint="Two pixels that meet in a corner only are no neighbours here.",
    ),
    mistake(
        "instance_labels",
        "classes run together",
        body=numbered("number(x > 0, connectivity=1)"),
        hint="Where a bird sits on a car, the bird is no part of the car.",
    ),
    mistake(
        "instance_labels",
        "numbered over all images",
        "number = first.flatten(1).cumsum(dim=1).flatten()[root]",
        "number = first.flatten().cumsum(dim=0)[root]",
        hint="In which picture does your count begin?",
    ),
    mistake(
        "instance_labels",
        "numbered class by class",
        body=numbered(
            "sum((number(x == k, connectivity=1) + sum(number(x == j, connectivity=1).max() for j in range(1, k))) * (x == k)"
            " for k in range(1, x.max() + 1))"
        )
        .replace("[torch.from_numpy(", "[torch.from_numpy(np.asarray(")
        .replace(".astype(np.int64)", ").astype(np.int64)"),
        hint="In which order do the numbers appear when you read the picture line by line?",
    ),
    mistake(
        "instance_labels",
        "one step of spreading",
        "while before is None or not torch.equal(root, before):",
        "for _ in range(1):",
        hint="A region that winds falls into pieces: when are you done?",
    ),
    mistake(
        "instance_labels",
        "regions named by their first pixel",
        "return number * inside",
        "return (root.view_as(labels) + 1) * inside",
        hint="The regions are right, and their names are not 1, 2, 3.",
    ),
    mistake(
        "instance_labels",
        "background is a region",
        "inside = (labels != background) & (labels != ignore_index)",
        "inside = labels != ignore_index",
        hint="What is behind the objects is no object.",
    ),
    mistake(
        "instance_labels",
        "ignored pixels are a region",
        "inside = (labels != background) & (labels != ignore_index)",
        "inside = labels != background",
        hint=IGNORED,
    ),
    mistake(
        "instance_labels",
        "255 always ignored",
        "& (labels != ignore_index)",
        "& (labels != 255)",
        hint="Which label is ignored is the caller's choice.",
    ),
    mistake(
        "instance_labels",
        "background always 0",
        "inside = (labels != background)",
        "inside = (labels != 0)",
        hint="Which label lies behind the objects is the caller's choice.",
    ),
    mistake(
        "instance_labels",
        "round the border",
        "a = torch.cat([place[:, :, :-1][right], place[:, :-1][below]])",
        "round_ = inside[:, :, 0] & (labels[:, :, 0] == labels[:, :, -1])\n"
        "    a = torch.cat([place[:, :, :-1][right], place[:, :-1][below], place[:, :, 0][round_]])",
        "b = torch.cat([place[:, :, 1:][right], place[:, 1:][below]])",
        "b = torch.cat([place[:, :, 1:][right], place[:, 1:][below], place[:, :, -1][round_]])",
        hint="The picture ends at its border: a pixel of the last column has no neighbour in the first.",
    ),
    mistake(
        "instance_labels",
        "the class for its instances",
        "return number * inside",
        "return labels * inside",
        hint="Two cats have the same number in your answer.",
    ),
    mistake(
        "instance_labels",
        "rows only",
        "torch.cat([place[:, :, :-1][right], place[:, :-1][below]])",
        "place[:, :, :-1][right]",
        "torch.cat([place[:, :, 1:][right], place[:, 1:][below]])",
        "place[:, :, 1:][right]",
        hint="Each line of the picture has regions of its own in your answer.",
    ),
    mistake(
        "instance_labels",
        "columns only",
        "torch.cat([place[:, :, :-1][right], place[:, :-1][below]])",
        "place[:, :-1][below]",
        "torch.cat([place[:, :, 1:][right], place[:, 1:][below]])",
        "place[:, 1:][below]",
        hint="Each column of the picture has regions of its own in your answer.",
    ),
)

SCORES = CROSS_ENTROPY + CONFUSION_MATRIX + PIXEL_ACCURACY + MEAN_IOU + DICE + FREQUENCY_WEIGHTED_IOU + INSTANCE_LABELS
