"""Exercise top_patches: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "Three questions: how strong is each picture's strongest unit, where is it, and which pictures are the "
        "strongest?"
    ),
    "A position in a flattened map is row times width plus column.",
    "Your receptive_field turns the unit into a box; cut the box out of the picture and copy it.",
    "v[n] = max over (y, x) of a[n, channel, y, x]; the k largest v, and image[n, :, top:bottom, left:right] of each",
)

MISTAKES = (
    mistake("weakest first", "descending=True", "descending=False", hint="The strongest come first."),
    mistake(
        "several patches of one image",
        "strongest, places = responses.reshape(len(images), -1).max(dim=1)",
        "flat = responses.flatten(); best = flat.topk(len(images)); strongest, places = best.values, best.indices % responses[0].numel()",
        hint="One picture may give one patch only, at its own strongest place.",
    ),
    mistake(
        "running maximum starts at zero",
        "responses = outputs[layer][:, channel]",
        "responses = outputs[layer][:, channel].clamp(min=0)",
        hint="A channel may answer below zero everywhere; its strongest answer is then negative.",
    ),
    mistake(
        "x and y swapped",
        "(channel, *divmod(place, responses.shape[-1]))",
        "(channel, *divmod(place, responses.shape[-1])[::-1])",
        hint="The place in the flattened map is row times width plus column, in this order.",
    ),
    mistake(
        "height for width",
        "divmod(place, responses.shape[-1])",
        "divmod(place, responses.shape[-2])",
        hint="Maps need not be square: how many units make up one row?",
    ),
    mistake(
        "boxes of the unsorted images",
        "places[indices].tolist()",
        "places[:k].tolist()",
        hint="The boxes are in the order of the batch, the rest in the order of strength.",
    ),
    mistake(
        "values sorted, images not",
        "values, indices = strongest.sort(descending=True, stable=True)",
        "values, indices = strongest.sort(descending=True).values, torch.arange(len(images))",
        hint="Which picture does each of your values come from?",
    ),
    mistake(
        "the first k images",
        "values, indices = strongest.sort(descending=True, stable=True)",
        "values, indices = strongest, torch.arange(len(images))",
        hint="Your answers stand in the order of the batch, not in the order of strength.",
    ),
    mistake(
        "patch from the wrong image",
        "images[i, :, top:bottom, left:right].detach().clone()",
        "images[0, :, top:bottom, left:right].detach().clone()",
        hint="Each patch is cut from its own picture.",
    ),
    mistake(
        "patch is a view",
        "left:right].detach().clone()",
        "left:right]",
        hint="Whoever draws on a patch must not draw on the caller's picture.",
    ),
    mistake(
        "by size",
        "responses.reshape(len(images), -1).max(dim=1)",
        "responses.reshape(len(images), -1).abs().max(dim=1)",
        hint="A strongly negative answer is not a strong one.",
    ),
    mistake(
        "mean over the map",
        "strongest, places = responses.reshape(len(images), -1).max(dim=1)",
        "places = responses.reshape(len(images), -1).argmax(dim=1); strongest = responses.reshape(len(images), -1).mean(dim=1)",
        hint="A picture is as strong as its strongest unit, not as its average one.",
    ),
    mistake(
        "left before top",
        "torch.tensor(boxes, device=images.device)",
        "torch.tensor([(l, t, r, b) for t, l, b, r in boxes], device=images.device)",
        hint="Your boxes have their columns first: the order is top, left, bottom, right.",
    ),
    mistake(
        "one too few",
        "values[:k], indices[:k]",
        "values[: k - 1], indices[: k - 1]",
        hint="You return k - 1 images: a slice's end is not included.",
    ),
)

VARIANTS = (
    variant(
        "topk", "values, indices = strongest.sort(descending=True, stable=True)", "values, indices = strongest.topk(k)"
    ),
    variant(
        "plain search",
        body="""
        with torch.no_grad(), record_outputs(model, [layer]) as outputs:
            model(images)
        found = []
        for i, plane in enumerate(outputs[layer][:, channel]):
            place = int(plane.flatten().argmax())
            unit = (channel,) if plane.dim() == 0 else (channel, place // plane.shape[1], place % plane.shape[1])
            found.append((float(plane.flatten()[place]), i, unit))
        found = sorted(found, key=lambda entry: -entry[0])[:k]
        boxes = [receptive_field(model, layer, unit, tuple(images.shape[2:])) for _, _, unit in found]
        return Patches(
            torch.tensor([i for _, i, _ in found]),
            torch.tensor([value for value, _, _ in found], dtype=images.dtype),
            torch.tensor(boxes),
            [images[i][:, t:b, l:r].detach().clone() for (_, i, _), (t, l, b, r) in zip(found, boxes)],
        )
        """,
    ),
    variant(
        "argsort with numpy's unravelling",
        "unit = (channel, *divmod(place, responses.shape[-1])) if responses.dim() == 3 else (channel,)",
        "unit = (channel, *(int(i) for i in __import__('numpy').unravel_index(place, responses.shape[1:])))",
    ),
)
