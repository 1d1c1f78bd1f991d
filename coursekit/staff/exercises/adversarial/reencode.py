"""Exercise reencode: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "How many steps are there from 0 to 1 if there are `levels` values?",
    "Stretch, take the nearest whole number, shrink back.",
    "x' = round(x (L - 1)) / (L - 1)",
)

MISTAKES = (
    mistake("floor", ".round()", ".floor()", hint="A value just below a level falls a long way in your version."),
    mistake("ceiling", ".round()", ".ceil()", hint="A value just above a level climbs a long way in your version."),
    mistake(
        "one level too many",
        "(images.detach() * (levels - 1)).round() / (levels - 1)",
        "(images.detach() * levels).round() / levels",
        hint="With two levels, how many different values come out?",
    ),
    mistake("not scaled back", " / (levels - 1)", "", hint="The result is no picture any more."),
    mistake("divided by another number", " / (levels - 1)", " / levels", hint="White does not stay white."),
    mistake(
        "middle of each bin",
        "(images.detach() * (levels - 1)).round() / (levels - 1)",
        "((images.detach() * levels).floor().clamp(max=levels - 1) + 0.5) / levels",
        hint="Black and white are themselves levels.",
    ),
    mistake(
        "stretched to the picture's range",
        "(images.detach() * (levels - 1))",
        "((images - images.min()) / (images.max() - images.min()) * (levels - 1)).detach()",
        hint="The levels are the same for every picture, whatever is in it.",
    ),
    mistake("joined to the graph", "images.detach()", "images", hint="The result drags the picture's history along."),
    mistake(
        "binary",
        "(levels - 1)).round() / (levels - 1)",
        "1).round()",
        hint="Only black and white are left of your picture.",
    ),
    mistake(
        "floor of levels bins",
        "(images.detach() * (levels - 1)).round()",
        "(images.detach() * levels).floor().clamp(max=levels - 1)",
        hint="You cut [0, 1] into bins of equal width: take the nearest level instead.",
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
