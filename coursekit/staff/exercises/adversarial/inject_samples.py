"""Exercise inject_samples: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Nothing is removed: the training set becomes longer.",
    "Pictures and labels grow in the same order, so that each picture keeps its label.",
    "(X, y) = ([X; X'], [y; y']), the originals first",
)

MISTAKES = (
    mistake("still joined to the graph", ".detach()", "", hint="Cut the history off."),
    mistake(
        "new ones first",
        "torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "torch.cat([new_images, images]).detach(), torch.cat([new_labels, labels])",
        hint="In which order do old and new stand?",
    ),
    mistake(
        "labels in the other order",
        "torch.cat([labels, new_labels])",
        "torch.cat([new_labels, labels])",
        hint="Does every picture still have its own label?",
    ),
    mistake(
        "replaces originals",
        "torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "torch.cat([images[: -len(new_images)], new_images]).detach(), torch.cat([labels[: -len(new_labels)], new_labels])",
        hint="Some of the originals are gone.",
    ),
    mistake(
        "only pictures",
        "torch.cat([labels, new_labels])",
        "labels.clone()",
        hint="Are there as many labels as pictures?",
    ),
    mistake(
        "one label for all new ones",
        "torch.cat([labels, new_labels])",
        "torch.cat([labels, new_labels[:1].expand(len(new_labels))])",
        hint="Each of the new pictures has a label of its own.",
    ),
    mistake(
        "only one of them",
        "torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "torch.cat([images, new_images[:1]]).detach(), torch.cat([labels, new_labels[:1]])",
        hint="Count what comes out.",
    ),
    mistake(
        "old pictures twice",
        "torch.cat([images, new_images])",
        "torch.cat([images, images[: len(new_images)]])",
        hint="Look at the last pictures: you have seen them before.",
    ),
    mistake(
        "sorted by class",
        "return torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "labels, order = torch.cat([labels, new_labels]).sort()\n    return torch.cat([images, new_images])[order], labels",
        hint="The order is part of the answer; classes have no say in it.",
    ),
)

VARIANTS = (
    variant(
        "vstack and hstack",
        body="return torch.vstack([images.detach(), new_images.detach()]), torch.hstack([labels, new_labels])",
    ),
    variant(
        "filled in",
        body="""
        n, m = len(images), len(new_images)
        both, all_labels = images.new_empty(n + m, *images.shape[1:]), labels.new_empty(n + m)
        both[:n], both[n:] = images, new_images
        all_labels[:n], all_labels[n:] = labels, new_labels
        return both.detach(), all_labels
        """,
    ),
    variant("lists", body="return torch.stack([*images, *new_images]).detach(), torch.stack([*labels, *new_labels])"),
)
