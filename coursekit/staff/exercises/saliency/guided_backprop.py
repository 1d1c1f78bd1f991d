"""Exercise guided_backprop: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import BATCH_AXIS, CROSS_TERMS, OTHER_CLASS, PRE_SOFTMAX

HINTS = (
    "It is the gradient of the saliency map before the channels are combined, with another rule at every ReLU.",
    "Use relu_rule in a with statement, like torch.no_grad. Pass it your guided rule, the function itself.",
    "relu_rule acts when a ReLU runs forward. Run the network inside the with statement.",
    "G[n] = d logit[n, label_n] / d image[n], each ReLU's derivative replaced by R_in = R_out * [R_out > 0] * [z > 0]",
)

EXCHANGED = "Your rule passes on the ReLU's input: a rule gets (upstream, relu_input) and returns values of upstream."

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

MISTAKES = (
    mistake(
        "torch's ReLU patched for good",
        body="""
        class Guided(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x.clamp(min=0)

            @staticmethod
            def backward(ctx, upstream):
                return guided_relu_gradient(upstream, *ctx.saved_tensors)

        F.relu = lambda x, inplace=False: Guided.apply(x)
        nn.ReLU.forward = lambda self, x: Guided.apply(x)
        images = images.detach().requires_grad_()
        scores = model(images).gather(1, labels[:, None])
        return torch.autograd.grad(scores.sum(), images)[0]
        """,
        hint="After the call every ReLU of torch still follows your rule: use relu_rule, which restores them.",
    ),
    mistake(
        "plain gradient",
        "with relu_rule(guided_relu_gradient):",
        "if True:",
        hint="Your result is the ordinary gradient: run the network's forward pass inside relu_rule.",
    ),
    mistake(
        "deconvnet rule",
        "relu_rule(guided_relu_gradient)",
        "relu_rule(lambda g, x: g.clamp(min=0))",
        hint=(
            "Your rule only stops negative signals (deconvnet): it must also stop the signal where the ReLU's "
            "input was negative."
        ),
    ),
    mistake(
        "clamped at the image",
        "return gradient",
        "return gradient.clamp(min=0)",
        hint=(
            "You drop the negative values of the final gradient: the rule acts at the ReLUs, and the result is signed."
        ),
    ),
    mistake(
        "absolute value",
        "return gradient",
        "return gradient.abs()",
        hint="You take the absolute value of the result: the gradient must keep its sign.",
    ),
    mistake(
        "module hooks only",
        body=HOOKED.replace("nn.ReLU)", "nn.ReLU) and not module.inplace"),
        hint="Your hooks miss ReLUs that are functional or in-place: the rule must act at every ReLU.",
    ),
    mistake(
        "predicted class",
        "scores = model(images).gather(1, labels[:, None])",
        "scores = model(images).amax(dim=1)",
        hint=OTHER_CLASS,
    ),
    mistake("cross terms", ".gather(1, labels[:, None])", "[:, labels]", hint=CROSS_TERMS),
    mistake("probability", "model(images)", "model(images).softmax(dim=1)", hint=PRE_SOFTMAX),
    mistake("squeeze", "return gradient", "return gradient.squeeze()", hint=BATCH_AXIS),
    mistake(
        "modules replaced for good",
        "images = images.detach().requires_grad_()",
        "images = images.detach().requires_grad_()\n    for m in model.modules():\n        if isinstance(m, nn.ReLU): m.inplace = False",
        hint="After the call the network's ReLUs are changed (inplace): leave the network as it was.",
    ),
    mistake(
        "backward fills the parameters",
        "(gradient,) = torch.autograd.grad(scores.sum(), images)",
        "scores.sum().backward(); gradient = images.grad",
        hint=(
            "After the call the network's parameters have a .grad: ask autograd for the gradient of the images only."
        ),
    ),
    mistake(
        "backward hooks on the ReLU modules",
        body=HOOKED,
        hint="Full backward hooks fail on in-place ReLUs: use the context manager relu_rule.",
    ),
    mistake(
        "rule left in force",
        "with relu_rule(guided_relu_gradient):\n        scores = model(images).gather(1, labels[:, None])  # (N, 1)",
        "relu_rule(guided_relu_gradient).__enter__()\n    scores = model(images).gather(1, labels[:, None])",
        hint="Your rule stays active after the call: use relu_rule in a with statement.",
    ),
    mistake(
        "all logits",
        "model(images).gather(1, labels[:, None])",
        "model(images)",
        hint="You differentiate the sum of all logits: differentiate the label's logit alone.",
    ),
    mistake(
        "scaled by its maximum",
        "return gradient",
        "return gradient / gradient.abs().amax(dim=(1, 2, 3), keepdim=True)",
        hint="You divide each image's gradient by its largest value: return it unscaled.",
    ),
    mistake(
        "mean over the batch",
        "scores.sum()",
        "scores.mean()",
        hint="Your gradient is divided by the number of images: add up the scores instead of averaging them.",
    ),
    mistake(
        "gradient times image",
        "return gradient",
        "return gradient * images.detach()",
        hint="You multiply the gradient by the image, which is another method: return the gradient alone.",
    ),
    mistake(
        "arguments exchanged",
        "relu_rule(guided_relu_gradient)",
        "relu_rule(lambda g, x: guided_relu_gradient(x, g))",
        hint=EXCHANGED,
    ),
    mistake(
        "the input in place of the signal",
        "relu_rule(guided_relu_gradient)",
        "relu_rule(lambda g, x: x.clamp(min=0))",
        hint=EXCHANGED,
    ),
    mistake(
        "ReLU on the logit",
        "scores.sum()",
        "scores.relu().sum()",
        hint="Where the label's logit is negative, your result is 0: differentiate the logit itself, without a ReLU.",
    ),
    mistake(
        "rule in place",
        "    with relu_rule(guided_relu_gradient):",
        "    def rule(upstream, relu_input):\n        return upstream.mul_((upstream > 0) & (relu_input > 0))\n\n    with relu_rule(rule):",
        hint="Your ReLU rule writes into the upstream gradient, which other paths use too: return a new tensor.",
    ),
)

VARIANTS = (
    variant(
        "gradient taken inside the rule",
        body="""
        x = images.clone().detach().requires_grad_(True)
        with relu_rule(guided_relu_gradient):
            logits = model(x)
            seed = F.one_hot(labels, logits.shape[1]).to(logits)
            return torch.autograd.grad(logits, x, seed)[0]
        """,
    ),
    variant(
        "loop over images",
        body="""
        rows = []
        for image, label in zip(images, labels.tolist()):
            x = image[None].detach().requires_grad_()
            with relu_rule(guided_relu_gradient):
                score = model(x)[0, label]
            rows.append(torch.autograd.grad(score, x)[0])
        return torch.cat(rows)
        """,
    ),
    variant(
        "own autograd function and rule",
        body="""
        x = images.detach().requires_grad_()
        with relu_rule(lambda up, inp: up.clamp(min=0) * (inp > 0).to(up)):
            total = model(x)[torch.arange(len(x)), labels].sum()
        return torch.autograd.grad(total, x)[0].detach()
        """,
    ),
)
