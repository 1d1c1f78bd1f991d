"""Exercise ascent_step: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.class_visualization.shared import CALLERS, DRAGS

HINTS = (
    (
        "The network is frozen; the picture is the parameter. One step of gradient ascent, with two twists: a penalty, "
        "and a step whose length does not depend on the slope."
    ),
    (
        "Write down the number that should grow, as a function of the picture: a score before the softmax, less "
        "something that is zero for a grey picture. Let autograd follow a copy of the picture."
    ),
    (
        "Measure the gradient by its Euclidean length over all channels and places together. Think of the picture that "
        "the network does not react to at all."
    ),
    "I' = I + s g / ||g||, g = d/dI ( logit_target(I) - lambda * sum (I - 0.5)^2 ); I' = I where g = 0",
)

DECAY = (
    "Your weight decay acts outside the normalised step (as in Yosinski et al. 2015): "
    "subtract the penalty from the score first."
)

MISTAKES = (
    mistake(
        "descent",
        "image + step_size",
        "image - step_size",
        hint="The score falls: in which direction does a hill rise?",
    ),
    mistake(
        "penalty rewarded",
        "- l2_weight",
        "+ l2_weight",
        hint="The stronger the regulariser, the further your picture runs away from grey.",
    ),
    mistake(
        "penalty not squared",
        ".square().sum()",
        ".norm()",
        hint="Your regulariser pulls equally hard near grey and far from it: look at its exponent.",
    ),
    mistake(
        "penalty halved",
        "- l2_weight * penalty",
        "- l2_weight / 2 * penalty",
        hint="Your regulariser pulls half as hard as the formula says; weight decay in optimisers has another factor.",
    ),
    mistake(
        "penalty averaged",
        ".square().sum()",
        ".square().mean()",
        hint="Your regulariser is fainter the more pixels there are.",
    ),
    mistake(
        "penalty from black",
        "(image - 0.5)",
        "image",
        hint="Your regulariser pulls the picture towards black instead of towards grey.",
    ),
    mistake(
        "score cut off",
        "model(image[None])",
        "model(image[None].detach())",
        hint="The score has no say in your direction: was it computed from the picture that autograd follows?",
    ),
    mistake(
        "penalty beside the step",
        "- l2_weight * penalty",
        "- 0 * penalty",
        "(image + step_size * gradient",
        "(image - 2 * step_size * l2_weight * (image - 0.5) + step_size * gradient",
        hint="Your step gets longer or shorter with the penalty: it belongs into the number that is climbed.",
    ),
    mistake(
        "penalty without slope",
        "(image - 0.5)",
        "(image.detach() - 0.5)",
        hint="However strong the regulariser, you take the same step: is it forgotten, or has it a value and no slope?",
    ),
    mistake(
        "parameters regularised",
        "(image - 0.5).square().sum()",
        "sum(p.square().sum() for p in model.parameters()) + 0 * image.sum()",
        hint="It is the picture that should stay small here; the weights are not what is being changed.",
    ),
    mistake(
        "raw slope",
        "torch.where(length > 0, length, 1)",
        "1",
        hint="Your step is long on steep slopes and short on flat ones; it should always be equally long.",
    ),
    mistake(
        "sign of the slope",
        "step_size * gradient / torch.where(length > 0, length, 1)",
        "step_size * gradient.sign()",
        hint="Every value moves by the same amount in your step: that belongs to part 3; here strong slopes move more.",
    ),
    mistake(
        "divided by the square",
        "length = gradient.norm()",
        "length = gradient.square().sum()",
        hint="The steeper the slope, the shorter your step: one power too many, or a root too few.",
    ),
    mistake(
        "channels apart",
        "length = gradient.norm()",
        "length = gradient.norm(dim=(1, 2), keepdim=True)",
        hint="Your step has the wanted size in each colour separately; it is the whole picture that counts.",
    ),
    mistake(
        "largest entry",
        "length = gradient.norm()",
        "length = gradient.abs().max()",
        hint="You measure by the largest single value; the size asked for is the Euclidean one, over all values.",
    ),
    mistake(
        "root mean square",
        "length = gradient.norm()",
        "length = gradient.square().mean().sqrt()",
        hint="Your step grows with the number of pixels: as in some codes for DeepDream, but not as here.",
    ),
    mistake(
        "epsilon",
        "torch.where(length > 0, length, 1)",
        "(length + 1e-8)",
        hint="A safety margin in the denominator: on very faint slopes your step shrinks to nothing.",
    ),
    mistake(
        "zero by zero",
        "torch.where(length > 0, length, 1)",
        "length",
        hint="What becomes of your step if the network does not react at all?",
    ),
    mistake(
        "step size ignored",
        "step_size * gradient",
        "gradient",
        hint="However far the caller wants to go, you always go equally far.",
    ),
    mistake(
        "probability",
        "model(image[None])",
        "model(image[None]).softmax(dim=1)",
        hint="The lecture climbs the score before it becomes a probability: that one also rises when other classes fall.",
    ),
    mistake(
        "log-probability",
        "model(image[None])",
        "model(image[None]).log_softmax(dim=1)",
        hint="Your step also pushes all other classes down: climb one score, not a loss.",
    ),
    mistake(
        "largest score",
        "model(image[None])[0, target]",
        "model(image[None]).max()",
        hint="You climb whichever class leads; the caller chose another.",
    ),
    mistake(
        "clamped",
        "1)).detach()",
        "1)).detach().clamp(0, 1)",
        hint="The step alone was asked for; to keep it in range is the caller's business.",
    ),
    mistake("caller's picture", "image = image.detach().requires_grad_()", "image.requires_grad_()", hint=CALLERS),
    mistake(
        "in place",
        "return (image + step_size * gradient / torch.where(length > 0, length, 1)).detach()",
        "with torch.no_grad():\n        image += step_size * gradient / torch.where(length > 0, length, 1)\n    return image.detach()",
        hint="The picture that you were given moves with yours: they share their memory.",
    ),
    mistake(
        "backward fills the parameters",
        "(gradient,) = torch.autograd.grad(objective, image)",
        "objective.backward(); gradient = image.grad",
        hint="The network's own slots were filled on the way: one derivative was wanted, not all of them.",
    ),
    mistake("still in the graph", "1)).detach()", "1))", hint=DRAGS),
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
        hint="Your step is the gradient itself: neither its length nor the caller's step size is used.",
    ),
    mistake(
        "L1 norm",
        "length = gradient.norm()",
        "length = gradient.abs().sum()",
        hint="Your steps are too short: the sum of absolute values is not the Euclidean length.",
    ),
    mistake(
        "penalty from the mean",
        "(image - 0.5).square()",
        "(image - image.mean()).square()",
        hint="Your penalty pulls towards the picture's own mean: grey is 0.5.",
    ),
    mistake(
        "one added to the norm",
        "torch.where(length > 0, length, 1)",
        "(length + 1)",
        hint="You add 1 to the norm: the step becomes shorter than step_size.",
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
