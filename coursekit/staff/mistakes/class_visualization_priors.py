"""Mistakes of part 2 in what keeps the picture smooth and sparse."""

from coursekit.staff.edits import mistake

CALLERS = "Look at what you were given after the call: something about it is no longer as it was."
DRAGS = "The result drags the whole computation behind it: cut it off."
SHARED = "What you return and what you were given lie in the same memory: writing to one changes the other."
OFF_BY_HALF = "Count the pixels that became grey: a broken number of pixels is rounded towards fewer."
FIXED_LEVEL = "How many pixels turn grey is given; where the limit lies follows from the picture."
LARGE = "You keep exactly what should go."
THREE_TIMES = "A pixel is grey or not in all three colours at once; yours loses single colours."
BLACK = "Nothing is grey in your result where something should be: which value is grey here?"
ROUND_GREY = "Distances are taken from grey, not from black."


def zeroing(function: str, quantity: str, scores: str, specific: tuple[tuple[str, str, str, str], ...]) -> tuple:
    """The mistakes that the two ways of turning pixels grey have in common, then those of one of them."""
    count = f"math.floor(fraction * len({quantity}))"
    shared = (
        ("large ones", ".argsort()", ".argsort(descending=True)", LARGE),
        ("rounded", "math.floor(fraction", "round(fraction", OFF_BY_HALF),
        ("rounded up", "math.floor(fraction", "math.ceil(fraction", OFF_BY_HALF + " Yours always takes one more."),
        (
            "fraction kept",
            "math.floor(fraction",
            "math.floor((1 - fraction)",
            "The given share is the one that goes, not the one that stays.",
        ),
        (
            "fixed limit",
            f"{quantity}.argsort()[: {count}]",
            f"({quantity} < fraction * {quantity}.max()).nonzero().flatten()",
            FIXED_LEVEL,
        ),
        (
            "quantile",
            f"{quantity}.argsort()[: {count}]",
            f"({quantity} <= {quantity}.quantile(fraction)).nonzero().flatten()",
            "Count the pixels that became grey: there is one too many, as with a percentile.",
        ),
        ("black", "smallest, 0.5)", "smallest, 0.0)", BLACK),
        ("all of three axes", "len(" + quantity + ")", "image.numel()", "You count values where pixels are meant."),
        ("in place", "image.detach().flatten(1).index_fill(", "image.detach().flatten(1).index_fill_(", CALLERS),
        ("still in the graph", "image.detach()", "image", DRAGS),
    )
    return (
        *(mistake(function, name, old, new, hint=hint) for name, old, new, hint in shared),
        *(mistake(function, name, old, new, hint=hint) for name, old, new, hint in specific),
        mistake(
            function,
            "each colour by itself",
            body=f"""
            values = {scores}.flatten()
            smallest = values.argsort()[: math.floor(fraction * len(values))]
            return image.detach().flatten().index_fill(0, smallest, 0.5).view(image.shape)
            """,
            hint=THREE_TIMES,
        ),
    )


