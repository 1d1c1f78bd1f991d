"""Exercise impulse_noise: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.robustness.shared import CALLERS, SHARED, SOURCE, WEAKER

HINTS = (
    "Salt and pepper noise: each value is set to 0, set to 1, or left as it is.",
    ("One uniform number per value decides between the three cases: cut the interval from 0 to 1 into three parts."),
    "Both outer parts have length amount / 2.",
    "x' = 0 if u < a/2; x' = 1 if u >= 1 - a/2; else x' = x, u ~ U(0, 1)",
)

MISTAKES = (
    mistake(
        "two by two",
        "chance = uniform(*images.shape, like=images, generator=generator)",
        "half = [(side + 1) // 2 for side in images.shape[2:]]\n"
        "    chance = uniform(*images.shape[:2], *half, like=images, generator=generator)\n"
        "    chance = chance.repeat_interleave(2, 2).repeat_interleave(2, 3)\n"
        "    chance = chance[:, :, : images.shape[2], : images.shape[3]]",
        hint="Your noise comes in blocks of 2 x 2 pixels: draw one number for each value.",
    ),
    mistake(
        "mirrored",
        "chance = uniform(*images.shape, like=images, generator=generator)",
        "chance = uniform(*images.shape, like=images, generator=generator)\n"
        "    half = images.shape[3] // 2\n"
        "    chance[..., half:] = chance[..., : images.shape[3] - half].flip(3)",
        hint="The right half of your noise mirrors the left half: draw one number for each value.",
    ),
    mistake("off by one", "[severity - 1]", "[max(severity - 2, 0)]", hint=WEAKER),
    mistake(
        "amount to each side",
        "chance < amount / 2",
        "chance < amount",
        "1 - amount / 2",
        "1 - amount",
        hint="You set twice as many values as asked: 0 and 1 each have probability amount / 2.",
    ),
    mistake(
        "black only",
        "torch.where(chance >= 1 - amount / 2, 1, noisy)",
        "torch.where(chance >= 1 - amount / 2, 0, noisy)",
        hint="You set values only to 0: half of them must be set to 1.",
    ),
    mistake(
        "white only",
        "torch.where(chance < amount / 2, 0,",
        "torch.where(chance < amount / 2, 1,",
        hint="You set values only to 1: half of them must be set to 0.",
    ),
    mistake(
        "whole pixels",
        "uniform(*images.shape,",
        "uniform(len(images), 1, *images.shape[2:],",
        hint="You set all three channels of a pixel together: draw one number for each value.",
    ),
    mistake("one noise for the batch", "uniform(*images.shape,", "uniform(1, *images.shape[1:],", hint=SHARED),
    mistake(
        "two draws that overlap",
        "torch.where(chance >= 1 - amount / 2, 1, noisy)",
        "torch.where(uniform(*images.shape, like=images, generator=generator) < amount, 1, noisy)",
        hint="Your second draw sets values to 1 with probability amount: the probability must be amount / 2.",
    ),
    mistake(
        "quarters",
        "chance < amount / 2",
        "chance < amount / 4",
        "1 - amount / 2",
        "1 - amount / 4",
        hint="You set half as many values as asked: 0 and 1 each have probability amount / 2.",
    ),
    mistake(
        "added instead of set",
        "torch.where(chance >= 1 - amount / 2, 1, noisy)",
        "torch.where(chance >= 1 - amount / 2, noisy + 0.5, noisy)",
        hint="You add 0.5 where values should be set to 1.",
    ),
    mistake(
        "random values",
        "torch.where(chance >= 1 - amount / 2, 1, noisy)",
        "torch.where(chance >= 1 - amount / 2, uniform(*images.shape, like=images, generator=generator), noisy)",
        hint="You set values to random numbers: set them to 1.",
    ),
    mistake(
        "global generator",
        "uniform(*images.shape, like=images, generator=generator)",
        "torch.rand_like(images)",
        hint=SOURCE,
    ),
    mistake(
        "in place",
        "noisy = torch.where(chance < amount / 2, 0, images.detach())",
        "noisy = images.detach().masked_fill_(chance < amount / 2, 0)",
        hint=CALLERS,
    ),
    mistake(
        "upper rows only",
        "chance = uniform(*images.shape, like=images, generator=generator)",
        "chance = uniform(*images.shape, like=images, generator=generator)\n"
        "    chance[:, :, images.shape[2] // 2 :] = 0.5",
        hint="Only the upper half of the image gets noise: draw a number for every value.",
    ),
    mistake(
        "white over black",
        "chance = uniform(*images.shape, like=images, generator=generator)",
        "chance, other = (uniform(*images.shape, like=images, generator=generator) for _ in range(2))",
        "chance >= 1 - amount / 2",
        "other < amount / 2",
        hint="You draw twice, and the second draw overwrites some of the first: one draw must decide both.",
    ),
    mistake(
        "range of the image",
        "torch.where(chance < amount / 2, 0,",
        "torch.where(chance < amount / 2, images.detach().min(),",
        "torch.where(chance >= 1 - amount / 2, 1,",
        "torch.where(chance >= 1 - amount / 2, images.detach().max(),",
        hint="The values that you set are not 0 and 1: set them so, whatever the image holds.",
    ),
    mistake(
        "so many places, drawn with replacement",
        body="""
        amount = SEVERITIES["impulse_noise"][severity - 1]
        noisy = images.detach().clone(memory_format=torch.contiguous_format)
        for end in (0.0, 1.0):
            places = torch.randint(noisy.numel(), (int(amount / 2 * noisy.numel()),), generator=generator)
            noisy.view(-1)[places] = end
        return noisy.clamp(0, 1)
        """,
        hint="You draw places with replacement, so too few values are hit: draw one number for each value.",
    ),
    mistake(
        "more white than black",
        "chance >= 1 - amount / 2",
        "chance >= 1 - amount",
        hint="You set values to 1 with probability amount: the probability must be amount / 2.",
    ),
    mistake(
        "more black than white",
        "chance < amount / 2",
        "chance < amount",
        hint="You set values to 0 with probability amount: the probability must be amount / 2.",
    ),
    mistake(
        "inverts",
        "torch.where(chance < amount / 2, 0, images.detach())",
        "images.detach()",
        "torch.where(chance >= 1 - amount / 2, 1, noisy).clamp(0, 1)",
        "torch.where(chance < amount, (noisy < 0.5).to(noisy), noisy).clamp(0, 1)",
        hint="You make bright values 0 and dark values 1: choose 0 or 1 at random.",
    ),
    mistake(
        "one coin for each image",
        "noisy = torch.where(chance < amount / 2, 0, images.detach())",
        "coin = (uniform(len(images), 1, 1, 1, like=images, generator=generator) < 0.5).to(images)",
        "torch.where(chance >= 1 - amount / 2, 1, noisy)",
        "torch.where(chance < amount, coin, images.detach())",
        hint="In one image, your changed values become all 0 or all 1: draw 0 or 1 for each value.",
    ),
)

VARIANTS = (
    variant(
        "two draws",
        body="""
        amount = SEVERITIES["impulse_noise"][severity - 1]
        hit = uniform(*images.shape, like=images, generator=generator) < amount
        white = uniform(*images.shape, like=images, generator=generator) < 0.5
        return torch.where(hit, white.to(images.dtype), images.detach()).clamp(0, 1)
        """,
    ),
    variant(
        "masks on a copy",
        body="""
        amount = SEVERITIES["impulse_noise"][severity - 1]
        noisy = images.detach().clone()
        u = torch.rand(images.shape, generator=generator, dtype=torch.float64)
        noisy[u < amount / 2] = 0
        noisy[(u >= amount / 2) & (u < amount)] = 1
        return noisy.clamp(0, 1)
        """,
    ),
    variant(
        "three fates",
        body="""
        a = SEVERITIES["impulse_noise"][severity - 1]
        chances = torch.tensor([1 - a, a / 2, a / 2], dtype=torch.float64)
        fate = torch.multinomial(chances, images.numel(), replacement=True, generator=generator).view(images.shape)
        x = images.detach()
        return torch.stack([x, torch.zeros_like(x), torch.ones_like(x)]).gather(0, fate[None])[0].clamp(0, 1)
        """,
    ),
)
