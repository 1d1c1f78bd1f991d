"""Exercise class_visualization: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.class_visualization.shared import COUNT, OWN_BLUR

HINTS = (
    (
        "Everything but the loop is written already: a start, a step, a blur, two clippings. The docstring gives the "
        "order."
    ),
    (
        "First make it work without any trick: start, step, clamp, and the right number of times. Then switch the "
        "tricks on one by one, as the notebook does."
    ),
    (
        "What the jitter moves must be moved back in the same step. Keep the picture from before the step: the second "
        "clipping needs the slope there, of the score alone."
    ),
    "I <- clamp( roll back( contributions( pixels( blur( step( roll(I) ) ) ) ) ), 0, 1 ), num_steps times",
)

OWN_STEP = """
            x = image.detach().clone().requires_grad_(True)
            score = model(x.unsqueeze(0))[0, target] - l2_weight * ((x - 0.5) ** 2).sum()
            g = torch.autograd.grad(score, x)[0]
            size = g.pow(2).sum().sqrt()
            image = (x + step_size / size * g).detach() if size > 0 else image
"""

MISTAKES = (
    mistake(
        "divides by a gradient of zero",
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)",
        "image = image.detach().requires_grad_()\n"
        "        score = model(image[None])[0, target] - l2_weight * (image - 0.5).square().sum()\n"
        "        slope = torch.autograd.grad(score, image)[0]\n"
        "        image = (image + step_size * slope / slope.norm()).detach()",
        hint="A class whose logit no pixel moves has no direction: your picture is no number there.",
    ),
    mistake("one step too few", "range(1, num_steps + 1)", "range(1, num_steps)", hint=COUNT),
    mistake(
        "slope at the picture before the roll",
        "model(before[None])[0, target], before",
        "model(before.roll((-dy, -dx), dims=(1, 2))[None])[0, target], before",
        hint="With jitter and contributions together: the slope and the picture that is clipped have to lie on each other.",
    ),
    mistake(
        "stops when it is sure",
        "        dy = dx = 0\n",
        "        if step > 1 and model(image[None]).softmax(1)[0, target] > 0.99:\n            break\n        dy = dx = 0\n",
        hint="You stop when the network is sure; the number of steps is given, and a score has no top.",
    ),
    mistake(
        "one step too many",
        "range(1, num_steps + 1)",
        "range(1, num_steps + 2)",
        hint=COUNT + " Yours moves even when it should return the start.",
    ),
    mistake(
        "starts black",
        "image = start_picture(model, image_size, generator)",
        "image = start_picture(model, image_size, generator) - 0.5",
        hint="Your first picture is black: which one was agreed on?",
    ),
    mistake(
        "always noise",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, generator or torch.Generator().manual_seed(0))",
        hint="Nobody asked for randomness here, and your start is not plain.",
    ),
    mistake(
        "always grey",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, None)",
        hint="With a source of randomness the first picture is not plain.",
    ),
    mistake(
        "own generator",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, generator and torch.Generator().manual_seed(0))",
        hint="The caller's source of randomness decides; yours gives the same numbers to every caller.",
    ),
    mistake(
        "square picture",
        "image_size, generator)",
        "(image_size[0], image_size[0]), generator)",
        hint="Height and width may differ.",
    ),
    mistake(
        "float32",
        "image = start_picture(model, image_size, generator)",
        "image = start_picture(model, image_size, generator).float().double()[:, :, :].float()",
        hint="The number format of the result is not the network's.",
    ),
    mistake("no clamp", ".clamp(0, 1)\n", "\n", hint="Some of your values are no colours any more."),
    mistake(
        "clamp at the end",
        ".clamp(0, 1)\n",
        "\n",
        "return image",
        "return image.clamp(0, 1)",
        hint="On the way the network is shown pictures that do not exist: what leaves the range must come back at once.",
    ),
    mistake(
        "steps from the start",
        "for step in range(1, num_steps + 1):\n",
        "start = image\n    for step in range(1, num_steps + 1):\n        image = start\n",
        hint="Every step begins at the same place: what does the next one build on?",
    ),
    mistake(
        "two steps at once",
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)",
        "for _ in range(2): image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)",
        hint="Between two pictures in range yours moves twice.",
    ),
    mistake(
        "step size forgotten",
        "step_size=step_size",
        "step_size=1.0",
        hint="However far the caller wants to go in a step, yours goes equally far.",
    ),
    mistake(
        "regulariser forgotten",
        "l2_weight=l2_weight",
        "l2_weight=0.0",
        hint="The caller's weight decay is lost on the way.",
    ),
    mistake(
        "steps shrink",
        "step_size=step_size",
        "step_size=step_size / step",
        hint="Your steps become shorter and shorter; nobody asked for a schedule.",
    ),
    mistake(
        "blur counted from zero",
        "step % blur_every == 0",
        "(step - 1) % blur_every == 0",
        hint="The first picture is softened too early: from where do you count?",
    ),
    mistake(
        "blur always",
        "if blur_every and step % blur_every == 0:",
        "if blur_every:",
        hint="Yours softens the picture each time, however seldom it was asked for.",
    ),
    mistake(
        "blur never",
        "if blur_every and step % blur_every == 0:",
        "if False:",
        hint="One of the tricks has no effect in yours: switch them on one by one.",
    ),
    mistake(
        "blur divides by zero",
        "if blur_every and step",
        "if step",
        hint="There is a setting that means never; yours breaks at it.",
    ),
    mistake(
        "blur at the end only",
        "if blur_every and step % blur_every == 0:",
        "if blur_every and step == num_steps:",
        hint="Softening the last picture only makes it softer; softening on the way changes where the ascent goes.",
    ),
    mistake(
        "blur of fixed width",
        "blur(image, blur_sigma)",
        "blur(image, 0.5)",
        hint="The caller also says how wide the bell is.",
    ),
    mistake(
        "blur before the step",
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)\n        "
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n        "
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)\n",
        hint="You soften first and climb afterwards: the last thing you did is left sharp.",
    ),
    mistake(
        "small pixels forgotten",
        "zero_small_pixels(image, pixel_fraction)",
        "image",
        hint="What reaches the second clipping has not been through the first: is that one there, and in its place?",
    ),
    mistake(
        "small pixels before the blur",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n        "
        "if pixel_fraction:\n            image = zero_small_pixels(image, pixel_fraction)\n",
        "if pixel_fraction:\n            image = zero_small_pixels(image, pixel_fraction)\n        "
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n",
        hint="What you cut away is smeared back in a moment later.",
    ),
    mistake(
        "contributions forgotten",
        "if contribution_fraction:",
        "if False:",
        hint="The second of the two clippings has no effect in yours: switch them on one by one.",
    ),
    mistake(
        "fractions exchanged",
        "if pixel_fraction:\n            image = zero_small_pixels(image, pixel_fraction)",
        "if contribution_fraction:\n            image = zero_small_pixels(image, contribution_fraction)",
        "image = zero_small_contributions(image, gradient, contribution_fraction)",
        "image = zero_small_contributions(image, gradient, pixel_fraction)",
        hint="Each clipping has a share of its own; you have them the other way round.",
    ),
    mistake(
        "slope after the step",
        "before = before.detach()",
        "before = image.detach()",
        hint="You ask for the slope where the picture has already moved away from.",
    ),
    mistake(
        "slope of the penalised score",
        "model(before[None])[0, target],",
        "model(before[None])[0, target] - l2_weight * (before - 0.5).square().sum(),",
        hint="What a pixel contributes is asked of the network alone, not of the regulariser.",
    ),
    mistake(
        "contributions of the old picture",
        "zero_small_contributions(image, gradient",
        "zero_small_contributions(before.detach(), gradient",
        hint="With the clipping your step is lost: which of the two pictures is to be clipped?",
    ),
    mistake(
        "clamp before the clippings",
        "image = zero_small_pixels(image, pixel_fraction)",
        "image = zero_small_pixels(image.clamp(0, 1), pixel_fraction)",
        hint="You cut the colours into range too early: that comes last.",
    ),
    mistake(
        "jitter not undone",
        "image = image.roll((-dy, -dx), dims=(1, 2)).clamp(0, 1)",
        "image = image.clamp(0, 1)",
        hint="Your picture wanders: what was moved for the step must come back after it.",
    ),
    mistake(
        "jitter undone the wrong way",
        "(-dy, -dx)",
        "(dy, dx)",
        hint="The way back is the way there, a second time: your picture ends up twice as far.",
    ),
    mistake(
        "jitter in one direction",
        "torch.randint(-jitter, jitter + 1",
        "torch.randint(0, jitter + 1",
        hint="Your picture is only ever moved down and to the right.",
    ),
    mistake(
        "jitter without its end",
        "torch.randint(-jitter, jitter + 1",
        "torch.randint(-jitter, max(jitter, 1 - jitter)",
        hint="The largest move never happens: does your range include its upper end?",
    ),
    mistake(
        "jitter along the diagonal",
        "dy, dx = offset.tolist()",
        "dy = dx = offset.tolist()[0]",
        hint="Your picture only ever moves along its diagonal.",
    ),
    mistake(
        "jitter drawn once",
        "for step in range(1, num_steps + 1):\n        dy = dx = 0\n        if generator is not None:\n    ",
        "dy = dx = 0\n    for step in range(1, num_steps + 1):\n        if generator is not None and step == 1:\n    ",
        hint="Your picture trembles once, at the beginning.",
    ),
    mistake("jitter forgotten", "if generator is not None:", "if False:", hint="Your picture never moves sideways."),
    mistake(
        "rolled without wrapping",
        "image.roll((dy, dx), dims=(1, 2))",
        "image.roll((dy, dx), dims=(1, 2)) * (torch.arange(image.shape[1])[:, None] >= dy)",
        hint="What leaves on one side comes back on the other; in yours it is lost.",
    ),
    mistake(
        "channels rolled",
        "image.roll((dy, dx), dims=(1, 2))",
        "image.roll((dy, dx), dims=(0, 2))",
        "(-dy, -dx), dims=(1, 2)",
        "(-dy, -dx), dims=(0, 2)",
        hint="In yours colours change places instead of rows.",
    ),
    mistake(
        "global randomness",
        "(2,), generator=generator, device=generator.device)",
        "(2,))",
        hint="Your randomness comes from somewhere else than the source that the caller handed over.",
    ),
    mistake(
        "parameters switched off",
        "image = start_picture",
        "model.requires_grad_(False) if isinstance(model, nn.Module) else None; image = start_picture",
        hint="The network comes back with its parameters frozen.",
    ),
    mistake(
        "blur at the other steps",
        "step % blur_every == 0",
        "step % blur_every",
        hint="You blur at every step but the right ones: look at the remainder.",
    ),
    mistake(
        "stretched to the range",
        "return image",
        "return (image - image.min()) / (image.max() - image.min()).clamp(min=1e-8)",
        hint="Your picture is stretched from its minimum to its maximum: do that only to show it.",
    ),
)

VARIANTS = (
    variant(
        "everything self-written",
        body=f"""
        height, width = image_size
        image = start_picture(model, (height, width), generator)
        for step in range(1, num_steps + 1):
            dy = dx = 0
            if jitter:
                dx = int(torch.randint(-jitter, jitter + 1, (1,), generator=generator))
                dy = int(torch.randint(-jitter, jitter + 1, (1,), generator=generator))
            image = torch.roll(image, (dy, dx), (1, 2))
            old = image
            {OWN_STEP.strip()}
            {OWN_BLUR.strip()}
            count = int(pixel_fraction * height * width)
            small = (image - 0.5).pow(2).sum(0).flatten().argsort()[:count]
            image = image.clone()
            image.view(3, -1)[:, small] = 0.5
            if contribution_fraction > 0:
                y = old.clone().requires_grad_()
                slope = torch.autograd.grad(model(y[None])[0, target], y)[0]
                score = ((image - 0.5) * slope).sum(0).abs().flatten()
                image.view(3, -1)[:, score.argsort()[: int(contribution_fraction * height * width)]] = 0.5
            image = torch.clamp(torch.roll(image, (-dy, -dx), (1, 2)), 0, 1)
        return image.detach()
        """,
    ),
    variant(
        "offsets drawn before the start, looks at every picture",
        body="""
        offsets = []
        if generator is not None:
            offsets = torch.randint(-jitter, jitter + 1, (max(num_steps, 1), 2), generator=generator).tolist()
        image = start_picture(model, image_size, generator)
        for i in range(num_steps):
            with torch.no_grad():
                model(image[None]).softmax(1)
            dy, dx = offsets[i] if offsets else (0, 0)
            rolled = image.roll(dy, 1).roll(dx, 2)
            x = rolled.clone().requires_grad_()
            slope = torch.autograd.grad(model(x[None])[0, target], x)[0] if contribution_fraction else None
            new = ascent_step(model, rolled, target, step_size=step_size, l2_weight=l2_weight)
            new = blur(new, blur_sigma) if blur_every and (i + 1) % blur_every == 0 else new
            if pixel_fraction:
                new = zero_small_pixels(new, pixel_fraction)
            if slope is not None:
                new = zero_small_contributions(new, slope / slope.norm(), contribution_fraction)
            image = new.roll(-dx, 2).roll(-dy, 1).clamp(0, 1)
        with torch.no_grad():
            model(image[None])
        return image
        """,
    ),
    variant(
        "while loop, keywords, always calls the tricks",
        body="""
        image, done = start_picture(model, image_size, generator), 0
        while done < num_steps:
            done += 1
            shift = [0, 0]
            if generator is not None and jitter > 0:
                shift = [int(torch.rand((), generator=generator) * (2 * jitter + 1)) - jitter for _ in range(2)]
            image = torch.roll(image, shifts=tuple(shift), dims=(-2, -1))
            x = image.clone().requires_grad_(True)
            (slope,) = torch.autograd.grad(model(x[None])[0, target], x)
            image = ascent_step(model=model, image=image, target=target, step_size=step_size, l2_weight=l2_weight)
            if blur_every != 0 and done % blur_every == 0:
                image = blur(image=image, sigma=blur_sigma)
            image = zero_small_pixels(image=image, fraction=pixel_fraction)
            image = zero_small_contributions(image=image, gradient=slope, fraction=contribution_fraction)
            image = torch.roll(image, shifts=(-shift[0], -shift[1]), dims=(-2, -1))
            image = image.clamp(min=0.0, max=1.0)
        return image
        """,
    ),
)
