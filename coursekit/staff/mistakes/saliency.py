"""Mistakes of part 1, as learners make them."""

from coursekit.staff.edits import mistake
from coursekit.staff.mistakes import saliency_places
from coursekit.staff.mistakes.saliency_places import ALIASED, BATCH_AXIS, OTHER_CLASS, PRE_SOFTMAX

CALLERS_IMAGES = (
    "Look at the pictures after the call: they are the caller's, and something about them is no longer as it was."
)
TWICE = "Call it twice in a row: the second answer must be the first one again."
LEFT_BEHIND = "After the call, and after a call that failed, the network must be exactly what it was."
CROSS_TERMS = (
    "With three pictures of different classes, each answer contains something of the other two: count what you picked."
)
# A backward hook on every ReLU that is a module.
HOOKED = """
    images = images.detach().requires_grad_()
    hooks = [
        module.register_full_backward_hook(lambda m, into, out: (into[0].clamp(min=0),))
        for module in model.modules()
        if isinstance(module, nn.ReLU)
    ]
    try:
        scores = model(images).gather(1, labels[:, None])
        return torch.autograd.grad(scores.sum(), images)[0]
    finally:
        for hook in hooks:
            hook.remove()
    """

SALIENCY_MAP = (
    mistake(
        "saliency_map",
        "maximum over channels",
        ".sum(dim=1)",
        ".amax(dim=1)",
        hint="The paper and the lecture differ in how the three colour channels become one map; here the lecture's way counts.",
    ),
    mistake(
        "saliency_map",
        "no absolute value",
        "gradient.abs()",
        "gradient",
        hint="A pixel that lowers the score strongly matters as much as one that raises it.",
    ),
    mistake(
        "saliency_map",
        "sum before the absolute value",
        "gradient.abs().sum(dim=1)",
        "gradient.sum(dim=1).abs()",
        hint="Colour channels that pull in opposite directions cancel in your map: mind the order of the two operations.",
    ),
    mistake(
        "saliency_map",
        "ReLU for the absolute value",
        "gradient.abs()",
        "gradient.relu()",
        hint="Half of the evidence is missing from your map: what happened to pixels with a negative slope?",
    ),
    mistake("saliency_map", "probability", "model(images)", "model(images).softmax(dim=1)", hint=PRE_SOFTMAX),
    mistake(
        "saliency_map",
        "log-probability or cross-entropy",
        "model(images)",
        "model(images).log_softmax(dim=1)",
        hint="Your map also shows what speaks for the other classes: differentiate the score itself, not a loss.",
    ),
    mistake("saliency_map", "cross terms", ".gather(1, labels[:, None])", "[:, labels]", hint=CROSS_TERMS),
    mistake(
        "saliency_map",
        "predicted class",
        "scores = model(images).gather(1, labels[:, None])",
        "scores = model(images).amax(dim=1)",
        hint=OTHER_CLASS,
    ),
    mistake(
        "saliency_map",
        "mean over the batch",
        "scores.sum()",
        "scores.mean()",
        hint="Your map becomes fainter when more pictures are in the batch: how do you make one number of all scores?",
    ),
    mistake("saliency_map", "squeeze", ".sum(dim=1)", ".sum(dim=1).squeeze()", hint=BATCH_AXIS),
    mistake(
        "saliency_map",
        "caller's images",
        "images = images.detach().requires_grad_()",
        "images.requires_grad_()",
        hint=CALLERS_IMAGES,
    ),
    mistake(
        "saliency_map",
        "backward fills the parameters",
        "(gradient,) = torch.autograd.grad(scores.sum(), images)",
        "scores.sum().backward(); gradient = images.grad",
        hint="The parameters' own slots were filled on the way: ask for the one derivative that you need.",
    ),
    mistake(
        "saliency_map",
        "gradient accumulates",
        body="""
        images.requires_grad_()
        model(images).gather(1, labels[:, None]).sum().backward()
        return images.grad.abs().sum(dim=1)
        """,
        hint=TWICE,
    ),
    mistake(
        "saliency_map",
        "train mode left on",
        "images = images.detach()",
        "model.train(); images = images.detach()",
        hint="The network must be in the mode in which it came, during the call and after it.",
    ),
    mistake(
        "saliency_map",
        "still in the graph",
        "torch.autograd.grad(scores.sum(), images)",
        "torch.autograd.grad(scores.sum(), images, create_graph=True)",
        hint="Your map drags the whole computation behind it: cut it off.",
    ),
    mistake(
        "saliency_map",
        "mean over channels",
        ".sum(dim=1)",
        ".mean(dim=1)",
        hint="Your map is a third of what it should be: how do the three colour channels become one?",
    ),
)

