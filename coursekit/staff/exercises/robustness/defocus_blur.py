"""Exercise defocus_blur: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import BORDER, WEAKER

HINTS = (
    "Out of focus, a point becomes the picture of the lens opening: a disk of one brightness.",
    "Make a small square of offsets, and mark those that lie in the disk. Divide so that the weights sum to 1.",
    "Enlarge the picture by its own outermost pixels before you convolve, each channel for itself.",
    "x'(y, x) = 1/|D| * sum over (dy, dx) in D of x(y + dy, x + dx), D = {dy^2 + dx^2 <= r^2}",
)

MISTAKES = (
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake(
        "square",
        "offsets[:, None] ** 2 + offsets**2 <= radius**2",
        "offsets[:, None] ** 2 + 0 * offsets**2 <= radius**2",
        hint="What shape does a single point take?",
    ),
    mistake(
        "diamond",
        "offsets[:, None] ** 2 + offsets**2 <= radius**2",
        "offsets[:, None].abs() + offsets.abs() <= radius",
        hint="A lens draws a circle, and you have drawn a rhombus: how is distance measured?",
    ),
    mistake(
        "whole radius",
        "<= radius**2",
        "<= int(radius) ** 2",
        hint="A radius of 2.5 is more than one of 2: where is the half lost?",
    ),
    mistake(
        "diameter",
        "<= radius**2",
        "<= (radius / 2) ** 2",
        hint="How wide is your disk from edge to edge? The setting is half of that.",
    ),
    mistake(
        "open disk",
        "<= radius**2",
        "< radius**2",
        hint="Do the points whose distance is exactly the radius belong to it?",
    ),
    mistake("radius not squared", "<= radius**2", "<= radius", hint="What do you compare the squared distance with?"),
    mistake("dark border", 'mode="replicate"', 'mode="constant"', hint=BORDER),
    mistake(
        "mirrored border",
        'mode="replicate"',
        'mode="reflect"',
        hint="What lies beyond the edge? The outermost pixel, again and again.",
    ),
    mistake(
        "not normalised", "disk / disk.sum()", "disk / disk.numel()", hint="Does a plain picture keep its brightness?"
    ),
    mistake("sum", "disk / disk.sum()", "disk * 1.0", hint="Does a plain picture keep its brightness?"),
    mistake(
        "cone",
        "kernel = (disk / disk.sum())",
        "cone = disk * (radius + 1 - (offsets[:, None] ** 2 + offsets**2).sqrt())\n    kernel = (cone / cone.sum())",
        hint="All points of the disk weigh the same.",
    ),
    mistake(
        "channels mixed",
        "F.conv2d(padded, kernel, groups=3)",
        "F.conv2d(padded, kernel.expand(3, 3, -1, -1) / 3)",
        hint="The colours are gone.",
    ),
    mistake(
        "picture shrinks",
        'F.pad(images.detach(), [reach] * 4, mode="replicate")',
        "images.detach()",
        hint="Look at the size of the result.",
    ),
    mistake("still joined to the graph", "images.detach()", "images", hint="Cut the history off."),
    mistake(
        "Gaussian",
        "kernel = (disk / disk.sum())",
        "bell = (-(offsets[:, None] ** 2 + offsets**2) / (radius / 2) ** 2).exp()\n    kernel = (bell / bell.sum())",
        hint="The edge of the disk is sharp.",
    ),
    mistake(
        "centre left out",
        "(offsets[:, None] ** 2 + offsets**2 <= radius**2)",
        "((offsets[:, None] ** 2 + offsets**2 <= radius**2) & (offsets[:, None] ** 2 + offsets**2 > 0))",
        hint="Your disk has a hole: the pixel itself belongs to it.",
    ),
    mistake(
        "radius one too large",
        "<= radius**2",
        "<= (radius + 1) ** 2",
        hint="Your disk is one pixel too large on every side.",
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
