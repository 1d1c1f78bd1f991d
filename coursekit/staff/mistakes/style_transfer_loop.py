"""Mistakes of part 5, as learners make them: the descent, and style as augmentation."""

from coursekit.staff.edits import mistake

STILL_JOINED = "The pictures are right, but they drag the whole computation behind them: cut it off."
LENT = "What you return and what you were given lie in the same memory: writing to one changes the other."
WORLD = "Your randomness comes from somewhere else than the source that the caller handed over."
OWN_SEED = "The caller's source of randomness decides; yours gives the same numbers to every caller."

STYLE_TRANSFER = (
    mistake(
        "style_transfer",
        "ascent",
        "(image.grad,) = torch.autograd.grad(loss, image)",
        "image.grad = -torch.autograd.grad(loss, image)[0]",
        hint="The losses grow: in which direction does an optimiser move its parameter?",
    ),
    mistake(
        "style_transfer",
        "content forgotten",
        "loss = loss + content_loss(contents, targets, content_weights)",
        "pass",
        hint="What the picture shows has no say in your descent.",
    ),
    mistake(
        "style_transfer",
        "style forgotten",
        "loss = loss + style_loss(textures, grams, style_weights)",
        "pass",
        hint="How the picture is painted has no say in your descent.",
    ),
    mistake(
        "style_transfer",
        "roughness forgotten",
        "loss = tv_weight * total_variation_loss(image)",
        "loss = 0 * image.sum()",
        hint="One of the three losses has no weight in your descent.",
    ),
    mistake(
        "style_transfer",
        "roughness without its weight",
        "tv_weight * total_variation_loss(image)",
        "total_variation_loss(image)",
        hint="The caller says how much smoothness counts; with you it is always the same.",
    ),
    mistake(
        "style_transfer",
        "content and style exchanged",
        "for features in look(style)[1]]",
        "for features in look(content[:1])[1]]",
        hint="The texture that you ask for is that of the content picture.",
    ),
    mistake(
        "style_transfer",
        "targets from the style",
        "for features in look(picture)[0]]",
        "for features in look(torch.nn.functional.interpolate(style, picture.shape[2:]))[0]]",
        hint="What the picture should show is taken from the wrong one of the two pictures.",
    ),
    mistake(
        "style_transfer",
        "targets from the start",
        "for features in look(picture)[0]]",
        "for features in look(image)[0]]",
        hint="You keep what the first picture shows, which need not be the content.",
    ),
    mistake(
        "style_transfer",
        "targets of the picture as it is",
        "content_loss(contents, targets, content_weights)",
        "content_loss(contents, [f.detach() for f in contents], content_weights)",
        hint="You compare the moving picture with itself: nothing is ever wrong with its content.",
    ),
    mistake(
        "style_transfer",
        "init ignored",
        "content if init is None else init",
        "content",
        hint="Where the descent begins is up to the caller, if the caller says so.",
    ),
    mistake(
        "style_transfer",
        "always from grey",
        "content if init is None else init",
        "torch.full_like(content, 0.5) if init is None else init",
        hint="You begin with a plain picture; if nothing is said, the descent begins with what should be seen.",
    ),
    mistake(
        "style_transfer",
        "never clamped",
        "image.detach().clamp_(0, 1)",
        "pass",
        hint="Some of your values are no colours: where are they brought back?",
    ),
    mistake(
        "style_transfer",
        "clamped at the end only",
        "            image.detach().clamp_(0, 1)  # in the image's own memory, and unseen by autograd\n        return image.detach()",
        "        return image.detach().clamp(0, 1)",
        hint="You bring the colours back once, after everything; the network sees impossible pictures on the way.",
    ),
    mistake(
        "style_transfer",
        "loss of a clamped copy",
        "            image.detach().clamp_(0, 1)  # in the image's own memory, and unseen by autograd\n        return image.detach()",
        "        return image.detach().clamp(0, 1)",
        "contents, textures = look(image)",
        "contents, textures = look(image.clamp(0, 1))",
        hint="What lies outside gets no slope from you and never comes back: the picture itself has to stay inside.",
    ),
    mistake(
        "style_transfer",
        "squashed instead of clamped",
        "image.detach().clamp_(0, 1)",
        "image.data = (image.data - image.data.min()) / (image.data.max() - image.data.min())",
        hint="One value outside changes the colours of your whole picture.",
    ),
    mistake(
        "style_transfer",
        "one step too few",
        "range(num_steps)",
        "range(max(num_steps - 1, 0))",
        hint="Count how often the picture moves, and compare with how often it should.",
    ),
    mistake(
        "style_transfer",
        "one step too many",
        "range(num_steps)",
        "range(num_steps + 1)",
        hint="Your picture moves once more than it was asked to, and even when it was asked not to.",
    ),
    mistake(
        "style_transfer",
        "optimiser made anew",
        "            descent.step(closure)",
        "            descent = make_optimizer(optimizer, image, step_size)\n            descent.step(closure)",
        hint="An optimiser remembers earlier steps; yours forgets them each time.",
    ),
    mistake(
        "style_transfer",
        "slopes add up",
        "(image.grad,) = torch.autograd.grad(loss, image)",
        "image.grad = torch.autograd.grad(loss, image)[0] + (0 if image.grad is None else image.grad)",
        hint="From the second step on, old slopes are still in yours.",
    ),
    mistake(
        "style_transfer",
        "network's gradients written",
        "(image.grad,) = torch.autograd.grad(loss, image)",
        "image.grad = None\n            loss.backward()",
        hint="The weights of the network have collected slopes during your descent; nobody asked for those.",
    ),
    mistake(
        "style_transfer",
        "step size ignored",
        "make_optimizer(optimizer, image, step_size)",
        "make_optimizer(optimizer, image, 0.01)",
        hint="However far the caller wants to go, you always go equally far.",
    ),
    mistake(
        "style_transfer",
        "always Adam",
        "make_optimizer(optimizer, image, step_size)",
        'make_optimizer("adam", image, step_size)',
        hint="The caller chooses between two optimisers; you know one.",
    ),
    mistake(
        "style_transfer",
        "wanted anew at every step",
        "contents, textures = look(image)",
        "contents, textures = look(image)\n            targets[:] = [f.detach() for f in look(picture)[0]]",
        hint="Half of your time goes into something that comes out the same every time.",
    ),
    mistake(
        "style_transfer",
        "style anew at every step",
        "contents, textures = look(image)",
        "contents, textures = look(image)\n            grams[:] = [gram_matrix(f).detach() for f in look(style)[1]]",
        hint="Half of your time goes into the texture of a picture that never changes.",
    ),
    mistake(
        "style_transfer",
        "layer overwritten by what follows",
        """        with record_outputs(model, [*content_layers, *style_layers]) as outputs:
            model(pictures)
""",
        """        outputs, names = {}, [*content_layers, *style_layers]
        hooks = [
            model.get_submodule(n).register_forward_hook(lambda m, i, o, n=n: outputs.__setitem__(n, o)) for n in names
        ]
        try:
            model(pictures)
        finally:
            for hook in hooks:
                hook.remove()
""",
        hint="A layer that works in place wrote over what you kept of the one before it.",
    ),
    mistake(
        "style_transfer",
        "hooks left behind",
        """        with record_outputs(model, [*content_layers, *style_layers]) as outputs:
            model(pictures)
""",
        """        outputs = {}
        for n in [*content_layers, *style_layers]:
            model.get_submodule(n).register_forward_hook(
                lambda m, i, o, n=n: (outputs.__setitem__(n, o), o.clone())[1]
            )
        model(pictures)
""",
        hint="Something of yours still listens in the network after the call.",
    ),
    mistake(
        "style_transfer",
        "style layers for content",
        "[outputs[name] for name in content_layers]",
        "[outputs[name] for name in style_layers][: len(content_layers)] or [outputs[name] for name in content_layers]",
        hint="The two groups of layers are not the same: one of them is asked for the wrong thing.",
    ),
    mistake(
        "style_transfer",
        "content layers for style",
        "[outputs[name] for name in style_layers]",
        "[outputs[name] for name in ([*content_layers, *style_layers][: len(style_layers)])]",
        hint="Textures are taken from layers that were named for something else.",
    ),
    mistake(
        "style_transfer",
        "summed grams for the style",
        "grams = [gram_matrix(features).detach()",
        "grams = [gram_matrix(features, normalize=False).detach()",
        hint="The texture that you ask for grows with the size of the style picture.",
    ),
    mistake(
        "style_transfer",
        "content cut down",
        "content.split(1), starts.split(1)",
        "content[:1].expand_as(content).split(1), starts.split(1)",
        hint="Every picture of the batch is asked to show what the first one shows.",
    ),
    mistake(
        "style_transfer",
        "batch mean",
        "loss = tv_weight",
        "loss = (0.5 if len(content) > 1 else 1.0) * tv_weight",
        hint="In company a picture is painted otherwise than alone: what depends on the number of pictures?",
    ),
    mistake(
        "style_transfer",
        "start changed in place",
        "nn.Parameter(image.detach().clone())",
        "nn.Parameter(image.detach())",
        hint="After the call the picture you were given has been painted over.",
    ),
    mistake(
        "style_transfer",
        "the best picture",
        """        for _ in range(num_steps):
            descent.step(closure)
""",
        """        best, low = image.detach().clone(), float("inf")
        for _ in range(num_steps):
            value = float(descent.step(closure))
            if value < low:
                low, best = value, image.detach().clone().clamp(0, 1)
""",
        "image.detach().clamp_(0, 1)  # in the image's own memory, and unseen by autograd\n        return image.detach()",
        "image.detach().clamp_(0, 1)\n        return best",
        hint="You choose among the pictures on the way; what is wanted is the one after the last step.",
    ),
    mistake("style_transfer", "still joined", "return image.detach()", "return image", hint=STILL_JOINED),
    mistake(
        "style_transfer",
        "noise at the start",
        "nn.Parameter(image.detach().clone())",
        "nn.Parameter((image.detach() + 1e-3 * torch.randn_like(image)).clamp(0, 1))",
        hint="Nothing in this descent is random; yours gives something else each time.",
    ),
    mistake(
        "style_transfer",
        "content weights for style",
        "style_loss(textures, grams, style_weights)",
        "style_loss(textures, grams, [(*content_weights, *style_weights)[i] for i in range(len(style_weights))])",
        hint="The layers of the texture get weights that were meant for others.",
    ),
)

