"""Exercise zoom_blur: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import Edit, mistake, variant
from coursekit.staff.exercises.robustness.shared import WEAKER

HINTS = (
    "While the shutter is open, the scene grows. The last zoom shows the middle of the image, enlarged.",
    "In the coordinates of F.affine_grid the centre of the image is 0. To enlarge, sample nearer to the centre.",
    "The zooms are equally spaced. The first is the image itself, and it counts once.",
    "x'(p) = 1/n * sum over i = 0 .. n-1 of x(p / (1 + i * step)), p from the centre",
)


def resized(
    name: str,
    size: str,
    corner: str = "(big.shape[2] - height) // 2, (big.shape[3] - width) // 2",
    *,
    hint: str = "You resize and crop at whole pixels: sample the image at offset p / z from its centre.",
) -> Edit:
    """Enlarge with F.interpolate, then crop a window of the image's size whose corner is given."""
    return mistake(
        name,
        body=f"""
        step, number = SEVERITIES["zoom_blur"][severity - 1]
        height, width = images.shape[2:]
        total = torch.zeros_like(images.detach())
        for i in range(number):
            zoom = 1 + i * step
            big = F.interpolate(images.detach(), {size}, mode="bilinear", align_corners=False)
            top, left = {corner}
            total += big[:, :, top : top + height, left : left + width]
        return (total / number).clamp(0, 1)
        """,
        hint=hint,
    )


