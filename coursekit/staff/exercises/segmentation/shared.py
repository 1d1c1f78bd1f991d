"""What several exercises of segmentation have in common: hints, and edits that fit two of them."""

from coursekit.staff.edits import Edit, mistake

SOFTMAX = "What a network returns before the softmax is wanted: look at the values of one pixel."
EMPTY = "What does your score say of masks in which no pixel counts?"
ABSENT = "A class that occurs neither in the masks nor in the predictions has something to say in your mean."
SMALL_COUNTER = "Score a large picture: your counter has too few bits for its pixels."
IGNORED = "Some pixels have a label that says: do not count me."
PER_IMAGE = "You average over pictures; the pixels of all pictures belong into one count first."


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
    added = "You add an epsilon above and below, as losses for training do: here nothing is added."
    alone = "You score each image, with an epsilon, as losses for training do: here all images are pooled, without one."
    above = ratio.removesuffix(f" / {weight}")
    smooth = {e: f"({above} + {e}) / ({weight} + {e})" for e in ("1", "1e-6")}
    mean = f"[{weight} > 0].mean()"
    return (
        mistake("one added above and below", ratio, smooth["1"], hint=added),
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

    hint = "Pixels that are to be ignored still count as predictions in your score{}."
    return (
        mistake("ignored pixels count", body=body(0), hint=hint.format("")),
        mistake(
            "ignored pixels count, background left out", body=body(1), hint=hint.format(", and class 0 does not count")
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
            hint="A class that nobody has seen gets full marks in your mean.",
        ),
        mistake(
            "classes that are only predicted are left out",
            f"[{weight} > 0].mean()",
            "[matrix.sum(dim=1) > 0].mean()",
            hint="A class that was predicted and is not there escapes without punishment.",
        ),
        mistake(
            "classes that are never predicted are left out",
            f"[{weight} > 0].mean()",
            "[matrix.sum(dim=0) > 0].mean()",
            hint="A class that is there and that nobody finds is a failure; with you it does not count.",
        ),
        mistake(
            "class of ignore_index left out",
            f"[{weight} > 0].mean()",
            f"[({weight} > 0) & (torch.arange(num_classes) != ignore_index)].mean()",
            hint="Pixels that are ignored by their label do not count; elsewhere that class may be predicted, wrongly.",
        ),
        mistake(
            "background left out",
            f"[{weight} > 0].mean()",
            f"[1:][{weight}[1:] > 0].mean()",
            hint="Class 0 is a class.",
        ),
        mistake(
            "pooled over classes",
            ratio,
            ratio.replace("matrix.diagonal()", "matrix.diagonal().sum()").replace(weight, f"{weight}.sum()")
            + ".expand(num_classes)",
            hint="A large class drowns the small ones in your score: when do you average?",
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
            hint="Which label is ignored is the caller's choice.",
        ),
        mistake("one number a class", f"[{weight} > 0].mean()", f"[{weight} > 0]", hint="One number is asked for."),
        mistake(
            "0 where no pixel counts", f"[{weight} > 0].mean()", f"[{weight} > 0].mean().nan_to_num(0)", hint=EMPTY
        ),
    )
