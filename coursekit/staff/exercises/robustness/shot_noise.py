"""Exercise shot_noise: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import CLAMP, GREY, SHARED, SOURCE, WEAKER

HINTS = (
    "Light comes in photons. Where many are expected the count is nearly the expectation; where few are, it jumps.",
    "Turn values into expected counts, draw a count for each, and turn counts back into values.",
    "The noise is not added: the count itself replaces the value. Its variance is its mean.",
    "x' = clip(k / photons, 0, 1), k ~ Poisson(photons * x)",
)

MISTAKES = (
    mistake(
        "rounded normal numbers",
        "torch.poisson(rates, generator=generator)",
        "(rates + rates.sqrt() * normal(*rates.shape, like=rates, generator=generator)).round().clamp(min=0)",
        hint="Mean and variance are right and every number is whole, but how often does no photon arrive?",
    ),
    mistake(
        "brightness of the whole channel",
        "(images.detach() * photons)",
        "(images.detach() * photons).mean(dim=(2, 3), keepdim=True).expand_as(images).contiguous()",
        hint="Where has the picture gone? Each value has a brightness of its own.",
    ),
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake(
        "not divided",
        "counts / photons",
        "counts",
        hint="Photons are counted: which brightness does a count stand for?",
    ),
    mistake(
        "not multiplied",
        "images.detach() * photons",
        "images.detach()",
        hint="How many photons does a white pixel stand for?",
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
        hint="Photons come in whole numbers.",
    ),
    mistake(
        "as strong everywhere",
        "counts = torch.poisson(rates, generator=generator).to(images.device)",
        "counts = rates + torch.poisson(torch.full_like(rates, photons / 2), generator=generator) - photons / 2",
        hint="A black pixel sends no photons, and so no noise.",
    ),
    mistake(
        "noise added to the image",
        "(counts / photons)",
        "(images.detach() + counts / photons)",
        hint="The count replaces the value; it is not added to it.",
    ),
    mistake(
        "multiplied and divided the wrong way",
        "images.detach() * photons",
        "images.detach() / photons",
        "counts / photons",
        "counts * photons",
        hint="More photons should make less noise.",
    ),
    mistake("global generator", "torch.poisson(rates, generator=generator)", "torch.poisson(rates)", hint=SOURCE),
    mistake(
        "channels averaged",
        "(images.detach() * photons)",
        "(images.detach().mean(dim=1, keepdim=True).expand_as(images) * photons)",
        hint="Try a coloured picture: each channel has its own light.",
    ),
    mistake(
        "expectation rounded",
        "(images.detach() * photons)",
        "(images.detach() * photons).round()",
        hint="Half a photon can be expected, although none can be counted.",
    ),
    mistake(
        "squared noise",
        "(images.detach() * photons)",
        "(images.detach() * photons**2)",
        "counts / photons",
        "counts / photons**2",
        hint="Measure the variance against value / photons.",
    ),
    mistake(
        "always 255 photons",
        'photons: int = SEVERITIES["shot_noise"][severity - 1]',
        "photons: int = 255 + 0 * severity",
        hint="Your noise is the same at every severity: how many photons does a white pixel stand for?",
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
