"""Exercise noisy_predict: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import ONE_SOURCE

HINTS = (
    "One look at many noisy copies, and then an average.",
    "Average probabilities, not scores; every copy of every picture has noise of its own.",
    "p = 1/S * sum_s softmax(f(x + sigma u_s)), u_s ~ N(0, 1)",
)

MISTAKES = (
    mistake(
        "one row's noise for all rows",
        "normal(*images.shape,",
        "normal(*images.shape[:2], 1, images.shape[3],",
        hint="Compare the noise of two rows.",
    ),
    mistake(
        "softmax of the mean",
        "softmax(dim=1).detach())",
        "detach())",
        "torch.stack(answers).mean(dim=0)",
        "torch.stack(answers).mean(dim=0).softmax(dim=1)",
        hint="What is averaged, scores or probabilities?",
    ),
    mistake("logits", ".softmax(dim=1).detach()", ".detach()", hint="Do the rows of your answer sum to one?"),
    mistake(
        "sum",
        ".mean(dim=0)",
        ".sum(dim=0)",
        hint="Do the rows of your answer sum to one? They grow with the number of copies.",
    ),
    mistake(
        "votes",
        ".softmax(dim=1).detach()",
        ".eq(model(images.detach() + sigma * noise).amax(dim=1, keepdim=True)).to(images)",
        hint="You count winners; how sure each answer was is lost.",
    ),
    mistake(
        "noise clamped",
        "images.detach() + sigma * noise",
        "(images.detach() + sigma * noise).clamp(0, 1)",
        hint="The noisy copies may be no pictures: leave them.",
    ),
    mistake(
        "same noise for every image",
        "normal(*images.shape,",
        "normal(1, *images.shape[1:],",
        hint="Compare the noise of two pictures.",
    ),
    mistake(
        "same noise for every channel",
        "normal(*images.shape,",
        "normal(len(images), 1, *images.shape[2:],",
        hint="Compare the noise of the three colours.",
    ),
    mistake(
        "same noise for every copy",
        "    for _ in range(num_samples):\n        noise = normal(*images.shape, like=images, generator=generator)",
        "    noise = normal(*images.shape, like=images, generator=generator)\n    for _ in range(num_samples):",
        hint="Compare two copies of one picture.",
    ),
    mistake(
        "variance for standard deviation", "sigma * noise", "sigma**2 * noise", hint="Measure how strong the noise is."
    ),
    mistake(
        "uniform noise",
        "normal(*images.shape, like=images, generator=generator)",
        "12**0.5 * (uniform(*images.shape, like=images, generator=generator) - 0.5)",
        hint="The bell curve is asked for, and yours has edges.",
    ),
    mistake("one copy too few", "range(num_samples)", "range(max(num_samples - 1, 1))", hint="Count the copies."),
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
        hint="Each copy has noise of its own; yours comes in pairs that cancel.",
    ),
    mistake("still joined to the graph", ".detach())  # (N, K)", ")  # (N, K)", hint="Cut the history off."),
    mistake(
        "largest probability",
        ".mean(dim=0)",
        ".amax(dim=0)",
        hint="You keep the largest probability of each class over the copies: average instead.",
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
