"""Exercise inject_samples: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Nothing is removed. The training set becomes longer.",
    "Append images and labels in the same order, so that each image keeps its label.",
    "(X, y) = ([X; X'], [y; y']), the originals first",
)

MISTAKES = (
    mistake(
        "still joined to the graph", ".detach()", "", hint="Your images still have a gradient history: detach them."
    ),
    mistake(
        "new ones first",
        "torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "torch.cat([new_images, images]).detach(), torch.cat([new_labels, labels])",
        hint="You put the new samples first: originals come first.",
    ),
    mistake(
        "labels in the other order",
        "torch.cat([labels, new_labels])",
        "torch.cat([new_labels, labels])",
        hint="You put the new labels first, but the new images last: use the same order for both.",
    ),
    mistake(
        "replaces originals",
        "torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "torch.cat([images[: -len(new_images)], new_images]).detach(), torch.cat([labels[: -len(new_labels)], new_labels])",
        hint="You drop the last originals: keep all of them.",
    ),
    mistake(
        "only pictures",
        "torch.cat([labels, new_labels])",
        "labels.clone()",
        hint="You do not append the new labels.",
    ),
    mistake(
        "one label for all new ones",
        "torch.cat([labels, new_labels])",
        "torch.cat([labels, new_labels[:1].expand(len(new_labels))])",
        hint="You give all new images the first new label: use each one's own.",
    ),
    mistake(
        "only one of them",
        "torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "torch.cat([images, new_images[:1]]).detach(), torch.cat([labels, new_labels[:1]])",
        hint="You append only the first new sample: append all.",
    ),
    mistake(
        "old pictures twice",
        "torch.cat([images, new_images])",
        "torch.cat([images, images[: len(new_images)]])",
        hint="You append the original images again: append the new images.",
    ),
    mistake(
        "sorted by class",
        "return torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "labels, order = torch.cat([labels, new_labels]).sort()\n    return torch.cat([images, new_images])[order], labels",
        hint="You sort the samples by label: keep their order, originals first.",
    ),
    mistake(
        "duplicates left out",
        "    return torch.cat([images, new_images])",
        "    keep = [i for i, new in enumerate(new_images) if not any(torch.equal(new, old) for old in images)]\n    new_images, new_labels = new_images[keep], new_labels[keep]\n    return torch.cat([images, new_images])",
        hint="You leave out new images that the training set contains already: append all.",
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