ACTIVATION_GRADIENT = (
    mistake(
        "activation_gradient",
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
        "activation_gradient",
        "whole channel",
        "[unit]",
        "[unit[0]]",
        hint="One unit was asked for; your picture is spread wider than what one unit can see.",
    ),
    mistake(
        "activation_gradient",
        "x and y swapped",
        "[unit]",
        "[(unit[0], *unit[:0:-1])]",
        hint="The unit's place is row first, column second; yours lies mirrored at the diagonal.",
    ),
    mistake(
        "activation_gradient",
        "first image only",
        "[unit]",
        "[unit][:1]",
        hint="Every picture of the batch has such a unit, not only the first.",
    ),
    mistake(
        "activation_gradient",
        "absolute value",
        "return gradient",
        "return gradient.abs()",
        hint="The sign belongs to the answer: some pixels lower the unit.",
    ),
    mistake(
        "activation_gradient",
        "mean over the batch",
        "activation.sum()",
        "activation.mean()",
        hint="Your answer shrinks when more pictures are in the batch.",
    ),
    mistake(
        "activation_gradient",
        "unused input",
        ", materialize_grads=True",
        "",
        hint="Not every unit is joined to the picture: what is the derivative where there is no path?",
    ),
    mistake(
        "activation_gradient",
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
        "activation_gradient",
        "caller's images",
        "images = images.detach().requires_grad_()",
        "images.requires_grad_()",
        hint=CALLERS_IMAGES,
    ),
)

RULES = (
    mistake(
        "deconvnet_relu_gradient",
        "ordinary gradient",
        body="return torch.where(relu_input > 0, upstream, 0)",
        hint="That is what backpropagation does already: the deconvnet looks at the other of the two signals.",
    ),
    mistake(
        "deconvnet_relu_gradient",
        "guided rule",
        body="return torch.where((upstream > 0) & (relu_input > 0), upstream, 0)",
        hint="You apply two conditions; the deconvnet knows nothing of what the unit was given.",
    ),
    mistake(
        "deconvnet_relu_gradient",
        "mask",
        "upstream.clamp(min=0)",
        "(upstream > 0).to(upstream)",
        hint="What goes back is the signal itself, not only where it passes.",
    ),
    mistake(
        "deconvnet_relu_gradient",
        "absolute value",
        "upstream.clamp(min=0)",
        "upstream.abs()",
        hint="Negative signals are stopped, not turned round.",
    ),
    mistake(
        "deconvnet_relu_gradient",
        "edits in place",
        "clamp",
        "clamp_",
        hint="The signal that you were given was changed: make a new one.",
    ),
    mistake(
        "deconvnet_relu_gradient",
        "negative part",
        "min=0",
        "max=0",
        hint="You keep exactly what should be stopped.",
    ),
    mistake(
        "deconvnet_relu_gradient",
        "times the input",
        "upstream.clamp(min=0)",
        "upstream.clamp(min=0) * relu_input",
        hint="The signal passes through unscaled where it passes.",
    ),
    mistake(
        "guided_relu_gradient",
        "ordinary gradient",
        "upstream.clamp(min=0)",
        "upstream",
        hint="One of the two conditions is missing: this is plain backpropagation.",
    ),
    mistake(
        "guided_relu_gradient",
        "deconvnet rule",
        " * (relu_input > 0)",
        "",
        hint="One of the two conditions is missing: this is the deconvnet's rule.",
    ),
    mistake(
        "guided_relu_gradient",
        "either condition",
        body="return torch.where((upstream > 0) | (relu_input > 0), upstream, 0)",
        hint="Both conditions must hold at once; in yours one of them is enough.",
    ),
    mistake(
        "guided_relu_gradient",
        "active at zero",
        "relu_input > 0",
        "relu_input >= 0",
        hint="What does a ReLU that was given exactly zero let through?",
    ),
    mistake(
        "guided_relu_gradient",
        "mask",
        "upstream.clamp(min=0)",
        "(upstream > 0).to(upstream)",
        hint="What goes back is the signal itself, not only where it passes.",
    ),
    mistake(
        "guided_relu_gradient",
        "absolute value",
        body="return torch.where(relu_input > 0, upstream.abs(), 0)",
        hint="Negative signals are stopped, not turned round.",
    ),
    mistake(
        "guided_relu_gradient",
        "edits in place",
        body="upstream[(upstream <= 0) | (relu_input <= 0)] = 0\nreturn upstream",
        hint="The signal that you were given was changed: make a new one.",
    ),
    mistake(
        "guided_relu_gradient",
        "sign of the product",
        body="return torch.where(upstream * relu_input > 0, upstream, 0)",
        hint="Two negative numbers also have a positive product.",
    ),
    mistake(
        "guided_relu_gradient",
        "always float64",
        "(relu_input > 0)",
        "(relu_input > 0).double()",
        hint="Look at the type of numbers that goes in and the one that comes out.",
    ),
)

