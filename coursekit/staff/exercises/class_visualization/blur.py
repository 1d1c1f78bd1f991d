"""Exercise blur: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.class_visualization.shared import HISTORY

HINTS = (
    (
        "Every pixel becomes a weighted mean of its neighbours, with larger weights for near ones. Each "
        "channel is treated alone."
    ),
    (
        "A Gaussian in two dimensions is a product of two in one dimension. Blur along the columns, then "
        "along the rows, or use one 2-d window."
    ),
    (
        "First repeat the border pixels, so that the window always lies inside. Divide the weights by their "
        "own sum. With sigma 0 nothing changes."
    ),
    "w(d) = exp(-d^2 / (2 sigma^2)) / sum over d' of exp(-d'^2 / (2 sigma^2)), d = -r..r, r >= 3 sigma",
)

MISTAKES = (
    mistake(
        "squeezed",
        "weights.view(1, 1, 1, -1))[:, 0]",
        "weights.view(1, 1, 1, -1)).squeeze()",
        hint="Your squeeze also drops a side of length 1: remove the axis that you added, by its number.",
    ),
    mistake(
        "dark border",
        'F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")',
        "F.pad(image.detach()[:, None], (radius,) * 4)",
        hint="You pad with zeros, so the border darkens: repeat the border pixels.",
    ),
    mistake(
        "mirrored border",
        'F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")',
        "torch.from_numpy(__import__('numpy').pad(image.detach().numpy(), ((0, 0), (radius,) * 2, (radius,) * 2), 'reflect'))[:, None]",
        hint="You pad by reflection: repeat the border pixels.",
    ),
    mistake(
        "wrapped border",
        'F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")',
        "torch.from_numpy(__import__('numpy').pad(image.detach().numpy(), ((0, 0), (radius,) * 2, (radius,) * 2), 'wrap'))[:, None]",
        hint="You pad by wrapping around: repeat the border pixels.",
    ),
    mistake(
        "variance",
        "(offsets / sigma).square().div(-2)",
        "offsets.square().div(-2 * sigma)",
        hint="You divide by 2 * sigma: the exponent is -d^2 / (2 sigma^2).",
    ),
    mistake(
        "factor two",
        "(offsets / sigma).square().div(-2)",
        "(offsets / sigma).square().neg()",
        hint="Your exponent is -d^2 / sigma^2: a factor 1/2 is missing.",
    ),
    mistake(
        "not squared",
        "(offsets / sigma).square().div(-2)",
        "(offsets / sigma).abs().div(-2)",
        hint="Your exponent uses |d|: a Gaussian uses d^2.",
    ),
    mistake(
        "box",
        "(offsets / sigma).square().div(-2)",
        "(0 * offsets)",
        hint="All your weights are equal: use Gaussian weights exp(-d^2 / (2 sigma^2)).",
    ),
    mistake(
        "not normalised",
        ".softmax(dim=0)",
        ".exp()",
        hint="Your weights do not sum to 1: divide them by their sum.",
    ),
    mistake(
        "density",
        ".softmax(dim=0)",
        ".exp() / (sigma * (2 * math.pi) ** 0.5)",
        hint="You divide by sqrt(2 pi) sigma, so the weights do not sum to 1: divide by their sum.",
    ),
    mistake(
        "even window",
        "torch.arange(-radius, radius + 1,",
        "torch.arange(-radius, radius,",
        "(radius,) * 4",
        "(radius, radius - 1) * 2",
        hint="Your offsets end at radius - 1: the end of arange is excluded, and the window must be symmetric.",
    ),
    mistake(
        "a window of fixed size",
        "radius = math.ceil(3 * sigma)",
        "radius = 5 if sigma else 0",
        hint="Your radius is always 5: it must grow with sigma, at least 3 sigma.",
    ),
    mistake(
        "short window",
        "math.ceil(3 * sigma)",
        "math.ceil(sigma)",
        hint="Your window is too short: it must reach at least 3 sigma to each side.",
    ),
    mistake(
        "a window of two and a half",
        "math.ceil(3 * sigma)",
        "math.ceil(2.5 * sigma)",
        hint="Your radius is 2.5 sigma: use at least 3 sigma.",
    ),
    mistake(
        "rows only",
        "return F.conv2d(rows, weights.view(1, 1, 1, -1))[:, 0]",
        "return rows[:, 0, :, radius:-radius]",
        hint="You blur along the columns only: blur along the rows as well.",
    ),
    mistake(
        "channels mixed",
        "image.detach()[:, None]",
        "image.detach().mean(dim=0).expand(3, -1, -1)[:, None]",
        hint="You average the three channels before the blur: blur each channel alone.",
    ),
    mistake(
        "division by zero",
        "if radius == 0:\n        return image.detach().clone()\n    ",
        "",
        hint="For sigma = 0 you divide by zero: return the image unchanged.",
    ),
    mistake(
        "narrow bells left out",
        "if radius == 0:",
        "if sigma < 0.5:",
        hint="You skip the blur for every sigma below 0.5: skip it only for sigma = 0.",
    ),
    mistake(
        "view of the picture",
        "image.detach().clone()",
        "image.detach()",
        hint="For sigma = 0 your result shares memory with the caller's image: return a copy.",
    ),
    mistake(
        "still in the graph",
        "image.detach()[:, None]",
        "image[:, None]",
        "image.detach().clone()",
        "image.clone()",
        hint=HISTORY,
    ),
    mistake(
        "three sigma in all",
        "math.ceil(3 * sigma)",
        "math.ceil(1.5 * sigma)",
        hint="Your kernel ends before 3 sigma: it must reach 3 sigma to each side.",
    ),
    mistake(
        "radius of at most 10",
        "math.ceil(3 * sigma)",
        "min(math.ceil(3 * sigma), 10)",
        hint="Your radius is limited: the kernel must reach 3 sigma to each side for every sigma and image size.",
    ),
    mistake(
        "radius of at most the picture",
        "math.ceil(3 * sigma)",
        "min(math.ceil(3 * sigma), *[side - 1 for side in image.shape[1:]])",
        hint="Your radius is limited: the kernel must reach 3 sigma to each side for every sigma and image size.",
    ),
    mistake(
        "weights inside the picture alone",
        body="""
        if sigma == 0:
            return image.detach().clone()
        radius = math.ceil(3 * sigma)
        offsets = torch.arange(-radius, radius + 1, dtype=image.dtype)
        weights = (offsets / sigma).square().div(-2).exp()
        weights = torch.outer(weights, weights)[None, None]
        inside = image.detach()[:, None]
        total = F.conv2d(torch.ones_like(inside), weights, padding=radius)
        return (F.conv2d(inside, weights, padding=radius) / total)[:, 0]
        """,
        hint="At the border you average over the pixels inside the image: repeat the border pixels instead.",
    ),
)

VARIANTS = (
    variant("no further than 3 sigma", "math.ceil(3 * sigma)", "math.floor(3 * sigma)"),
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
