"""Exercise grad_cam: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import ALIASED, BATCH_AXIS, OTHER_CLASS, PRE_SOFTMAX

HINTS = (
    (
        "Each channel of a late layer is a map of where the network found a feature. Which features raise "
        "the label's score?"
    ),
    (
        "Differentiate the score with respect to the layer's output, not to the image. The layer's output is "
        "the small map."
    ),
    (
        "The order matters. Weight the channels, sum them, apply ReLU, enlarge the map, and only then divide "
        "each map by its maximum."
    ),
    "L = ReLU(sum over c of w_c A_c), w_c = mean over (y, x) of d logit / d A_c[y, x]; enlarge L; L / max L",
)

EPSILON = "The constant in your denominator keeps the maximum below 1: divide by the maximum, and keep a zero map zero."

MISTAKES = (
    mistake(
        "no final ReLU",
        ".sum(dim=1, keepdim=True).relu()",
        ".sum(dim=1, keepdim=True)",
        hint="Your map has negative values: apply ReLU after the weighted sum over channels.",
    ),
    mistake(
        "ReLU on the weights",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.mean(dim=(2, 3), keepdim=True).relu()",
        hint="You apply ReLU to the channel weights: negative weights count, and ReLU comes after the sum.",
    ),
    mistake(
        "ReLU for each channel",
        "(weights * features).sum(dim=1, keepdim=True).relu()",
        "(weights * features).relu().sum(dim=1, keepdim=True)",
        hint="You apply ReLU to each channel before the sum: sum over channels first, then apply ReLU.",
    ),
    mistake(
        "ReLU after enlarging",
        ".relu().detach()",
        ".detach()",
        "align_corners=False)[:, 0]",
        "align_corners=False)[:, 0].relu()",
        hint="You apply ReLU after enlarging: apply it to the small map, before the interpolation.",
    ),
    mistake(
        "gradient times activation at each place",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient / gradient[0, 0].numel()",
        hint="Your weights differ from place to place: average the gradient over the places, one weight per channel.",
    ),
    mistake(
        "weights averaged over the batch",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.mean(dim=(0, 2, 3), keepdim=True)",
        hint="You average the weights over the batch too: each image has its own weights.",
    ),
    mistake("probability", "model(images)", "model(images).softmax(dim=1)", hint=PRE_SOFTMAX),
    mistake(
        "aligned corners",
        "align_corners=False",
        "align_corners=True",
        hint="You align the corners (align_corners=True) when you enlarge: turn this option off.",
    ),
    mistake(
        "nearest neighbour",
        'mode="bilinear", align_corners=False',
        'mode="nearest"',
        hint="You enlarge with nearest neighbour: use bilinear interpolation.",
    ),
    mistake(
        "normalised over the batch",
        "cam.amax(dim=(1, 2), keepdim=True)",
        "cam.amax()",
        hint="You divide all maps by one maximum of the whole batch: divide each map by its own.",
    ),
    mistake(
        "normalised before enlarging",
        "cam = F.interpolate(cam, images.shape[-2:]",
        "cam = cam / cam.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-300)\n    cam = F.interpolate(cam, images.shape[-2:]",
        "peak = cam.amax(dim=(1, 2), keepdim=True)",
        "peak = torch.zeros(1)",
        hint="You divide before enlarging, which changes the maximum: enlarge first, then divide by the maximum.",
    ),
    mistake(
        "minimum subtracted",
        "peak = cam.amax(dim=(1, 2), keepdim=True)",
        "cam = cam - cam.amin(dim=(1, 2), keepdim=True)\n    peak = cam.amax(dim=(1, 2), keepdim=True)",
        hint="You subtract each map's minimum: only divide by the maximum.",
    ),
    mistake(
        "zero by zero",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam / peak",
        hint="A map of zeros gives 0 / 0 = NaN: it must stay zero.",
    ),
    mistake(
        "sum for mean, an epsilon that bites",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam / (peak + 1e-2)",
        hint=EPSILON,
    ),
    *(
        mistake(f"epsilon {e}", "cam / torch.where(peak > 0, peak, 1)", f"cam / (peak + {e})", hint=EPSILON)
        for e in ("1e-5", "1e-6", "1e-7", "1e-8", "1e-10", "1e-12")
    ),
    *(
        mistake(
            f"at least {e} for the maximum",
            "cam / torch.where(peak > 0, peak, 1)",
            f"cam / peak.clamp(min={e})",
            hint="Your lower bound replaces very small maxima: every map with a positive maximum must reach 1.",
        )
        for e in ("1e-5", "1e-6", "1e-7", "1e-8", "1e-10", "1e-12")
    ),
    mistake(
        "activation aliased by an in-place ReLU",
        "with record_outputs(model, [layer]) as outputs:",
        "outputs = {}\n    handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: outputs.update({layer: o}))\n    try:",
        "labels[:, None])  # (N, 1)",
        "labels[:, None])\n    finally:\n        handle.remove()",
        hint=ALIASED,
    ),
    mistake("predicted class", ".gather(1, labels[:, None])", ".amax(dim=1)", hint=OTHER_CLASS),
    mistake(
        "squeeze",
        "return cam / torch.where(peak > 0, peak, 1)",
        "return (cam / torch.where(peak > 0, peak, 1)).squeeze()",
        hint=BATCH_AXIS,
    ),
    mistake(
        "gradients erased",
        "images = images.detach().requires_grad_()",
        "model.zero_grad()\n    images = images.detach().requires_grad_()",
        hint="After the call the parameters' .grad is gone: it belongs to the caller, so do not clear it.",
    ),
    mistake(
        "needs trainable weights",
        "images = images.detach().requires_grad_()",
        "images = images.detach()",
        hint=(
            "With frozen weights your scores have no gradient: the images must require gradients before the "
            "forward pass."
        ),
    ),
    mistake(
        "empty map beside full ones",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam if cam.max() == 0 else cam / peak",
        hint="You test for zero over the whole batch: test each map's own maximum, or one zero map becomes NaN.",
    ),
    mistake(
        "two hooks",
        "with record_outputs(model, [layer]) as outputs:",
        "outputs, slopes = {}, []\n    module = model.get_submodule(layer)\n    handles = [\n        module.register_forward_hook(lambda m, i, o: outputs.update({layer: o})),\n        module.register_full_backward_hook(lambda m, i, o: slopes.append(o[0])),\n    ]\n    try:",
        "labels[:, None])  # (N, 1)",
        "labels[:, None])\n        if scores.requires_grad:\n            torch.autograd.grad(scores.sum(), images, allow_unused=True)\n    finally:\n        for handle in handles:\n            handle.remove()",
        "(gradient,) = torch.autograd.grad(scores.sum(), features, materialize_grads=True)",
        "gradient = slopes[0] if slopes else torch.zeros_like(features)",
        hint=(
            "A full backward hook fails in front of an in-place ReLU, and the ReLU overwrites the output: use "
            "record_outputs."
        ),
    ),
    mistake(
        "not scaled",
        "return cam / torch.where(peak > 0, peak, 1)",
        "return cam + 0 * peak",
        hint="Your maps are not divided by their maximum.",
    ),
    mistake(
        "absolute weights",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.abs().mean(dim=(2, 3), keepdim=True)",
        hint="Your weights are means of the absolute gradient: average the signed gradient, weights may be negative.",
    ),
    mistake(
        "largest gradient for the mean",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.amax(dim=(2, 3), keepdim=True)",
        hint="Your weight is the largest gradient of each channel: take the mean over the places.",
    ),
    mistake(
        "absolute map",
        ".relu().detach()",
        ".abs().detach()",
        hint="You take the absolute value of the weighted sum: use ReLU, which sets negative values to 0.",
    ),
    mistake(
        "bicubic",
        'mode="bilinear"',
        'mode="bicubic"',
        hint="You enlarge with bicubic interpolation: use bilinear.",
    ),
    mistake(
        "all logits",
        "model(images).gather(1, labels[:, None])",
        "model(images)",
        hint="Your weights come from the sum of all logits: differentiate the label's logit alone.",
    ),
    mistake(
        "divided by the sum",
        "peak = cam.amax(dim=(1, 2), keepdim=True)",
        "peak = cam.sum(dim=(1, 2), keepdim=True)",
        hint="You divide each map by its sum: divide it by its maximum.",
    ),
    mistake(
        "strongest channel",
        "(weights * features).sum(dim=1, keepdim=True)",
        "(weights * features).amax(dim=1, keepdim=True)",
        hint="You take the maximum over channels at each place: sum over channels.",
    ),
    mistake(
        "positive gradients only",
        "gradient.mean(",
        "gradient.relu().mean(",
        hint="You set negative gradients to 0 before the mean: average all of them, with their signs.",
    ),
    mistake(
        "rectified features",
        "(weights * features)",
        "(weights * features.relu())",
        hint="You apply ReLU to the layer's output: use it with its negative values, ReLU comes after the sum.",
    ),
    mistake(
        "ReLU on the logit",
        "scores.sum()",
        "scores.relu().sum()",
        hint="Where the label's logit is negative, your map is 0: differentiate the logit itself, without a ReLU.",
    ),
    mistake(
        "needs a path to the layer",
        ", materialize_grads=True",
        "",
        hint="If the logit does not depend on the layer, autograd raises an error: the map is zero there.",
    ),
    mistake(
        "width before height",
        "images.shape[-2:], mode",
        "images.shape[:1:-1], mode",
        hint="You enlarge the map to (W, H): enlarge it to (H, W).",
    ),
)

VARIANTS = (
    variant(
        "einsum",
        body="""
        x = images.detach().requires_grad_()
        with record_outputs(model, [layer]) as outputs:
            logits = model(x)
        features = outputs[layer]
        seed = F.one_hot(labels, logits.shape[1]).to(logits)
        (g,) = torch.autograd.grad(logits, features, seed, materialize_grads=True)
        cam = torch.einsum("nc,nchw->nhw", g.mean((2, 3)), features).clamp(min=0).detach()
        cam = F.interpolate(cam.unsqueeze(1), size=x.shape[2:], mode="bilinear").squeeze(1)
        for plane in cam:
            if plane.max() > 0:
                plane /= plane.max().clone()
        return cam
        """,
    ),
    variant("weights by summing", "gradient.mean(dim=(2, 3), keepdim=True)", "gradient.sum(dim=(2, 3), keepdim=True)"),
    variant(
        "loop over images, own hooks",
        body="""
        maps = []
        for image, label in zip(images, labels):
            kept = []
            handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: (kept.append(o), o.clone())[1])
            try:
                score = model(image[None].detach().requires_grad_())[0, label]
            finally:
                handle.remove()
            g = torch.autograd.grad(score, kept[-1], allow_unused=True)[0]
            g = torch.zeros_like(kept[-1]) if g is None else g
            w = g.flatten(2).mean(2)
            cam = F.relu((w[0, :, None, None] * kept[-1][0]).sum(0)).detach()
            cam = F.interpolate(cam[None, None], image.shape[1:], mode="bilinear", align_corners=False)[0, 0]
            maps.append(cam / cam.max() if cam.max() > 0 else cam)
        return torch.stack(maps)
        """,
    ),
)
