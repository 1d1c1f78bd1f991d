"""Exercise defocus_blur: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import BORDER, CLAMP, WEAKER

HINTS = (
    "Out of focus, a point becomes an image of the lens opening: a disk of constant brightness.",
    "Make a square of offsets and mark those inside the disk. Divide by their number, so that the weights sum to 1.",
    "Before you convolve, pad the image by repeating its outermost pixels. Convolve each channel by itself.",
    "x'(y, x) = 1/|D| * sum over (dy, dx) in D of x(y + dy, x + dx), D = {dy^2 + dx^2 <= r^2}",
)

MISTAKES = (
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake("not clamped", ".clamp(0, 1)", "", hint=CLAMP),
    mistake(
        "square",
        "offsets[:, None] ** 2 + offsets**2 <= radius**2",
        "offsets[:, None] ** 2 + 0 * offsets**2 <= radius**2",
        hint="Your kernel is a square: keep only the offsets with dy^2 + dx^2 <= radius^2.",
    ),
    mistake(
        "diamond",
        "offsets[:, None] ** 2 + offsets**2 <= radius**2",
        "offsets[:, None].abs() + offsets.abs() <= radius",
        hint="Your kernel is a diamond: compare dy^2 + dx^2, not |dy| + |dx|, with the radius squared.",
    ),
    mistake(
        "whole radius",
        "<= radius**2",
        "<= int(radius) ** 2",
        hint="You round the radius down before you square it: 2.5 must not become 2.",
    ),
    mistake(
        "diameter",
        "<= radius**2",
        "<= (radius / 2) ** 2",
        hint="Your disk is half as wide as it should be: the setting is the radius, not the diameter.",
    ),
    mistake(
        "open disk",
        "<= radius**2",
        "< radius**2",
        hint="Offsets at exactly the radius are missing: they belong to the disk.",
    ),
    mistake(
        "radius not squared",
        "<= radius**2",
        "<= radius",
        hint="You compare the squared distance with the radius: compare it with the radius squared.",
    ),
    mistake("dark border", 'mode="replicate"', 'mode="constant"', hint=BORDER),
    mistake(
        "mirrored border",
        'mode="replicate"',
        'mode="reflect"',
        hint="You mirror the image at its edge: repeat the outermost pixels instead.",
    ),
    mistake(
        "not normalised",
        "disk / disk.sum()",
        "disk / disk.numel()",
        hint="You divide by the size of the whole square: divide by the number of offsets in the disk.",
    ),
    mistake(
        "sum", "disk / disk.sum()", "disk * 1.0", hint="Your result is too bright: the kernel's weights must sum to 1."
    ),
    mistake(
        "cone",
        "kernel = (disk / disk.sum())",
        "cone = disk * (radius + 1 - (offsets[:, None] ** 2 + offsets**2).sqrt())\n    kernel = (cone / cone.sum())",
        hint="Your weights decrease towards the edge: all offsets in the disk weigh the same.",
    ),
    mistake(
        "channels mixed",
        "F.conv2d(padded, kernel, groups=3)",
        "F.conv2d(padded, kernel.expand(3, 3, -1, -1) / 3)",
        hint="You average the three channels: convolve each channel by itself.",
    ),
    mistake(
        "picture shrinks",
        'F.pad(images.detach(), [reach] * 4, mode="replicate")',
        "images.detach()",
        hint="Your result is smaller than the images: the padding before the convolution is missing.",
    ),
    mistake(
        "still joined to the graph",
        "images.detach()",
        "images",
        hint="Your result has a gradient history: detach the images.",
    ),
    mistake(
        "Gaussian",
        "kernel = (disk / disk.sum())",
        "bell = (-(offsets[:, None] ** 2 + offsets**2) / (radius / 2) ** 2).exp()\n    kernel = (bell / bell.sum())",
        hint="Your kernel is a Gaussian: all offsets in the disk weigh the same.",
    ),
    mistake(
        "centre left out",
        "(offsets[:, None] ** 2 + offsets**2 <= radius**2)",
        "((offsets[:, None] ** 2 + offsets**2 <= radius**2) & (offsets[:, None] ** 2 + offsets**2 > 0))",
        hint="The centre of your disk is missing: offset (0, 0) belongs to it.",
    ),
    mistake(
        "radius one too large",
        "<= radius**2",
        "<= (radius + 1) ** 2",
        hint="Your radius is one pixel too large: use the setting as it is.",
    ),
    mistake(
        "divided by the circle's area",
        "disk / disk.sum()",
        "disk / (math.pi * radius**2)",
        hint="You divide by pi r^2: divide by the number of offsets in the disk.",
    ),
    mistake(
        "fewer offsets at the border",
        "return F.conv2d(padded, kernel, groups=3)",
        "inside = F.pad(torch.ones_like(images), [reach] * 4)\n"
        "    padded = F.pad(images.detach(), [reach] * 4)\n"
        "    return (F.conv2d(padded, kernel, groups=3) / F.conv2d(inside, kernel, groups=3))",
        hint="At the border you average over fewer offsets: repeat the outermost pixels instead.",
    ),
    mistake(
        "radius rounded up",
        "math.floor(radius)",
        "math.ceil(radius)",
        "<= radius**2",
        "<= math.ceil(radius) ** 2",
        hint="You round the radius up: 2.5 must not become 3.",
    ),
    mistake(
        "soft edge",
        "<= radius**2).to(images)",
        "<= radius**2).to(images)\n    disk = F.avg_pool2d(F.pad(disk[None, None], [1] * 4), 3, 1)[0, 0]",
        hint="Your disk has a soft edge: all offsets in the disk weigh the same.",
    ),
)

VARIANTS = (
    variant(
        "mean of shifted pictures",
        body="""
        radius = SEVERITIES["defocus_blur"][severity - 1]
        r, (height, width) = int(radius), images.shape[2:]
        padded = F.pad(images.detach(), (r, r, r, r), mode="replicate")
        parts = [
            padded[:, :, r + dy : r + dy + height, r + dx : r + dx + width]
            for dy in range(-r, r + 1)
            for dx in range(-r, r + 1)
            if dy * dy + dx * dx <= radius * radius
        ]
        return torch.clamp(sum(parts) / len(parts), 0, 1)
        """,
    ),
    variant(
        "unfolded patches",
        body="""
        radius = SEVERITIES["defocus_blur"][severity - 1]
        r = math.floor(radius)
        y, x = torch.meshgrid(torch.arange(-r, r + 1.0), torch.arange(-r, r + 1.0), indexing="ij")
        inside = (torch.hypot(y, x) <= radius + 1e-6).flatten()
        patches = F.unfold(F.pad(images.detach(), [r] * 4, mode="replicate"), 2 * r + 1)
        patches = patches.unflatten(1, (3, -1))[:, :, inside]
        return patches.mean(dim=2).view(images.shape).clamp(0, 1)
        """,
    ),
    variant(
        "channels as a batch",
        body="""
        radius = SEVERITIES["defocus_blur"][severity - 1]
        r = math.ceil(radius)
        grid = torch.arange(-r, r + 1)
        disk = ((grid**2).view(-1, 1) + (grid**2).view(1, -1) <= radius * radius).to(images.dtype)
        planes = F.pad(images.detach(), (r, r, r, r), mode="replicate").flatten(0, 1)[:, None]
        return (F.conv2d(planes, disk[None, None]) / disk.sum()).view(images.shape).clamp(0, 1)
        """,
    ),
)
