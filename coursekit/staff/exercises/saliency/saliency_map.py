"""Exercise saliency_map: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.saliency.shared import BATCH_AXIS, CALLERS_IMAGES, CROSS_TERMS, OTHER_CLASS, PRE_SOFTMAX

HINTS = (
    (
        "Ask: if this pixel became a little brighter, how much would the score of the label change? That is a "
        "derivative with respect to the picture, not to the weights."
    ),
    (
        "The network takes many pictures at once. If you add up the scores of all pictures, each picture still gets "
        "its own derivative, because no score depends on another picture."
    ),
    (
        "Make a copy of the pictures that autograd may follow, pick one score for each picture, differentiate, then "
        "turn three channels into one map."
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
CONVENTIONS = (
    mistake(
        "mean cross-entropy",
        *MEANS["mean cross-entropy"],
        hint="Your map is the gradient of the mean cross-entropy: differentiate the score itself, not a loss.",
    ),
    *(
        mistake(
            f"maximum over channels of {score}",
            *MAXIMUM,
            *edit,
            hint=f"Two conventions differ: maximum over channels (Simonyan et al. 2013) for the lecture's, and {score} for the score.",
        )
        for score, edit in MEANS.items()
    ),
    *(
        mistake(
            f"scaled by {scale}{', maximum over channels' * (channels == MAXIMUM[1])}",
            "return gradient.abs().sum(dim=1)",
            f"result = gradient.abs(){channels}\n    return {form}",
            hint="Your map is scaled to [0, 1]"
            + ", of the maximum over channels (Simonyan et al. 2013)" * (channels == MAXIMUM[1])
            + ": scale it only to show it.",
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
        hint="The paper and the lecture differ in how the three colour channels become one map; here the lecture's way counts.",
    ),
    mistake(
        "no absolute value",
        "gradient.abs()",
        "gradient",
        hint="A pixel that lowers the score strongly matters as much as one that raises it.",
    ),
    mistake(
        "sum before the absolute value",
        "gradient.abs().sum(dim=1)",
        "gradient.sum(dim=1).abs()",
        hint="Colour channels that pull in opposite directions cancel in your map: mind the order of the two operations.",
    ),
    mistake(
        "ReLU for the absolute value",
        "gradient.abs()",
        "gradient.relu()",
        hint="Half of the evidence is missing from your map: what happened to pixels with a negative slope?",
    ),
    mistake("probability", "model(images)", "model(images).softmax(dim=1)", hint=PRE_SOFTMAX),
    mistake(
        "log-probability or cross-entropy",
        "model(images)",
        "model(images).log_softmax(dim=1)",
        hint="Your map also shows what speaks for the other classes: differentiate the score itself, not a loss.",
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
        hint="Your map becomes fainter when more pictures are in the batch: how do you make one number of all scores?",
    ),
    mistake("squeeze", ".sum(dim=1)", ".sum(dim=1).squeeze()", hint=BATCH_AXIS),
    mistake(
        "caller's images", "images = images.detach().requires_grad_()", "images.requires_grad_()", hint=CALLERS_IMAGES
    ),
    mistake(
        "backward fills the parameters",
        "(gradient,) = torch.autograd.grad(scores.sum(), images)",
        "scores.sum().backward(); gradient = images.grad",
        hint="The parameters' own slots were filled on the way: ask for the one derivative that you need.",
    ),
    mistake(
        "gradient accumulates",
        body="""
        images.requires_grad_()
        model(images).gather(1, labels[:, None]).sum().backward()
        return images.grad.abs().sum(dim=1)
        """,
        hint="Call it twice in a row: the second answer must be the first one again.",
    ),
    mistake(
        "train mode left on",
        "images = images.detach()",
        "model.train(); images = images.detach()",
        hint="The network must be in the mode in which it came, during the call and after it.",
    ),
    mistake(
        "still in the graph",
        "torch.autograd.grad(scores.sum(), images)",
        "torch.autograd.grad(scores.sum(), images, create_graph=True)",
        hint="Your map drags the whole computation behind it: cut it off.",
    ),
    mistake(
        "mean over channels",
        ".sum(dim=1)",
        ".mean(dim=1)",
        hint="Your map is a third of what it should be: how do the three colour channels become one?",
    ),
    mistake(
        "L2 norm over channels",
        "gradient.abs().sum(dim=1)",
        "gradient.norm(dim=1)",
        hint="Your map is the length of the gradient over the channels: the three sizes are to be added.",
    ),
    mistake(
        "squared gradient",
        "gradient.abs().sum(dim=1)",
        "gradient.square().sum(dim=1)",
        hint="Your map holds squares of the gradient: use its size, not its square.",
    ),
    mistake(
        "gradient times image",
        "gradient.abs().sum(dim=1)",
        "(gradient * images.detach()).abs().sum(dim=1)",
        hint="Your map is multiplied by the image: that is gradient x input (Shrikumar et al. 2017), another method.",
    ),
    mistake(
        "all logits",
        "scores.sum()",
        "(model(images) + 0 * scores).sum()",
        hint="Your map explains the sum of all classes' scores: differentiate the label's alone.",
    ),
    mistake(
        "absolute mean over channels",
        "gradient.abs().sum(dim=1)",
        "gradient.mean(dim=1).abs()",
        hint="You average the channels before you take the absolute value: opposite colours cancel.",
    ),
    mistake(
        "first channel",
        "gradient.abs().sum(dim=1)",
        "gradient.abs()[:, 0]",
        hint="Your map shows the red channel only.",
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
