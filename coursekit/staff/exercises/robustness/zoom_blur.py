"""Exercise zoom_blur: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import WEAKER

HINTS = (
    "While the shutter is open the scene grows. What is seen last is the middle of the picture, enlarged.",
    "In the coordinates of F.affine_grid the middle of the picture is 0: to enlarge, read nearer to the middle.",
    "The zooms are equally far apart, and the first of them is the picture as it is: it counts once.",
    "x'(p) = 1/n * sum over i = 0 .. n-1 of x(p / (1 + i * step)), p from the centre",
)

MISTAKES = (
    mistake(
        "towards a whole pixel",
        "dtype=images.dtype) / zoom",
        "dtype=images.dtype) / zoom\n"
        "        shrink[:, 2] = (1 - 1 / zoom) * torch.tensor([(side + 1) % 2 / side for side in images.shape[:1:-1]])",
        hint="Try a picture with an even number of rows: where is its middle?",
    ),
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake(
        "original twice",
        "(total / len(zooms))",
        "((total + images.detach()) / (len(zooms) + 1))",
        hint="How often does the picture itself count? The paper's code has a slip here.",
    ),
    mistake(
        "without the original", "range(number)", "range(1, number + 1)", hint="The first zoom is the picture as it is."
    ),
    mistake("one zoom short", "range(number)", "range(max(number - 1, 1))", hint="Count the zooms."),
    mistake(
        "shrinks",
        "dtype=images.dtype) / zoom",
        "dtype=images.dtype) * zoom",
        hint="Does the camera come nearer, or does it go away?",
    ),
    mistake("step grows", "1 + i * step", "(1 + step) ** i", hint="The zooms are equally far apart; yours are not."),
    mistake(
        "corners aligned",
        "list(images.shape), align_corners=False",
        "list(images.shape), align_corners=True",
        hint="Where is -1: at the middle of the first pixel, or at its outer edge? Your grid and its reader disagree.",
    ),
    mistake(
        "nearest pixel",
        'padding_mode="border"',
        'mode="nearest", padding_mode="border"',
        hint="What lies between two pixels?",
    ),
    mistake(
        "last zoom only",
        "total += F.grid_sample",
        "total = number * F.grid_sample",
        hint="The shutter is open all the time, not only at the end.",
    ),
    mistake("not divided", "total / len(zooms)", "total", hint="Does a plain picture keep its brightness?"),
    mistake(
        "towards a corner",
        "dtype=images.dtype) / zoom",
        "dtype=images.dtype) / zoom\n        shrink[:, 2] = 1 / zoom - 1",
        hint="Which point of the picture stays where it is?",
    ),
    mistake(
        "zoomed across only",
        "dtype=images.dtype) / zoom",
        "dtype=images.dtype) / torch.tensor([[zoom], [1.0]], dtype=images.dtype)",
        hint="The picture is stretched.",
    ),
    mistake(
        "zoom of a zoom",
        'total += F.grid_sample(images.detach(), grid, padding_mode="border", align_corners=False)',
        'images = F.grid_sample(images.detach(), grid, padding_mode="border", align_corners=False)\n        total += images',
        hint="Each zoom is made from the sharp picture, not from the one before.",
    ),
    mistake(
        "still joined to the graph",
        "F.grid_sample(images.detach(),",
        "F.grid_sample(images,",
        hint="Cut the history off.",
    ),
    mistake(
        "largest zoom 1 + step",
        "1 + i * step for i",
        "1 + i * step / number for i",
        hint="Your largest zoom is about 1 + step: step is the distance between neighbouring zooms.",
    ),
    mistake(
        "one zoom too many",
        "for i in range(number)]",
        "for i in range(number + 1)]",
        hint="You average one zoom too many: zoom 1 is among the number.",
    ),
)

VARIANTS = (
    variant(
        "grid by hand",
        body="""
        step, number = SEVERITIES["zoom_blur"][severity - 1]
        height, width = images.shape[2:]
        y = (2 * torch.arange(height, dtype=images.dtype) + 1) / height - 1
        x = (2 * torch.arange(width, dtype=images.dtype) + 1) / width - 1
        parts = []
        for k in range(number):
            zoom = 1 + k * step
            grid = torch.stack([(x / zoom).expand(height, width), (y / zoom)[:, None].expand(height, width)], dim=-1)
            parts.append(F.grid_sample(images.detach(), grid.expand(len(images), -1, -1, -1), align_corners=False))
        parts[0] = images.detach()
        return torch.stack(parts).mean(dim=0).clamp(0, 1)
        """,
    ),
    variant(
        "two matrices a zoom",
        body="""
        step, number = SEVERITIES["zoom_blur"][severity - 1]

        def reader(length, zoom):
            center = (length - 1) / 2
            place = center + (torch.arange(length, dtype=images.dtype) - center) / zoom
            return (1 - (place[:, None] - torch.arange(length, dtype=images.dtype)).abs()).clamp(min=0)

        height, width = images.shape[2:]
        zooms = [1 + k * step for k in range(number)]
        seen = sum(reader(height, z) @ images.detach() @ reader(width, z).T for z in zooms)
        return seen.div(number).clamp(0, 1)
        """,
    ),
    variant(
        "image by image",
        body="""
        step, number = SEVERITIES["zoom_blur"][severity - 1]
        result = []
        for image in images.detach().split(1):
            mean = image.clone()
            for k in range(1, number):
                theta = torch.zeros(1, 2, 3, dtype=images.dtype)
                theta[0, 0, 0] = theta[0, 1, 1] = 1 / (1 + step * k)
                grid = F.affine_grid(theta, image.shape, align_corners=False)
                mean = mean + F.grid_sample(image, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
            result.append(mean / number)
        return torch.cat(result).clamp(0, 1)
        """,
    ),
)
