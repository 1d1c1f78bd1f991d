"""Exercise activation_gradient: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import ALIASED, CALLERS_IMAGES

HINTS = (
    "A class score is one unit of the network. You can differentiate any unit of any layer in the same way.",
    "record_outputs gives the layer's output, still connected to the images. Take one unit of it for each image.",
    (
        "Some units do not depend on the image at all. autograd has an option that returns zeros there "
        "instead of an error."
    ),
    "G[n] = d a[n, c, y, x] / d image[n], with a the output of the layer",
)

MISTAKES = (
    mistake(
        "ReLU of the unit",
        "activation.sum()",
        "activation.relu().sum()",
        hint="Your gradient is 0 where the unit is negative: differentiate the unit itself, not a ReLU of it.",
    ),
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
        hint="You differentiate all units of the channel: select the one unit (channel, y, x).",
    ),
    mistake(
        "x and y swapped",
        "[unit]",
        "[(unit[0], *unit[:0:-1])]",
        hint="You swap row and column: unit is (channel, y, x).",
    ),
    mistake(
        "first image only",
        "[unit]",
        "[unit][:1]",
        hint="You select the unit in the first image only: select it in every image.",
    ),
    mistake(
        "absolute value",
        "return gradient",
        "return gradient.abs()",
        hint="You take the absolute value of the gradient: the result is signed.",
    ),
    mistake(
        "mean over the batch",
        "activation.sum()",
        "activation.mean()",
        hint="Your gradient is divided by the number of images: add up the activations instead of averaging them.",
    ),
    mistake(
        "unused input",
        ", materialize_grads=True",
        "",
        hint="autograd raises an error for a unit that does not depend on the images: return zeros there.",
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
        hint="Your hook stays on the layer: remove it after the call, also after an error.",
    ),
    mistake(
        "caller's images", "images = images.detach().requires_grad_()", "images.requires_grad_()", hint=CALLERS_IMAGES
    ),
    mistake(
        "positive part only",
        "return gradient.detach()",
        "return gradient.detach().clamp(min=0)",
        hint="You set negative gradients to 0: the result is signed.",
    ),
    mistake(
        "all channels at the place",
        "outputs[layer].movedim(0, -1)[unit]",
        "(outputs[layer][:, :, unit[1], unit[2]] if len(unit) > 1 else outputs[layer])",
        hint="You differentiate all channels at the unit's place: select one channel.",
    ),
    mistake(
        "unit at the corner",
        "[unit]",
        "[(unit[0],) + (0,) * (len(unit) - 1)]",
        hint="You select the unit at y = 0, x = 0: use the given place.",
    ),
    mistake(
        "square of the unit",
        "activation.sum()",
        "activation.square().sum() / 2",
        hint="You differentiate the unit's square, or weight the unit by its value: differentiate the unit itself.",
    ),
    mistake(
        "flat layer forgotten",
        "activation = outputs[layer].movedim(0, -1)[unit]",
        "channel, y, x = unit\n    activation = outputs[layer][:, channel, y, x]",
        hint="In a flat layer a unit is (channel,) alone: your code expects three numbers.",
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
