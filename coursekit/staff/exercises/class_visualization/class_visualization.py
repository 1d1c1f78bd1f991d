"""Exercise class_visualization: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.class_visualization.shared import OWN_BLUR

HINTS = (
    (
        "Only the loop is missing. The start, the step, the blur and the two clippings exist already. The "
        "docstring gives their order."
    ),
    (
        "First make it work without options: start, step, clamp, num_steps times. Then switch on one option "
        "after the other, as the notebook does."
    ),
    (
        "Roll the image back in the same step. Keep the image from before the step: the second clipping "
        "needs the gradient of the score there, without the penalty."
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
        hint="If no pixel changes the logit, your step is 0 / 0 = NaN: use ascent_step.",
    ),
    mistake(
        "one step too few",
        "range(1, num_steps + 1)",
        "range(1, num_steps)",
        hint="You take num_steps - 1 steps: the end of range is excluded.",
    ),
    mistake(
        "slope at the picture before the roll",
        "model(before[None])[0, target], before",
        "model(before.roll((-dy, -dx), dims=(1, 2))[None])[0, target], before",
        hint="Your gradient belongs to the image before the roll: differentiate at the rolled image.",
    ),
    mistake(
        "stops when it is sure",
        "        dy = dx = 0\n",
        "        if step > 1 and model(image[None]).softmax(1)[0, target] > 0.99:\n            break\n        dy = dx = 0\n",
        hint="You stop when the probability is high: always take num_steps steps.",
    ),
    mistake(
        "one step too many",
        "range(1, num_steps + 1)",
        "range(1, num_steps + 2)",
        hint="You take num_steps + 1 steps: num_steps = 0 must return the start.",
    ),
    mistake(
        "starts black",
        "image = start_picture(model, image_size, generator)",
        "image = start_picture(model, image_size, generator) - 0.5",
        hint="You subtract 0.5 from the start, which makes it black: start from the given start image.",
    ),
    mistake(
        "always noise",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, generator or torch.Generator().manual_seed(0))",
        hint="You start from noise without a generator: then the start is grey.",
    ),
    mistake(
        "always grey",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, None)",
        hint="You ignore the generator at the start: with a generator, start from noise.",
    ),
    mistake(
        "own generator",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, generator and torch.Generator().manual_seed(0))",
        hint="You replace the caller's generator by your own with a fixed seed: use the caller's.",
    ),
    mistake(
        "square picture",
        "image_size, generator)",
        "(image_size[0], image_size[0]), generator)",
        hint="You use the height for the width as well: image_size is (H, W).",
    ),
    mistake(
        "float32",
        "image = start_picture(model, image_size, generator)",
        "image = start_picture(model, image_size, generator).float().double()[:, :, :].float()",
        hint="Your result is float32: keep the dtype of the network.",
    ),
    mistake("no clamp", ".clamp(0, 1)\n", "\n", hint="Your values leave [0, 1]: clamp the image after every step."),
    mistake(
        "clamp at the end",
        ".clamp(0, 1)\n",
        "\n",
        "return image",
        "return image.clamp(0, 1)",
        hint="You clamp only once, at the end: clamp after every step.",
    ),
    mistake(
        "steps from the start",
        "for step in range(1, num_steps + 1):\n",
        "start = image\n    for step in range(1, num_steps + 1):\n        image = start\n",
        hint="Every step begins at the start image again: continue from the last image.",
    ),
    mistake(
        "two steps at once",
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)",
        "for _ in range(2): image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)",
        hint="You take two ascent steps in each round: take one.",
    ),
    mistake(
        "step size forgotten",
        "step_size=step_size",
        "step_size=1.0",
        hint="You always use step_size = 1: pass on the caller's step_size.",
    ),
    mistake(
        "regulariser forgotten",
        "l2_weight=l2_weight",
        "l2_weight=0.0",
        hint="You always use l2_weight = 0: pass on the caller's l2_weight.",
    ),
    mistake(
        "steps shrink",
        "step_size=step_size",
        "step_size=step_size / step",
        hint="You divide step_size by the step's number: the step size is constant.",
    ),
    mistake(
        "blur counted from zero",
        "step % blur_every == 0",
        "(step - 1) % blur_every == 0",
        hint="You blur one step too early: count steps from 1 and blur at multiples of blur_every.",
    ),
    mistake(
        "blur always",
        "if blur_every and step % blur_every == 0:",
        "if blur_every:",
        hint="You blur after every step: blur only at multiples of blur_every.",
    ),
    mistake(
        "blur never",
        "if blur_every and step % blur_every == 0:",
        "if False:",
        hint="You never blur: blur at every multiple of blur_every.",
    ),
    mistake(
        "blur divides by zero",
        "if blur_every and step",
        "if step",
        hint="blur_every = 0 means never, but you compute the remainder of a division by 0.",
    ),
    mistake(
        "blur at the end only",
        "if blur_every and step % blur_every == 0:",
        "if blur_every and step == num_steps:",
        hint="You blur only after the last step: blur at every multiple of blur_every.",
    ),
    mistake(
        "blur of fixed width",
        "blur(image, blur_sigma)",
        "blur(image, 0.5)",
        hint="You always blur with sigma 0.5: use the caller's blur_sigma.",
    ),
    mistake(
        "blur before the step",
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)\n        "
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n        "
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)\n",
        hint="You blur before the ascent step: blur after it.",
    ),
    mistake(
        "small pixels forgotten",
        "zero_small_pixels(image, pixel_fraction)",
        "image",
        hint="Small pixels do not become grey: call zero_small_pixels after the blur, before the contributions.",
    ),
    mistake(
        "small pixels before the blur",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n        "
        "if pixel_fraction:\n            image = zero_small_pixels(image, pixel_fraction)\n",
        "if pixel_fraction:\n            image = zero_small_pixels(image, pixel_fraction)\n        "
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n",
        hint="You zero small pixels before the blur: do it after the blur.",
    ),
    mistake(
        "contributions forgotten",
        "if contribution_fraction:",
        "if False:",
        hint=(
            "Pixels with small contributions do not become grey: call zero_small_contributions after zero_small_pixels."
        ),
    ),
    mistake(
        "fractions exchanged",
        "if pixel_fraction:\n            image = zero_small_pixels(image, pixel_fraction)",
        "if contribution_fraction:\n            image = zero_small_pixels(image, contribution_fraction)",
        "image = zero_small_contributions(image, gradient, contribution_fraction)",
        "image = zero_small_contributions(image, gradient, pixel_fraction)",
        hint="You exchange pixel_fraction and contribution_fraction.",
    ),
    mistake(
        "slope after the step",
        "before = before.detach()",
        "before = image.detach()",
        hint="Your gradient is taken at the image after the step: take it before the step.",
    ),
    mistake(
        "slope of the penalised score",
        "model(before[None])[0, target],",
        "model(before[None])[0, target] - l2_weight * (before - 0.5).square().sum(),",
        hint="You subtract the penalty before you differentiate: contributions use the gradient of the logit alone.",
    ),
    mistake(
        "contributions of the old picture",
        "zero_small_contributions(image, gradient",
        "zero_small_contributions(before.detach(), gradient",
        hint="You clip the image from before the step, so the step is lost: clip the new image.",
    ),
    mistake(
        "clamp before the clippings",
        "image = zero_small_pixels(image, pixel_fraction)",
        "image = zero_small_pixels(image.clamp(0, 1), pixel_fraction)",
        hint="You clamp before zero_small_pixels: clamp only at the very end of the step.",
    ),
    mistake(
        "jitter not undone",
        "image = image.roll((-dy, -dx), dims=(1, 2)).clamp(0, 1)",
        "image = image.clamp(0, 1)",
        hint="You never roll the image back after the step.",
    ),
    mistake(
        "jitter undone the wrong way",
        "(-dy, -dx)",
        "(dy, dx)",
        hint="You roll by the same offset again: roll back by the negative offset.",
    ),
    mistake(
        "jitter in one direction",
        "torch.randint(-jitter, jitter + 1",
        "torch.randint(0, jitter + 1",
        hint="Your offsets are never negative: draw them from -jitter to jitter.",
    ),
    mistake(
        "jitter without its end",
        "torch.randint(-jitter, jitter + 1",
        "torch.randint(-jitter, max(jitter, 1 - jitter)",
        hint="The offset +jitter never occurs: the upper bound of randint is excluded.",
    ),
    mistake(
        "jitter along the diagonal",
        "dy, dx = offset.tolist()",
        "dy = dx = offset.tolist()[0]",
        hint="You use one offset for both axes: draw one for rows and one for columns.",
    ),
    mistake(
        "jitter drawn once",
        "for step in range(1, num_steps + 1):\n        dy = dx = 0\n        if generator is not None:\n    ",
        "dy = dx = 0\n    for step in range(1, num_steps + 1):\n        if generator is not None and step == 1:\n    ",
        hint="You draw an offset in the first step only: draw one in every step.",
    ),
    mistake(
        "jitter forgotten",
        "if generator is not None:",
        "if False:",
        hint="You never roll the image: draw an offset in every step when a generator is given.",
    ),
    mistake(
        "rolled without wrapping",
        "image.roll((dy, dx), dims=(1, 2))",
        "image.roll((dy, dx), dims=(1, 2)) * (torch.arange(image.shape[1])[:, None] >= dy)",
        hint="You set the rows that wrap around to 0: roll the image, so that they come back.",
    ),
    mistake(
        "channels rolled",
        "image.roll((dy, dx), dims=(1, 2))",
        "image.roll((dy, dx), dims=(0, 2))",
        "(-dy, -dx), dims=(1, 2)",
        "(-dy, -dx), dims=(0, 2)",
        hint="You roll the channel axis: roll rows and columns only (axes 1 and 2).",
    ),
    mistake(
        "global randomness",
        "(2,), generator=generator, device=generator.device)",
        "(2,))",
        hint="You draw offsets from the global generator: draw them from the one you are given.",
    ),
    mistake(
        "parameters switched off",
        "image = start_picture",
        "model.requires_grad_(False) if isinstance(model, nn.Module) else None; image = start_picture",
        hint="After the call the network's parameters no longer require gradients: leave the network as it was.",
    ),
    mistake(
        "blur at the other steps",
        "step % blur_every == 0",
        "step % blur_every",
        hint="You blur where the remainder is not 0: blur where it is 0.",
    ),
    mistake(
        "stretched to the range",
        "return image",
        "return (image - image.min()) / (image.max() - image.min()).clamp(min=1e-8)",
        hint="You stretch the result to its minimum and maximum: do that only to show it.",
    ),
    mistake(
        "stops without a gradient",
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)",
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)\n        if torch.equal(before, image):\n            image = image.roll((-dy, -dx), dims=(1, 2))\n            break",
        hint="You stop, or skip the blur, where the gradient is zero: the other operations go on in every step.",
    ),
    mistake(
        "best picture returned",
        "image = image.roll((-dy, -dx), dims=(1, 2)).clamp(0, 1)\n    return image",
        "image = image.roll((-dy, -dx), dims=(1, 2)).clamp(0, 1)\n        score = float(model(image[None])[0, target])\n        if step == 1 or score > top:\n            top, best = score, image\n    return best if num_steps else image",
        hint="You return the picture with the best score: return the picture after the last step.",
    ),
    mistake(
        "clamped after the step",
        "l2_weight=l2_weight)\n",
        "l2_weight=l2_weight).clamp(0, 1)\n",
        hint="You clamp right after the ascent step: clamp at the end, after all other operations.",
    ),
    mistake(
        "not blurred in the last step",
        "step % blur_every == 0",
        "step % blur_every == 0 and step < num_steps",
        hint="You skip the blur in the last step: blur at every multiple of blur_every.",
    ),
    mistake(
        "blurred one step late",
        "step % blur_every == 0",
        "step > 1 and (step - 1) % blur_every == 0",
        hint="You blur one step too late: count steps from 1 and blur at multiples of blur_every.",
    ),
    mistake(
        "offsets of at most 8",
        "torch.randint(-jitter, jitter + 1",
        "torch.randint(-min(jitter, 8), min(jitter, 8) + 1",
        hint="You limit the offsets: draw them from -jitter to jitter, however large jitter is.",
    ),
    mistake(
        "small pixels only with a blur",
        "image = blur(image, blur_sigma)\n        if pixel_fraction:\n            image = zero",
        "image = blur(image, blur_sigma)\n            if pixel_fraction:\n                image = zero",
        hint="You zero small pixels only in blurred steps: do it in every step.",
    ),
    mistake(
        "contributions only with a blur",
        "if contribution_fraction:",
        "if contribution_fraction and blur_every and step % blur_every == 0:",
        hint="You zero small contributions only in blurred steps: do it in every step.",
    ),
    mistake(
        "contributions before small pixels",
        "        if pixel_fraction:\n            image = zero_small_pixels(image, pixel_fraction)\n",
        "",
        "image = zero_small_contributions(image, gradient, contribution_fraction)\n",
        "image = zero_small_contributions(image, gradient, contribution_fraction)\n        if pixel_fraction:\n            image = zero_small_pixels(image, pixel_fraction)\n",
        hint="You zero small contributions before small pixels: small pixels come first.",
    ),
    mistake(
        "small pixels although 0",
        "if pixel_fraction:",
        "if True:",
        hint="You call zero_small_pixels with fraction 0: do not call it then, it may not be written yet.",
    ),
    mistake(
        "the clipping needs a path",
        ", materialize_grads=True",
        "",
        hint="If the logit does not depend on the image, autograd raises an error: the gradient is zero there.",
    ),
    mistake(
        "slope of the probability",
        "model(before[None])[0, target],",
        "model(before[None]).softmax(dim=1)[0, target],",
        hint="You differentiate a probability: contributions use the gradient of the logit.",
    ),
    mistake(
        "contributions although 0",
        "if contribution_fraction:",
        "if True:",
        hint="You call zero_small_contributions with fraction 0: do not call it then, it may not be written yet.",
    ),
    mistake(
        "blur with sigma 0",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)",
        "image = blur(image, blur_sigma if blur_every and step % blur_every == 0 else 0.0)",
        hint="You call blur with sigma 0 in the steps between: do not call it there.",
    ),
    mistake(
        "offsets from a generator of its own",
        "    for step in range(1, num_steps + 1):\n",
        "    own = torch.Generator().manual_seed(0)\n    for step in range(1, num_steps + 1):\n",
        "generator=generator, device=generator.device)",
        "generator=own)",
        hint="You draw the offsets with a generator of your own: draw them from generator.",
    ),
    mistake(
        "no clipping without a slope",
        "            image = zero_small_contributions(",
        "            image = image if not gradient.any() else zero_small_contributions(",
        hint="You skip zero_small_contributions where the gradient is zero: call it in every step.",
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
                slope = torch.autograd.grad(model(y[None])[0, target], y, materialize_grads=True)[0]
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
            slope = torch.autograd.grad(model(x[None])[0, target], x, materialize_grads=True)[0] if contribution_fraction else None
            new = ascent_step(model, rolled, target, step_size=step_size, l2_weight=l2_weight)
            new = blur(new, blur_sigma) if blur_every and (i + 1) % blur_every == 0 else new
            if pixel_fraction:
                new = zero_small_pixels(new, pixel_fraction)
            if slope is not None:
                slope = slope / slope.norm().clamp(min=1e-30)
                new = zero_small_contributions(new, slope, contribution_fraction)
            image = new.roll(-dx, 2).roll(-dy, 1).clamp(0, 1)
        with torch.no_grad():
            model(image[None])
        return image
        """,
    ),
    variant(
        "while loop, keywords",
        body="""
        image, done = start_picture(model, image_size, generator), 0
        while done < num_steps:
            done += 1
            shift = [0, 0]
            if generator is not None and jitter > 0:
                shift = [int(torch.rand((), generator=generator) * (2 * jitter + 1)) - jitter for _ in range(2)]
            image = torch.roll(image, shifts=tuple(shift), dims=(-2, -1))
            x = image.clone().requires_grad_(True)
            (slope,) = torch.autograd.grad(model(x[None])[0, target], x, materialize_grads=True)
            image = ascent_step(model=model, image=image, target=target, step_size=step_size, l2_weight=l2_weight)
            if blur_every != 0 and done % blur_every == 0:
                image = blur(image=image, sigma=blur_sigma)
            if pixel_fraction > 0:
                image = zero_small_pixels(image=image, fraction=pixel_fraction)
            if contribution_fraction > 0:
                image = zero_small_contributions(image=image, gradient=slope, fraction=contribution_fraction)
            image = torch.roll(image, shifts=(-shift[0], -shift[1]), dims=(-2, -1))
            image = image.clamp(min=0.0, max=1.0)
        return image
        """,
    ),
)
