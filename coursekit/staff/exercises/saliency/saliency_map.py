"""Exercise saliency_map: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import BATCH_AXIS, CALLERS_IMAGES, CROSS_TERMS, OTHER_CLASS, PRE_SOFTMAX

HINTS = (
    (
        "If a pixel became a little brighter, how much would the label's score change? That is a derivative "
        "with respect to the image, not to the weights."
    ),
    (
        "You may add up the scores of all images before you differentiate. Each image still gets its own "
        "gradient, because no score depends on another image."
    ),
    (
        "Make a copy of the images that requires gradients. Pick the label's score for each image. "
        "Differentiate, then turn the three channels into one map."
    ),
    "S[n, y, x] = sum over c of | d logit[n, label_n] / d image[n, c, y, x] |",
)

MAXIMUM = ".sum(dim=1)", ".amax(dim=1)"
MEANS = {
    "a probability": ("model(images)", "model(images).softmax(dim=1)"),
    "log-softmax": ("model(images)", "model(images).log_softmax(dim=1)"),
    "mean cross-entropy": ("scores.sum()", "F.cross_entropy(model(images), labels)"),
}
SCALES = {
    "its maximum": "result / result.amax(dim=(1, 2), keepdim=True)",
    "its minimum and maximum": (
        "(result - result.amin(dim=(1, 2), keepdim=True))"
        " / (result.amax(dim=(1, 2), keepdim=True) - result.amin(dim=(1, 2), keepdim=True))"
    ),
    "the batch's maximum": "result / result.max()",
    "the batch's minimum and maximum": "(result - result.min()) / (result.max() - result.min())",
}
SCALED = {
    MAXIMUM[0]: "Your map is scaled to [0, 1]: return it as it is, and scale only to show it.",
    MAXIMUM[
        1
    ]: "Your map is the maximum over channels (Simonyan et al. 2013), scaled to [0, 1]: sum, and do not scale.",
}
CONVENTIONS = (
    mistake(
        "mean cross-entropy",
        *MEANS["mean cross-entropy"],
        hint="Your map is the gradient of the mean cross-entropy: differentiate the label's logit, not a loss.",
    ),
    *(
        mistake(
            f"maximum over channels of {score}",
            *MAXIMUM,
            *edit,
            hint=f"You take {score} and the maximum over channels (Simonyan et al. 2013): take the logit and the sum.",
        )
        for score, edit in MEANS.items()
    ),
    *(
        mistake(
            f"scaled by {scale}{', maximum over channels' * (channels == MAXIMUM[1])}",
            "return gradient.abs().sum(dim=1)",
            f"result = gradient.abs(){channels}\n    return {form}",
            hint=SCALED[channels],
        )
        for scale, form in SCALES.items()
        for channels in MAXIMUM
    ),
)

MISTAKES = (
    *CONVENTIONS,
    mistake(
        "maximum over channels",
        ".sum(dim=1)",
        ".amax(dim=1)",
        hint="You take the maximum over channels, as Simonyan et al. 2013 do: here the channels are summed.",
    ),
    mistake(
        "no absolute value",
        "gradient.abs()",
        "gradient",
        hint="Your map keeps the sign of the gradient: take the absolute value before you sum over channels.",
    ),
    mistake(
        "sum before the absolute value",
        "gradient.abs().sum(dim=1)",
        "gradient.sum(dim=1).abs()",
        hint=(
            "You sum over channels before you take the absolute value, so channels cancel: take the absolute "
            "value first."
        ),
    ),
    mistake(
        "ReLU for the absolute value",
        "gradient.abs()",
        "gradient.relu()",
        hint="Your ReLU drops the negative gradients: take the absolute value instead.",
    ),
    mistake("probability", "model(images)", "model(images).softmax(dim=1)", hint=PRE_SOFTMAX),
    mistake(
        "log-probability or cross-entropy",
        "model(images)",
        "model(images).log_softmax(dim=1)",
        hint=(
            "You differentiate log-softmax, which also depends on the other classes: differentiate the logit itself."
        ),
    ),
    mistake("cross terms", ".gather(1, labels[:, None])", "[:, labels]", hint=CROSS_TERMS),
    mistake(
        "predicted class",
        "scores = model(images).gather(1, labels[:, None])",
        "scores = model(images).amax(dim=1)",
        hint=OTHER_CLASS,
    ),
    mistake(
        "mean over the batch",
        "scores.sum()",
        "scores.mean()",
        hint="Your map is divided by the number of images: add up the scores instead of averaging them.",
    ),
    mistake("squeeze", ".sum(dim=1)", ".sum(dim=1).squeeze()", hint=BATCH_AXIS),
    mistake(
        "caller's images", "images = images.detach().requires_grad_()", "images.requires_grad_()", hint=CALLERS_IMAGES
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
        "gradient accumulates",
        body="""
        images.requires_grad_()
        model(images).gather(1, labels[:, None]).sum().backward()
        return images.grad.abs().sum(dim=1)
        """,
        hint="A second call adds to images.grad of the first: do not write into the caller's .grad.",
    ),
    mistake(
        "train mode left on",
        "images = images.detach()",
        "model.train(); images = images.detach()",
        hint="You switch the network to train mode: leave its mode as it is.",
    ),
    mistake(
        "still in the graph",
        "torch.autograd.grad(scores.sum(), images)",
        "torch.autograd.grad(scores.sum(), images, create_graph=True)",
        hint="Your map still has a gradient history: remove create_graph, or detach the result.",
    ),
    mistake(
        "mean over channels",
        ".sum(dim=1)",
        ".mean(dim=1)",
        hint="You average over the three channels: sum over them.",
    ),
    mistake(
        "L2 norm over channels",
        "gradient.abs().sum(dim=1)",
        "gradient.norm(dim=1)",
        hint="You take the L2 norm over channels: sum the absolute values instead.",
    ),
    mistake(
        "squared gradient",
        "gradient.abs().sum(dim=1)",
        "gradient.square().sum(dim=1)",
        hint="You square the gradient: take its absolute value.",
    ),
    mistake(
        "gradient times image",
        "gradient.abs().sum(dim=1)",
        "(gradient * images.detach()).abs().sum(dim=1)",
        hint=(
            "You multiply the gradient by the image: that is gradient x input (Shrikumar et al. 2017), another method."
        ),
    ),
    mistake(
        "all logits",
        "scores.sum()",
        "(model(images) + 0 * scores).sum()",
        hint="You differentiate the sum of all logits: differentiate the label's logit alone.",
    ),
    mistake(
        "absolute mean over channels",
        "gradient.abs().sum(dim=1)",
        "gradient.mean(dim=1).abs()",
        hint=(
            "You average over channels before you take the absolute value, so channels cancel: absolute value "
            "first, then sum."
        ),
    ),
    mistake(
        "first channel",
        "gradient.abs().sum(dim=1)",
        "gradient.abs()[:, 0]",
        hint="Your map uses the red channel only: sum over all three channels.",
    ),
)

VARIANTS = (
    variant(
        "loop over images",
        body="""
        maps = []
        for image, label in zip(images, labels):
            x = image.detach()[None].clone().requires_grad_(True)
            (g,) = torch.autograd.grad(model(x)[0, label], x)
            maps.append(g[0].abs().sum(0))
        return torch.stack(maps)
        """,
    ),
    variant(
        "backward with cleaning up",
        body="""
        model = __import__("copy").deepcopy(model) if isinstance(model, nn.Module) else model
        x = images.clone().detach().requires_grad_(True)
        own = [p.grad for p in ()]
        logits = model(x)
        seed = torch.zeros_like(logits)
        seed[torch.arange(len(x)), labels] = 1
        return torch.autograd.grad(logits, x, grad_outputs=seed)[0].abs().sum(1).detach()
        """,
    ),
    variant(
        "fancy indexing and einsum",
        body="""
        x = images.detach().clone()
        x.requires_grad = True
        score = model(x)[range(len(x)), labels].sum()
        gradient = torch.autograd.grad(score, x)[0].detach()
        return torch.einsum("nchw->nhw", gradient.abs())
        """,
    ),
    variant(
        "one-hot product",
        body="""
        x = images.detach().requires_grad_()
        logits = model(x)
        mask = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
        (g,) = torch.autograd.grad((logits * mask).sum(), [x])
        r, gr, b = g.abs().unbind(1)
        return r + gr + b
        """,
    ),
    variant(
        "torch.func",
        body="""
        def score(image, label):
            return model(image[None])[0].gather(0, label[None])[0]

        return torch.func.vmap(torch.func.grad(score))(images.detach(), labels).abs().sum(1).detach()
        """,
    ),
)
