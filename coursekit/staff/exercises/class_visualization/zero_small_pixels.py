"""Exercise zero_small_pixels: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake
from coursekit.staff.exercises.class_visualization.shared import (
    ROUND_GREY,
    each_colour_by_itself,
    zeroed_otherwise,
    zeroing,
)

HINTS = (
    "How far is each pixel from grey? Compute one number per pixel, not one per channel: a map of H x W.",
    (
        "First compute how many pixels become grey. Then find where the map is smallest: you need the "
        "positions, not the values."
    ),
    "All three channels of a pixel become grey together, in a copy.",
    "n(y, x) = ( sum over c of (I[c, y, x] - 0.5)^2 )^(1/2); the floor(f H W) smallest become 0.5",
)

MISTAKES = (
    *zeroing("norms"),
    mistake("from black", "(image - 0.5)", "image", hint=ROUND_GREY),
    mistake(
        "sum of absolute values",
        ".norm(dim=0)",
        ".abs().sum(dim=0)",
        hint="You take the L1 norm over channels: take the L2 norm.",
    ),
    mistake(
        "largest colour",
        ".norm(dim=0)",
        ".abs().amax(dim=0)",
        hint="You take the largest channel of each pixel: take the L2 norm over channels.",
    ),
    mistake(
        "signed sum",
        ".norm(dim=0)",
        ".sum(dim=0)",
        hint="You sum signed differences, so channels cancel and dark pixels count as small: take the L2 norm.",
    ),
    mistake(
        "brightness",
        ".norm(dim=0)",
        ".mean(dim=0).abs()",
        hint="You average over channels first, so a coloured pixel can count as grey: take the L2 norm.",
    ),
    each_colour_by_itself("(image - 0.5).abs()"),
    mistake(
        "filled with the mean",
        "index_fill(1, smallest, 0.5)",
        "index_fill(1, smallest, float(image.mean()))",
        hint="You fill with the image's mean: fill with grey (0.5).",
    ),
    mistake(
        "kth value of no pixel",
        "norms.argsort()[: math.floor(fraction * len(norms))]",
        "(norms <= norms.kthvalue(math.floor(fraction * len(norms))).values).nonzero()[:, 0]",
        hint="If the number of pixels is 0, there is no smallest value to find: no pixel becomes grey.",
    ),
)

VARIANTS = zeroed_otherwise("((image - 0.5) ** 2).sum(0)")
