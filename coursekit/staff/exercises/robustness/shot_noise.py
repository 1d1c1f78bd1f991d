"""Exercise shot_noise: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import CLAMP, GREY, SHARED, SOURCE, WEAKER

HINTS = (
    "Light comes in photons. If many are expected, the count is close to the expectation. If few are, it varies a lot.",
    "Turn values into expected counts. Draw a count for each. Turn the counts back into values.",
    "The count replaces the value: it is not added. Its variance equals its mean.",
    "x' = clip(k / photons, 0, 1), k ~ Poisson(photons * x)",
)

MISTAKES = (
    mistake(
        "rounded normal numbers",
        "torch.poisson(rates, generator=generator)",
        "(rates + rates.sqrt() * normal(*rates.shape, like=rates, generator=generator)).round().clamp(min=0)",
        hint="Your counts are rounded normal numbers: draw them from the Poisson distribution.",
    ),
    mistake(
        "brightness of the whole channel",
        "(images.detach() * photons)",
        "(images.detach() * photons).mean(dim=(2, 3), keepdim=True).expand_as(images).contiguous()",
        hint="You use the mean of the whole channel: each value has its own expected count.",
    ),
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake(
        "not divided",
        "counts / photons",
        "counts",
        hint="You return counts: divide them by photons.",
    ),
    mistake(
        "not multiplied",
        "images.detach() * photons",
        "images.detach()",
        hint="You draw counts for the values as they are: multiply the values by photons first.",
    ),
    mistake("not clamped", ".clamp(0, 1)", "", hint=CLAMP),
    mistake(
        "one noise for the batch",
        "counts = torch.poisson(rates, generator=generator).to(images.device)",
        "counts = rates + (torch.poisson(rates[:1], generator=generator) - rates[:1])",
        hint=SHARED,
    ),
    mistake(
        "grey noise",
        "counts = torch.poisson(rates, generator=generator).to(images.device)",
        "mean = rates.mean(dim=1, keepdim=True)\n    counts = rates + torch.poisson(mean, generator=generator) - mean",
        hint=GREY,
    ),
    mistake(
        "normal instead of Poisson",
        "torch.poisson(rates, generator=generator)",
        "(rates + rates.sqrt() * normal(*rates.shape, like=rates, generator=generator))",
        hint="Your counts are normal numbers: draw them from the Poisson distribution.",
    ),
    mistake(
        "as strong everywhere",
        "counts = torch.poisson(rates, generator=generator).to(images.device)",
        "counts = rates + torch.poisson(torch.full_like(rates, photons / 2), generator=generator) - photons / 2",
        hint="Your noise is equally strong everywhere: its strength must depend on the value. Black gets none.",
    ),
    mistake(
        "noise added to the image",
        "(counts / photons)",
        "(images.detach() + counts / photons)",
        hint="You add the count to the image: the count replaces the value.",
    ),
    mistake(
        "multiplied and divided the wrong way",
        "images.detach() * photons",
        "images.detach() / photons",
        "counts / photons",
        "counts * photons",
        hint="You divide by photons first and multiply afterwards: do the reverse.",
    ),
    mistake("global generator", "torch.poisson(rates, generator=generator)", "torch.poisson(rates)", hint=SOURCE),
    mistake(
        "channels averaged",
        "(images.detach() * photons)",
        "(images.detach().mean(dim=1, keepdim=True).expand_as(images) * photons)",
        hint="You average the channels first: each channel has its own expected count.",
    ),
    mistake(
        "expectation rounded",
        "(images.detach() * photons)",
        "(images.detach() * photons).round()",
        hint="You round the expected count: it need not be a whole number.",
    ),
    mistake(
        "squared noise",
        "(images.detach() * photons)",
        "(images.detach() * photons**2)",
        "counts / photons",
        "counts / photons**2",
        hint="You square photons: use the setting as it is.",
    ),
    mistake(
        "always 255 photons",
        'photons: int = SEVERITIES["shot_noise"][severity - 1]',
        "photons: int = 255 + 0 * severity",
        hint="You use 255 photons at every severity: read the setting from the table.",
    ),
    mistake(
        "averaged with the image",
        "(counts / photons)",
        "((images.detach() + counts / photons) / 2)",
        hint="You average the count with the image: the count replaces the value.",
    ),
    mistake(
        "counts rounded down to the image",
        "(counts / photons)",
        "(counts // photons)",
        hint="You divide with //, which leaves whole numbers only: use /.",
    ),
    mistake(
        "expectation rounded down",
        "(images.detach() * photons)",
        "(images.detach() * photons).floor()",
        hint="You round the expected count down: it need not be a whole number.",
    ),
    mistake(
        "rounded to 8 bits",
        "(images.detach() * photons)",
        "((images.detach() * 255).round() / 255 * photons)",
        hint="You round the image to 256 levels first: the mean count is value * photons.",
    ),
)

VARIANTS = (
    variant(
        "image by image",
        body="""
        photons = SEVERITIES["shot_noise"][severity - 1]
        return torch.stack([(torch.poisson(x * photons, generator) / photons).clamp(max=1) for x in images.detach()])
        """,
    ),
    variant(
        "multiplied by the inverse",
        body="""
        scale = float(SEVERITIES["shot_noise"][severity - 1])
        expected = images.detach().clamp(0, 1).mul(scale)
        return torch.poisson(expected, generator=generator).mul(1 / scale).minimum(torch.ones_like(images)).detach()
        """,
    ),
    variant(
        "in double precision",
        body="""
        photons = SEVERITIES["shot_noise"][severity - 1]
        counts = torch.poisson(images.detach().double() * photons, generator=generator)
        return (counts / photons).clamp(0, 1).to(images.dtype)
        """,
    ),
)
