"""Exercise frosted_glass_blur: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import BORDER, SHARED, SOURCE, WEAKER

HINTS = (
    "Three steps: a Gaussian blur, an exchange of near pixels, the same blur again.",
    (
        "Exchange means that both pixels move: keep one before you overwrite it. A double loop over the pixels is right but slow. Loop over pixel numbers instead, and move the colours at the end."
    ),
    (
        "Without a loop: cut the image into small squares, at a new offset in each round. Shuffle the pixels of each square. Which side of a square keeps every pixel within reach?"
    ),
    "x <- G_sigma x; rounds times: x(p) <- x(pi(p)), pi a permutation with max|pi(p) - p| <= reach; x <- G_sigma x",
)

MISTAKES = (
    mistake(
        "blurred in every round",
        "moved = pixels.gather(2,",
        "pixels = blurred(pixels.unflatten(2, (height, width))).flatten(2)\n        moved = pixels.gather(2,",
        hint="You blur in every round: blur once before the rounds and once after them.",
    ),
    mistake(
        "divided by sigma",
        "offsets / max(sigma, 1e-3)",
        "offsets / sigma",
        hint="Your Gaussian divides by sigma, which may be 0: then the blur must change nothing.",
    ),
    mistake(
        "one pixel in three left out",
        "moved = pixels.gather(2, mixed_places[:, None].expand_as(pixels))",
        "square = torch.where(((rows[:, None] + columns) % 3 > 0).flatten(), square + 2, -1 - torch.arange(height * width))\n"
        "        sorted_places, mixed_places = square.argsort(dim=1, stable=True), (square * 2**24 + chance).argsort(dim=1)\n"
        "        moved = pixels.gather(2, mixed_places[:, None].expand_as(pixels))",
        hint="Every third pixel of a row never moves: all pixels take part in the exchange.",
    ),
    mistake(
        "round the border",
        "return blurred(pixels",
        "pixels = pixels.unflatten(2, (height, width)).roll((1, 1) if rounds else (0, 0), dims=(2, 3)).flatten(2)\n"
        "    return blurred(pixels",
        hint="You roll the image, so pixels cross the border to the other side: they must not.",
    ),
    mistake(
        "border left out",
        "moved = pixels.gather(2, mixed_places[:, None].expand_as(pixels))",
        "inner = torch.zeros(height, width, dtype=torch.bool)\n"
        "        inner[reach:-reach, reach:-reach] = True\n"
        "        square = torch.where(inner.flatten(), square + 2, -1 - torch.arange(height * width))\n"
        "        sorted_places, mixed_places = square.argsort(dim=1, stable=True), (square * 2**24 + chance).argsort(dim=1)\n"
        "        moved = pixels.gather(2, mixed_places[:, None].expand_as(pixels))",
        hint="Pixels near the border never move: all pixels take part in the exchange.",
    ),
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake(
        "copies instead of exchanging",
        "moved = pixels.gather(2, mixed_places[:, None].expand_as(pixels))",
        "mixed_places = mixed_places.roll(1, dims=1).minimum(mixed_places)\n"
        "        moved = pixels.gather(2, mixed_places[:, None].expand_as(pixels))",
        hint="Some pixels are lost and others appear twice: exchange pixels, do not copy them.",
    ),
    mistake(
        "reach twice as far",
        "squares_down, squares_across = ",
        "reach = 2 * reach\n        squares_down, squares_across = ",
        "for _ in range(rounds):",
        "for reach in [reach] * rounds:",
        hint="In one round pixels move further than reach: use smaller squares, or exchange no pixel twice.",
    ),
    mistake(
        "squares of side reach",
        "mul(reach + 1).long()",
        "mul(reach).long()",
        "(rows + shift[0]) // (reach + 1), (columns + shift[1]) // (reach + 1)",
        "(rows + shift[0]) // reach, (columns + shift[1]) // reach",
        hint="Your squares are too small: no pixel can move by reach rows or columns.",
    ),
    mistake(
        "whole picture mixed",
        "(square * 2**24 + chance)",
        "chance",
        hint="Your sort moves pixels across the whole image: a pixel must stay in its own square.",
    ),
    mistake(
        "one round",
        "range(rounds)",
        "range(min(rounds, 1))",
        hint="You do at most one round: the setting may ask for more.",
    ),
    mistake("one round more", "range(rounds)", "range(rounds + 1)", hint="You do one round too many: count them."),
    mistake(
        "the same squares each time",
        "for _ in range(rounds):",
        "generator = torch.Generator().manual_seed(generator.initial_seed())\n    for _ in range(rounds):",
        "mul(reach + 1).long()",
        "mul(0).long()",
        hint="Your squares lie at the same place in every round: draw a new offset each time.",
    ),
    mistake(
        "one glass for the batch",
        "uniform(2, n, 1,",
        "uniform(2, 1, 1,",
        "chance = uniform(*square.shape, like=pixels.float(), generator=generator)",
        "chance = uniform(1, square.shape[-1], like=pixels.float(), generator=generator)",
        "square.argsort(dim=1, stable=True), (square * 2**24 + chance).argsort(dim=1)",
        "square.argsort(dim=1, stable=True).expand(n, -1), (square * 2**24 + chance).argsort(dim=1).expand(n, -1)",
        hint=SHARED,
    ),
    mistake(
        "channels apart",
        "moved = pixels.gather(2, mixed_places[:, None].expand_as(pixels))",
        "moved = pixels.gather(2, torch.stack([(square + torch.rand(square.shape, generator=generator, "
        "dtype=torch.float64)).argsort(dim=1) for _ in range(3)], dim=1))",
        hint="You move each channel by itself: the three channels of a pixel move together.",
    ),
    mistake(
        "no blur before",
        "blurred(images.detach()).flatten(2)",
        "images.detach().flatten(2)",
        hint="The first blur is missing: blur the images before the exchange.",
    ),
    mistake(
        "no blur after",
        "return blurred(pixels.unflatten(2, (height, width))).clamp(0, 1)",
        "return pixels.unflatten(2, (height, width)).clamp(0, 1)",
        hint="The second blur is missing: blur again after the exchange.",
    ),
    mistake(
        "both blurs before",
        "blurred(images.detach()).flatten(2)",
        "blurred(blurred(images.detach())).flatten(2)",
        "return blurred(pixels.unflatten(2, (height, width))).clamp(0, 1)",
        "return pixels.unflatten(2, (height, width)).clamp(0, 1)",
        hint="You blur twice before the exchange: the second blur comes after it.",
    ),
    mistake(
        "both blurs after",
        "blurred(images.detach()).flatten(2)",
        "images.detach().flatten(2)",
        "return blurred(pixels.unflatten(2, (height, width))).clamp(0, 1)",
        "return blurred(blurred(pixels.unflatten(2, (height, width)))).clamp(0, 1)",
        hint="You blur twice after the exchange: the first blur comes before it.",
    ),
    mistake("dark border", 'mode="replicate"', 'mode="constant"', hint=BORDER),
    mistake(
        "blur of twice the variance",
        "** 2) / 2).softmax",
        "** 2)/ 4).softmax",
        hint="Your Gaussian has twice the variance: its exponent is -x^2 / (2 sigma^2).",
    ),
    mistake(
        "blur across only",
        "return F.conv2d(across, bell[:, None].expand(3, 1, -1, 1), groups=3)",
        "return across[:, :, radius : radius + x.shape[2]]",
        hint="You blur along the rows only: blur along the columns too.",
    ),
    mistake(
        "global generator",
        "chance = uniform(*square.shape, like=pixels.float(), generator=generator)",
        "chance = torch.rand(square.shape)",
        hint=SOURCE,
    ),
    mistake(
        "kernel too short",
        "math.ceil(4 * sigma)",
        "max(1, int(2 * sigma))",
        hint="Your Gaussian kernel is too short: it must reach at least 3 sigma to each side.",
    ),
    mistake(
        "blurred after every round",
        ".scatter_(2, sorted_places[:, None].expand_as(pixels), moved)\n"
        "    return blurred(pixels.unflatten(2, (height, width)))",
        ".scatter_(2, sorted_places[:, None].expand_as(pixels), moved)\n"
        "        pixels = blurred(pixels.unflatten(2, (height, width))).flatten(2)\n"
        "    return pixels.unflatten(2, (height, width))",
        hint="You blur after every round: blur once before the rounds and once after them.",
    ),
    mistake(
        "blur of half the variance",
        "** 2) / 2).softmax",
        "** 2)).softmax",
        hint="Your Gaussian has half the variance: its exponent is -x^2 / (2 sigma^2).",
    ),
    *(
        mistake(
            f"weights that do not sum to 1, {form}",
            ".softmax(dim=0)",
            f".exp(){divided}",
            hint="Your Gaussian's weights do not sum to 1: divide them by their sum.",
        )
        for form, divided in (("density", " / (math.sqrt(2 * math.pi) * max(sigma, 1e-3))"), ("as they are", ""))
    ),
    mistake(
        "always one round",
        "range(rounds)",
        "range(1)",
        hint="You always do one round: the setting gives the number of rounds.",
    ),
    mistake(
        "reach and rounds exchanged",
        "sigma, reach, rounds = ",
        "sigma, rounds, reach = ",
        hint="You exchange reach and rounds: a setting is (sigma, reach, rounds).",
    ),
    mistake(
        "whole rows and columns",
        "    for _ in range(rounds):\n        # Squares of side reach + 1, laid anew each time: whatever happens inside one stays within reach.",
        "    for _ in range(rounds):\n        pixels = pixels.unflatten(2, (height, width))\n        for axis, length in ((2, height), (3, width)):\n            begin = uniform(n, 1, like=pixels.float(), generator=generator).mul(reach + 1).long()\n            group = (torch.arange(length) + begin) // (reach + 1)\n            order = (group + 0.999 * uniform(n, length, like=pixels.float(), generator=generator)).argsort(dim=1)\n            order = order[:, None, :, None] if axis == 2 else order[:, None, None]\n            pixels = pixels.gather(axis, order.expand_as(pixels))\n        pixels = pixels.flatten(2)\n        continue",
        hint="Whole rows and columns change places: exchange single pixels, each with a neighbour of its own.",
    ),
)

VARIANTS = (
    variant(
        "exchanges in a loop, as in the paper",
        body="""
        sigma, reach, rounds = SEVERITIES["frosted_glass_blur"][severity - 1]

        def blurred(x):
            if sigma == 0:
                return x.clone()
            r = int(3 * sigma) + 1
            bell = torch.exp(-(torch.arange(-r, r + 1, dtype=x.dtype) ** 2) / (2 * sigma * sigma))
            kernel = torch.outer(bell, bell)
            padded = F.pad(x, (r, r, r, r), mode="replicate")
            return F.conv2d(padded, (kernel / kernel.sum()).repeat(3, 1, 1, 1), groups=3)

        result = blurred(images.detach())
        height, width = images.shape[2:]
        for image in result:
            for _ in range(rounds):
                steps = torch.randint(-reach, reach + 1, (height, width, 2), generator=generator).tolist()
                for y in range(height):
                    for x in range(width):
                        b, a = min(max(y + steps[y][x][0], 0), height - 1), min(max(x + steps[y][x][1], 0), width - 1)
                        kept = image[:, y, x].clone()
                        image[:, y, x] = image[:, b, a]
                        image[:, b, a] = kept
        return blurred(result).clamp(0, 1)
        """,
    ),
    variant(
        "pairs of neighbours",
        body="""
        sigma, reach, rounds = SEVERITIES["frosted_glass_blur"][severity - 1]

        def blurred(x):
            r = max(1, math.ceil(3 * sigma))
            offsets = torch.arange(-r, r + 1, dtype=x.dtype)
            bell = torch.exp(-0.5 * (offsets / sigma) ** 2) if sigma else (offsets == 0).to(x.dtype)
            bell = bell / bell.sum()
            padded = F.pad(x, (r, r, r, r), mode="replicate")
            return F.conv2d(F.conv2d(padded, bell.view(1, 1, 1, -1).repeat(3, 1, 1, 1), groups=3),
                            bell.view(1, 1, -1, 1).repeat(3, 1, 1, 1), groups=3)

        pixels = blurred(images.detach())
        n, _, height, width = pixels.shape
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        offsets = [(dy, dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1) if (dy, dx) > (0, 0)]
        place = torch.arange(height * width)
        for i in range(n):
            for _ in range(rounds):
                target = place.clone()
                free = torch.ones(height * width, dtype=torch.bool)
                share = 1.0 / (2 * len(offsets)) ** 0.5
                for k in torch.randperm(len(offsets), generator=generator).tolist() * 2:
                    dy, dx = offsets[k]
                    inside = ((y + dy < height) & (x + dx >= 0) & (x + dx < width)).flatten()
                    other = (place + dy * width + dx).clamp(0, height * width - 1)
                    wants = inside & free & free[other]
                    wants &= torch.rand(height * width, generator=generator) < (1.5 * share if len(offsets) < 6 else 2 * share)
                    # Nobody may stand in two pairs: the earlier pixel of a chain gives way.
                    wants &= ~torch.zeros_like(wants).index_put((other[wants],), torch.tensor(True))
                    a, b = place[wants], other[wants]
                    target[a], target[b] = b, a
                    free[a] = free[b] = False
                pixels[i] = pixels[i].flatten(1)[:, target].view(3, height, width)
        return blurred(pixels).clamp(0, 1)
        """,
    ),
    variant(
        "each image alone, a wider kernel",
        body="""
        sigma, reach, rounds = SEVERITIES["frosted_glass_blur"][severity - 1]
        radius, side = math.ceil(6 * sigma), reach + 1
        offsets = torch.arange(-radius, radius + 1, dtype=images.dtype)
        bell = torch.ones(1, dtype=images.dtype) if sigma == 0 else torch.exp(-((offsets / sigma) ** 2) / 2)
        kernel = (bell[:, None] * bell / (bell[:, None] * bell).sum()).expand(3, 1, -1, -1)

        def blurred(x):
            return F.conv2d(F.pad(x, [radius] * 4, mode="replicate"), kernel, groups=3)

        _, _, height, width = images.shape
        glass = []
        for image in blurred(images.detach()):
            for _ in range(rounds):
                dy, dx = (int(torch.randint(side, (1,), generator=generator)) for _ in range(2))
                mixed = image.clone()
                for top in range(-dy, height, side):
                    for left in range(-dx, width, side):
                        rows = torch.arange(max(top, 0), min(top + side, height))
                        columns = torch.arange(max(left, 0), min(left + side, width))
                        spots = torch.cartesian_prod(rows, columns)
                        other = spots[torch.randperm(len(spots), generator=generator)]
                        mixed[:, spots[:, 0], spots[:, 1]] = image[:, other[:, 0], other[:, 1]]
                image = mixed
            glass.append(image)
        return blurred(torch.stack(glass)).clamp(0, 1)
        """,
    ),
)
