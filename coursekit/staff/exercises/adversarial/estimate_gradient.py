"""Exercise estimate_gradient: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import ONE_SOURCE

HINTS = (
    (
        "A derivative along one direction is a difference of two scores. Many random directions together give the "
        "whole gradient, on average."
    ),
    (
        "For each sample draw one direction for each picture, look ahead and behind, and weigh the direction by the "
        "difference."
    ),
    "g = 1 / (2 sigma n) * sum_j (f(x + sigma u_j) - f(x - sigma u_j)) u_j, with u_j ~ N(0, 1)",
)

MISTAKES = (
    mistake(
        "same direction for every channel",
        "normal(*images.shape, like=images, generator=generator)",
        "normal(len(images), 1, *images.shape[2:], like=images, generator=generator).expand_as(images)",
        hint="Compare the three colours of one direction.",
    ),
    mistake(
        "one row for all rows",
        "normal(*images.shape, like=images, generator=generator)",
        "normal(*images.shape[:2], 1, images.shape[3], like=images, generator=generator).expand_as(images)",
        hint="Compare two rows of one direction.",
    ),
    mistake(
        "one-sided difference",
        "images - sigma * noise",
        "images",
        hint="You look ahead but not behind, and yet divide by both steps.",
    ),
    mistake(
        "sum instead of difference",
        "ahead - behind",
        "ahead + behind",
        hint="Where nothing changes from one side to the other, the estimate should be zero.",
    ),
    mistake(
        "not divided by sigma",
        "(2 * sigma * num_samples)",
        "(2 * num_samples)",
        hint="A slope is rise over run: how long was the run?",
    ),
    mistake(
        "not divided by two", "(2 * sigma", "(sigma", hint="From behind to ahead it is further than from the middle."
    ),
    mistake(
        "divided by sigma squared",
        "2 * sigma * num_samples",
        "2 * sigma**2 * num_samples",
        hint="Halve the step: the estimate should stay about the same, and yours doubles.",
    ),
    mistake(
        "sum over samples",
        "(2 * sigma * num_samples)",
        "(2 * sigma)",
        hint="Ask twice as often, and your estimate is twice as long.",
    ),
    mistake(
        "same direction for every image",
        "normal(*images.shape,",
        "normal(1, *images.shape[1:],",
        hint="Compare the directions in which two pictures were moved.",
    ),
    mistake(
        "directions of length one",
        "ahead =",
        "noise = noise / noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1)\n        ahead =",
        hint="The directions come out too short: they are not to be normalised.",
    ),
    mistake(
        "random signs",
        "ahead =",
        "noise = noise.sign()\n        ahead =",
        hint="The bell curve is asked for, not the toss of a coin.",
    ),
    mistake(
        "uniform directions",
        "normal(*images.shape, like=images, generator=generator)",
        "12**0.5 * (uniform(*images.shape, like=images, generator=generator) - 0.5)",
        hint="The bell curve is asked for, and yours has edges.",
    ),
    mistake(
        "clamped queries",
        "images + sigma * noise",
        "(images + sigma * noise).clamp(0, 1)",
        "images - sigma * noise",
        "(images - sigma * noise).clamp(0, 1)",
        hint="What you ask about ahead and behind is not symmetric any more near black and white.",
    ),
    mistake(
        "predicted class",
        "ahead = ",
        "labels = predict(images).argmax(dim=1)\n        ahead = ",
        hint="Which class's score is followed is the caller's choice, and asking for it costs questions.",
    ),
    mistake(
        "same directions every time",
        "noise = normal",
        "generator = torch.Generator().manual_seed(0)\n        noise = normal",
        hint="Compare two of your directions for the same picture.",
    ),
    mistake(
        "half of the samples",
        "range(num_samples)",
        "range((num_samples + 1) // 2)",
        hint="Count how many pairs were asked about each picture.",
    ),
    mistake(
        "step not scaled",
        "images + sigma * noise",
        "images + noise",
        "images - sigma * noise",
        "images - noise",
        hint="How far from the picture do you look?",
    ),
    mistake(
        "global generator",
        "normal(*images.shape, like=images, generator=generator)",
        "torch.randn_like(images)",
        hint=ONE_SOURCE,
    ),
    mistake(
        "absolute difference",
        "(ahead - behind)[",
        "(ahead - behind).abs()[",
        hint="You lose the sign of the difference of scores: it says whether the direction leads up or down.",
    ),
)

VARIANTS = (
    variant(
        "all samples in one batch",
        body="""
        n, shape = len(images), images.shape[1:]
        u = normal(num_samples, n, *shape, like=images, generator=generator)
        shown = torch.cat([(images + sigma * u).flatten(0, 1), (images - sigma * u).flatten(0, 1)])
        scores = predict(shown.detach())[torch.arange(2 * num_samples * n), labels.repeat(2 * num_samples)]
        ahead, behind = scores.view(2, num_samples, n)
        return torch.einsum("sn,snchw->nchw", ahead - behind, u) / (2 * sigma * num_samples)
        """,
    ),
    variant(
        "loop over images",
        body="""
        rows = []
        for image, label in zip(images.detach(), labels.tolist()):
            slopes = []
            for _ in range(num_samples):
                u = normal(*image.shape, like=images, generator=generator)
                high, low = predict(torch.stack([image + sigma * u, image - sigma * u]))[:, label]
                slopes.append((high - low) / (2 * sigma) * u)
            rows.append(torch.stack(slopes).mean(0))
        return torch.stack(rows)
        """,
    ),
    variant(
        "behind first",
        body="""
        x = images.detach()
        estimate = torch.zeros_like(x)
        picked = F.one_hot(labels, predict.__code__ and 1 + int(labels.max())).to(x)
        for _ in range(num_samples):
            step = sigma * normal(*x.shape, like=x, generator=generator)
            low = (predict(x - step)[:, : picked.shape[1]] * picked).sum(1)
            high = (predict(x + step)[:, : picked.shape[1]] * picked).sum(1)
            estimate = estimate + (high - low).view(-1, 1, 1, 1) * step / (2 * sigma**2)
        return estimate / num_samples
        """,
    ),
)
