"""Exercise total_variation_loss: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "A smooth image changes little from one pixel to the next. Add up the changes.",
    (
        "Take the image without its first row, and without its last row: which pixels lie at the same position in both? Do the same with columns."
    ),
    (
        "There is one pair less than there are rows. The two directions have different numbers of pairs: sum each by itself, then add."
    ),
    "L = sum (I[y + 1, x] - I[y, x])^2 + sum (I[y, x + 1] - I[y, x])^2",
)

MISTAKES = (
    mistake(
        "not squared",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.abs().sum() + horizontal.abs().sum()",
        hint="You sum absolute differences: sum squared differences instead.",
    ),
    mistake(
        "mean over pairs",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.square().mean() + horizontal.square().mean()",
        hint="You average over the pairs: sum over them.",
    ),
    mistake(
        "mean over images",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / len(images)",
        hint="You divide by the number of images: sum over the batch.",
    ),
    mistake(
        "divided by the pixels",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / images.shape[2:].numel()",
        hint="You divide by the number of pixels: return the sum.",
    ),
    mistake(
        "wraps round",
        "images[:, :, 1:] - images[:, :, :-1]",
        "images - images.roll(1, 2)",
        "images[..., 1:] - images[..., :-1]",
        "images - images.roll(1, 3)",
        hint="roll() compares the first row with the last, and columns alike: these are no neighbours.",
    ),
    mistake(
        "rows only",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.square().sum()",
        hint="You use only the vertical differences: add the horizontal ones.",
    ),
    mistake(
        "columns only",
        "vertical.square().sum() + horizontal.square().sum()",
        "horizontal.square().sum()",
        hint="You use only the horizontal differences: add the vertical ones.",
    ),
    mistake(
        "cropped to a common size",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical[..., :-1].square() + horizontal[:, :, :-1].square()).sum()",
        hint="You crop both differences to a common size: pairs in the last row and last column are missing.",
    ),
    mistake(
        "across channels",
        "images[:, :, 1:] - images[:, :, :-1]",
        "images[:, 1:] - images[:, :-1]",
        hint="Your vertical difference subtracts neighbouring channels: subtract neighbouring rows.",
    ),
    mistake(
        "across the batch",
        "horizontal.square().sum()",
        "horizontal.square().sum() + (images[1:] - images[:-1]).square().sum()",
        hint="You also subtract neighbouring images of the batch: leave this term out.",
    ),
    mistake(
        "root of the sum",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()).sqrt()",
        hint="You take the square root at the end: return the sum of squares.",
    ),
    mistake(
        "grey picture",
        "vertical = images",
        "images = images.mean(1, keepdim=True)\n    vertical = images",
        hint="You average the channels first: take the differences in each channel.",
    ),
    mistake(
        "every second row",
        "images[:, :, 1:] - images[:, :, :-1]",
        "images[:, :, 2:] - images[:, :, :-2]",
        hint="You subtract rows that are two apart: subtract neighbouring rows.",
    ),
    mistake(
        "added neighbours",
        "images[:, :, 1:] - images[:, :, :-1]",
        "images[:, :, 1:] + images[:, :, :-1]",
        hint="You add neighbouring rows: subtract them.",
    ),
    mistake(
        "cut off",
        "return vertical",
        "vertical, horizontal = vertical.detach(), horizontal.detach()\n    return 0 * images.sum() + vertical",
        hint="You detach the differences: gradients must reach the images.",
    ),
    mistake(
        "half of each pair cut off",
        "- images[:, :, :-1]",
        "- images[:, :, :-1].detach()",
        hint="You detach one pixel of each vertical pair: gradients must reach both.",
    ),
    mistake(
        "one loss an image",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.square().sum((1, 2, 3)) + horizontal.square().sum((1, 2, 3))",
        hint="You return one loss per image: sum over the batch too.",
    ),
    mistake(
        "mean of absolute values",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.abs().mean() + horizontal.abs().mean()",
        hint="You average absolute differences, as d2l does: sum squared differences instead.",
    ),
    mistake(
        "d2l's",
        "vertical.square().sum() + horizontal.square().sum()",
        "0.5 * (vertical.abs().mean() + horizontal.abs().mean())",
        hint="You average absolute differences, as d2l does: sum squared differences instead.",
    ),
    mistake(
        "divided by counts",
        "vertical.square().sum() + horizontal.square().sum()",
        "2 * (vertical.square().sum() / vertical[0].numel() + horizontal.square().sum() / horizontal[0].numel()) / len(images)",
        hint="You divide by numbers of pairs and images, as a widely copied TVLoss does: return the plain sum.",
    ),
    mistake(
        "divided by counts, not by the batch",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.square().sum() / vertical[0].numel() + horizontal.square().sum() / horizontal[0].numel()",
        hint="You divide each direction by its number of pairs: return the plain sum.",
    ),
    mistake(
        "divided by all values",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / images.numel()",
        hint="You divide by the number of values: return the sum.",
    ),
    mistake(
        "first image only",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical[0].square().sum() + horizontal[0].square().sum()",
        hint="You use only the first image of the batch: sum over all images.",
    ),
    mistake(
        "mean over channels",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / images.shape[1]",
        hint="You divide by the number of channels: sum over channels.",
    ),
    mistake(
        "halved",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical.square().sum() + horizontal.square().sum()) / 2",
        hint="You divide by 2: return the sum itself.",
    ),
    mistake(
        "every pair twice",
        "vertical.square().sum() + horizontal.square().sum()",
        "2 * (vertical.square().sum() + horizontal.square().sum())",
        hint="You multiply by 2: each pair counts once.",
    ),
    mistake(
        "two apart",
        "images[:, :, 1:] - images[:, :, :-1]",
        "images[:, :, 2:] - images[:, :, :-2]",
        "images[..., 1:] - images[..., :-1]",
        "images[..., 2:] - images[..., :-2]",
        hint="You subtract pixels that are two apart: subtract neighbours.",
    ),
    mistake(
        "square of the sum of both",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical[..., :-1].abs() + horizontal[:, :, :-1].abs()).square().sum()",
        hint="You add both differences before you square: square each by itself.",
    ),
    mistake(
        "nothing of a single row",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.square().sum() + horizontal.square().sum() if min(images.shape[2:]) > 1 else 0 * images.sum()",
        hint="For a single row or column you return 0: the other direction still has neighbours.",
    ),
    mistake(
        "zeros above",
        "images[:, :, 1:] - images[:, :, :-1]",
        "torch.diff(images, dim=2, prepend=torch.zeros_like(images[:, :, :1]))",
        hint="You treat zeros above the first row as neighbours: compare pixels of the image only.",
    ),
    mistake(
        "zeros on two sides",
        "images[:, :, 1:] - images[:, :, :-1]",
        "torch.diff(images, dim=2, prepend=torch.zeros_like(images[:, :, :1]))",
        "images[..., 1:] - images[..., :-1]",
        "torch.diff(images, dim=3, prepend=torch.zeros_like(images[..., :1]))",
        hint="You treat zeros beyond the border as neighbours: compare pixels of the image only.",
    ),
    mistake(
        "isotropic",
        "vertical.square().sum() + horizontal.square().sum()",
        "(vertical[..., :-1].square() + horizontal[:, :, :-1].square() + 1e-12).sqrt().sum()",
        hint="You take a square root at each pixel: sum the squared differences themselves.",
    ),
    mistake(
        "channels summed first",
        "vertical.square().sum() + horizontal.square().sum()",
        "vertical.sum(1).square().sum() + horizontal.sum(1).square().sum()",
        hint="You sum the differences over channels before squaring: square each difference.",
    ),
    mistake(
        "clamped first",
        "    vertical = images",
        "    images = images.clamp(0, 1)\n    vertical = images",
        hint="You clamp the images before you take differences: values outside [0, 1] count too.",
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
