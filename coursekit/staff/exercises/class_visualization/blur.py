"""Exercise blur: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.class_visualization.shared import DRAGS

HINTS = (
    "Every pixel becomes a weighted mean of its neighbours; near ones weigh more. Colours never mix.",
    (
        "A Gaussian in two directions is the product of two in one direction: first along the columns, then along the "
        "rows, or both at once in one window."
    ),
    (
        "Make the picture larger first, by repeating its outermost pixels, so that the window always lies inside. "
        "Divide the weights by their own sum, not by a formula. No width, no blur."
    ),
    "w(d) = exp(-d^2 / (2 sigma^2)) / sum over d' of exp(-d'^2 / (2 sigma^2)), d = -r..r, r >= 3 sigma",
)

MISTAKES = (
    mistake(
        "dark border",
        'F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")',
        "F.pad(image.detach()[:, None], (radius,) * 4)",
        hint="Your picture darkens towards its edges: what lies beyond them?",
    ),
    mistake(
        "mirrored border",
        'F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")',
        "torch.from_numpy(__import__('numpy').pad(image.detach().numpy(), ((0, 0), (radius,) * 2, (radius,) * 2), 'reflect'))[:, None]",
        hint="Beyond the edges your picture goes on as in a mirror.",
    ),
    mistake(
        "wrapped border",
        'F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")',
        "torch.from_numpy(__import__('numpy').pad(image.detach().numpy(), ((0, 0), (radius,) * 2, (radius,) * 2), 'wrap'))[:, None]",
        hint="What leaves your picture on one side comes in on the other.",
    ),
    mistake(
        "variance",
        "(offsets / sigma).square().div(-2)",
        "offsets.square().div(-2 * sigma)",
        hint="The parameter is the standard deviation in pixels; yours acts like its square.",
    ),
    mistake(
        "factor two",
        "(offsets / sigma).square().div(-2)",
        "(offsets / sigma).square().neg()",
        hint="Your bell is too narrow by a constant factor: compare the exponent with the formula.",
    ),
    mistake(
        "not squared",
        "(offsets / sigma).square().div(-2)",
        "(offsets / sigma).abs().div(-2)",
        hint="Your weights have a sharp peak and long tails: that is another bell.",
    ),
    mistake(
        "box",
        "(offsets / sigma).square().div(-2)",
        "(0 * offsets)",
        hint="All neighbours count equally in your window; near ones should count more.",
    ),
    mistake(
        "not normalised",
        ".softmax(dim=0)",
        ".exp()",
        hint="Your picture becomes brighter: what do your weights add up to?",
    ),
    mistake(
        "density",
        ".softmax(dim=0)",
        ".exp() / (sigma * (2 * math.pi) ** 0.5)",
        hint="The constant of the continuous bell does not fit whole pixels: what do your weights add up to?",
    ),
    mistake(
        "even window",
        "torch.arange(-radius, radius + 1,",
        "torch.arange(-radius, radius,",
        "(radius,) * 4",
        "(radius, radius - 1) * 2",
        hint="Your window has a side that reaches further than the other: where does the range of its offsets end?",
    ),
    mistake(
        "a window of fixed size",
        "radius = math.ceil(3 * sigma)",
        "radius = 5 if sigma else 0",
        hint="However wide the bell, your window has one size: wide bells are cut off.",
    ),
    mistake(
        "short window",
        "math.ceil(3 * sigma)",
        "math.ceil(sigma)",
        hint="Your window ends while the bell is still high.",
    ),
    mistake(
        "a window of two and a half",
        "math.ceil(3 * sigma)",
        "math.ceil(2.5 * sigma)",
        hint="Your window is a little short: how far does it have to reach, in standard deviations?",
    ),
    mistake(
        "rows only",
        "return F.conv2d(rows, weights.view(1, 1, 1, -1))[:, 0]",
        "return rows[:, 0, :, radius:-radius]",
        hint="Your picture is smeared in one direction only.",
    ),
    mistake(
        "channels mixed",
        "image.detach()[:, None]",
        "image.detach().mean(dim=0).expand(3, -1, -1)[:, None]",
        hint="Colours run into each other: each has to be treated alone.",
    ),
    mistake(
        "division by zero",
        "if radius == 0:\n        return image.detach().clone()\n    ",
        "",
        hint="There is a width at which nothing may change, and your formula breaks there.",
    ),
    mistake(
        "narrow bells left out",
        "if radius == 0:",
        "if sigma < 0.5:",
        hint="A narrow bell is still a bell: at one width only nothing happens.",
    ),
    mistake(
        "view of the picture",
        "image.detach().clone()",
        "image.detach()",
        hint="What you return and what you were given lie in the same memory: writing to one changes the other.",
    ),
    mistake(
        "still in the graph",
        "image.detach()[:, None]",
        "image[:, None]",
        "image.detach().clone()",
        "image.clone()",
        hint=DRAGS,
    ),
)

VARIANTS = (
    variant(
        "one kernel, depthwise",
        body="""
        if sigma == 0:
            return image.detach().clone()
        r = int(4 * sigma + 1)
        d = torch.arange(-r, r + 1, dtype=image.dtype)
        bell = torch.exp(-(d[:, None] ** 2 + d**2) / (2 * sigma**2))
        bell = (bell / bell.sum()).expand(3, 1, -1, -1)
        padded = F.pad(image.detach()[None], (r, r, r, r), mode="replicate")
        return F.conv2d(padded, bell, groups=3)[0]
        """,
    ),
    variant(
        "loop over shifts",
        body="""
        image = image.detach()
        if sigma == 0:
            return image.clone()
        reach = max(1, round(5 * sigma))
        height, width = image.shape[1:]
        result = torch.zeros_like(image)
        weights = [math.exp(-(d * d) / (2 * sigma * sigma)) for d in range(-reach, reach + 1)]
        total = sum(weights)
        for d, w in zip(range(-reach, reach + 1), weights):
            result += w / total * image[:, (torch.arange(height) + d).clamp(0, height - 1)]
        image, result = result, torch.zeros_like(image)
        for d, w in zip(range(-reach, reach + 1), weights):
            result += w / total * image[:, :, (torch.arange(width) + d).clamp(0, width - 1)]
        return result
        """,
    ),
    variant(
        "matrices",
        body="""
        image = image.detach()
        if sigma == 0:
            return image + 0

        def spread(n):
            reach = math.ceil(3 * sigma)
            matrix = torch.zeros(n, n, dtype=image.dtype)
            for i in range(n):
                for j in range(i - reach, i + reach + 1):
                    matrix[i, min(max(j, 0), n - 1)] += math.exp(-0.5 * ((i - j) / sigma) ** 2)
            return matrix / matrix.sum(1, keepdim=True)

        return torch.einsum("yi,cij,xj->cyx", spread(image.shape[1]), image, spread(image.shape[2]))
        """,
    ),
    variant(
        "round window",
        body="""
        if sigma == 0:
            return image.detach().clone()
        r = math.ceil(3 * sigma)
        d = torch.arange(-r, r + 1, dtype=image.dtype)
        squares = d[:, None] ** 2 + d**2
        bell = torch.exp(-squares / (2 * sigma**2)) * (squares <= (3 * sigma) ** 2)
        padded = F.pad(image.detach()[None], (r, r, r, r), mode="replicate")
        return F.conv2d(padded, (bell / bell.sum()).expand(3, 1, -1, -1), groups=3)[0]
        """,
    ),
)
