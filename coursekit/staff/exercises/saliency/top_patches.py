"""Exercise top_patches: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "Answer three questions. How strong is each image's strongest unit? Where is it? Which images have "
        "the strongest ones?"
    ),
    "A position in a flattened map is row times width plus column.",
    "receptive_field turns the unit into a box. Cut the box out of the image and copy it.",
    "v[n] = max over (y, x) of a[n, channel, y, x]; the k largest v, and image[n, :, top:bottom, left:right] of each",
)

MISTAKES = (
    mistake(
        "weakest first",
        "descending=True",
        "descending=False",
        hint="You sort in ascending order: the strongest image comes first.",
    ),
    mistake(
        "several patches of one image",
        "strongest, places = responses.reshape(len(images), -1).max(dim=1)",
        "flat = responses.flatten(); best = flat.topk(len(images)); strongest, places = best.values, best.indices % responses[0].numel()",
        hint="You take the strongest units of all images together: take one unit per image.",
    ),
    mistake(
        "running maximum starts at zero",
        "responses = outputs[layer][:, channel]",
        "responses = outputs[layer][:, channel].clamp(min=0)",
        hint="You raise negative responses to 0: the strongest response may be negative.",
    ),
    mistake(
        "x and y swapped",
        "(channel, *divmod(place, responses.shape[-1]))",
        "(channel, *divmod(place, responses.shape[-1])[::-1])",
        hint="You swap row and column: a flattened position is row times width plus column.",
    ),
    mistake(
        "height for width",
        "divmod(place, responses.shape[-1])",
        "divmod(place, responses.shape[-2])",
        hint="You divide the flattened position by the map's height: divide by its width.",
    ),
    mistake(
        "boxes of the unsorted images",
        "places[indices].tolist()",
        "places[:k].tolist()",
        hint="Your boxes follow the order of the batch: look them up with the sorted indices.",
    ),
    mistake(
        "values sorted, images not",
        "values, indices = strongest.sort(descending=True, stable=True)",
        "values, indices = strongest.sort(descending=True).values, torch.arange(len(images))",
        hint="Your indices are 0, 1, 2, ..., while the values are sorted: keep the index of each sorted value.",
    ),
    mistake(
        "the first k images",
        "values, indices = strongest.sort(descending=True, stable=True)",
        "values, indices = strongest, torch.arange(len(images))",
        hint="You return the first k images: sort by strength before you cut off at k.",
    ),
    mistake(
        "patch from the wrong image",
        "images[i, :, top:bottom, left:right].detach().clone()",
        "images[0, :, top:bottom, left:right].detach().clone()",
        hint="You cut every patch out of image 0: use each patch's own image.",
    ),
    mistake(
        "patch is a view",
        "left:right].detach().clone()",
        "left:right]",
        hint="Your patches share memory with the caller's images: return copies.",
    ),
    mistake(
        "by size",
        "responses.reshape(len(images), -1).max(dim=1)",
        "responses.reshape(len(images), -1).abs().max(dim=1)",
        hint="You rank by absolute value: a strongly negative response is not strong.",
    ),
    mistake(
        "mean over the map",
        "strongest, places = responses.reshape(len(images), -1).max(dim=1)",
        "places = responses.reshape(len(images), -1).argmax(dim=1); strongest = responses.reshape(len(images), -1).mean(dim=1)",
        hint="You rank images by the mean of the map: rank them by its maximum.",
    ),
    mistake(
        "left before top",
        "torch.tensor(boxes, device=images.device)",
        "torch.tensor([(l, t, r, b) for t, l, b, r in boxes], device=images.device)",
        hint="Your boxes hold left before top: the order is top, left, bottom, right.",
    ),
    mistake(
        "one too few",
        "values[:k], indices[:k]",
        "values[: k - 1], indices[: k - 1]",
        hint="You return k - 1 images: a slice excludes its end.",
    ),
    mistake(
        "width before height",
        "(images.shape[-2], images.shape[-1])",
        "(images.shape[-1], images.shape[-2])",
        hint="You give receptive_field the image size as (W, H): it takes (H, W).",
    ),
    mistake(
        "by size, with its sign",
        "strongest, places = responses.reshape(len(images), -1).max(dim=1)",
        "flat = responses.reshape(len(images), -1); places = flat.abs().argmax(dim=1); strongest = flat.gather(1, places[:, None])[:, 0]",
        hint="You choose the unit of the largest absolute value: choose the largest value.",
    ),
    mistake(
        "place in a flat layer",
        "else (channel,)",
        "else (channel, 0, 0)",
        hint="In a flat layer a unit has no place: it is (channel,).",
    ),
    mistake(
        "still in the graph",
        "with torch.no_grad(), record_outputs",
        "with record_outputs",
        hint="Your values still have a gradient history: detach them, or run the network without gradients.",
    ),
    mistake(
        "responses rounded",
        "    values, indices = strongest.sort(",
        "    values, indices = strongest.mul(100).round().div(100).sort(",
        hint="You round the responses before you sort: nearly equal images then come in the wrong order.",
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
