"""Exercise estimate_gradient: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import ONE_SOURCE

HINTS = (
    (
        "The derivative along a direction is a difference of two scores. The mean over many random "
        "directions estimates the gradient."
    ),
    (
        "For each sample, draw one direction per image. Query ahead of the image and behind it. Weight the "
        "direction by the difference of the scores."
    ),
    "g = 1 / (2 sigma n) * sum_j (f(x + sigma u_j) - f(x - sigma u_j)) u_j, with u_j ~ N(0, 1)",
)

MISTAKES = (
    mistake(
        "same direction for every channel",
        "normal(*images.shape, like=images, generator=generator)",
        "normal(len(images), 1, *images.shape[2:], like=images, generator=generator).expand_as(images)",
        hint="All channels get the same noise: draw each value separately.",
    ),
    mistake(
        "one row for all rows",
        "normal(*images.shape, like=images, generator=generator)",
        "normal(*images.shape[:2], 1, images.shape[3], like=images, generator=generator).expand_as(images)",
        hint="All rows get the same noise: draw each value separately.",
    ),
    mistake(
        "one-sided difference",
        "images - sigma * noise",
        "images",
        hint="You subtract the score at the image itself: subtract the score at images - sigma * noise.",
    ),
    mistake(
        "one-sided difference, the image asked once",
        "    for _ in range(num_samples):\n",
        "    behind = predict(images).gather(1, labels[:, None])\n    for _ in range(num_samples):\n",
        "        behind = predict(images - sigma * noise).gather(1, labels[:, None])\n",
        "",
        "(2 * sigma * num_samples)",
        "(sigma * num_samples)",
        hint="You subtract the score at the image itself: subtract the score at images - sigma * noise.",
    ),
    mistake(
        "clamped ahead only",
        "images + sigma * noise",
        "(images + sigma * noise).clamp(0, 1)",
        hint="You clamp one of the two query images: this estimate does not clamp.",
    ),
    mistake(
        "sum instead of difference",
        "ahead - behind",
        "ahead + behind",
        hint="You add the two scores: subtract them.",
    ),
    mistake(
        "not divided by sigma",
        "(2 * sigma * num_samples)",
        "(2 * num_samples)",
        hint="You do not divide by sigma.",
    ),
    mistake(
        "not divided by two", "(2 * sigma", "(sigma", hint="You do not divide by 2: the two points are 2 sigma apart."
    ),
    mistake(
        "divided by sigma squared",
        "2 * sigma * num_samples",
        "2 * sigma**2 * num_samples",
        hint="You divide by sigma squared: divide by sigma.",
    ),
    mistake(
        "sum over samples",
        "(2 * sigma * num_samples)",
        "(2 * sigma)",
        hint="You do not divide by num_samples: take the mean over samples.",
    ),
    mistake(
        "same direction for every image",
        "normal(*images.shape,",
        "normal(1, *images.shape[1:],",
        hint="All images get the same noise: draw it for each image.",
    ),
    mistake(
        "directions of length one",
        "ahead =",
        "noise = noise / noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1)\n        ahead =",
        hint="You normalise the directions to length 1: use the Gaussian noise as it is.",
    ),
    mistake(
        "random signs",
        "ahead =",
        "noise = noise.sign()\n        ahead =",
        hint="You use only the sign of the noise: use the Gaussian noise itself.",
    ),
    mistake(
        "uniform directions",
        "normal(*images.shape, like=images, generator=generator)",
        "12**0.5 * (uniform(*images.shape, like=images, generator=generator) - 0.5)",
        hint="Your noise is uniform: draw it from a Gaussian.",
    ),
    mistake(
        "clamped queries",
        "images + sigma * noise",
        "(images + sigma * noise).clamp(0, 1)",
        "images - sigma * noise",
        "(images - sigma * noise).clamp(0, 1)",
        hint="You clamp the query images: this estimate does not clamp.",
    ),
    mistake(
        "predicted class",
        "ahead = ",
        "labels = predict(images).argmax(dim=1)\n        ahead = ",
        hint="You replace the labels by the predicted classes: use the given labels, without extra queries.",
    ),
    mistake(
        "same directions every time",
        "noise = normal",
        "generator = torch.Generator().manual_seed(0)\n        noise = normal",
        hint="You reset the generator for every sample, so all directions are equal: draw from the given one.",
    ),
    mistake(
        "half of the samples",
        "range(num_samples)",
        "range((num_samples + 1) // 2)",
        hint="You use only half of num_samples: each sample is a pair of two queries.",
    ),
    mistake(
        "step not scaled",
        "images + sigma * noise",
        "images + noise",
        "images - sigma * noise",
        "images - noise",
        hint="You add the noise unscaled: multiply it by sigma.",
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
        hint="You take the absolute value of the score difference: keep its sign.",
    ),
    mistake(
        "scores of the batch added up",
        "(ahead - behind)[:, :, None, None]",
        "(ahead - behind).sum()",
        hint="You add up the score differences of all images: weight each image's direction by its own.",
    ),
    mistake(
        "another direction behind",
        "images - sigma * noise",
        "images - sigma * normal(*images.shape, like=images, generator=generator)",
        hint="You draw another direction for the second point: use the same direction ahead and behind.",
    ),
    mistake(
        "divided by the root of the number",
        "(2 * sigma * num_samples)",
        "(2 * sigma * num_samples**0.5)",
        hint="You divide by the square root of num_samples: divide by num_samples.",
    ),
    mistake(
        "same direction for every sample",
        "    for _ in range(num_samples):\n        noise = normal(*images.shape, like=images, generator=generator)\n",
        "    noise = normal(*images.shape, like=images, generator=generator)\n    for _ in range(num_samples):\n",
        hint="All samples get the same noise: draw it anew for each sample.",
    ),
    mistake(
        "label of the first image",
        "images + sigma * noise).gather(1, labels[:, None])",
        "images + sigma * noise)[:, labels[:1]]",
        "images - sigma * noise).gather(1, labels[:, None])",
        "images - sigma * noise)[:, labels[:1]]",
        hint="You score every image by the first image's label: use each image's own label.",
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
