"""Exercise gaussian_noise: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import CALLERS, CLAMP, GREY, SHARED, SOURCE, WEAKER

HINTS = (
    "The table gives the strength of the noise: its first entry is severity 1.",
    (
        "`normal` of coursekit.vision draws numbers of standard deviation 1 from your generator. Draw one for each value of the batch."
    ),
    "Multiply the numbers by sigma and add them to the images. Clamp the result to [0, 1].",
    "x' = clip(x + sigma * z, 0, 1), z ~ N(0, 1), own for each value",
)

MISTAKES = (
    mistake(
        "third channel like the first",
        "noise = normal(*images.shape, like=images, generator=generator)",
        "noise = normal(*images.shape, like=images, generator=generator)[:, [0, 1, 0]]",
        hint="The third channel gets the noise of the first: draw noise of its own for each channel.",
    ),
    mistake(
        "generator started anew",
        "noise = normal(",
        "generator = torch.Generator().manual_seed(generator.initial_seed())\n    noise = normal(",
        hint="You restart the generator from its seed, so each call repeats the same noise: use it as given.",
    ),
    mistake(
        "always float32",
        ".clamp(0, 1)",
        ".clamp(0, 1).float()",
        hint="Your result is always float32: keep the dtype of the images.",
    ),
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake("one noise for the batch", "normal(*images.shape,", "normal(1, *images.shape[1:],", hint=SHARED),
    mistake("grey noise", "normal(*images.shape,", "normal(len(images), 1, *images.shape[2:],", hint=GREY),
    mistake("not clamped", ".clamp(0, 1)", "", hint=CLAMP),
    mistake(
        "uniform noise",
        "noise = normal(*images.shape, like=images, generator=generator)",
        "noise = 12**0.5 * (uniform(*images.shape, like=images, generator=generator) - 0.5)",
        hint="Your noise is uniform: draw normal numbers.",
    ),
    mistake(
        "variance for sigma",
        "sigma * noise",
        "sigma**0.5 * noise",
        hint="You multiply by the square root of sigma: sigma is the standard deviation already.",
    ),
    mistake(
        "half a bell",
        "sigma * noise",
        "sigma * noise.abs()",
        hint="Your noise is never negative: remove the absolute value.",
    ),
    mistake(
        "multiplied",
        "images.detach() + sigma * noise",
        "images.detach() * (1 + sigma * noise)",
        hint="Your noise is multiplied by the image, so black pixels get none: add it instead.",
    ),
    mistake(
        "rounded",
        "(images.detach() + sigma * noise).clamp(0, 1)",
        "((images.detach() + sigma * noise).clamp(0, 1) * 255).round() / 255",
        hint="You round to multiples of 1/255: do not round.",
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
        hint="Values that leave [0, 1] come back at the other end: clamp them instead.",
    ),
    mistake(
        "in place",
        "(images.detach() + sigma * noise).clamp(0, 1)",
        "images.detach().add_(sigma * noise).clamp(0, 1)",
        hint=CALLERS,
    ),
    mistake(
        "noise alone", "images.detach() + sigma", "0.5 + sigma", hint="You add the noise to grey: add it to the images."
    ),
    mistake(
        "sigma in 255ths",
        "sigma * noise",
        "sigma / 255 * noise",
        hint="You divide sigma by 255: it is in units of [0, 1] already.",
    ),
    mistake(
        "noise clamped, not the sum",
        "(images.detach() + sigma * noise).clamp(0, 1)",
        "images.detach() + (sigma * noise).clamp(0, 1)",
        hint="You clamp the noise, so it only brightens: clamp the sum of image and noise.",
    ),
    mistake(
        "setting squared",
        "sigma * noise",
        "sigma**2 * noise",
        hint="You multiply by sigma squared: sigma is the standard deviation already.",
    ),
    mistake(
        "cut at three sigma",
        "generator=generator)\n    return",
        "generator=generator).clamp(-3, 3)\n    return",
        hint="You cut the noise at 3 sigma: the normal distribution has no limit.",
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
