"""Exercise guided_grad_cam: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "You have both pictures already: one is sharp, the other knows the class.",
    "The two have different shapes: (N, 3, H, W) and (N, H, W). Where must an axis be added?",
    "C[n, c, y, x] = G[n, c, y, x] * L[n, y, x]",
)

MISTAKES = (
    mistake(
        "broadcast over the wrong axis",
        "cam[:, None]",
        "cam",
        hint="Three pictures and three colours: your product pairs the wrong ones.",
    ),
    mistake(
        "CAM inside the guided rule",
        "cam = grad_cam(model, images, labels, layer)",
        "with relu_rule(guided_relu_gradient):\n        cam = grad_cam(model, images, labels, layer)",
        hint="One of the two factors needs ordinary gradients.",
    ),
    mistake(
        "different targets",
        "guided_backprop(model, images, labels)",
        "guided_backprop(model, images, model(images).argmax(dim=1))",
        hint="Both factors explain the same class.",
    ),
    mistake(
        "sum for product",
        "* cam[:, None]",
        "+ cam[:, None]",
        hint="Where one factor says nothing, the answer is nothing.",
    ),
    mistake(
        "absolute value",
        "return guided_backprop(model, images, labels)",
        "return guided_backprop(model, images, labels).abs()",
        hint="The sign of the fine structure belongs to the answer.",
    ),
    mistake(
        "summed over channels",
        body="return (guided_backprop(model, images, labels) * grad_cam(model, images, labels, layer)[:, None]).sum(dim=1)",
        hint="The answer is a colour picture.",
    ),
    mistake("first map for all", "cam[:, None]", "cam[:1, None]", hint="Each picture has a map of its own."),
    mistake(
        "thresholded map",
        "cam[:, None]",
        "(cam > 0.5)[:, None]",
        hint="The map weighs the fine structure; it does not cut it out.",
    ),
    mistake(
        "layer ignored",
        "grad_cam(model, images, labels, layer)",
        "grad_cam(model, images, labels, [n for n, m in model.named_modules() if isinstance(m, nn.Conv2d)][-1])",
        hint="Which map is asked for is the caller's choice.",
    ),
    mistake(
        "positive part only",
        "guided_backprop(model, images, labels) *",
        "guided_backprop(model, images, labels).clamp(min=0) *",
        hint="Your product has lost its negative values: guided backprop is signed.",
    ),
)

VARIANTS = (
    variant(
        "einsum",
        body="return torch.einsum('nchw,nhw->nchw', guided_backprop(model, images, labels), grad_cam(model, images, labels, layer))",
    ),
    variant(
        "expand",
        body="""
        signed = guided_backprop(model, images, labels)
        cam = grad_cam(model, images, labels, layer)
        return signed * cam.unsqueeze(1).expand_as(signed)
        """,
    ),
    variant(
        "self-written factors",
        body="""
        x = images.detach().requires_grad_()
        with relu_rule(lambda up, inp: up.clamp(min=0) * (inp > 0)):
            scores = model(x)[torch.arange(len(x)), labels]
        (signed,) = torch.autograd.grad(scores.sum(), x)
        y = images.detach().requires_grad_()
        with record_outputs(model, [layer]) as outputs:
            scores = model(y)[torch.arange(len(y)), labels]
        (g,) = torch.autograd.grad(scores.sum(), outputs[layer])
        cam = (g.mean((2, 3), keepdim=True) * outputs[layer]).sum(1, keepdim=True).relu().detach()
        cam = F.interpolate(cam, y.shape[2:], mode="bilinear", align_corners=False)
        peak = cam.amax((1, 2, 3), keepdim=True)
        return signed * (cam / peak.where(peak > 0, 1))
        """,
    ),
)
