"""Exercise guided_grad_cam: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "You have both factors already. guided_backprop is sharp, grad_cam depends on the class.",
    "The shapes are (N, 3, H, W) and (N, H, W). Where do you have to add an axis?",
    "C[n, c, y, x] = G[n, c, y, x] * L[n, y, x]",
)

MISTAKES = (
    mistake(
        "broadcast over the wrong axis",
        "cam[:, None]",
        "cam",
        hint="Your (N, H, W) map is matched with the channels, not the images: add a channel axis to it.",
    ),
    mistake(
        "CAM inside the guided rule",
        "cam = grad_cam(model, images, labels, layer)",
        "with relu_rule(guided_relu_gradient):\n        cam = grad_cam(model, images, labels, layer)",
        hint="You compute Grad-CAM under the guided ReLU rule: it needs ordinary gradients.",
    ),
    mistake(
        "different targets",
        "guided_backprop(model, images, labels)",
        "guided_backprop(model, images, model(images).argmax(dim=1))",
        hint="One of your factors explains another class, such as the predicted one: both factors use the given labels.",
    ),
    mistake(
        "sum for product",
        "* cam[:, None]",
        "+ cam[:, None]",
        hint="You add the two factors: multiply them.",
    ),
    mistake(
        "absolute value",
        "return guided_backprop(model, images, labels)",
        "return guided_backprop(model, images, labels).abs()",
        hint="You take the absolute value of guided backprop: it is signed.",
    ),
    mistake(
        "summed over channels",
        body="return (guided_backprop(model, images, labels) * grad_cam(model, images, labels, layer)[:, None]).sum(dim=1)",
        hint="You sum over the colour channels: the result is (N, 3, H, W).",
    ),
    mistake(
        "first map for all",
        "cam[:, None]",
        "cam[:1, None]",
        hint="You use the first image's map for all images: use each image's own.",
    ),
    mistake(
        "thresholded map",
        "cam[:, None]",
        "(cam > 0.5)[:, None]",
        hint="You turn the map into 0 and 1: multiply by the map's values.",
    ),
    mistake(
        "layer ignored",
        "grad_cam(model, images, labels, layer)",
        "grad_cam(model, images, labels, [n for n, m in model.named_modules() if isinstance(m, nn.Conv2d)][-1])",
        hint="You use the network's last convolution: use the given layer.",
    ),
    mistake(
        "positive part only",
        "guided_backprop(model, images, labels) *",
        "guided_backprop(model, images, labels).clamp(min=0) *",
        hint="You set negative values of guided backprop to 0: it is signed.",
    ),
    mistake(
        "ordinary gradient",
        "return guided_backprop(model, images, labels)",
        "images = images.detach().requires_grad_()\n    scores = model(images).gather(1, labels[:, None])\n    return torch.autograd.grad(scores.sum(), images)[0]",
        hint="Your first factor is the ordinary gradient: use guided_backprop.",
    ),
    mistake(
        "scaled to 1",
        "return guided_backprop(model, images, labels) * cam[:, None]",
        "result = guided_backprop(model, images, labels) * cam[:, None]\n    return result / result.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12)",
        hint="You divide the product by its largest value: return it unscaled.",
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
