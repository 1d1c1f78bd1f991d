"""Exercise ascent_step: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.class_visualization.shared import HISTORY

HINTS = (
    (
        "The network is fixed, and the image changes. Take one step of gradient ascent on a score minus a "
        "penalty. The length of the step does not depend on the gradient's."
    ),
    (
        "Write down the number that should grow, as a function of the image. It is the target's logit, minus "
        "a penalty that is zero for a grey image. Differentiate it at a copy of the image."
    ),
    (
        "Divide the gradient by its L2 norm over all channels and places together. A network may ignore the "
        "image, and then the gradient is zero."
    ),
    "I' = I + s g / ||g||, g = d/dI ( logit_target(I) - lambda * sum (I - 0.5)^2 ); I' = I where g = 0",
)

DECAY = (
    "Your weight decay is outside the normalised step (as in Yosinski et al. 2015): subtract the penalty "
    "from the score."
)

MISTAKES = (
    mistake(
        "joined to the caller's image",
        body="""
        x = image.detach().requires_grad_()
        objective = model(x[None])[0, target] - l2_weight * (x - 0.5).square().sum()
        (gradient,) = torch.autograd.grad(objective, x)
        length = gradient.norm()
        return image + step_size * gradient / torch.where(length > 0, length, 1)
        """,
        hint="If the image that you get requires gradients, your result does too: detach it.",
    ),
    mistake(
        "sum of the gradient tested",
        "length > 0",
        "gradient.sum() != 0",
        hint="You test the sum of the gradient, in which entries can cancel: test its norm.",
    ),
    mistake(
        "descent",
        "image + step_size",
        "image - step_size",
        hint="You subtract the gradient, so the score falls: add it.",
    ),
    mistake(
        "penalty rewarded",
        "- l2_weight",
        "+ l2_weight",
        hint="You add the penalty to the score: subtract it.",
    ),
    mistake(
        "penalty not squared",
        ".square().sum()",
        ".norm()",
        hint="Your penalty is the L2 norm: it must be the sum of squares.",
    ),
    mistake(
        "penalty halved",
        "- l2_weight * penalty",
        "- l2_weight / 2 * penalty",
        hint="You halve the penalty: l2_weight multiplies it without a factor 1/2.",
    ),
    mistake(
        "penalty averaged",
        ".square().sum()",
        ".square().mean()",
        hint="Your penalty is the mean of the squares: take their sum.",
    ),
    mistake(
        "penalty from black",
        "(image - 0.5)",
        "image",
        hint="Your penalty pulls the image to black (0): measure the distance from grey (0.5).",
    ),
    mistake(
        "score cut off",
        "model(image[None])",
        "model(image[None].detach())",
        hint=(
            "Your step ignores the score: compute it from the same image that you differentiate, not from a "
            "detached one."
        ),
    ),
    mistake(
        "penalty beside the step",
        "- l2_weight * penalty",
        "- 0 * penalty",
        "(image + step_size * gradient",
        "(image - 2 * step_size * l2_weight * (image - 0.5) + step_size * gradient",
        hint=(
            "You apply the penalty outside the normalised step: subtract it from the score before you differentiate."
        ),
    ),
    mistake(
        "penalty without slope",
        "(image - 0.5)",
        "(image.detach() - 0.5)",
        hint="Your step ignores the penalty: is it subtracted, and computed from the image that you differentiate?",
    ),
    mistake(
        "parameters regularised",
        "(image - 0.5).square().sum()",
        "sum(p.square().sum() for p in model.parameters()) + 0 * image.sum()",
        hint="Your penalty uses the network's weights: it must use the image.",
    ),
    mistake(
        "raw slope",
        "torch.where(length > 0, length, 1)",
        "1",
        hint="You do not divide the gradient by its norm: the step's length must be step_size.",
    ),
    mistake(
        "sign of the slope",
        "step_size * gradient / torch.where(length > 0, length, 1)",
        "step_size * gradient.sign()",
        hint="You step along the sign of the gradient, as FGSM does: divide the gradient by its L2 norm.",
    ),
    mistake(
        "divided by the square",
        "length = gradient.norm()",
        "length = gradient.square().sum()",
        hint="You divide by the squared norm: divide by the norm itself.",
    ),
    mistake(
        "channels apart",
        "length = gradient.norm()",
        "length = gradient.norm(dim=(1, 2), keepdim=True)",
        hint="You divide each channel by its own norm: use one norm over the whole image.",
    ),
    mistake(
        "largest entry",
        "length = gradient.norm()",
        "length = gradient.abs().max()",
        hint="You divide by the largest entry of the gradient: divide by its L2 norm.",
    ),
    mistake(
        "root mean square",
        "length = gradient.norm()",
        "length = gradient.square().mean().sqrt()",
        hint="You divide by the root mean square (as in some DeepDream code): divide by the L2 norm.",
    ),
    mistake(
        "epsilon",
        "torch.where(length > 0, length, 1)",
        "(length + 1e-8)",
        hint="The constant that you add to the norm shortens the step for small gradients: remove it.",
    ),
    mistake(
        "smaller epsilon",
        "torch.where(length > 0, length, 1)",
        "(length + 1e-12)",
        hint="For tiny gradients your step is too short: divide by the norm itself, without epsilon or threshold.",
    ),
    mistake(
        "small is zero",
        "torch.where(length > 0, length, 1)",
        "torch.where(length > 1e-6, length, torch.inf)",
        hint="You take a small gradient for zero: only where every entry is exactly 0 there is no step.",
    ),
    mistake(
        "zero by zero",
        "torch.where(length > 0, length, 1)",
        "length",
        hint="If the gradient is zero, you compute 0 / 0 = NaN: return the image unchanged.",
    ),
    mistake(
        "step size ignored",
        "step_size * gradient",
        "gradient",
        hint="Your step always has length 1: multiply by step_size.",
    ),
    mistake(
        "probability",
        "model(image[None])",
        "model(image[None]).softmax(dim=1)",
        hint="You climb the softmax probability: climb the logit of the target.",
    ),
    mistake(
        "log-probability",
        "model(image[None])",
        "model(image[None]).log_softmax(dim=1)",
        hint="You climb log-softmax, which also lowers the other classes: climb the target's logit.",
    ),
    mistake(
        "largest score",
        "model(image[None])[0, target]",
        "model(image[None]).max()",
        hint="You climb the largest logit: climb the logit of target.",
    ),
    mistake(
        "clamped",
        "1)).detach()",
        "1)).detach().clamp(0, 1)",
        hint="You clamp the result: ascent_step does not clamp, its caller does.",
    ),
    mistake(
        "caller's picture",
        "image = image.detach().requires_grad_()",
        "image.requires_grad_()",
        hint="After the call, the caller's image requires a gradient: work on a detached copy.",
    ),
    mistake(
        "in place",
        "return (image + step_size * gradient / torch.where(length > 0, length, 1)).detach()",
        "with torch.no_grad():\n        image += step_size * gradient / torch.where(length > 0, length, 1)\n    return image.detach()",
        hint="You add the step to the caller's image in place: make a new tensor.",
    ),
    mistake(
        "backward fills the parameters",
        "(gradient,) = torch.autograd.grad(objective, image)",
        "objective.backward(); gradient = image.grad",
        hint="After the call the network's parameters have a .grad: ask autograd for the gradient of the image only.",
    ),
    mistake("still in the graph", "1)).detach()", "1))", hint=HISTORY),
    mistake(
        "weight decay of the step size",
        "- l2_weight * penalty",
        "- 0 * penalty",
        "(image + step_size * gradient",
        "(image - step_size * l2_weight * (image - 0.5) + step_size * gradient",
        hint=DECAY,
    ),
    mistake(
        "weight decay of its own size",
        "- l2_weight * penalty",
        "- 0 * penalty",
        "(image + step_size * gradient",
        "(image - l2_weight * (image - 0.5) + step_size * gradient",
        hint=DECAY,
    ),
    mistake(
        "weight decay of twice its own size",
        "- l2_weight * penalty",
        "- 0 * penalty",
        "(image + step_size * gradient",
        "(image - 2 * l2_weight * (image - 0.5) + step_size * gradient",
        hint=DECAY,
    ),
    mistake(
        "decay after the step",
        "- l2_weight * penalty",
        "- 0 * penalty",
        "return (image + step_size * gradient / torch.where(length > 0, length, 1))",
        "moved = image + step_size * gradient / torch.where(length > 0, length, 1)\n    return (0.5 + (1 - l2_weight) * (moved - 0.5))",
        hint=DECAY,
    ),
    mistake(
        "weight decay towards black",
        "- l2_weight * penalty",
        "- 0 * penalty",
        "(image + step_size * gradient",
        "(image - step_size * l2_weight * image + step_size * gradient",
        hint=DECAY,
    ),
    mistake(
        "gradient as it is",
        "step_size * gradient / torch.where(length > 0, length, 1)",
        "gradient + 0 * length",
        hint="Your step is the raw gradient: divide by its norm and multiply by step_size.",
    ),
    mistake(
        "L1 norm",
        "length = gradient.norm()",
        "length = gradient.abs().sum()",
        hint="You divide by the L1 norm (sum of absolute values): divide by the L2 norm.",
    ),
    mistake(
        "penalty from the mean",
        "(image - 0.5).square()",
        "(image - image.mean()).square()",
        hint="Your penalty measures the distance from the image's own mean: measure it from grey (0.5).",
    ),
    mistake(
        "one added to the norm",
        "torch.where(length > 0, length, 1)",
        "(length + 1)",
        hint="You add 1 to the norm, so the step is too short: divide by the norm alone.",
    ),
    mistake(
        "mean absolute value",
        "length = gradient.norm()",
        "length = gradient.abs().mean()",
        hint="You divide by the mean absolute value of the gradient: divide by its L2 norm.",
    ),
    mistake(
        "needs a path to the image",
        "penalty = (image - 0.5).square().sum()",
        "",
        "model(image[None])[0, target] - l2_weight * penalty",
        "model(image[None])[0, target]",
        "(gradient,) = torch.autograd.grad(objective, image)",
        "(gradient,) = torch.autograd.grad(objective, image)\n    gradient = gradient - 2 * l2_weight * (image - 0.5)",
        hint="If the logit does not depend on the image, autograd raises an error: the gradient is zero there.",
    ),
    mistake(
        "divided by at least 1",
        "torch.where(length > 0, length, 1)",
        "length.clamp(min=1)",
        hint="You divide by at least 1, so a small gradient gives a short step: divide by the norm itself.",
    ),
    mistake(
        "no step without a slope of the logit",
        "    objective = model(image[None])[0, target] - l2_weight * penalty",
        "    logit = model(image[None])[0, target]\n    if not torch.autograd.grad(logit, image, retain_graph=True, materialize_grads=True)[0].any():\n        return image.detach().clone()\n    objective = logit - l2_weight * penalty",
        hint="You take no step where the logit has no slope, but the penalty still has one.",
    ),
)

VARIANTS = (
    variant(
        "gradient of the penalty by hand",
        body="""
        x = image.detach().clone().requires_grad_(True)
        g = torch.autograd.grad(model(x.unsqueeze(0))[:, target].sum(), x, materialize_grads=True)[0]
        g = g - 2 * l2_weight * (x.detach() - 0.5)
        size = torch.linalg.vector_norm(g)
        return image.detach().clone() if size == 0 else image.detach() + step_size * g / size
        """,
    ),
    variant(
        "batch of one, one-hot seed",
        body="""
        x = image.detach()[None].requires_grad_()
        logits = model(x)
        seed = F.one_hot(torch.tensor([target]), logits.shape[1]).to(logits)
        g, = torch.autograd.grad((logits * seed).sum() - l2_weight * ((x - 0.5) ** 2).sum(), [x])
        return x[0].detach() + step_size * F.normalize(g.flatten(), dim=0, eps=1e-300 if g.dtype == torch.float64 else 1e-38).view_as(image)
        """,
    ),
    variant(
        "backward on a frozen copy",
        body="""
        from copy import deepcopy
        network = deepcopy(model).requires_grad_(False) if isinstance(model, nn.Module) else model
        x = nn.Parameter(image.detach().clone())
        network(x[None])
        before = [] if isinstance(model, nn.Module) else None
        if before is None:
            g = torch.autograd.grad(network(x[None])[0, target] - l2_weight * (x - 0.5).norm() ** 2, x)[0]
        else:
            (network(x[None])[0, target] - l2_weight * (x - 0.5).pow(2).sum()).backward()
            g = x.grad
        with torch.no_grad():
            return image + step_size * g / g.norm() if g.any() else image.clone()
        """,
    ),
)
