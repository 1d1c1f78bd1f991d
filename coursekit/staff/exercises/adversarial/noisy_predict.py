"""Exercise noisy_predict: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import ONE_SOURCE

HINTS = (
    "Classify many noisy copies, then average.",
    "Average probabilities, not logits. Every copy of every image gets its own noise.",
    "p = 1/S * sum_s softmax(f(x + sigma u_s)), u_s ~ N(0, 1)",
)

MISTAKES = (
    mistake(
        "one row's noise for all rows",
        "normal(*images.shape,",
        "normal(*images.shape[:2], 1, images.shape[3],",
        hint="All rows get the same noise: draw each value separately.",
    ),
    mistake(
        "softmax of the mean",
        "softmax(dim=1).detach())",
        "detach())",
        "torch.stack(answers).mean(dim=0)",
        "torch.stack(answers).mean(dim=0).softmax(dim=1)",
        hint="You average logits and then apply softmax: apply softmax first, then average.",
    ),
    mistake(
        "logits", ".softmax(dim=1).detach()", ".detach()", hint="You average logits: average softmax probabilities."
    ),
    mistake(
        "sum",
        ".mean(dim=0)",
        ".sum(dim=0)",
        hint="You sum over the copies: average over them.",
    ),
    mistake(
        "votes",
        ".softmax(dim=1).detach()",
        ".eq(model(images.detach() + sigma * noise).amax(dim=1, keepdim=True)).to(images)",
        hint="You count votes for the predicted class: average the softmax probabilities.",
    ),
    mistake(
        "noise clamped",
        "images.detach() + sigma * noise",
        "(images.detach() + sigma * noise).clamp(0, 1)",
        hint="You clamp the noisy images: noisy_predict does not clamp.",
    ),
    mistake(
        "same noise for every image",
        "normal(*images.shape,",
        "normal(1, *images.shape[1:],",
        hint="All images get the same noise: draw it for each image.",
    ),
    mistake(
        "same noise for every channel",
        "normal(*images.shape,",
        "normal(len(images), 1, *images.shape[2:],",
        hint="All channels get the same noise: draw each value separately.",
    ),
    mistake(
        "same noise for every copy",
        "    for _ in range(num_samples):\n        noise = normal(*images.shape, like=images, generator=generator)",
        "    noise = normal(*images.shape, like=images, generator=generator)\n    for _ in range(num_samples):",
        hint="All copies get the same noise: draw it anew for each copy.",
    ),
    mistake(
        "variance for standard deviation",
        "sigma * noise",
        "sigma**2 * noise",
        hint="You multiply the noise by sigma squared: multiply by sigma.",
    ),
    mistake(
        "uniform noise",
        "normal(*images.shape, like=images, generator=generator)",
        "12**0.5 * (uniform(*images.shape, like=images, generator=generator) - 0.5)",
        hint="Your noise is uniform: draw it from a Gaussian.",
    ),
    mistake(
        "one copy too few",
        "range(num_samples)",
        "range(max(num_samples - 1, 1))",
        hint="You use num_samples - 1 copies: use num_samples.",
    ),
    mistake(
        "global generator",
        "normal(*images.shape, like=images, generator=generator)",
        "torch.randn_like(images)",
        hint=ONE_SOURCE,
    ),
    mistake(
        "noise and its opposite",
        "noise = normal(*images.shape, like=images, generator=generator)",
        "noise = -noise if len(answers) % 2 else normal(*images.shape, like=images, generator=generator)",
        hint="Every second copy gets the negated noise of the copy before: draw it anew for each copy.",
    ),
    mistake(
        "still joined to the graph",
        ".detach())  # (N, K)",
        ")  # (N, K)",
        hint="Your result still has a gradient history: detach it.",
    ),
    mistake(
        "largest probability",
        ".mean(dim=0)",
        ".amax(dim=0)",
        hint="You take the maximum over the copies: average over them.",
    ),
    mistake(
        "mean of the logarithms",
        ".softmax(dim=1).detach())",
        ".log_softmax(dim=1).detach())",
        "torch.stack(answers).mean(dim=0)",
        "torch.stack(answers).mean(dim=0).exp()",
        hint="You average log-probabilities: average the probabilities themselves.",
    ),
    mistake(
        "clean image too",
        "answers = []",
        "answers = [model(images.detach()).softmax(dim=1).detach()]",
        hint="You average over the clean image too: average over the noisy copies alone.",
    ),
    mistake(
        "copies of different images mixed",
        body="""
        copies = images.detach().repeat(num_samples, 1, 1, 1)
        copies = copies + sigma * normal(*copies.shape, like=images, generator=generator)
        return model(copies).softmax(dim=1).detach().view(len(images), num_samples, -1).mean(dim=1)
        """,
        hint="You average over copies of different images: mind the order in which the copies stand in your batch.",
    ),
)

VARIANTS = (
    variant("looks at the clean pictures first", "answers = []", "answers = []\n    model(images)"),
    variant(
        "one large batch",
        body="""
        copies = images.detach().repeat(num_samples, 1, 1, 1)
        copies = copies + sigma * normal(*copies.shape, like=images, generator=generator)
        with torch.no_grad():
            return model(copies).softmax(1).view(num_samples, len(images), -1).mean(0)
        """,
    ),
    variant(
        "loop over images",
        body="""
        rows = []
        with torch.no_grad():
            for image in images:
                noise = normal(num_samples, *image.shape, like=images, generator=generator)
                rows.append(F.softmax(model(image + sigma * noise), dim=-1).mean(0))
        return torch.stack(rows)
        """,
    ),
    variant(
        "running mean",
        body="""
        mean = 0
        for i in range(num_samples):
            with torch.inference_mode(False), torch.no_grad():
                noisy = images + sigma * normal(*images.shape, like=images, generator=generator)
                model(noisy)
                mean = mean + (model(noisy).softmax(1) - mean) / (i + 1)
        return mean
        """,
    ),
)
