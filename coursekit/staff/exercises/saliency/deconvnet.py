"""Exercise deconvnet: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import ALIASED

HINTS = (
    "In each image, find the largest value of the channel's map. Then go back from this one unit.",
    "Differentiating one value is the same as a backward signal of 1 at this unit and 0 at all others.",
    (
        "Use two context managers at once: one records the layer, the other changes the ReLU rule. Autograd "
        "keeps the switches of max pooling by itself."
    ),
    "P[n] = d a[n, channel, y*, x*] / d image[n] with R_in = R_out * [R_out > 0] at each ReLU; (y*, x*) = argmax of a[n, channel]",
)

MISTAKES = (
    mistake(
        "whole map",
        "responses.max(dim=1).values",
        "responses.sum(dim=1)",
        hint="You start from the sum of the whole map: start from its largest unit alone.",
    ),
    mistake(
        "another channel",
        "[:, channel]",
        "[:, channel - 1]",
        hint="You read the channel before the given one: channels are counted from 0.",
    ),
    mistake(
        "strongest by size",
        "responses.max(dim=1).values",
        "responses.gather(1, responses.abs().argmax(dim=1, keepdim=True))",
        hint="You choose the unit with the largest absolute value: choose the largest value.",
    ),
    mistake(
        "seeded with the activation",
        "strongest.sum()",
        "(strongest * strongest.detach()).sum()",
        hint="You weight the unit by its own activation: the backward signal starts with 1.",
    ),
    mistake(
        "plain gradient",
        "with relu_rule(deconvnet_relu_gradient), ",
        "with ",
        hint="Your result is the ordinary gradient: run the network's forward pass inside relu_rule.",
    ),
    mistake(
        "guided rule",
        "relu_rule(deconvnet_relu_gradient)",
        "relu_rule(lambda g, x: g.clamp(min=0) * (x > 0))",
        hint=(
            "Your rule also stops the signal where the ReLU's input was negative (guided): use the deconvnet's rule."
        ),
    ),
    mistake(
        "strongest of the batch",
        "responses.max(dim=1).values",
        "responses.max().reshape(1)",
        hint="You take one maximum over the whole batch: take each image's own.",
    ),
    mistake(
        "last of equals",
        "responses.max(dim=1).values",
        "responses.flip(1).max(dim=1).values",
        hint="Of equal maxima you take the last: take the first in reading order.",
    ),
    mistake(
        "ties share",
        "responses.max(dim=1).values",
        "responses.amax(dim=1)",
        hint="Equal maxima share the gradient in your version: only the first in reading order gets it.",
    ),
    mistake(
        "clamped at the image",
        "return projection",
        "return projection.clamp(min=0)",
        hint=(
            "You drop the negative values of the final result: the rule acts at the ReLUs, and the result is signed."
        ),
    ),
    mistake(
        "activation aliased by an in-place ReLU",
        body="""
        kept = {}
        handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: kept.update(o=o))
        images = images.detach().requires_grad_()
        try:
            with relu_rule(deconvnet_relu_gradient):
                model(images)
        finally:
            handle.remove()
        strongest = kept["o"][:, channel].reshape(len(images), -1).max(dim=1).values
        return torch.autograd.grad(strongest.sum(), images, materialize_grads=True)[0]
        """,
        hint=ALIASED,
    ),
    mistake(
        "absolute value",
        "return projection",
        "return projection.abs()",
        hint="You take the absolute value of the result: it must keep its sign.",
    ),
    mistake(
        "weakest unit",
        ".max(dim=1).values",
        ".min(dim=1).values",
        hint="You start from the smallest unit: start from the largest.",
    ),
    mistake(
        "strongest of the layer",
        "outputs[layer][:, channel].reshape",
        "outputs[layer].reshape",
        hint="You take the maximum over all channels of the layer: use the given channel only.",
    ),
    mistake(
        "place of the first image",
        "responses.max(dim=1).values",
        "responses[:, responses[0].argmax()]",
        hint="You use the first image's strongest place for every image: find each image's own.",
    ),
    mistake(
        "ReLU on the strongest unit",
        "strongest.sum()",
        "strongest.relu().sum()",
        hint="Where the largest value is negative, your result is 0: start with 1 there too, without a ReLU.",
    ),
    mistake(
        "needs a path to the image",
        ", materialize_grads=True",
        "",
        hint="If the unit does not depend on the image, autograd raises an error: return zeros there.",
    ),
    mistake(
        "maps only",
        ".reshape(len(images), -1)",
        ".flatten(1)",
        hint="In a flat layer (N, C) a channel is one unit, without rows and columns: your code expects a map.",
    ),
    mistake(
        "ties by columns",
        "outputs[layer][:, channel].reshape(len(images), -1)",
        "outputs[layer][:, channel]\n"
        "    responses = (responses.mT if responses.dim() == 3 else responses).reshape(len(images), -1)",
        hint="Of equal maxima you take the first column by column: reading order is row by row.",
    ),
    mistake(
        "rule in place",
        "    with relu_rule(deconvnet_relu_gradient),",
        "    with relu_rule(lambda upstream, relu_input: upstream.clamp_(min=0)),",
        hint="Your ReLU rule writes into the upstream gradient, which other paths use too: return a new tensor.",
    ),
)

VARIANTS = (
    variant(
        "one-hot seed",
        body="""
        x = images.detach().requires_grad_()
        with relu_rule(deconvnet_relu_gradient), record_outputs(model, [layer]) as outputs:
            model(x)
        output = outputs[layer]
        flat = output[:, channel].reshape(len(x), -1)
        seed = torch.zeros_like(output)
        picked = torch.zeros_like(flat)
        picked[torch.arange(len(x)), flat.argmax(1)] = 1
        seed[:, channel] = picked.reshape(output[:, channel].shape)
        return torch.autograd.grad(output, x, seed, materialize_grads=True)[0]
        """,
    ),
    variant(
        "loop with activation_gradient",
        body="""
        rows = []
        for image in images:
            with torch.no_grad(), record_outputs(model, [layer]) as outputs:
                model(image[None])
            plane = outputs[layer][0, channel]
            best = int(plane.argmax())
            unit = (channel, best // plane.shape[-1], best % plane.shape[-1]) if plane.dim() else (channel,)
            x = image[None].detach().requires_grad_()
            with relu_rule(deconvnet_relu_gradient), record_outputs(model, [layer]) as outputs:
                model(x)
            rows.append(torch.autograd.grad(outputs[layer][(0, *unit)], x, materialize_grads=True)[0])
        return torch.cat(rows)
        """,
    ),
    variant(
        "argmax and gather", "responses.max(dim=1).values", "responses.gather(1, responses.argmax(dim=1, keepdim=True))"
    ),
)
