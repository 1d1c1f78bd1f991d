"""Exercise stylize: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.style_transfer.shared import STILL_JOINED

HINTS = (
    (
        "The training set keeps its length, and every image keeps its place and its label. Only some images are repainted."
    ),
    "Draw twice: first which images, as many as the docstring says and none twice; then a style for each of them.",
    ("Start from a copy of all images. Write each repainted image to its own place. Detach what transfer returns."),
    "images[i] <- transfer(images[i], styles[k_i]) for round(fraction * N) places i, k_i uniform",
)

MISTAKES = (
    mistake(
        "number rounded up",
        "round(fraction * len(images))",
        "-int(-fraction * len(images) // 1)",
        hint="You round fraction * N up: use round(fraction * N).",
    ),
    mistake(
        "a copy of the generator",
        "    if generator is not None:\n",
        "    if generator is not None:\n        generator = torch.Generator().manual_seed(generator.initial_seed())\n",
        hint="You restart the generator from its seed, so each call draws the same: use it as given.",
    ),
    mistake(
        "transfer under no_grad",
        "        result[i] = transfer(images[i].detach(), styles[int(which[i])]).detach()",
        "        with torch.no_grad():\n            result[i] = transfer(images[i].detach(), styles[int(which[i])])",
        hint="You switch gradients off with no_grad, but some transfers need them: detach their results instead.",
    ),
    mistake(
        "fraction ignored",
        "order[: round(fraction * len(images))]",
        "order",
        hint="You repaint all images: repaint round(fraction * N) of them.",
    ),
    mistake(
        "a coin for each image",
        "order[: round(fraction * len(images))]",
        "order[: int((torch.rand(len(images), generator=generator) < fraction).sum()) if generator else None]",
        hint="The number of repainted images is random: it must be exactly round(fraction * N).",
    ),
    mistake(
        "number rounded down",
        "round(fraction * len(images))",
        "int(fraction * len(images))",
        hint="You round fraction * N down: use round(fraction * N).",
    ),
    mistake(
        "one too many",
        "round(fraction * len(images))",
        "round(fraction * len(images)) + (0 < fraction < 1)",
        hint="You repaint one image too many: repaint round(fraction * N).",
    ),
    mistake(
        "the rest is repainted",
        "order[: round(fraction * len(images))]",
        "order[round(fraction * len(images)) :] if 0 < fraction < 1 else order[: round(fraction * len(images))]",
        hint="You repaint the images that were not drawn: repaint those that were.",
    ),
    mistake(
        "always the first images",
        "order[: round",
        "torch.arange(len(images))[: round",
        hint="You always repaint the first images: draw them at random.",
    ),
    mistake(
        "one style for all",
        "styles[int(which[i])]",
        "styles[int(which[0])]",
        hint="All images get the same style: draw one for each image.",
    ),
    mistake(
        "styles in turn",
        "styles[int(which[i])]",
        "styles[i % len(styles)]",
        hint="You choose the styles in turn: draw them at random.",
    ),
    mistake(
        "a style never drawn",
        "torch.randint(len(styles),",
        "torch.randint(max(1, len(styles) - 1),",
        hint="The last style is never drawn: randint's upper bound is exclusive.",
    ),
    mistake(
        "styles drawn from the world",
        "torch.randint(len(styles), which.shape, generator=generator, device=generator.device)",
        "torch.randint(len(styles), which.shape)",
        hint="You draw the styles from torch's global generator: use the generator you were given.",
    ),
    mistake(
        "seed of its own",
        "    if generator is not None:",
        "    if generator is not None:\n        generator = torch.Generator().manual_seed(0)",
        hint="You make a generator of your own: use the one you were given.",
    ),
    mistake(
        "labels shuffled",
        "labels.clone()",
        "labels[order]",
        hint="You reorder the labels: keep them in their order.",
    ),
    mistake(
        "images shuffled",
        "result[i] = transfer(images[i].detach(), styles[int(which[i])]).detach()",
        "result[i] = transfer(images[order[i]], styles[int(which[i])]).detach()",
        "order, which = torch.arange(len(images))",
        "order, which = torch.arange(len(images)).roll(1)",
        hint="You write a repainted image to another image's place: write it to its own.",
    ),
    mistake(
        "repainted ones appended",
        """    result = images.detach().clone()
""",
        """    result = torch.cat([images, images]).detach()
