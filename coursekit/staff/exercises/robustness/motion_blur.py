"""Exercise motion_blur: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import BORDER, SHARED, SOURCE, WEAKER

HINTS = (
    "While the shutter is open, each pixel sees the pixels along a line. Draw one angle for each image.",
    "Centre the line on the pixel: as many samples before it as behind it, and the pixel itself.",
    (
        "F.grid_sample samples between pixels. It takes (x, y), from -1 to 1 between the outer edges of the image: the centre of pixel i of n lies at (2 i + 1) / n - 1."
    ),
    "x'(y, x) = 1/L * sum over t = -(L-1)/2 .. (L-1)/2 of x(y + t sin a, x + t cos a), a ~ U(0, pi)",
)

MISTAKES = (
    mistake(
        "normal angle",
        "math.pi * uniform(n, 1, 1, like=images, generator=generator)",
        "math.pi / 4 * normal(n, 1, 1, like=images, generator=generator)",
        hint="Your angles are not uniformly distributed: all directions must be equally likely.",
    ),
    mistake(
        "normal angle of one radian",
        "math.pi * uniform(n, 1, 1, like=images, generator=generator)",
        "normal(n, 1, 1, like=images, generator=generator)",
        hint="Your angles are not uniformly distributed: all directions must be equally likely.",
    ),
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake(
        "direction of a point in a square",
        "angle = math.pi * uniform(n, 1, 1, like=images, generator=generator)",
        "point = uniform(2, n, 1, 1, like=images, generator=generator) - 0.5\n    angle = torch.atan2(point[0], point[1])",
        hint="Your directions come from points of a square, so diagonals come more often: draw the angle itself.",
    ),
    mistake(
        "one angle for the batch",
        "uniform(n, 1, 1,",
        "uniform(1, 1, 1,",
        "y, x = rows + step * angle.sin(), columns + step * angle.cos()",
        "y, x = rows + step * angle.sin().expand(n, 1, 1), columns + step * angle.cos().expand(n, 1, 1)",
        hint=SHARED,
    ),
    mistake(
        "quarter turn",
        "math.pi * uniform",
        "math.pi / 2 * uniform",
        hint="Your angles cover 90 degrees only: they must cover 180.",
    ),
    mistake(
        "horizontal only",
        "step * angle.sin()",
        "0 * angle.sin()",
        hint="Your lines are always horizontal: the rows must change with the angle too.",
    ),
    mistake(
        "diagonals only",
        "math.pi * uniform(n, 1, 1, like=images, generator=generator)",
        "math.pi * (0.25 + 0.5 * (uniform(n, 1, 1, like=images, generator=generator) < 0.5).to(images))",
        hint="Your angles take only a few values: all directions must be possible.",
    ),
    mistake(
        "not centred",
        "range(-(length // 2), length // 2 + 1)",
        "range(length)",
        hint="Your line starts at the pixel: centre it on the pixel.",
    ),
    mistake(
        "one sample too few",
        "range(-(length // 2), length // 2 + 1)",
        "range(-(length // 2), length // 2)",
        hint="Your line is one sample short: it needs length samples.",
    ),
    mistake(
        "twice as long",
        "step * angle.sin(), columns + step",
        "2 * step * angle.sin(), columns + 2 * step",
        hint="Your samples are two pixels apart: they must be one pixel apart.",
    ),
    mistake(
        "whole pixels",
        'padding_mode="border"',
        'mode="nearest", padding_mode="border"',
        hint="You sample the nearest pixel: sample bilinearly.",
    ),
    mistake("dark border", 'padding_mode="border"', 'padding_mode="zeros"', hint=BORDER),
    mistake(
        "mirrored border",
        'padding_mode="border"',
        'padding_mode="reflection"',
        hint="You mirror the image at its edge: repeat the outermost pixels instead.",
    ),
    mistake(
        "corners aligned",
        "align_corners=False",
        "align_corners=True",
        hint="Your grid puts -1 at the image's outer edge: align_corners=True reads it as the first pixel's centre.",
    ),
    mistake(
        "Gaussian weights",
        "total += F.grid_sample",
        "total += math.exp(-((3 * step / length) ** 2)) * F.grid_sample",
        "total / length",
        "total / sum(math.exp(-((3 * t / length) ** 2)) for t in range(-(length // 2), length // 2 + 1))",
        hint="Your samples have Gaussian weights, as in the paper: here all samples weigh the same.",
    ),
    mistake(
        "not square",
        "(2 * y + 1) / height - 1",
        "(2 * y + 1) / width - 1",
        hint="You divide y by the width: divide it by the height.",
    ),
    mistake(
        "global generator",
        "uniform(n, 1, 1, like=images, generator=generator)",
        "torch.rand(n, 1, 1, dtype=images.dtype)",
        hint=SOURCE,
    ),
    mistake("sum", "total / length", "total", hint="You sum the samples: divide by their number."),
    mistake(
        "half a pixel apart",
        "rows + step * angle.sin(), columns + step * angle.cos()",
        "rows + step / 2 * angle.sin(), columns + step / 2 * angle.cos()",
        hint="Your samples are half a pixel apart: they must be one pixel apart.",
    ),
    mistake(
        "Gaussian weights, sigma a quarter of the length",
        "total += F.grid_sample",
        "total += math.exp(-8 * (step / length) ** 2) * F.grid_sample",
        "total / length",
        "total / sum(math.exp(-8 * (t / length) ** 2) for t in range(-(length // 2), length // 2 + 1))",
        hint="Your samples have Gaussian weights, as in the paper: here all samples weigh the same.",
    ),
    mistake(
        "longer where slanted",
        "step * angle.sin(), columns + step * angle.cos()",
        "step * (angle.sin() / (longer := torch.maximum(angle.sin().abs(), angle.cos().abs()))), "
        "columns + step * angle.cos() / longer",
        hint="On slanted lines your samples are further apart than one pixel: divide by the length, not the larger part.",
    ),
    mistake(
        "stretched to the whole length",
        "        y, x = rows",
        "        step = step * length / (length - 1)\n        y, x = rows",
        hint="Your line is length pixels long, so samples are too far apart: neighbours are one pixel apart.",
    ),
    mistake(
        "offset of the rows by the width",
        "(2 * y + 1) / height - 1",
        "(2 * rows + 1) / height - 1 + 2 * step * angle.sin() / width",
        hint="You divide the vertical offset by the width: divide it by the height.",
    ),
    mistake(
        "evenly spaced angles",
        "math.pi * uniform(n, 1, 1, like=images, generator=generator)",
        "math.pi * (uniform(1, 1, 1, like=images, generator=generator) + torch.arange(n).view(n, 1, 1) / n)",
        hint="The angles of a batch are evenly spaced, from one random number: draw one for each image.",
    ),
    mistake(
        "first pixels at -1",
        "[(2 * x + 1) / width - 1, (2 * y + 1) / height - 1]",
        "[2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1]",
        hint="Your grid puts -1 at the first pixel's centre: with align_corners=False it is the image's outer edge.",
    ),
    mistake(
        "y before x",
        "[(2 * x + 1) / width - 1, (2 * y + 1) / height - 1]",
        "[(2 * y + 1) / height - 1, (2 * x + 1) / width - 1]",
        hint="Your grid holds (y, x): grid_sample wants (x, y).",
    ),
)

VARIANTS = (
    variant(
        "image by image",
        body="""
        length = SEVERITIES["motion_blur"][severity - 1]
        height, width = images.shape[2:]
        blurred = []
        for image in images.detach():
            angle = 2 * math.pi * float(torch.rand(1, generator=generator, dtype=torch.float64))
            parts = []
            for k in range(length):
                t = k - (length - 1) / 2
                theta = torch.tensor([[1.0, 0, 2 * t * math.cos(angle) / width], [0, 1.0, 2 * t * math.sin(angle) / height]])
                theta = theta.double()
                theta[0, 2], theta[1, 2] = 2 * t * math.cos(angle) / width, 2 * t * math.sin(angle) / height
                grid = F.affine_grid(theta[None].to(images.dtype), [1, 3, height, width], align_corners=False)
                parts.append(F.grid_sample(image[None], grid, padding_mode="border", align_corners=False)[0])
            blurred.append(torch.stack(parts).mean(dim=0))
        return torch.stack(blurred).clamp(0, 1)
        """,
    ),
    variant(
        "a kernel for each image",
        body="""
        length = SEVERITIES["motion_blur"][severity - 1]
        n, _, height, width = images.shape
        r = length // 2
        angle = math.pi * (uniform(n, like=images, generator=generator) - 0.5)
        steps = torch.arange(-r, r + 1, dtype=images.dtype)
        y, x = steps * angle.sin()[:, None], steps * angle.cos()[:, None]  # (n, length)
        cells = torch.arange(-r, r + 1, dtype=images.dtype)
        tent_y = (1 - (y[:, :, None] - cells).abs()).clamp(min=0)
        tent_x = (1 - (x[:, :, None] - cells).abs()).clamp(min=0)
        kernels = torch.einsum("nta,ntb->nab", tent_y, tent_x) / length
        padded = F.pad(images.detach(), [r] * 4, mode="replicate").flatten(0, 1)[None]
        planes = F.conv2d(padded, kernels.repeat_interleave(3, dim=0)[:, None], groups=3 * n)
        return planes[0].unflatten(0, (n, 3)).clamp(0, 1)
        """,
    ),
    variant(
        "bilinear by hand",
        body="""
        length = SEVERITIES["motion_blur"][severity - 1]
        n, _, height, width = images.shape
        angles = (math.pi * uniform(n, like=images, generator=generator)).tolist()
        rows, columns = torch.arange(height)[:, None], torch.arange(width)
        out = torch.zeros_like(images.detach())
        for i, angle in enumerate(angles):
            for t in range(-(length // 2), length // 2 + 1):
                dy, dx = t * math.sin(angle), t * math.cos(angle)
                for y, wy in ((math.floor(dy), 1 - dy % 1), (math.floor(dy) + 1, dy % 1)):
                    for x, wx in ((math.floor(dx), 1 - dx % 1), (math.floor(dx) + 1, dx % 1)):
                        at = images.detach()[i][:, (rows + y).clamp(0, height - 1), (columns + x).clamp(0, width - 1)]
                        out[i] += wy * wx * at / length
        return out.clamp(0, 1)
        """,
    ),
)
