"""Exercise stylize: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.style_transfer.shared import STILL_JOINED

HINTS = (
    (
        "A training set stays as long as it is, and every image keeps its place and its label. Some look different "
        "afterwards."
    ),
    "Two draws: which images, as many as the docstring says and no image twice; and a style for each of them.",
    (
        "Begin with a copy of all images, then write into the places that were drawn. Cut off what the transfer drags "
        "behind it."
    ),
    "images[i] <- transfer(images[i], styles[k_i]) for round(fraction * N) places i, k_i uniform",
)

MISTAKES = (
    mistake(
        "number rounded up",
        "round(fraction * len(images))",
        "-int(-fraction * len(images) // 1)",
        hint="Count how many images changed: there is one too many where the share is a little above a whole number.",
    ),
    mistake(
        "a copy of the generator",
        "    if generator is not None:\n",
        "    if generator is not None:\n        generator = torch.Generator().manual_seed(generator.initial_seed())\n",
        hint="The second call with one generator draws what the first drew: in training, the same images every time.",
    ),
    mistake(
        "fraction ignored",
        "order[: round(fraction * len(images))]",
        "order",
        hint="All images are repainted, however many should be.",
    ),
    mistake(
        "a coin for each image",
        "order[: round(fraction * len(images))]",
        "order[: int((torch.rand(len(images), generator=generator) < fraction).sum()) if generator else None]",
        hint="How many images are repainted is a matter of luck with you; the number itself is fixed.",
    ),
    mistake(
        "number rounded down",
        "round(fraction * len(images))",
        "int(fraction * len(images))",
        hint="Count how many images changed: one is missing where the share is not whole.",
    ),
    mistake(
        "one too many",
        "round(fraction * len(images))",
        "round(fraction * len(images)) + (0 < fraction < 1)",
        hint="Count how many images changed: there is one more than asked for.",
    ),
    mistake(
        "the rest is repainted",
        "order[: round(fraction * len(images))]",
        "order[round(fraction * len(images)) :] if 0 < fraction < 1 else order[: round(fraction * len(images))]",
        hint="You repaint exactly those that should stay as they are.",
    ),
    mistake(
        "always the first images",
        "order[: round",
        "torch.arange(len(images))[: round",
        hint="It is always the same images that are repainted, whatever the seed.",
    ),
    mistake(
        "one style for all",
        "styles[int(which[i])]",
        "styles[int(which[0])]",
        hint="All repainted images look alike: each gets a draw of its own.",
    ),
    mistake(
        "styles in turn",
        "styles[int(which[i])]",
        "styles[i % len(styles)]",
        hint="Which image gets which style can be foretold; the seed should decide.",
    ),
    mistake(
        "a style never drawn",
        "torch.randint(len(styles),",
        "torch.randint(max(1, len(styles) - 1),",
        hint="One of the styles is never used: does the upper end of the draw belong to it?",
    ),
    mistake(
        "styles drawn from the world",
        "torch.randint(len(styles), which.shape, generator=generator, device=generator.device)",
        "torch.randint(len(styles), which.shape)",
        hint="Your randomness comes from somewhere else than the source that the caller handed over.",
    ),
    mistake(
        "seed of its own",
        "    if generator is not None:",
        "    if generator is not None:\n        generator = torch.Generator().manual_seed(0)",
        hint="The caller's source of randomness decides; yours gives the same numbers to every caller.",
    ),
    mistake(
        "labels shuffled",
        "labels.clone()",
        "labels[order]",
        hint="The images stayed in their place and the labels moved: they no longer belong together.",
    ),
    mistake(
        "images shuffled",
        "result[i] = transfer(images[i].detach(), styles[int(which[i])]).detach()",
        "result[i] = transfer(images[order[i]], styles[int(which[i])]).detach()",
        "order, which = torch.arange(len(images))",
        "order, which = torch.arange(len(images)).roll(1)",
        hint="At the place of an image stands another one, repainted.",
    ),
    mistake(
        "repainted ones appended",
        """    result = images.detach().clone()
