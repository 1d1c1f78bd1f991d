"""Exercise fooling_image: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import LEFT_BEHIND

HINTS = (
    (
        "It is class visualization that starts from a photograph. Climb the target's logit, and stop as soon "
        "as the network predicts the target."
    ),
    (
        "Ask for the network's prediction before each step, not after it. Then you take no step if the image "
        "is classified as the target already."
    ),
    (
        "Divide the gradient by its L2 norm over the whole image, all three channels together. What do you "
        "do if the gradient is zero?"
    ),
    "x <- x + step_size * g / ||g||_2, with g = d logit_target(x) / d x, until argmax of the logits = target",
)

LENGTH = "You do not divide the gradient by its L2 norm: each step must have length step_size."

MISTAKES = (
    mistake(
        "sum of the gradient tested",
        "if length == 0:",
        "if gradient.sum() == 0:",
        hint="You test the sum of the gradient, in which entries can cancel: test its norm.",
    ),
    mistake(
        "epsilon",
        "step_size * gradient / length",
        "step_size * gradient / (length + 1e-8)",
        hint="The constant that you add to the norm shortens the step for small gradients: remove it.",
    ),
    mistake(
        "L1 norm",
        "gradient.norm()",
        "gradient.abs().sum()",
        hint="You divide by the L1 norm (sum of absolute values): divide by the L2 norm.",
    ),
    mistake(
        "root mean square",
        "gradient.norm()",
        "gradient.square().mean().sqrt()",
        hint="You divide by the root mean square: divide by the L2 norm (root of the sum of squares).",
    ),
    mistake(
        "one step too few",
        "range(max_steps)",
        "range(max_steps - 1)",
        hint="You allow max_steps - 1 steps: allow max_steps.",
    ),
    mistake(
        "descends", "+ step_size", "- step_size", hint="You subtract the gradient, so the target's logit falls: add it."
    ),
    mistake(
        "lowers the original class",
        "(logits[target], image,",
        "(-logits.max(), image,",
        hint="You lower the largest logit: raise the target's logit.",
    ),
    mistake(
        "probability or cross-entropy",
        "(logits[target], image,",
        "(logits.log_softmax(dim=0)[target], image,",
        hint="You climb log-softmax, which also lowers the other classes: climb the target's logit.",
    ),
    mistake(
        "squared norm",
        "gradient / length",
        "gradient / length**2",
        hint="You divide by the squared norm: divide by the norm itself.",
    ),
    mistake("step not normalised", "gradient / length", "gradient", hint=LENGTH),
    mistake(
        "L-infinity norm",
        "gradient / length",
        "gradient / gradient.abs().max()",
        hint="You divide by the gradient's largest entry: divide by its L2 norm.",
    ),
    mistake(
        "norm of each channel",
        "gradient / length",
        "gradient / gradient.flatten(1).norm(dim=1)[:, None, None]",
        hint="You divide each channel by its own norm: use one norm over the whole image.",
    ),
    mistake(
        "never stops",
        "logits.argmax() == target",
        "False",
        hint="You do not stop when the network predicts the target.",
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
        hint="You take one more step after the network predicts the target: test before the step.",
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
        hint="You add up the gradients of all steps: use the current step's gradient only.",
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
        hint="You use the first image's gradient in every step: compute it anew at the current image.",
    ),
    mistake(
        "nearly the largest will do",
        "logits.argmax() == target",
        "logits[target] >= logits.max() - 1e-6",
        hint="You stop within 1e-6 of the largest logit: stop only when the target's logit is the largest.",
    ),
    mistake(
        "largest with a margin",
        "logits.argmax() == target",
        "logits.argmax() == target and logits.topk(2).values.diff() < -1e-6",
        hint="You require a margin of 1e-6: stop as soon as the target's logit is the largest.",
    ),
    mistake("two steps at once", "+ step_size", "+ 2 * step_size", hint="Your step is twice as long as step_size."),
    mistake(
        "one step too many",
        "range(max_steps)",
        "range(max_steps + 1)",
        hint="You allow max_steps + 1 steps: with max_steps = 0 the image must stay unchanged.",
    ),
    mistake(
        "zero divided by zero",
        "length == 0",
        "False",
        hint="If the gradient is zero, you compute 0 / 0 = NaN: stop instead.",
    ),
    mistake(
        "clamped on the way",
        "step_size * gradient / length",
        "step_size * gradient / length\n        image = image.clamp(0, 1)",
        hint="You clamp after every step: fooling_image does not clamp.",
    ),
    mistake(
        "caller's image edited",
        "image = image.detach() + step_size * gradient / length",
        "image.data += step_size * gradient / length",
        "image.clone().detach()",
        "image.detach()",
        hint="You write into the caller's image: work on a copy.",
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
        hint="Your loop has no limit: take at most max_steps steps.",
    ),
    mistake(
        "sign of the gradient",
        "step_size * gradient / length",
        "step_size * gradient.sign()",
        hint="You step along the sign of the gradient, as FGSM does: divide the gradient by its L2 norm.",
    ),
    mistake(
        "target against the leader",
        "(logits[target], image,",
        "(logits[target] - logits.max(), image,",
        hint="You climb the target's logit minus the largest (as in DeepFool): climb the target's logit alone.",
    ),
    mistake(
        "steps shrink",
        "for _ in range(max_steps)",
        "for number in range(max_steps)",
        "step_size * gradient",
        "step_size / (number + 1) * gradient",
        hint="You divide step_size by the step's number: the step size is constant.",
    ),
    mistake(
        "stops at a probability of one half",
        "logits.argmax() == target",
        "logits.softmax(dim=0)[target] > 0.5",
        hint="You stop at a probability of 0.5: stop as soon as the target's logit is the largest.",
    ),
    mistake(
        "looks only after a step",
        body="""
        image = image.detach().clone()
        for _ in range(max_steps):
            image.requires_grad_()
            (gradient,) = torch.autograd.grad(model(image[None])[0, target], image, materialize_grads=True)
            length = gradient.norm()
            if length == 0:
                break
            image = image.detach() + step_size * gradient / length
            if model(image[None]).argmax() == target:
                break
        return image.detach()
        """,
        hint="You look at the prediction only after a step: look before each step, also before the first.",
    ),
    mistake(
        "small gradients count as zero",
        "length == 0",
        "length < 1e-6",
        hint="You stop at a small gradient: stop only where it is exactly zero.",
    ),
    mistake(
        "clamped at the end",
        "return image.detach()",
        "return image.detach().clamp(0, 1)",
        hint="You clamp the result: fooling_image does not clamp.",
    ),
    mistake(
        "stops at any other class",
        "image = image.clone().detach()",
        "image = image.clone().detach()\n    start = model(image[None])[0].argmax()",
        "logits.argmax() == target",
        "logits.argmax() == target or logits.argmax() != start",
        hint="You stop when any other class wins: stop only when target has the largest logit.",
    ),
    mistake(
        "stops ahead of the first class",
        "image = image.clone().detach()",
        "image = image.clone().detach()\n    start = model(image[None])[0].argmax()",
        "logits.argmax() == target",
        "logits[target] > logits[start] or start == target",
        hint="You stop when target beats the first class: a third class may still have a larger logit.",
    ),
    mistake(
        "needs a path to the image",
        ", materialize_grads=True",
        "",
        hint="If the logit does not depend on the image, autograd raises an error: the gradient is zero there, so stop.",
    ),
    mistake(
        "image itself for no steps",
        "    image = image.clone().detach()\n",
        "    if max_steps == 0:\n        return image.detach()\n    image = image.clone().detach()\n",
        hint="Without steps your result shares its memory with the image: return a copy.",
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
