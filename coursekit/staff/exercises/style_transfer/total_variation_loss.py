"""Exercise total_variation_loss: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "A smooth picture changes little from one pixel to the next. Add up how much it changes.",
    (
        "Take the picture without its first row, and the picture without its last row: what lies above each other in "
        "the two? Then the same with columns."
    ),
    (
        "There is one pair less than there are rows. The two directions have another number of pairs, so add them up "
        "apart."
    ),
    "L = sum (I[y + 1, x] - I[y, x])^2 + sum (I[y, x + 1] - I[y, x])^2",
)

MISTAKES = (
    mistake(
        "not squared",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.abs().sum() + horizontal.abs().sum()",
        hint="The steps count by their size with you; here a step twice as large costs four times as much.",
    ),
    mistake(
        "mean over pairs",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.square().mean() + horizontal.square().mean()",
        hint="Your loss does not grow with the picture: the pairs are summed, nothing is shared out.",
    ),
    mistake(
        "mean over images",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / len(images)",
        hint="With several images your loss is too small: nothing here is shared out among the images.",
    ),
    mistake(
        "divided by the pixels",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / images.shape[2:].numel()",
        hint="You divide by the number of pixels; the docstring says sum.",
    ),
    mistake(
        "wraps round",
        "images[:, :, 1:] - images[:, :, :-1]",
        "images - images.roll(1, 2)",
        "images[..., 1:] - images[..., :-1]",
        "images - images.roll(1, 3)",
        hint="The first row is no neighbour of the last one.",
    ),
    mistake(
        "rows only",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.square().sum()",
        hint="You compare each pixel with the one below only.",
    ),
    mistake(
        "columns only",
        "vertical.square().sum() + horizontal.square().sum()",
        "horizontal.square().sum()",
        hint="You compare each pixel with the one beside it only.",
    ),
    mistake(
        "cropped to a common size",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical[..., :-1].square() + horizontal[:, :, :-1].square()).sum()",
        hint="The pairs in the last row and in the last column are missing.",
    ),
    mistake(
        "across channels",
        "images[:, :, 1:] - images[:, :, :-1]",
        "images[:, 1:] - images[:, :-1]",
        hint="Two colours of one pixel are no neighbours.",
    ),
    mistake(
        "across the batch",
        "horizontal.square().sum()",
        "horizontal.square().sum() + (images[1:] - images[:-1]).square().sum()",
        hint="Two images of one batch are no neighbours.",
    ),
    mistake(
        "root of the sum",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()).sqrt()",
        hint="A root too many: it belongs to another definition of roughness.",
    ),
    mistake(
        "grey picture",
        "vertical = images",
        "images = images.mean(1, keepdim=True)\n    vertical = images",
        hint="Each colour counts by itself; you look at their mean.",
    ),
    mistake(
        "every second row",
        "images[:, :, 1:] - images[:, :, :-1]",
        "images[:, :, 2:] - images[:, :, :-2]",
        hint="You compare rows that are not next to each other.",
    ),
    mistake(
        "added neighbours",
        "images[:, :, 1:] - images[:, :, :-1]",
        "images[:, :, 1:] + images[:, :, :-1]",
        hint="A constant picture is perfectly smooth; yours is charged for it.",
    ),
    mistake(
        "cut off",
        "return vertical",
        "vertical, horizontal = vertical.detach(), horizontal.detach()\n    return 0 * images.sum() + vertical",
        hint="The value is right, but it pulls at no pixel.",
    ),
    mistake(
        "half of each pair cut off",
        "- images[:, :, :-1]",
        "- images[:, :, :-1].detach()",
        hint="Of two neighbours only one is pulled: both should move.",
    ),
    mistake(
        "one loss an image",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.square().sum((1, 2, 3)) + horizontal.square().sum((1, 2, 3))",
        hint="You return one number for each image; a single number is wanted.",
    ),
    mistake(
        "mean of absolute values",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.abs().mean() + horizontal.abs().mean()",
        hint="You average absolute differences, as d2l's loss does: here they are squared and added.",
    ),
    mistake(
        "d2l's",
        "vertical.square().sum() + horizontal.square().sum()",
        "0.5 * (vertical.abs().mean() + horizontal.abs().mean())",
        hint="You average absolute differences, as d2l's loss does: here they are squared and added.",
    ),
    mistake(
        "divided by counts",
        "vertical.square().sum() + horizontal.square().sum()",
        "2 * (vertical.square().sum() / vertical[0].numel() + horizontal.square().sum() / horizontal[0].numel()) / len(images)",
        hint="You divide by counts and by the batch, as a widely copied TVLoss does: here nothing is divided.",
    ),
    mistake(
        "divided by counts, not by the batch",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.square().sum() / vertical[0].numel() + horizontal.square().sum() / horizontal[0].numel()",
        hint="You divide each direction by its number of pairs: here nothing is divided.",
    ),
    mistake(
        "divided by all values",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / images.numel()",
        hint="You divide by the number of values: the docstring says sum.",
    ),
    mistake(
        "first image only",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical[0].square().sum() + horizontal[0].square().sum()",
        hint="Only the first image of the batch counts in your loss.",
    ),
    mistake(
        "mean over channels",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / images.shape[1]",
        hint="Your loss is a third of the sum: channels are added, not averaged.",
    ),
    mistake(
        "halved",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / 2",
        hint="Your loss is half of the sum: each pair counts once, with factor 1.",
    ),
    mistake(
        "every pair twice",
        "vertical.square().sum() + horizontal.square().sum()",
        "2 * (vertical.square().sum() + horizontal.square().sum())",
        hint="Your loss counts every pair of neighbours twice.",
    ),
)

VARIANTS = (
    variant(
        "diff",
        body="""
        return images.diff(dim=2).pow(2).sum() + images.diff(dim=-1).pow(2).sum()
        """,
    ),
    variant(
        "roll with the seam cut",
        body="""
        down = (images - images.roll(1, 2))[:, :, 1:]
        right = (images - images.roll(1, 3))[:, :, :, 1:]
        return (down * down).sum() + (right * right).sum()
        """,
    ),
    variant(
        "row by row",
        body="""
        total = 0 * images.sum()
        for y in range(1, images.shape[2]):
            total = total + ((images[:, :, y] - images[:, :, y - 1]) ** 2).sum()
        for x in range(1, images.shape[3]):
            total = total + ((images[..., x] - images[..., x - 1]) ** 2).sum()
        return total
        """,
    ),
)
