"""Exercise guided_backprop: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import BATCH_AXIS, CROSS_TERMS, LEFT_BEHIND, OTHER_CLASS, PRE_SOFTMAX

HINTS = (
    (
        "It is the saliency map's derivative, before channels are combined, with another rule in force while the "
        "network runs."
    ),
    (
        "relu_rule is used like torch.no_grad, in a with statement. What it needs is your guided rule, the function "
        "itself."
    ),
    "The rule is attached to each ReLU when it runs forward: run the network inside the with statement.",
    "G[n] = d logit[n, label_n] / d image[n], each ReLU's derivative replaced by R_in = R_out * [R_out > 0] * [z > 0]",
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
        hint="After the call every network of the process obeys your rule: whom else does it concern?",
    ),
    mistake(
        "plain gradient",
        "with relu_rule(guided_relu_gradient):",
        "if True:",
        hint="This is the ordinary gradient: at no ReLU was your rule in force.",
    ),
    mistake(
        "deconvnet rule",
        "relu_rule(guided_relu_gradient)",
        "relu_rule(lambda g, x: g.clamp(min=0))",
        hint="A unit that was silent lets signals through in your version.",
    ),
    mistake(
        "clamped at the image",
        "return gradient",
        "return gradient.clamp(min=0)",
        hint="The rule acts at the ReLUs; at the pixels both signs remain.",
    ),
    mistake("absolute value", "return gradient", "return gradient.abs()", hint="The sign belongs to the answer."),
    mistake(
        "module hooks only",
        body=HOOKED.replace("nn.ReLU)", "nn.ReLU) and not module.inplace"),
        hint="Not every ReLU is a module of its own: some are functions, some work in place, some run twice.",
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
        hint=LEFT_BEHIND,
    ),
    mistake(
        "backward fills the parameters",
        "(gradient,) = torch.autograd.grad(scores.sum(), images)",
        "scores.sum().backward(); gradient = images.grad",
        hint="The parameters' own slots were filled on the way: ask for the one derivative that you need.",
    ),
    mistake(
        "backward hooks on the ReLU modules",
        body=HOOKED,
        hint="Backward hooks and in-place layers do not go together; part 1 gives you a context manager for this.",
    ),
    mistake(
        "rule left in force",
        "with relu_rule(guided_relu_gradient):\n        scores = model(images).gather(1, labels[:, None])  # (N, 1)",
        "relu_rule(guided_relu_gradient).__enter__()\n    scores = model(images).gather(1, labels[:, None])",
        hint="Your rule is still in force when the function has returned.",
    ),
    mistake(
        "all logits",
        "model(images).gather(1, labels[:, None])",
        "model(images)",
        hint="Your gradient is that of all classes' scores together: differentiate the label's alone.",
    ),
    mistake(
        "scaled by its maximum",
        "return gradient",
        "return gradient / gradient.abs().amax(dim=(1, 2, 3), keepdim=True)",
        hint="Your gradient is scaled to at most 1 in each image: scale it only to show it.",
    ),
    mistake(
        "mean over the batch",
        "scores.sum()",
        "scores.mean()",
        hint="Your gradient is divided by the number of images: how do you make one number of all scores?",
    ),
    mistake(
        "gradient times image",
        "return gradient",
        "return gradient * images.detach()",
        hint="Your gradient is multiplied by the image: that is another method.",
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
