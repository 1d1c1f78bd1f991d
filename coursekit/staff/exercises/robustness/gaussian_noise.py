"""Exercise gaussian_noise: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import CALLERS, CLAMP, GREY, SHARED, SOURCE, WEAKER

HINTS = (
    "A table tells how strong: its first entry belongs to severity 1.",
    (
        "`normal` of coursekit.vision gives numbers of spread 1, as many as there are values in the batch, from your "
        "generator."
    ),
    "Stretch them by the setting, add them, and bring the result back to what a picture can show.",
    "x' = clip(x + sigma * z, 0, 1), z ~ N(0, 1), own for each value",
)

MISTAKES = (
    mistake(
        "third channel like the first",
        "noise = normal(*images.shape, like=images, generator=generator)",
        "noise = normal(*images.shape, like=images, generator=generator)[:, [0, 1, 0]]",
        hint="Compare the noise of all three channels.",
    ),
    mistake(
        "generator started anew",
        "noise = normal(",
        "generator = torch.Generator().manual_seed(generator.initial_seed())\n    noise = normal(",
        hint="Who asks twice gets the same noise twice: where does your second call begin to draw?",
    ),
    mistake(
        "always float32",
        ".clamp(0, 1)",
        ".clamp(0, 1).float()",
        hint="Which type of numbers went in, and which came out?",
    ),
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake("one noise for the batch", "normal(*images.shape,", "normal(1, *images.shape[1:],", hint=SHARED),
    mistake("grey noise", "normal(*images.shape,", "normal(len(images), 1, *images.shape[2:],", hint=GREY),
    mistake("not clamped", ".clamp(0, 1)", "", hint=CLAMP),
    mistake(
        "uniform noise",
        "noise = normal(*images.shape, like=images, generator=generator)",
        "noise = 12**0.5 * (uniform(*images.shape, like=images, generator=generator) - 0.5)",
        hint="How are your numbers distributed? Their spread alone does not tell.",
    ),
    mistake(
        "variance for sigma",
        "sigma * noise",
        "sigma**0.5 * noise",
        hint="Measure the standard deviation of the difference.",
    ),
    mistake("half a bell", "sigma * noise", "sigma * noise.abs()", hint="Do all pictures become brighter?"),
    mistake(
        "multiplied",
        "images.detach() + sigma * noise",
        "images.detach() * (1 + sigma * noise)",
        hint="How strong is the noise where the picture is black?",
    ),
    mistake(
        "rounded",
        "(images.detach() + sigma * noise).clamp(0, 1)",
        "((images.detach() + sigma * noise).clamp(0, 1) * 255).round() / 255",
        hint="Count the different values of the result.",
    ),
    mistake(
        "global generator",
        "normal(*images.shape, like=images, generator=generator)",
        "torch.randn_like(images)",
        hint=SOURCE,
    ),
    mistake(
        "wrapped round",
        ".clamp(0, 1)",
        ".remainder(1)",
        hint="No value ends at black or at white: what becomes of one that is pushed beyond?",
    ),
    mistake(
        "in place",
        "(images.detach() + sigma * noise).clamp(0, 1)",
        "images.detach().add_(sigma * noise).clamp(0, 1)",
        hint=CALLERS,
    ),
    mistake("noise alone", "images.detach() + sigma", "0.5 + sigma", hint="Where has the picture gone?"),
    mistake(
        "sigma in 255ths",
        "sigma * noise",
        "sigma / 255 * noise",
        hint="Your noise is 255 times too weak: sigma is in units of [0, 1] already.",
    ),
)

VARIANTS = (
    variant(
        "in numbers of the generator's device, image by image",
        body="""
        sigma = SEVERITIES["gaussian_noise"][severity - 1]
        noisy = []
        for image in images.detach():
            z = torch.randn(image.shape, generator=generator, device=generator.device, dtype=torch.float64)
            noisy.append(torch.clamp(image + (sigma * z).to(image), min=0.0, max=1.0))
        return torch.stack(noisy)
        """,
    ),
    variant(
        "torch.normal",
        body="""
        table = SEVERITIES["gaussian_noise"]
        std = torch.full_like(images.detach(), table[severity - 1])
        return torch.normal(images.detach(), std, generator=generator).clip(0, 1)
        """,
    ),
    variant(
        "normal_ in place on a new tensor",
        body="""
        noise = torch.empty_like(images.detach()).normal_(0, SEVERITIES["gaussian_noise"][severity - 1], generator=generator)
        return noise.add_(images.detach()).clamp_(0, 1)
        """,
    ),
)
