"""Exercise zero_small_pixels: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake
from coursekit.staff.exercises.class_visualization.shared import (
    ROUND_GREY,
    each_colour_by_itself,
    zeroed_otherwise,
    zeroing,
)

HINTS = (
    "How colourful is each pixel? One number a pixel, not one a channel: a map of H x W.",
    (
        "Count first how many pixels have to go, then find the places where the map is smallest. Order the places, not "
        "the values."
    ),
    "All three channels of a place become grey at once, in a copy.",
    "n(y, x) = ( sum over c of (I[c, y, x] - 0.5)^2 )^(1/2); the floor(f H W) smallest become 0.5",
)

MISTAKES = (
    *zeroing("norms"),
    mistake("from black", "(image - 0.5)", "image", hint=ROUND_GREY),
    mistake(
        "sum of absolute values",
        ".norm(dim=0)",
        ".abs().sum(dim=0)",
        hint="You measure along the axes of colour space; the straight distance is meant.",
    ),
    mistake(
        "largest colour",
        ".norm(dim=0)",
        ".abs().amax(dim=0)",
        hint="You look at the strongest colour of a pixel only; all three count.",
    ),
    mistake(
        "signed sum",
        ".norm(dim=0)",
        ".sum(dim=0)",
        hint="Bright and dark colours cancel in your measure, and dark pixels count as small.",
    ),
    mistake(
        "brightness",
        ".norm(dim=0)",
        ".mean(dim=0).abs()",
        hint="A pure red can be as bright as grey: your measure does not see colour.",
    ),
    each_colour_by_itself("(image - 0.5).abs()"),
    mistake(
        "filled with the mean",
        "index_fill(1, smallest, 0.5)",
        "index_fill(1, smallest, float(image.mean()))",
        hint="Your pixels take the picture's mean colour: grey is 0.5.",
    ),
)

VARIANTS = zeroed_otherwise("((image - 0.5) ** 2).sum(0)")
