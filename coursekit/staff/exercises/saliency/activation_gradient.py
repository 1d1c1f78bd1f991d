"""Exercise activation_gradient: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import ALIASED, CALLERS_IMAGES, LEFT_BEHIND

HINTS = (
    (
        "The score of a class is only one of many numbers in a network; any unit of any layer can be differentiated in "
        "the same way."
    ),
    (
        "record_outputs gives you what a layer returned, still joined to the picture. Take the one unit from each "
        "picture, and no more."
    ),
    "A unit may not depend on the picture at all: autograd can be told to answer zeros instead of an error.",
    "G[n] = d a[n, c, y, x] / d image[n], with a the output of the layer",
)

MISTAKES = (
    mistake(
        "activation aliased by an in-place ReLU",
        body="""
        kept = []
        handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: kept.append(o))
        images = images.detach().requires_grad_()
        try:
            model(images)
        finally:
            handle.remove()
        activation = kept[-1][(slice(None), *unit)].sum()
        return torch.autograd.grad(activation, images, materialize_grads=True)[0]
        """,
        hint=ALIASED,
    ),
    mistake(
        "whole channel",
        "[unit]",
        "[unit[0]]",
        hint="One unit was asked for; your picture is spread wider than what one unit can see.",
    ),
    mistake(
        "x and y swapped",
        "[unit]",
        "[(unit[0], *unit[:0:-1])]",
        hint="The unit's place is row first, column second; yours lies mirrored at the diagonal.",
    ),
    mistake(
        "first image only",
        "[unit]",
        "[unit][:1]",
        hint="Every picture of the batch has such a unit, not only the first.",
    ),
    mistake(
        "absolute value",
        "return gradient",
        "return gradient.abs()",
        hint="The sign belongs to the answer: some pixels lower the unit.",
    ),
    mistake(
        "mean over the batch",
        "activation.sum()",
        "activation.mean()",
        hint="Your answer shrinks when more pictures are in the batch.",
    ),
    mistake(
        "unused input",
        ", materialize_grads=True",
        "",
        hint="Not every unit is joined to the picture: what is the derivative where there is no path?",
    ),
    mistake(
        "hook left behind",
        body="""
        kept = []
        model.get_submodule(layer).register_forward_hook(lambda m, i, o: (kept.append(o), o.clone())[1])
        images = images.detach().requires_grad_()
        model(images)
        activation = kept[-1][(slice(None), *unit)].sum()
        return torch.autograd.grad(activation, images, materialize_grads=True)[0]
        """,
        hint=LEFT_BEHIND,
    ),
    mistake(
        "caller's images", "images = images.detach().requires_grad_()", "images.requires_grad_()", hint=CALLERS_IMAGES
    ),
    mistake(
        "positive part only",
        "return gradient.detach()",
        "return gradient.detach().clamp(min=0)",
        hint="Your gradient has lost its negative values: some pixels lower the unit.",
    ),
    mistake(
        "all channels at the place",
        "outputs[layer].movedim(0, -1)[unit]",
        "(outputs[layer][:, :, unit[1], unit[2]] if len(unit) > 1 else outputs[layer])",
        hint="Your gradient is that of all channels at the unit's place: one channel was asked for.",
    ),
    mistake(
        "unit at the corner",
        "[unit]",
        "[(unit[0],) + (0,) * (len(unit) - 1)]",
        hint="Your gradient is that of the unit in the corner of the map: use the place that was given.",
    ),
)

VARIANTS = (
    variant(
        "own hook with a clone",
        body="""
        kept = {}

        def hook(module, args, output):
            kept["output"] = output
            return output.clone()

        handle = model.get_submodule(layer).register_forward_hook(hook)
        x = images.detach().clone().requires_grad_(True)
        try:
            model(x)
        finally:
            handle.remove()
        total = kept["output"][(slice(None),) + tuple(unit)].sum()
        g = torch.autograd.grad(total, x, allow_unused=True)[0]
        return torch.zeros_like(images) if g is None else g
        """,
    ),
    variant(
        "seeded with a one-hot gradient",
        body="""
        x = images.detach().requires_grad_()
        with record_outputs(model, [layer]) as outputs:
            model(x)
        output = outputs[layer]
        seed = torch.zeros_like(output)
        seed[(slice(None), *unit)] = 1
        return torch.autograd.grad(output, x, seed, materialize_grads=True)[0]
        """,
    ),
    variant(
        "loop over images",
        body="""
        rows = []
        for image in images:
            x = image[None].detach().requires_grad_()
            with record_outputs(model, [layer]) as outputs:
                model(x)
            value = outputs[layer][0]
            for i in unit:
                value = value[i]
            rows.append(torch.autograd.grad(value, x, materialize_grads=True)[0][0])
        return torch.stack(rows)
        """,
    ),
)
