"""Exercise corrupt_update: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import CALLERS

HINTS = (
    "Whoever can change the learning rule needs no data: which direction would ruin a network fastest?",
    "Make new tensors: the optimizer's own must stay as they are.",
    "g' = scale * g for every parameter",
)

MISTAKES = (
    mistake("in place", "scale * gradient.detach() for", "gradient.mul_(scale) for", hint=CALLERS),
    mistake(
        "scale ignored",
        "scale * gradient.detach()",
        "-gradient.detach()",
        hint="Try another factor than the usual one.",
    ),
    mistake(
        "not turned",
        "scale * gradient.detach()",
        "abs(scale) * gradient.detach()",
        hint="Where has the sign of the factor gone?",
    ),
    mistake(
        "the other sign",
        "scale * gradient.detach()",
        "-scale * gradient.detach()",
        hint="The sign is turned once too often.",
    ),
    mistake(
        "added",
        "scale * gradient.detach()",
        "scale + gradient.detach()",
        hint="What does the factor do to a gradient of zero?",
    ),
    mistake(
        "signs only",
        "scale * gradient.detach()",
        "scale * gradient.detach().sign()",
        hint="The lengths of the gradients are lost.",
    ),
    mistake(
        "normalised",
        "scale * gradient.detach()",
        "scale * gradient.detach() / gradient.detach().norm()",
        hint="All gradients have the same length in your answer.",
    ),
    mistake(
        "the first only",
        "[scale * gradient.detach() for gradient in gradients]",
        "[scale * gradients[0].detach(), *(g.detach().clone() for g in gradients[1:])]",
        hint="Every parameter's gradient is corrupted.",
    ),
    mistake(
        "flattened",
        "scale * gradient.detach()",
        "scale * gradient.detach().flatten()",
        hint="Compare the shapes with the parameters'.",
    ),
    mistake(
        "reversed",
        "for gradient in gradients]",
        "for gradient in list(gradients)[::-1]]",
        hint="Which answer belongs to which parameter?",
    ),
    mistake("still joined to the graph", "gradient.detach()", "gradient", hint="Cut the history off."),
    mistake(
        "absolute value",
        "scale * gradient.detach()",
        "scale * gradient.detach().abs()",
        hint="Your gradients have lost their own signs before they were scaled.",
    ),
    mistake(
        "divided by the scale",
        "scale * gradient.detach()",
        "gradient.detach() / scale",
        hint="You divide by the scale: each gradient is multiplied by it.",
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