""",
        "result[i] = transfer",
        "result[len(images) + i] = transfer",
        hint="You append the repainted images: write each to the place of its original.",
    ),
    mistake(
        "only the repainted ones",
        "return result, labels.clone()",
        "chosen = order[: round(fraction * len(images))]\n    return result[chosen], labels[chosen]",
        hint="You return only the repainted images: return all N images.",
    ),
    mistake(
        "arguments exchanged",
        "transfer(images[i].detach(), styles[int(which[i])])",
        "transfer(styles[int(which[i])], images[i].detach())",
        hint="You swap transfer's arguments: the image comes first, the style second.",
    ),
    mistake(
        "all repainted, some thrown away",
        "    for i in order",
        "    for image in images:\n        transfer(image.detach(), styles[0])\n    for i in order",
        hint="You call transfer for every image: call it only for those that were drawn.",
    ),
    mistake(
        "batches of one",
        "transfer(images[i].detach(), styles[int(which[i])])",
        "transfer(images[i].detach()[None], styles[int(which[i])])[0]",
        hint="You pass transfer a batch of one, (1, 3, H, W): pass a single image (3, H, W).",
    ),
    mistake(
        "images changed in place",
        "result = images.detach().clone()",
        "result = images.detach()",
        hint="You write into the caller's images: write into a copy.",
    ),
    mistake(
        "labels lent",
        "labels.clone()",
        "labels",
        hint="You return the caller's labels: return a copy.",
    ),
    mistake("still joined", ".detach()\n    return", "\n    return", hint=STILL_JOINED),
    mistake(
        "repainted twice",
        "transfer(images[i].detach(), styles[int(which[i])])",
        "transfer(transfer(images[i].detach(), styles[int(which[i])]), styles[int(which[i])])",
        hint="You repaint each image twice: call transfer once.",
    ),
    mistake(
        "labels of the styles",
        "return result, labels.clone()",
        "return result, which",
        hint="You return the drawn styles as labels: return the labels of the images.",
    ),
    mistake(
        "half rounded up",
        "round(fraction * len(images))",
        "int(fraction * len(images) + 0.5)",
        hint="You round halves up: use Python's round(fraction * N), for which round(2.5) is 2.",
    ),
    mistake(
        "a run of images",
        "order = torch.randperm(len(images), generator=generator, device=generator.device)",
        "start = int(torch.randint(len(images), (1,), generator=generator))\n"
        "        order = (torch.arange(len(images)) + start) % len(images)",
        hint="You repaint images that lie side by side: draw each place at random.",
    ),
    mistake(
        "drawn with replacement",
        "torch.randperm(len(images), generator=generator, device=generator.device)",
        "torch.randint(len(images), (len(images),), generator=generator)",
        hint="You draw places with replacement, so an image may come twice: draw without replacement.",
    ),
    mistake(
        "global numbers without a generator",
        """    if generator is not None:
        order = torch.randperm(len(images), generator=generator, device=generator.device)
        which = torch.randint(len(styles), which.shape, generator=generator, device=generator.device)
""",
        """    order = torch.randperm(len(images), generator=generator)
    which = torch.randint(len(styles), which.shape, generator=generator)
""",
        hint="Without a generator you draw from torch's global one: then draw nothing.",
    ),
    mistake(
        "an image never drawn",
        "order = torch.randperm(len(images), generator=generator, device=generator.device)",
        "order = torch.randperm(len(images) - 1, generator=generator) + 1\n"
        "        order = torch.cat([order, torch.zeros(1, dtype=torch.int64)])",
        hint="One image is drawn only if all are: every place must be equally likely.",
    ),
    mistake(
        "shuffled",
        "return result, labels.clone()",
        "return result[order], labels[order]",
        hint="You return images and labels in the order that you drew: keep their own order.",
    ),
    mistake(
        "draws without a generator",
        "if generator is not None:",
        "if True:",
        hint="generator may be None: then draw nothing.",
    ),
    mistake(
        "styles drawn unevenly",
        "torch.randint(len(styles), which.shape, generator=generator, device=generator.device)",
        "(torch.rand(which.shape, generator=generator) ** 2 * len(styles)).long()",
        hint="Some styles are more likely than others: draw each with the same probability.",
    ),
    mistake(
        "every style equally often",
        "torch.randint(len(styles), which.shape, generator=generator, device=generator.device)",
        "torch.cat([torch.randperm(len(styles), generator=generator) for _ in range(len(images) // len(styles) + 1)])",
        hint="You give out the styles in turn: draw the style of each image alone.",
    ),
    mistake(
        "places evenly spaced",
        "torch.randperm(len(images), generator=generator, device=generator.device)",
        "(torch.arange(len(images)) * 7 + int(torch.randint(len(images), (1,), generator=generator))) % len(images)",
        hint="Your places have a fixed distance: choose all of them at random.",
    ),
    mistake(
        "first images likelier",
        "torch.randperm(len(images), generator=generator, device=generator.device)",
        "(torch.rand(len(images), generator=generator) * (1 + torch.arange(len(images)))).argsort()",
        hint="Some images are more likely to be repainted: choose with equal probabilities.",
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
            result[place] = transfer(result[place].clone(), styles[pick]).detach()
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
