"""Exercise fooling_image: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import LEFT_BEHIND

HINTS = (
    (
        "It is class visualization that starts from a photograph: climb one score, and stop as soon as the network "
        "believes you."
    ),
    (
        "Ask the network before each step, not after. Then no step is taken for a picture that is taken for the target "
        "already."
    ),
    (
        "A step has a length: divide the slope by its own L2 norm over the whole picture, all three channels together. "
        "And if there is no slope?"
    ),
    "x <- x + step_size * g / ||g||_2, with g = d logit_target(x) / d x, until argmax of the logits = target",
)

LENGTH = "Measure how far a single step moves the picture."

MISTAKES = (
    mistake(
        "epsilon",
        "step_size * gradient / length",
        "step_size * gradient / (length + 1e-8)",
        hint="A safety margin in the denominator: on very faint slopes your step shrinks to nothing.",
    ),
    mistake(
        "L1 norm",
        "gradient.norm()",
        "gradient.abs().sum()",
        hint="Your steps are far too short: the sum of all sizes is another length than the one the docstring names.",
    ),
    mistake(
        "root mean square",
        "gradient.norm()",
        "gradient.square().mean().sqrt()",
        hint="Your step grows with the number of pixels: its length is a sum over them, not a mean.",
    ),
    mistake(
        "one step too few",
        "range(max_steps)",
        "range(max_steps - 1)",
        hint="Allow a single step, and count how many are taken.",
    ),
    mistake(
        "descends", "+ step_size", "- step_size", hint="Look at the score on the way: it falls where it should rise."
    ),
    mistake(
        "lowers the original class",
        "(logits[target], image,",
        "(-logits.max(), image,",
        hint="Away from one class is not towards another: which score did you differentiate?",
    ),
    mistake(
        "probability or cross-entropy",
        "(logits[target], image,",
        "(logits.log_softmax(dim=0)[target], image,",
        hint="You also push all other classes down; the lecture climbs one score, before softmax.",
    ),
    mistake(
        "squared norm",
        "gradient / length",
        "gradient / length**2",
        hint="The longer the gradient, the shorter your step: look at the power of what you divide by.",
    ),
    mistake("step not normalised", "gradient / length", "gradient", hint=LENGTH),
    mistake(
        "L-infinity norm",
        "gradient / length",
        "gradient / gradient.abs().max()",
        hint="You made the largest entry of the step one; which norm does the docstring name?",
    ),
    mistake(
        "norm of each channel",
        "gradient / length",
        "gradient / gradient.flatten(1).norm(dim=1)[:, None, None]",
        hint="The three channels are one picture and share one length.",
    ),
    mistake(
        "never stops",
        "logits.argmax() == target",
        "False",
        hint="Your loop goes on when the network is fooled already.",
    ),
    mistake(
        "stops one step late",
        body="""
        image = image.detach().clone()
        fooled = False
        for _ in range(max_steps):
            image.requires_grad_()
            logits = model(image[None])[0]
            (gradient,) = torch.autograd.grad(logits[target], image, materialize_grads=True)
            length = gradient.norm()
            if fooled or length == 0:
                break
            fooled = bool(logits.argmax() == target)
            image = image.detach() + step_size * gradient / length
        return image.detach()
        """,
        hint="Ask whether to stop before you move, not after.",
    ),
    mistake(
        "gradient accumulates",
        body="""
        image, total = image.detach().clone(), 0
        for _ in range(max_steps):
            image.requires_grad_()
            logits = model(image[None])[0]
            if logits.argmax() == target:
                break
            (gradient,) = torch.autograd.grad(logits[target], image, materialize_grads=True)
            total = total + gradient
            if total.norm() == 0:
                break
            image = image.detach() + step_size * total / total.norm()
        return image.detach()
        """,
        hint="From the second step on, something of the earlier steps is still in your direction.",
    ),
    mistake(
        "gradient of the first picture reused",
        body="""
        image = image.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(model(image[None])[0, target], image, materialize_grads=True)
        for _ in range(max_steps):
            if model(image[None]).argmax() == target or gradient.norm() == 0:
                break
            image = image.detach() + step_size * gradient / gradient.norm()
        return image.detach()
        """,
        hint="The network is not linear: the direction at the start is not the direction further on.",
    ),
    mistake(
        "nearly the largest will do",
        "logits.argmax() == target",
        "logits[target] >= logits.max() - 1e-6",
        hint="You stop a little too early: another class is still ahead, by very little.",
    ),
    mistake(
        "largest with a margin",
        "logits.argmax() == target",
        "logits.argmax() == target and logits.topk(2).values.diff() < -1e-6",
        hint="You go on although the target is ahead already, by very little: that is enough.",
    ),
    mistake("two steps at once", "+ step_size", "+ 2 * step_size", hint=LENGTH + " Twice what it should?"),
    mistake(
        "one step too many",
        "range(max_steps)",
        "range(max_steps + 1)",
        hint="Allow no step at all, and count how many are taken.",
    ),
    mistake(
        "zero divided by zero",
        "length == 0",
        "False",
        hint="What becomes of a picture that does not reach the score at all?",
    ),
    mistake(
        "clamped on the way",
        "step_size * gradient / length",
        "step_size * gradient / length\n        image = image.clamp(0, 1)",
        hint="Values may leave the range of a picture here; it is for showing that one limits them.",
    ),
    mistake(
        "caller's image edited",
        "image = image.detach() + step_size * gradient / length",
        "image.data += step_size * gradient / length",
        "image.clone().detach()",
        "image.detach()",
        hint="The picture that you were given is another one after the call.",
    ),
    mistake(
        "gradients left in the network",
        "(gradient,) = torch.autograd.grad(logits[target], image, materialize_grads=True)",
        "image.retain_grad(); logits[target].backward(); gradient = image.grad if image.grad is not None else image * 0",
        hint=LEFT_BEHIND,
    ),
    mistake(
        "while True",
        "for _ in range(max_steps):",
        "while True:",
        hint="Your loop ends only when the network is fooled: the number of steps has a limit.",
    ),
    mistake(
        "sign of the gradient",
        "step_size * gradient / length",
        "step_size * gradient.sign()",
        hint="Your step moves every value alike, as FGSM does: here strong slopes move more, and the L2 length is given.",
    ),
    mistake(
        "target against the leader",
        "(logits[target], image,",
        "(logits[target] - logits.max(), image,",
        hint="You follow the difference of two logits (as DeepFool does): the target's logit alone is asked for.",
    ),
    mistake(
        "steps shrink",
        "for _ in range(max_steps)",
        "for number in range(max_steps)",
        "step_size * gradient",
        "step_size / (number + 1) * gradient",
        hint="Your steps become shorter and shorter: each has the same length.",
    ),
)

VARIANTS = (
    variant(
        "gradient of the whole batch of one",
        body="""
        x = image[None].detach().clone()
        for step in range(max_steps):
            x = x.detach().requires_grad_(True)
            scores = model(x)
            if scores.argmax(1).item() == target:
                return x[0].detach()
            g = torch.autograd.grad(scores[:, target].sum(), x, allow_unused=True)[0]
            if g is None or not g.any():
                break
            x = x + step_size * F.normalize(g.flatten(1), dim=1, eps=0).view_as(x)
        return x[0].detach()
        """,
    ),
    variant(
        "two passes a step",
        body="""
        result = image.detach().clone()
        count = 0
        while count < max_steps and int(model(result[None]).argmax()) != target:
            leaf = result.clone().requires_grad_()
            g = torch.autograd.grad(model(leaf.unsqueeze(0))[0, target], leaf, materialize_grads=True)[0]
            norm = g.square().sum().sqrt()
            if float(norm) == 0.0:
                break
            result = result.add(g / norm, alpha=step_size)
            count += 1
        return result
        """,
    ),
    variant(
        "in place on a copy",
        body="""
        fooled = image.detach().clone().requires_grad_()
        for _ in range(max_steps):
            logits = model(fooled[None]).squeeze(0)
            if torch.topk(logits, 1).indices == target:
                break
            (gradient,) = torch.autograd.grad(logits[target], [fooled], materialize_grads=True)
            if torch.count_nonzero(gradient) == 0:
                break
            with torch.no_grad():
                fooled += step_size * gradient.div(torch.linalg.vector_norm(gradient))
        return fooled.detach()
        """,
    ),
)
