"""Exercise zero_small_contributions: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake
from coursekit.staff.exercises.class_visualization.shared import (
    ROUND_GREY,
    each_colour_by_itself,
    zeroed_otherwise,
    zeroing,
)

HINTS = (
    "If a pixel became grey, how much would the score change? The gradient answers to first order.",
    "The three channels of a pixel change together: add up what they contribute before you ask how large it is.",
    "From there on it is the other exercise, with another map.",
    "b(y, x) = | sum over c of (I[c, y, x] - 0.5) G[c, y, x] |; the floor(f H W) smallest become 0.5",
)

MISTAKES = (
    *zeroing("contributions"),
    mistake("from black", "(image - 0.5)", "image", hint=ROUND_GREY),
    mistake(
        "absolute value first",
        ".sum(dim=0).abs()",
        ".abs().sum(dim=0)",
        hint="Colours that pull in opposite directions should cancel: mind the order of the two operations.",
    ),
    mistake(
        "signed", ".sum(dim=0).abs()", ".sum(dim=0)", hint="A pixel that lowers the score strongly is no small one."
    ),
    mistake(
        "slope alone",
        "((image - 0.5) * gradient)",
        "gradient",
        hint="A pixel that is grey already contributes nothing, however steep the score is there.",
    ),
    mistake(
        "pixel alone",
        "((image - 0.5) * gradient).sum(dim=0).abs()",
        "(image - 0.5).norm(dim=0)",
        hint="That is the other exercise: nothing in yours asks what the score does.",
    ),
    mistake(
        "product of lengths",
        "((image - 0.5) * gradient).sum(dim=0).abs()",
        "((image - 0.5).norm(dim=0) * gradient.norm(dim=0))",
        hint="A colour that stands across the slope contributes nothing; in yours it does.",
    ),
    each_colour_by_itself("((image - 0.5) * gradient).abs()"),
    mistake(
        "sum of squares",
        "((image - 0.5) * gradient).sum(dim=0).abs()",
        "((image - 0.5) * gradient).square().sum(dim=0)",
        hint="You add squares over the channels: contributions of opposite sign are to cancel before their size counts.",
    ),
)

VARIANTS = zeroed_otherwise("torch.einsum('chw,chw->hw', image - 0.5, gradient).abs()")
