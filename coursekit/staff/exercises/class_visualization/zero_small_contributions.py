"""Exercise zero_small_contributions: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake
from coursekit.staff.exercises.class_visualization.shared import (
    ROUND_GREY,
    each_colour_by_itself,
    zeroed_otherwise,
    zeroing,
)

HINTS = (
    "How much would the score change if a pixel became grey? The gradient gives the answer to first order.",
    "The three channels of a pixel change together. Sum their contributions before you take the absolute value.",
    "The rest is the same as in zero_small_pixels, with another map.",
    "b(y, x) = | sum over c of (I[c, y, x] - 0.5) G[c, y, x] |; the floor(f H W) smallest become 0.5",
)

MISTAKES = (
    *zeroing("contributions"),
    mistake("from black", "(image - 0.5)", "image", hint=ROUND_GREY),
    mistake(
        "absolute value first",
        ".sum(dim=0).abs()",
        ".abs().sum(dim=0)",
        hint=(
            "You take the absolute value before you sum over channels: sum first, so that opposite contributions "
            "cancel."
        ),
    ),
    mistake(
        "signed",
        ".sum(dim=0).abs()",
        ".sum(dim=0)",
        hint="You sort signed contributions: take the absolute value after the sum over channels.",
    ),
    mistake(
        "slope alone",
        "((image - 0.5) * gradient)",
        "gradient",
        hint="You use the gradient alone: multiply it by the pixel's distance from grey.",
    ),
    mistake(
        "pixel alone",
        "((image - 0.5) * gradient).sum(dim=0).abs()",
        "(image - 0.5).norm(dim=0)",
        hint="You ignore the gradient (that is zero_small_pixels): multiply the distance from grey by it.",
    ),
    mistake(
        "product of lengths",
        "((image - 0.5) * gradient).sum(dim=0).abs()",
        "((image - 0.5).norm(dim=0) * gradient.norm(dim=0))",
        hint="You multiply two norms: multiply channel by channel, then sum over channels.",
    ),
    each_colour_by_itself("((image - 0.5) * gradient).abs()"),
    mistake(
        "sum of squares",
        "((image - 0.5) * gradient).sum(dim=0).abs()",
        "((image - 0.5) * gradient).square().sum(dim=0)",
        hint="You sum squares over channels: sum the signed products, then take the absolute value.",
    ),
    mistake(
        "row and column by the height",
        body="""
        contributions = ((image - 0.5) * gradient).sum(dim=0).abs().flatten()
        height, width = image.shape[1:]
        result = image.detach().clone()
        for place in contributions.argsort()[: math.floor(fraction * len(contributions))].tolist():
            result[:, min(place // height, height - 1), min(place % height, width - 1)] = 0.5
        return result
        """,
        hint="You divide the flat place by the height: row and column come from dividing it by the width.",
    ),
    mistake(
        "kth value of no pixel",
        "contributions.argsort()[: math.floor(fraction * len(contributions))]",
        "(contributions <= contributions.kthvalue(math.floor(fraction * len(contributions))).values).nonzero()[:, 0]",
        hint="If the number of pixels is 0, there is no smallest value to find: no pixel becomes grey.",
    ),
)

VARIANTS = zeroed_otherwise("torch.einsum('chw,chw->hw', image - 0.5, gradient).abs()")