MISTAKES = (
    mistake(
        "towards a whole pixel",
        "dtype=images.dtype) / zoom",
        "dtype=images.dtype) / zoom\n"
        "        shrink[:, 2] = (1 - 1 / zoom) * torch.tensor([(side + 1) % 2 / side for side in images.shape[:1:-1]])",
        hint="You zoom towards a whole pixel: with an even number of rows the centre lies between two.",
    ),
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake(
        "original twice",
        "(total / len(zooms))",
        "((total + images.detach()) / (len(zooms) + 1))",
        hint="You count the image itself twice, as the paper's code does: count it once.",
    ),
    mistake(
        "without the original",
        "range(number)",
        "range(1, number + 1)",
        hint="Your first zoom is 1 + step: the first must be 1, the image itself.",
    ),
    mistake(
        "one zoom short",
        "range(number)",
        "range(max(number - 1, 1))",
        hint="You average one zoom too few: zoom 1 is included in the number.",
    ),
    mistake(
        "shrinks",
        "dtype=images.dtype) / zoom",
        "dtype=images.dtype) * zoom",
        hint="Your images shrink: to enlarge, sample nearer to the centre.",
    ),
    mistake(
        "step grows",
        "1 + i * step",
        "(1 + step) ** i",
        hint="Your zooms are powers of 1 + step: they must be equally spaced.",
    ),
    mistake(
        "corners aligned",
        "list(images.shape), align_corners=False",
        "list(images.shape), align_corners=True",
        hint="Your grid uses align_corners=True, but the sampling does not: use the same value for both.",
    ),
    mistake(
        "nearest pixel",
        'padding_mode="border"',
        'mode="nearest", padding_mode="border"',
        hint="You sample the nearest pixel: sample bilinearly.",
    ),
    mistake(
        "last zoom only",
        "total += F.grid_sample",
        "total = number * F.grid_sample",
        hint="Your total holds only the last zoom: add all zooms.",
    ),
    mistake("not divided", "total / len(zooms)", "total", hint="You sum the zooms: divide by their number."),
    mistake(
        "towards a corner",
        "dtype=images.dtype) / zoom",
        "dtype=images.dtype) / zoom\n        shrink[:, 2] = 1 / zoom - 1",
        hint="You zoom towards the top left corner: the centre of the image must stay in place.",
    ),
    mistake(
        "zoomed across only",
        "dtype=images.dtype) / zoom",
        "dtype=images.dtype) / torch.tensor([[zoom], [1.0]], dtype=images.dtype)",
        hint="You zoom along x only: zoom along y too.",
    ),
    mistake(
        "zoom of a zoom",
        'total += F.grid_sample(images.detach(), grid, padding_mode="border", align_corners=False)',
        'images = F.grid_sample(images.detach(), grid, padding_mode="border", align_corners=False)\n        total += images',
        hint="You zoom an image that is already zoomed: start each zoom from the original.",
    ),
    mistake(
        "still joined to the graph",
        "F.grid_sample(images.detach(),",
        "F.grid_sample(images,",
        hint="Your result has a gradient history: detach the images.",
    ),
    mistake(
        "largest zoom 1 + step",
        "1 + i * step for i",
        "1 + i * step / number for i",
        hint="You divide step by the number of zooms: neighbouring zooms differ by step.",
    ),
    mistake(
        "one zoom too many",
        "for i in range(number)]",
        "for i in range(number + 1)]",
        hint="You average one zoom too many: zoom 1 is included in the number.",
    ),
    resized("resized and cropped, rounded up", "(math.ceil(height * zoom), math.ceil(width * zoom))"),
    resized("resized and cropped, rounded down", "(int(height * zoom), int(width * zoom))"),
    resized("resized by a factor and cropped", "scale_factor=zoom"),
    mistake(
        "as many zooms, spread to one step more",
        "[1 + i * step for i in range(number)]",
        "torch.linspace(1, 1 + number * step, number, dtype=torch.float64).tolist()",
        hint="Your last zoom is 1 + number * step: it must be 1 + (number - 1) * step.",
    ),
    mistake(
        "spread from 1 to 1 + step",
        "[1 + i * step for i in range(number)]",
        "torch.linspace(1, 1 + step, number, dtype=torch.float64).tolist()",
        hint="All your zooms lie between 1 and 1 + step: neighbouring zooms differ by step.",
    ),
    mistake(
        "sampled with aligned corners",
        'padding_mode="border", align_corners=False',
        'padding_mode="border", align_corners=True',
        hint="Your sampling uses align_corners=True, but the grid does not: use the same value for both.",
    ),
    mistake(
        "divided by one more",
        "total / len(zooms)",
        "total / (len(zooms) + 1)",
        hint="You divide by the number of zooms plus 1: divide by the number of zooms.",
    ),
    mistake(
        "bicubic",
        'padding_mode="border"',
        'mode="bicubic", padding_mode="border"',
        hint="You sample with bicubic interpolation: sample bilinearly.",
    ),
    mistake(
        "zooms from a range of fractions",
        "[1 + i * step for i in range(number)]",
        "torch.arange(1, 1 + number * step, step, dtype=torch.float64).tolist()",
        hint="By rounding, your list of fractions has one zoom too many: compute 1 + i * step for each i.",
    ),
    resized(
        "resized and cropped at the corner",
        "(math.ceil(height * zoom), math.ceil(width * zoom))",
        "0, 0",
        hint="You keep the top left corner of the enlarged image: the centre of the image must stay in place.",
    ),
    resized("resized and cropped, rounded", "(round(height * zoom), round(width * zoom))"),
    mistake(
        "crop of whole pixels",
        '        shrink = torch.eye(2, 3, device=images.device, dtype=images.dtype) / zoom\n        grid = F.affine_grid(shrink.expand(len(images), -1, -1), list(images.shape), align_corners=False)\n        total += F.grid_sample(images.detach(), grid, padding_mode="border", align_corners=False)\n',
        '        h, w = (math.ceil(side / zoom) for side in images.shape[2:])\n        top, left = (images.shape[2] - h) // 2, (images.shape[3] - w) // 2\n        crop = images.detach()[:, :, top : top + h, left : left + w]\n        total += F.interpolate(crop, size=images.shape[2:], mode="bilinear", align_corners=False)\n',
        hint="You round the enlarged part to whole pixels: sample the picture at real positions.",
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
