"""Exercise corrupt_update: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "An attacker who changes the update rule needs no data. Which direction raises the loss fastest?",
    "Make new tensors. The optimizer's own gradients must not change.",
    "g' = scale * g for every parameter",
)

MISTAKES = (
    mistake(
        "in place",
        "scale * gradient.detach() for",
        "gradient.mul_(scale) for",
        hint="You multiply the given gradients in place: return new tensors.",
    ),
    mistake(
        "scale ignored",
        "scale * gradient.detach()",
        "-gradient.detach()",
        hint="You always multiply by -1: multiply by scale.",
    ),
    mistake(
        "not turned",
        "scale * gradient.detach()",
        "abs(scale) * gradient.detach()",
        hint="You use the absolute value of scale: keep its sign.",
    ),
    mistake(
        "the other sign",
        "scale * gradient.detach()",
        "-scale * gradient.detach()",
        hint="You multiply by -scale: multiply by scale.",
    ),
    mistake(
        "added",
        "scale * gradient.detach()",
        "scale + gradient.detach()",
        hint="You add scale: multiply by it.",
    ),
    mistake(
        "signs only",
        "scale * gradient.detach()",
        "scale * gradient.detach().sign()",
        hint="You use only the gradients' signs: use the gradients themselves.",
    ),
    mistake(
        "normalised",
        "scale * gradient.detach()",
        "scale * gradient.detach() / gradient.detach().norm()",
        hint="You divide each gradient by its norm: only multiply by scale.",
    ),
    mistake(
        "the first only",
        "[scale * gradient.detach() for gradient in gradients]",
        "[scale * gradients[0].detach(), *(g.detach().clone() for g in gradients[1:])]",
        hint="You scale only the first gradient: scale all of them.",
    ),
    mistake(
        "flattened",
        "scale * gradient.detach()",
        "scale * gradient.detach().flatten()",
        hint="You flatten the gradients: keep their shapes.",
    ),
    mistake(
        "reversed",
        "for gradient in gradients]",
        "for gradient in list(gradients)[::-1]]",
        hint="You return the gradients in reverse order: keep their order.",
    ),
    mistake(
        "still joined to the graph",
        "gradient.detach()",
        "gradient",
        hint="Your gradients still have a history: detach them.",
    ),
    mistake(
        "absolute value",
        "scale * gradient.detach()",
        "scale * gradient.detach().abs()",
        hint="You take the absolute value of the gradients: keep their signs.",
    ),
    mistake(
        "divided by the scale",
        "scale * gradient.detach()",
        "gradient.detach() / scale",
        hint="You divide by scale: multiply by it.",
    ),
    mistake(
        "zero gradients left out",
        "for gradient in gradients]",
        "for gradient in gradients if gradient.any()]",
        hint="You leave out gradients that are zero: return one tensor for each.",
    ),
    mistake(
        "as they are for scale 1",
        "scale * gradient.detach()",
        "gradient.detach() if scale == 1 else scale * gradient.detach()",
        hint="With scale 1 you return the given gradients themselves: return new tensors.",
    ),
)

VARIANTS = (
    variant(
        "loop",
        body="result = []\nfor g in gradients:\n    result.append(g.detach().clone().mul_(scale))\nreturn result",
    ),
    variant("foreach", body="return list(torch._foreach_mul([g.detach() for g in gradients], scale))"),
    variant("map", body="return list(map(lambda g: torch.mul(g, scale).detach(), gradients))"),
)