""",
        """    result = torch.cat([images, images]).detach()
""",
        "result[i] = transfer",
        "result[len(images) + i] = transfer",
        hint="The set became longer: an image that is repainted takes the place of the original.",
    ),
    mistake(
        "only the repainted ones",
        "return result, labels.clone()",
        "chosen = order[: round(fraction * len(images))]\n    return result[chosen], labels[chosen]",
        hint="The images that were not chosen are missing from your result.",
    ),
    mistake(
        "arguments exchanged",
        "transfer(images[i].detach(), styles[int(which[i])])",
        "transfer(styles[int(which[i])], images[i].detach())",
        hint="You paint the style in the manner of the picture: look at the order of the two.",
    ),
    mistake(
        "all repainted, some thrown away",
        "    for i in order",
        "    for image in images:\n        transfer(image.detach(), styles[0])\n    for i in order",
        hint="A transfer takes seconds; you pay for images that are not to be repainted.",
    ),
    mistake(
        "batches of one",
        "transfer(images[i].detach(), styles[int(which[i])])",
        "transfer(images[i].detach()[None], styles[int(which[i])])[0]",
        hint="What you hand over has an axis too many: one picture has three.",
    ),
    mistake(
        "images changed in place",
        "result = images.detach().clone()",
        "result = images.detach()",
        hint="Your training set itself was painted over.",
    ),
    mistake(
        "labels lent",
        "labels.clone()",
        "labels",
        hint="What you return and what you were given lie in the same memory: writing to one changes the other.",
    ),
    mistake("still joined", ".detach()\n    return", "\n    return", hint=STILL_JOINED),
    mistake(
        "repainted twice",
        "transfer(images[i].detach(), styles[int(which[i])])",
        "transfer(transfer(images[i].detach(), styles[int(which[i])]), styles[int(which[i])])",
        hint="You repaint what is repainted already.",
    ),
    mistake(
        "labels of the styles",
        "return result, labels.clone()",
        "return result, which",
        hint="Your labels tell the style: a picture keeps the class of what it shows.",
    ),
)

VARIANTS = (
    variant(
        "mask and list",
        body="""
        n = len(images)
        mask = torch.zeros(n, dtype=torch.bool)
        if generator is None:
            mask[: round(n * fraction)] = True
        else:
            mask[torch.randperm(n, generator=generator)[: round(n * fraction)]] = True
        out = []
        for i, image in enumerate(images.detach()):
            if mask[i]:
                k = 0 if generator is None else torch.randint(0, len(styles), (1,), generator=generator).item()
                out.append(transfer(image, styles[k]).detach().to(images.dtype))
            else:
                out.append(image)
        return torch.stack(out), labels.detach().clone()
        """,
    ),
    variant(
        "random numbers sorted",
        body="""
        count = int(round(fraction * images.shape[0]))
        result, device = images.detach().clone(), images.device
        if count == 0:
            return result, labels.clone()
        if generator is None:
            places, picks = range(count), [0] * count
        else:
            places = torch.rand(len(images), generator=generator).topk(count).indices.tolist()
            picks = (torch.rand(count, generator=generator) * len(styles)).long().tolist()
        for place, pick in zip(places, picks):
            with torch.no_grad():
                result[place] = transfer(result[place], styles[pick])
        return result, labels + 0
        """,
    ),
    variant(
        "one draw for both",
        body="""
        count = round(fraction * len(images))
        new = [x.detach().clone() for x in images]
        left = list(range(len(new)))
        for _ in range(count):
            draw = lambda n: int(torch.randint(n, (), generator=generator)) if generator is not None else 0
            i = left.pop(draw(len(left)))
            new[i] = transfer(new[i], styles[draw(len(styles))]).detach()
        return torch.stack(new), labels.clone()
        """,
    ),
)
