"""Exercise grad_cam: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import BATCH_AXIS, IN_PLACE, OTHER_CLASS, PRE_SOFTMAX

HINTS = (
    (
        "Each channel of a late layer is a map of where some feature was found. Which of the features speak for the "
        "class?"
    ),
    (
        "Differentiate the score with respect to the layer's output, not to the picture; the layer's output is the "
        "small map itself."
    ),
    "Order matters: weigh, add up, drop what is negative, enlarge, and only then scale each map for itself.",
    "L = ReLU(sum over c of w_c A_c), w_c = mean over (y, x) of d logit / d A_c[y, x]; enlarge L; L / max L",
)

EPSILON = "A small constant below the line keeps the maximum away from 1."

MISTAKES = (
    mistake(
        "no final ReLU",
        ".sum(dim=1, keepdim=True).relu()",
        ".sum(dim=1, keepdim=True)",
        hint="What speaks against the class is still in your map.",
    ),
    mistake(
        "ReLU on the weights",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.mean(dim=(2, 3), keepdim=True).relu()",
        hint="A channel may speak against the class; you drop it before it can.",
    ),
    mistake(
        "ReLU for each channel",
        "(weights * features).sum(dim=1, keepdim=True).relu()",
        "(weights * features).relu().sum(dim=1, keepdim=True)",
        hint="You rectify too early: first all channels have their say.",
    ),
    mistake(
        "ReLU after enlarging",
        ".relu().detach()",
        ".detach()",
        "align_corners=False)[:, 0]",
        "align_corners=False)[:, 0].relu()",
        hint="The order matters where positive and negative places are neighbours: rectify the small map.",
    ),
    mistake(
        "gradient times activation at each place",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient / gradient[0, 0].numel()",
        hint="A channel has one weight, the same at every place.",
    ),
    mistake(
        "weights averaged over the batch",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.mean(dim=(0, 2, 3), keepdim=True)",
        hint="Each picture weighs the channels for itself.",
    ),
    mistake("probability", "model(images)", "model(images).softmax(dim=1)", hint=PRE_SOFTMAX),
    mistake(
        "aligned corners",
        "align_corners=False",
        "align_corners=True",
        hint="The small map is stretched a little too far: where do its corner cells lie in the picture?",
    ),
    mistake(
        "nearest neighbour",
        'mode="bilinear", align_corners=False',
        'mode="nearest"',
        hint="Your map has steps where a smooth one is asked for.",
    ),
    mistake(
        "normalised over the batch",
        "cam.amax(dim=(1, 2), keepdim=True)",
        "cam.amax()",
        hint="Each map has its own maximum.",
    ),
    mistake(
        "normalised before enlarging",
        "cam = F.interpolate(cam, images.shape[-2:]",
        "cam = cam / cam.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-300)\n    cam = F.interpolate(cam, images.shape[-2:]",
        "peak = cam.amax(dim=(1, 2), keepdim=True)",
        "peak = torch.zeros(1)",
        hint="Enlarging flattens the peak: a map whose maximum was 1 no longer has it.",
    ),
    mistake(
        "minimum subtracted",
        "peak = cam.amax(dim=(1, 2), keepdim=True)",
        "cam = cam - cam.amin(dim=(1, 2), keepdim=True)\n    peak = cam.amax(dim=(1, 2), keepdim=True)",
        hint="Zero means that nothing speaks for the class; do not shift it.",
    ),
    mistake(
        "zero by zero",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam / peak",
        hint="What does your last step do with a map in which nothing speaks for the class?",
    ),
    mistake(
        "sum for mean, an epsilon that bites",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam / (peak + 1e-2)",
        hint=EPSILON,
    ),
    mistake("the usual epsilon", "cam / torch.where(peak > 0, peak, 1)", "cam / (peak + 1e-8)", hint=EPSILON),
    mistake(
        "an epsilon instead of a small maximum",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam / peak.clamp(min=1e-12)",
        hint="A maximum may be smaller than any constant you choose, and is still to become 1.",
    ),
    mistake(
        "activation aliased by an in-place ReLU",
        "with record_outputs(model, [layer]) as outputs:",
        "outputs = {}\n    handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: outputs.update({layer: o}))\n    try:",
        "labels[:, None])  # (N, 1)",
        "labels[:, None])\n    finally:\n        handle.remove()",
        hint=IN_PLACE,
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
        hint="Somebody may still need what was stored beside the weights before the call.",
    ),
    mistake(
        "needs trainable weights",
        "images = images.detach().requires_grad_()",
        "images = images.detach()",
        hint="A network with frozen weights can be explained as well: whom must autograd follow from the start?",
    ),
    mistake(
        "empty map beside full ones",
        "cam / torch.where(peak > 0, peak, 1)",
        "cam if cam.max() == 0 else cam / peak",
        hint="One picture's map may be empty while its neighbours' are not.",
    ),
    mistake(
        "two hooks",
        "with record_outputs(model, [layer]) as outputs:",
        "outputs, slopes = {}, []\n    module = model.get_submodule(layer)\n    handles = [\n        module.register_forward_hook(lambda m, i, o: outputs.update({layer: o})),\n        module.register_full_backward_hook(lambda m, i, o: slopes.append(o[0])),\n    ]\n    try:",
        "labels[:, None])  # (N, 1)",
        "labels[:, None])\n        if scores.requires_grad:\n            torch.autograd.grad(scores.sum(), images, allow_unused=True)\n    finally:\n        for handle in handles:\n            handle.remove()",
        "(gradient,) = torch.autograd.grad(scores.sum(), features, materialize_grads=True)",
        "gradient = slopes[0] if slopes else torch.zeros_like(features)",
        hint=IN_PLACE,
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
        hint="Your weights are absolute values of the gradient: a channel may have a negative weight.",
    ),
    mistake(
        "largest gradient for the mean",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.amax(dim=(2, 3), keepdim=True)",
        hint="Your weights are the largest gradient of each channel: which statistic over the places is asked for?",
    ),
    mistake(
        "absolute map",
        ".relu().detach()",
        ".abs().detach()",
        hint="Your map shows as strong what speaks against the class: drop negative values, do not turn them.",
    ),
    mistake(
        "bicubic",
        'mode="bilinear"',
        'mode="bicubic"',
        hint="Your map overshoots near edges: bicubic enlarging was not asked for.",
    ),
    mistake(
        "all logits",
        "model(images).gather(1, labels[:, None])",
        "model(images)",
        hint="Your weights come from the sum of all classes' scores: differentiate the label's alone.",
    ),
    mistake(
        "divided by the sum",
        "peak = cam.amax(dim=(1, 2), keepdim=True)",
        "peak = cam.sum(dim=(1, 2), keepdim=True)",
        hint="Your maps are divided by their sum: divide each by its maximum.",
    ),
    mistake(
        "strongest channel",
        "(weights * features).sum(dim=1, keepdim=True)",
        "(weights * features).amax(dim=1, keepdim=True)",
        hint="Your map keeps the strongest channel at each place: add all channels.",
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