GUIDED_BACKPROP = (
    mistake(
        "guided_backprop",
        "plain gradient",
        "with relu_rule(guided_relu_gradient):",
        "if True:",
        hint="This is the ordinary gradient: at no ReLU was your rule in force.",
    ),
    mistake(
        "guided_backprop",
        "deconvnet rule",
        "relu_rule(guided_relu_gradient)",
        "relu_rule(lambda g, x: g.clamp(min=0))",
        hint="A unit that was silent lets signals through in your version.",
    ),
    mistake(
        "guided_backprop",
        "clamped at the image",
        "return gradient",
        "return gradient.clamp(min=0)",
        hint="The rule acts at the ReLUs; at the pixels both signs remain.",
    ),
    mistake(
        "guided_backprop",
        "absolute value",
        "return gradient",
        "return gradient.abs()",
        hint="The sign belongs to the answer.",
    ),
    mistake(
        "guided_backprop",
        "module hooks only",
        body=HOOKED.replace("nn.ReLU)", "nn.ReLU) and not module.inplace"),
        hint="Not every ReLU is a module of its own: some are functions, some work in place, some run twice.",
    ),
    mistake(
        "guided_backprop",
        "predicted class",
        "scores = model(images).gather(1, labels[:, None])",
        "scores = model(images).amax(dim=1)",
        hint=OTHER_CLASS,
    ),
    mistake("guided_backprop", "cross terms", ".gather(1, labels[:, None])", "[:, labels]", hint=CROSS_TERMS),
    mistake("guided_backprop", "probability", "model(images)", "model(images).softmax(dim=1)", hint=PRE_SOFTMAX),
    mistake("guided_backprop", "squeeze", "return gradient", "return gradient.squeeze()", hint=BATCH_AXIS),
    mistake(
        "guided_backprop",
        "modules replaced for good",
        "images = images.detach().requires_grad_()",
        "images = images.detach().requires_grad_()\n    for m in model.modules():\n        if isinstance(m, nn.ReLU): m.inplace = False",
        hint=LEFT_BEHIND,
    ),
    mistake(
        "guided_backprop",
        "backward fills the parameters",
        "(gradient,) = torch.autograd.grad(scores.sum(), images)",
        "scores.sum().backward(); gradient = images.grad",
        hint="The parameters' own slots were filled on the way: ask for the one derivative that you need.",
    ),
    mistake(
        "guided_backprop",
        "backward hooks on the ReLU modules",
        body=HOOKED,
        hint="Backward hooks and in-place layers do not go together; part 1 gives you a context manager for this.",
    ),
    mistake(
        "guided_backprop",
        "rule left in force",
        "with relu_rule(guided_relu_gradient):\n        scores = model(images).gather(1, labels[:, None])  # (N, 1)",
        "relu_rule(guided_relu_gradient).__enter__()\n    scores = model(images).gather(1, labels[:, None])",
        hint="Your rule is still in force when the function has returned.",
    ),
)

DECONVNET = (
    mistake(
        "deconvnet",
        "whole map",
        "responses.max(dim=1).values",
        "responses.sum(dim=1)",
        hint="The projection starts from one unit, not from the whole map.",
    ),
    mistake(
        "deconvnet",
        "another channel",
        "[:, channel]",
        "[:, channel - 1]",
        hint="The units of another channel answer here.",
    ),
    mistake(
        "deconvnet",
        "strongest by size",
        "responses.max(dim=1).values",
        "responses.gather(1, responses.abs().argmax(dim=1, keepdim=True))",
        hint="A strongly negative unit is not a strong one.",
    ),
    mistake(
        "deconvnet",
        "seeded with the activation",
        "strongest.sum()",
        "(strongest * strongest.detach()).sum()",
        hint="The unit starts with the signal 1, whatever it answered.",
    ),
    mistake(
        "deconvnet",
        "plain gradient",
        "with relu_rule(deconvnet_relu_gradient), ",
        "with ",
        hint="This is the ordinary gradient: at no ReLU was your rule in force.",
    ),
    mistake(
        "deconvnet",
        "guided rule",
        "relu_rule(deconvnet_relu_gradient)",
        "relu_rule(lambda g, x: g.clamp(min=0) * (x > 0))",
        hint="Silent units stop the signal in your version; a deconvnet does not know which units were silent.",
    ),
    mistake(
        "deconvnet",
        "strongest of the batch",
        "responses.max(dim=1).values",
        "responses.max().reshape(1)",
        hint="Every picture has a strongest unit of its own.",
    ),
    mistake(
        "deconvnet",
        "last of equals",
        "responses.max(dim=1).values",
        "responses.flip(1).max(dim=1).values",
        hint="Of equally strong units the first in reading order counts.",
    ),
    mistake(
        "deconvnet",
        "ties share",
        "responses.max(dim=1).values",
        "responses.amax(dim=1)",
        hint="Where several units are equally strong, only one of them starts.",
    ),
    mistake(
        "deconvnet",
        "clamped at the image",
        "return projection",
        "return projection.clamp(min=0)",
        hint="The rule acts at the ReLUs; at the pixels both signs remain.",
    ),
    mistake(
        "deconvnet",
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
)

MISTAKES = (
    *SALIENCY_MAP,
    *ACTIVATION_GRADIENT,
    *RULES,
    *GUIDED_BACKPROP,
    *DECONVNET,
    *saliency_places.MISTAKES,
)
