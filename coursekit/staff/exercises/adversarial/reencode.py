"""Exercise reencode: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "How many steps are there between 0 and 1 if there are `levels` values?",
    "Scale up, round to the nearest integer, scale down.",
    "x' = round(x (L - 1)) / (L - 1)",
)

MISTAKES = (
    mistake("floor", ".round()", ".floor()", hint="You round down: round to the nearest level."),
    mistake("ceiling", ".round()", ".ceil()", hint="You round up: round to the nearest level."),
    mistake(
        "one level too many",
        "(images.detach() * (levels - 1)).round() / (levels - 1)",
        "(images.detach() * levels).round() / levels",
        hint="You use levels + 1 different values: between 0 and 1 there are levels - 1 steps.",
    ),
    mistake(
        "not scaled back",
        " / (levels - 1)",
        "",
        hint="You do not divide by levels - 1 at the end, so the result leaves [0, 1].",
    ),
    mistake(
        "divided by another number",
        " / (levels - 1)",
        " / levels",
        hint="You divide by levels, so white becomes darker: divide by levels - 1.",
    ),
    mistake(
        "middle of each bin",
        "(images.detach() * (levels - 1)).round() / (levels - 1)",
        "((images.detach() * levels).floor().clamp(max=levels - 1) + 0.5) / levels",
        hint="You return the middle of each bin: 0 and 1 must themselves be levels.",
    ),
    mistake(
        "stretched to the picture's range",
        "(images.detach() * (levels - 1))",
        "((images - images.min()) / (images.max() - images.min()) * (levels - 1)).detach()",
        hint="You stretch each image to its own minimum and maximum: the levels are the same for all images.",
    ),
    mistake(
        "joined to the graph", "images.detach()", "images", hint="Your result still has a gradient history: detach it."
    ),
    mistake(
        "binary",
        "(levels - 1)).round() / (levels - 1)",
        "1).round()",
        hint="You round to 0 and 1 only: multiply by levels - 1 before rounding, and divide after.",
    ),
    mistake(
        "floor of levels bins",
        "(images.detach() * (levels - 1)).round()",
        "(images.detach() * levels).floor().clamp(max=levels - 1)",
        hint="You cut [0, 1] into bins of equal width: round to the nearest level.",
    ),
    mistake(
        "in 8 bits",
        ".round()",
        ".round().to(torch.uint8).to(images)",
        hint="You store level numbers in 8 bits, which overflow above 256 levels: keep them in a wider type.",
    ),
    mistake(
        "in place",
        "(images.detach() * (levels - 1)).round() / (levels - 1)",
        "images.detach().mul_(levels - 1).round_().div_(levels - 1)",
        hint="You write into the caller's images: make a new tensor.",
    ),
    mistake(
        "rounded twice",
        "images.detach() * (levels - 1)",
        "(images.detach() * 255).round() / 255 * (levels - 1)",
        hint="You round to 256 levels first, which moves some values to another level: round only once.",
    ),
    mistake(
        "in 16 bits",
        ".round()",
        ".round().to(torch.int16)",
        hint="You change the dtype on the way, to float32 or to whole numbers that overflow: compute in the images' dtype.",
    ),
)

VARIANTS = (
    variant("floor of one half more", body="return ((images.detach() * (levels - 1)) + 0.5).floor() / (levels - 1)"),
    variant(
        "nearest of a grid",
        body="""
        grid = torch.linspace(0, 1, levels, dtype=images.dtype, device=images.device)
        return grid[(images.detach().unsqueeze(-1) - grid).abs().argmin(-1)]
        """,
    ),
    variant(
        "whole numbers", body="n = levels - 1\nreturn torch.round(images.detach() * n).long().to(images.dtype) / n"
    ),
)