STYLIZE = (
    mistake(
        "stylize",
        "number rounded up",
        "round(fraction * len(images))",
        "-int(-fraction * len(images) // 1)",
        hint="Count how many images changed: there is one too many where the share is a little above a whole number.",
    ),
    mistake(
        "stylize",
        "a copy of the generator",
        "    if generator is not None:\n",
        "    if generator is not None:\n        generator = torch.Generator().manual_seed(generator.initial_seed())\n",
        hint="The second call with one generator draws what the first drew: in training, the same images every time.",
    ),
    mistake(
        "stylize",
        "fraction ignored",
        "order[: round(fraction * len(images))]",
        "order",
        hint="All images are repainted, however many should be.",
    ),
    mistake(
        "stylize",
        "a coin for each image",
        "order[: round(fraction * len(images))]",
        "order[: int((torch.rand(len(images), generator=generator) < fraction).sum()) if generator else None]",
        hint="How many images are repainted is a matter of luck with you; the number itself is fixed.",
    ),
    mistake(
        "stylize",
        "number rounded down",
        "round(fraction * len(images))",
        "int(fraction * len(images))",
        hint="Count how many images changed: one is missing where the share is not whole.",
    ),
    mistake(
        "stylize",
        "one too many",
        "round(fraction * len(images))",
        "round(fraction * len(images)) + (0 < fraction < 1)",
        hint="Count how many images changed: there is one more than asked for.",
    ),
    mistake(
        "stylize",
        "the rest is repainted",
        "order[: round(fraction * len(images))]",
        "order[round(fraction * len(images)) :] if 0 < fraction < 1 else order[: round(fraction * len(images))]",
        hint="You repaint exactly those that should stay as they are.",
    ),
    mistake(
        "stylize",
        "always the first images",
        "order[: round",
        "torch.arange(len(images))[: round",
        hint="It is always the same images that are repainted, whatever the seed.",
    ),
    mistake(
        "stylize",
        "one style for all",
        "styles[int(which[i])]",
        "styles[int(which[0])]",
        hint="All repainted images look alike: each gets a draw of its own.",
    ),
    mistake(
        "stylize",
        "styles in turn",
        "styles[int(which[i])]",
        "styles[i % len(styles)]",
        hint="Which image gets which style can be foretold; the seed should decide.",
    ),
    mistake(
        "stylize",
        "a style never drawn",
        "torch.randint(len(styles),",
        "torch.randint(max(1, len(styles) - 1),",
        hint="One of the styles is never used: does the upper end of the draw belong to it?",
    ),
    mistake(
        "stylize",
        "styles drawn from the world",
        "torch.randint(len(styles), which.shape, generator=generator, device=generator.device)",
        "torch.randint(len(styles), which.shape)",
        hint=WORLD,
    ),
    mistake(
        "stylize",
        "seed of its own",
        "    if generator is not None:",
        "    if generator is not None:\n        generator = torch.Generator().manual_seed(0)",
        hint=OWN_SEED,
    ),
    mistake(
        "stylize",
        "labels shuffled",
        "labels.clone()",
        "labels[order]",
        hint="The images stayed in their place and the labels moved: they no longer belong together.",
    ),
    mistake(
        "stylize",
        "images shuffled",
        "result[i] = transfer(images[i].detach(), styles[int(which[i])]).detach()",
        "result[i] = transfer(images[order[i]], styles[int(which[i])]).detach()",
        "order, which = torch.arange(len(images))",
        "order, which = torch.arange(len(images)).roll(1)",
        hint="At the place of an image stands another one, repainted.",
    ),
    mistake(
        "stylize",
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
        "stylize",
        "only the repainted ones",
        "return result, labels.clone()",
        "chosen = order[: round(fraction * len(images))]\n    return result[chosen], labels[chosen]",
        hint="The images that were not chosen are missing from your result.",
    ),
    mistake(
        "stylize",
        "arguments exchanged",
        "transfer(images[i].detach(), styles[int(which[i])])",
        "transfer(styles[int(which[i])], images[i].detach())",
        hint="You paint the style in the manner of the picture: look at the order of the two.",
    ),
    mistake(
        "stylize",
        "all repainted, some thrown away",
        "    for i in order",
        "    for image in images:\n        transfer(image.detach(), styles[0])\n    for i in order",
        hint="A transfer takes seconds; you pay for images that are not to be repainted.",
    ),
    mistake(
        "stylize",
        "batches of one",
        "transfer(images[i].detach(), styles[int(which[i])])",
        "transfer(images[i].detach()[None], styles[int(which[i])])[0]",
        hint="What you hand over has an axis too many: one picture has three.",
    ),
    mistake(
        "stylize",
        "images changed in place",
        "result = images.detach().clone()",
        "result = images.detach()",
        hint="Your training set itself was painted over.",
    ),
    mistake("stylize", "labels lent", "labels.clone()", "labels", hint=LENT),
    mistake(
        "stylize",
        "still joined",
        ".detach()\n    return",
        "\n    return",
        hint=STILL_JOINED,
    ),
    mistake(
        "stylize",
        "repainted twice",
        "transfer(images[i].detach(), styles[int(which[i])])",
        "transfer(transfer(images[i].detach(), styles[int(which[i])]), styles[int(which[i])])",
        hint="You repaint what is repainted already.",
    ),
)
