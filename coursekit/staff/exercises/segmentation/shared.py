"""What several exercises of segmentation have in common: hints, and edits that fit two of them."""

from coursekit.staff.edits import Edit, mistake

SOFTMAX = "You apply a softmax at the end: return the logits."
EMPTY = "You return 0 if no pixel counts: return NaN."
ABSENT = "A class absent from labels and predictions counts with 0: leave it out of the mean."
SMALL_COUNTER = "Your counts overflow on large images: use integers of more bits."
IGNORED = "Pixels whose label is ignore_index still count: leave them out."
BY_PREDICTION = "You also leave out pixels whose prediction is ignore_index: only the label decides."
PER_IMAGE = "You average the scores of single images: count the pixels of all images together."


def per_image(ratio: str, mean: str) -> str:
    """Return a body that averages over images what a ratio of the matrix gives for each, mean being how classes are joined."""
    return f"""
            scores = []
            for p, y in zip(predictions, labels):
                matrix = confusion_matrix(p[None], y[None], num_classes, ignore_index=ignore_index).double()
                union = matrix.sum(dim=0) + matrix.sum(dim=1) - matrix.diagonal()
                sizes = matrix.sum(dim=0) + matrix.sum(dim=1)
                scores.append(({ratio}){mean})
            return torch.stack(scores).mean()
            """


def with_epsilon(ratio: str, weight: str) -> tuple[Edit, ...]:
    """Return what losses for training do: an epsilon above and below, all classes, image by image or not."""
    added = "You add an epsilon to numerator and denominator, as losses for training do: add nothing."
    alone = "You score each image by itself and add an epsilon: count all images together, without epsilon."
    above = ratio.removesuffix(f" / {weight}")
    smooth = {e: f"({above} + {e}) / ({weight} + {e})" for e in ("1", "1e-6")}
    mean = f"[{weight} > 0].mean()"
    return (
        mistake("one added above and below", ratio, smooth["1"], hint=added),
        mistake(
            "a thousandth added above and below",
            ratio,
            f"({above} + 1e-3) / ({weight} + 1e-3)",
            hint=added,
        ),
        mistake(
            "one added above and below, all classes",
            f"({ratio}){mean}",
            f"({smooth['1']}).mean()",
            hint=added,
        ),
        *(
            mistake(
                f"each image by itself, with epsilon {e}",
                body=per_image(form, ".mean()"),
                hint=alone,
            )
            for e, form in smooth.items()
        ),
    )


def of_ignored_pixels(ratio: str, weight: str) -> tuple[Edit, ...]:
    """Return scores that compare masks class by class and know nothing of ignored pixels; without background as well."""
    counts = {"union": "(p | t).sum()", "sizes": "p.sum() + t.sum()"}[weight]
    factor = "2 * " * ratio.startswith("2")

    def body(first: int) -> str:
        return f"""
            scores = []
            for k in range({first}, num_classes):
                p, t = predictions == k, labels == k
                if ({counts}) > 0:
                    scores.append({factor}(p & t).sum().double() / ({counts}))
            return torch.stack(scores).mean()
            """

    hint = "Predictions at ignored pixels still count in your score{}."
    return (
        mistake("ignored pixels count", body=body(0), hint=hint.format("")),
        mistake(
            "ignored pixels count, background left out", body=body(1), hint=hint.format(", and you leave out class 0")
        ),
    )


def of_a_class_mean(ratio: str, weight: str, ignored: str) -> tuple[Edit, ...]:
    """Return mistakes that both mean_iou and dice know, in the solution's own words for the sizes and for what is ignored."""
    return (
        *with_epsilon(ratio, weight),
        *of_ignored_pixels(ratio, weight),
        mistake(
            "absent classes count with 1",
            f"[{weight} > 0].mean()",
            ".nan_to_num(1).mean()",
            hint="A class absent from labels and predictions counts with 1: leave it out of the mean.",
        ),
        mistake(
            "classes that are only predicted are left out",
            f"[{weight} > 0].mean()",
            "[matrix.sum(dim=1) > 0].mean()",
            hint="You leave out classes that are predicted but not in the labels: they count with 0.",
        ),
        mistake(
            "classes that are never predicted are left out",
            f"[{weight} > 0].mean()",
            "[matrix.sum(dim=0) > 0].mean()",
            hint="You leave out classes that are in the labels but never predicted: they count with 0.",
        ),
        mistake(
            "class of ignore_index left out",
            f"[{weight} > 0].mean()",
            f"[({weight} > 0) & (torch.arange(num_classes) != ignore_index)].mean()",
            hint="Do not leave out the class numbered ignore_index: predicted at counted pixels, it scores 0 like any class.",
        ),
        mistake(
            "background left out",
            f"[{weight} > 0].mean()",
            f"[1:][{weight}[1:] > 0].mean()",
            hint="You leave out class 0: it counts like any other class.",
        ),
        mistake(
            "pooled over classes",
            ratio,
            ratio.replace("matrix.diagonal()", "matrix.diagonal().sum()").replace(weight, f"{weight}.sum()")
            + ".expand(num_classes)",
            hint="You sum over the classes before you divide: divide for each class, then average.",
        ),
        mistake(
            "mean over images",
            body=per_image(ratio, f"[{weight} > 0].mean()"),
            hint=PER_IMAGE,
        ),
        mistake(
            "ignore_index not passed on",
            ignored,
            f"{ignored.removesuffix('ignore_index')}255",
            hint="You always ignore label 255: use ignore_index.",
        ),
        mistake(
            "one number a class",
            f"[{weight} > 0].mean()",
            f"[{weight} > 0]",
            hint="You return one score per class: return their mean.",
        ),
        mistake(
            "0 where no pixel counts", f"[{weight} > 0].mean()", f"[{weight} > 0].mean().nan_to_num(0)", hint=EMPTY
        ),
    )
