"""Exercise deconvnet: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import ALIASED

HINTS = (
    (
        "First find the unit: the largest value of the channel's map, in each picture for itself. Then go back from "
        "this unit alone."
    ),
    "The derivative of one value is what a backward signal of 1 at this unit and 0 at all others gives.",
    (
        "Two context managers are in force at once: one records the layer, the other changes the rule. Max pooling "
        "keeps its switches by itself."
    ),
    "P[n] = d a[n, channel, y*, x*] / d image[n] with R_in = R_out * [R_out > 0] at each ReLU; (y*, x*) = argmax of a[n, channel]",
)

MISTAKES = (
    mistake(
        "whole map",
        "responses.max(dim=1).values",
        "responses.sum(dim=1)",
        hint="The projection starts from one unit, not from the whole map.",
    ),
    mistake("another channel", "[:, channel]", "[:, channel - 1]", hint="The units of another channel answer here."),
    mistake(
        "strongest by size",
        "responses.max(dim=1).values",
        "responses.gather(1, responses.abs().argmax(dim=1, keepdim=True))",
        hint="A strongly negative unit is not a strong one.",
    ),
    mistake(
        "seeded with the activation",
        "strongest.sum()",
        "(strongest * strongest.detach()).sum()",
        hint="The unit starts with the signal 1, whatever it answered.",
    ),
    mistake(
        "plain gradient",
        "with relu_rule(deconvnet_relu_gradient), ",
        "with ",
        hint="This is the ordinary gradient: at no ReLU was your rule in force.",
    ),
    mistake(
        "guided rule",
        "relu_rule(deconvnet_relu_gradient)",
        "relu_rule(lambda g, x: g.clamp(min=0) * (x > 0))",
        hint="Silent units stop the signal in your version; a deconvnet does not know which units were silent.",
    ),
    mistake(
        "strongest of the batch",
        "responses.max(dim=1).values",
        "responses.max().reshape(1)",
        hint="Every picture has a strongest unit of its own.",
    ),
    mistake(
        "last of equals",
        "responses.max(dim=1).values",
        "responses.flip(1).max(dim=1).values",
        hint="Of equally strong units the first in reading order counts.",
    ),
    mistake(
        "ties share",
        "responses.max(dim=1).values",
        "responses.amax(dim=1)",
        hint="Where several units are equally strong, only one of them starts.",
    ),
    mistake(
        "clamped at the image",
        "return projection",
        "return projection.clamp(min=0)",
        hint="The rule acts at the ReLUs; at the pixels both signs remain.",
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
        hint="Your projection has lost its sign: pixels may lower the unit.",
    ),
    mistake(
        "weakest unit",
        ".max(dim=1).values",
        ".min(dim=1).values",
        hint="You project the unit with the smallest response: the largest was asked for.",
    ),
    mistake(
        "strongest of the layer",
        "outputs[layer][:, channel].reshape",
        "outputs[layer].reshape",
        hint="You project the strongest unit of the whole layer: one channel was asked for.",
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