BLUR = (
    mistake(
        "blur",
        "dark border",
        'F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")',
        "F.pad(image.detach()[:, None], (radius,) * 4)",
        hint="Your picture darkens towards its edges: what lies beyond them?",
    ),
    mistake(
        "blur",
        "mirrored border",
        'F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")',
        "torch.from_numpy(__import__('numpy').pad(image.detach().numpy(), ((0, 0), (radius,) * 2, (radius,) * 2), 'reflect'))[:, None]",
        hint="Beyond the edges your picture goes on as in a mirror.",
    ),
    mistake(
        "blur",
        "wrapped border",
        'F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")',
        "torch.from_numpy(__import__('numpy').pad(image.detach().numpy(), ((0, 0), (radius,) * 2, (radius,) * 2), 'wrap'))[:, None]",
        hint="What leaves your picture on one side comes in on the other.",
    ),
    mistake(
        "blur",
        "variance",
        "(offsets / sigma).square().div(-2)",
        "offsets.square().div(-2 * sigma)",
        hint="The parameter is the standard deviation in pixels; yours acts like its square.",
    ),
    mistake(
        "blur",
        "factor two",
        "(offsets / sigma).square().div(-2)",
        "(offsets / sigma).square().neg()",
        hint="Your bell is too narrow by a constant factor: compare the exponent with the formula.",
    ),
    mistake(
        "blur",
        "not squared",
        "(offsets / sigma).square().div(-2)",
        "(offsets / sigma).abs().div(-2)",
        hint="Your weights have a sharp peak and long tails: that is another bell.",
    ),
    mistake(
        "blur",
        "box",
        "(offsets / sigma).square().div(-2)",
        "(0 * offsets)",
        hint="All neighbours count equally in your window; near ones should count more.",
    ),
    mistake(
        "blur",
        "not normalised",
        ".softmax(dim=0)",
        ".exp()",
        hint="Your picture becomes brighter: what do your weights add up to?",
    ),
    mistake(
        "blur",
        "density",
        ".softmax(dim=0)",
        ".exp() / (sigma * (2 * math.pi) ** 0.5)",
        hint="The constant of the continuous bell does not fit whole pixels: what do your weights add up to?",
    ),
    mistake(
        "blur",
        "even window",
        "torch.arange(-radius, radius + 1,",
        "torch.arange(-radius, radius,",
        "(radius,) * 4",
        "(radius, radius - 1) * 2",
        hint="Your window has a side that reaches further than the other: where does the range of its offsets end?",
    ),
    mistake(
        "blur",
        "a window of fixed size",
        "radius = math.ceil(3 * sigma)",
        "radius = 5 if sigma else 0",
        hint="However wide the bell, your window has one size: wide bells are cut off.",
    ),
    mistake(
        "blur",
        "short window",
        "math.ceil(3 * sigma)",
        "math.ceil(sigma)",
        hint="Your window ends while the bell is still high.",
    ),
    mistake(
        "blur",
        "a window of two and a half",
        "math.ceil(3 * sigma)",
        "math.ceil(2.5 * sigma)",
        hint="Your window is a little short: how far does it have to reach, in standard deviations?",
    ),
    mistake(
        "blur",
        "rows only",
        "return F.conv2d(rows, weights.view(1, 1, 1, -1))[:, 0]",
        "return rows[:, 0, :, radius:-radius]",
        hint="Your picture is smeared in one direction only.",
    ),
    mistake(
        "blur",
        "channels mixed",
        "image.detach()[:, None]",
        "image.detach().mean(dim=0).expand(3, -1, -1)[:, None]",
        hint="Colours run into each other: each has to be treated alone.",
    ),
    mistake(
        "blur",
        "division by zero",
        "if radius == 0:\n        return image.detach().clone()\n    ",
        "",
        hint="There is a width at which nothing may change, and your formula breaks there.",
    ),
    mistake(
        "blur",
        "narrow bells left out",
        "if radius == 0:",
        "if sigma < 0.5:",
        hint="A narrow bell is still a bell: at one width only nothing happens.",
    ),
    mistake("blur", "view of the picture", "image.detach().clone()", "image.detach()", hint=SHARED),
    mistake(
        "blur",
        "still in the graph",
        "image.detach()[:, None]",
        "image[:, None]",
        "image.detach().clone()",
        "image.clone()",
        hint=DRAGS,
    ),
)

ZERO_SMALL_PIXELS = zeroing(
    "zero_small_pixels",
    "norms",
    "(image - 0.5).abs()",
    (
        ("from black", "(image - 0.5)", "image", ROUND_GREY),
        (
            "sum of absolute values",
            ".norm(dim=0)",
            ".abs().sum(dim=0)",
            "You measure along the axes of colour space; the straight distance is meant.",
        ),
        (
            "largest colour",
            ".norm(dim=0)",
            ".abs().amax(dim=0)",
            "You look at the strongest colour of a pixel only; all three count.",
        ),
        (
            "signed sum",
            ".norm(dim=0)",
            ".sum(dim=0)",
            "Bright and dark colours cancel in your measure, and dark pixels count as small.",
        ),
        (
            "brightness",
            ".norm(dim=0)",
            ".mean(dim=0).abs()",
            "A pure red can be as bright as grey: your measure does not see colour.",
        ),
    ),
)

ZERO_SMALL_CONTRIBUTIONS = zeroing(
    "zero_small_contributions",
    "contributions",
    "((image - 0.5) * gradient).abs()",
    (
        ("from black", "(image - 0.5)", "image", ROUND_GREY),
        (
            "absolute value first",
            ".sum(dim=0).abs()",
            ".abs().sum(dim=0)",
            "Colours that pull in opposite directions should cancel: mind the order of the two operations.",
        ),
        (
            "signed",
            ".sum(dim=0).abs()",
            ".sum(dim=0)",
            "A pixel that lowers the score strongly is no small one.",
        ),
        (
            "slope alone",
            "((image - 0.5) * gradient)",
            "gradient",
            "A pixel that is grey already contributes nothing, however steep the score is there.",
        ),
        (
            "pixel alone",
            "((image - 0.5) * gradient).sum(dim=0).abs()",
            "(image - 0.5).norm(dim=0)",
            "That is the other exercise: nothing in yours asks what the score does.",
        ),
        (
            "product of lengths",
            "((image - 0.5) * gradient).sum(dim=0).abs()",
            "((image - 0.5).norm(dim=0) * gradient.norm(dim=0))",
            "A colour that stands across the slope contributes nothing; in yours it does.",
        ),
    ),
)

MISTAKES = (
    *BLUR,
    *ZERO_SMALL_PIXELS,
    *ZERO_SMALL_CONTRIBUTIONS,
)
