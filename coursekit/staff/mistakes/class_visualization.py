"""Mistakes of part 2, as learners make them."""

from coursekit.staff.edits import mistake
from coursekit.staff.mistakes import class_visualization_priors
from coursekit.staff.mistakes.class_visualization_priors import CALLERS, DRAGS

PRE_SOFTMAX = (
    "The lecture climbs the score before it becomes a probability: that one also rises when other classes fall."
)
COUNT = "Count how often the picture moves, and compare with how often it should."
WORLD = "Your randomness comes from somewhere else than the source that the caller handed over."
OWN_SEED = "The caller's source of randomness decides; yours gives the same numbers to every caller."

ASCENT_STEP = (
    mistake(
        "ascent_step",
        "descent",
        "image + step_size",
        "image - step_size",
        hint="The score falls: in which direction does a hill rise?",
    ),
    mistake(
        "ascent_step",
        "penalty rewarded",
        "- l2_weight",
        "+ l2_weight",
        hint="The stronger the regulariser, the further your picture runs away from grey.",
    ),
    mistake(
        "ascent_step",
        "penalty not squared",
        ".square().sum()",
        ".norm()",
        hint="Your regulariser pulls equally hard near grey and far from it: look at its exponent.",
    ),
    mistake(
        "ascent_step",
        "penalty halved",
        "- l2_weight * penalty",
        "- l2_weight / 2 * penalty",
        hint="Your regulariser pulls half as hard as the formula says; weight decay in optimisers has another factor.",
    ),
    mistake(
        "ascent_step",
        "penalty averaged",
        ".square().sum()",
        ".square().mean()",
        hint="Your regulariser is fainter the more pixels there are.",
    ),
    mistake(
        "ascent_step",
        "penalty from black",
        "(image - 0.5)",
        "image",
        hint="Your regulariser pulls the picture towards black instead of towards grey.",
    ),
    mistake(
        "ascent_step",
        "score cut off",
        "model(image[None])",
        "model(image[None].detach())",
        hint="The score has no say in your direction: was it computed from the picture that autograd follows?",
    ),
    mistake(
        "ascent_step",
        "penalty beside the step",
        "- l2_weight * penalty",
        "- 0 * penalty",
        "(image + step_size * gradient",
        "(image - 2 * step_size * l2_weight * (image - 0.5) + step_size * gradient",
        hint="Your step gets longer or shorter with the penalty: it belongs into the number that is climbed.",
    ),
    mistake(
        "ascent_step",
        "penalty without slope",
        "(image - 0.5)",
        "(image.detach() - 0.5)",
        hint="However strong the regulariser, you take the same step: is it forgotten, or has it a value and no slope?",
    ),
    mistake(
        "ascent_step",
        "parameters regularised",
        "(image - 0.5).square().sum()",
        "sum(p.square().sum() for p in model.parameters()) + 0 * image.sum()",
        hint="It is the picture that should stay small here; the weights are not what is being changed.",
    ),
    mistake(
        "ascent_step",
        "raw slope",
        "torch.where(length > 0, length, 1)",
        "1",
        hint="Your step is long on steep slopes and short on flat ones; it should always be equally long.",
    ),
    mistake(
        "ascent_step",
        "sign of the slope",
        "step_size * gradient / torch.where(length > 0, length, 1)",
        "step_size * gradient.sign()",
        hint="Every value moves by the same amount in your step: that belongs to part 3; here strong slopes move more.",
    ),
    mistake(
        "ascent_step",
        "divided by the square",
        "length = gradient.norm()",
        "length = gradient.square().sum()",
        hint="The steeper the slope, the shorter your step: one power too many, or a root too few.",
    ),
    mistake(
        "ascent_step",
        "channels apart",
        "length = gradient.norm()",
        "length = gradient.norm(dim=(1, 2), keepdim=True)",
        hint="Your step has the wanted size in each colour separately; it is the whole picture that counts.",
    ),
    mistake(
        "ascent_step",
        "largest entry",
        "length = gradient.norm()",
        "length = gradient.abs().max()",
        hint="You measure by the largest single value; the size asked for is the Euclidean one, over all values.",
    ),
    mistake(
        "ascent_step",
        "root mean square",
        "length = gradient.norm()",
        "length = gradient.square().mean().sqrt()",
        hint="Your step grows with the number of pixels: as in some codes for DeepDream, but not as here.",
    ),
    mistake(
        "ascent_step",
        "epsilon",
        "torch.where(length > 0, length, 1)",
        "(length + 1e-8)",
        hint="A safety margin in the denominator: on very faint slopes your step shrinks to nothing.",
    ),
    mistake(
        "ascent_step",
        "zero by zero",
        "torch.where(length > 0, length, 1)",
        "length",
        hint="What becomes of your step if the network does not react at all?",
    ),
    mistake(
        "ascent_step",
        "step size ignored",
        "step_size * gradient",
        "gradient",
        hint="However far the caller wants to go, you always go equally far.",
    ),
    mistake("ascent_step", "probability", "model(image[None])", "model(image[None]).softmax(dim=1)", hint=PRE_SOFTMAX),
    mistake(
        "ascent_step",
        "log-probability",
        "model(image[None])",
        "model(image[None]).log_softmax(dim=1)",
        hint="Your step also pushes all other classes down: climb one score, not a loss.",
    ),
    mistake(
        "ascent_step",
        "largest score",
        "model(image[None])[0, target]",
        "model(image[None]).max()",
        hint="You climb whichever class leads; the caller chose another.",
    ),
    mistake(
        "ascent_step",
        "clamped",
        "1)).detach()",
        "1)).detach().clamp(0, 1)",
        hint="The step alone was asked for; to keep it in range is the caller's business.",
    ),
    mistake(
        "ascent_step",
        "caller's picture",
        "image = image.detach().requires_grad_()",
        "image.requires_grad_()",
        hint=CALLERS,
    ),
    mistake(
        "ascent_step",
        "in place",
        "return (image + step_size * gradient / torch.where(length > 0, length, 1)).detach()",
        "with torch.no_grad():\n        image += step_size * gradient / torch.where(length > 0, length, 1)\n    return image.detach()",
        hint="The picture that you were given moves with yours: they share their memory.",
    ),
    mistake(
        "ascent_step",
        "backward fills the parameters",
        "(gradient,) = torch.autograd.grad(objective, image)",
        "objective.backward(); gradient = image.grad",
        hint="The network's own slots were filled on the way: one derivative was wanted, not all of them.",
    ),
    mistake("ascent_step", "still in the graph", "1)).detach()", "1))", hint=DRAGS),
)

CLASS_VISUALIZATION = (
    mistake(
        "class_visualization",
        "one step too few",
        "range(1, num_steps + 1)",
        "range(1, num_steps)",
        hint=COUNT,
    ),
    mistake(
        "class_visualization",
        "slope at the picture before the roll",
        "model(before[None])[0, target], before",
        "model(before.roll((-dy, -dx), dims=(1, 2))[None])[0, target], before",
        hint="With jitter and contributions together: the slope and the picture that is clipped have to lie on each other.",
    ),
    mistake(
        "class_visualization",
        "stops when it is sure",
        "        dy = dx = 0\n",
        "        if step > 1 and model(image[None]).softmax(1)[0, target] > 0.99:\n            break\n        dy = dx = 0\n",
        hint="You stop when the network is sure; the number of steps is given, and a score has no top.",
    ),
    mistake(
        "class_visualization",
        "one step too many",
        "range(1, num_steps + 1)",
        "range(1, num_steps + 2)",
        hint=COUNT + " Yours moves even when it should return the start.",
    ),
    mistake(
        "class_visualization",
        "starts black",
        "image = start_picture(model, image_size, generator)",
        "image = start_picture(model, image_size, generator) - 0.5",
        hint="Your first picture is black: which one was agreed on?",
    ),
    mistake(
        "class_visualization",
        "always noise",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, generator or torch.Generator().manual_seed(0))",
        hint="Nobody asked for randomness here, and your start is not plain.",
    ),
    mistake(
        "class_visualization",
        "always grey",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, None)",
        hint="With a source of randomness the first picture is not plain.",
    ),
    mistake(
        "class_visualization",
        "own generator",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, generator and torch.Generator().manual_seed(0))",
        hint=OWN_SEED,
    ),
    mistake(
        "class_visualization",
        "square picture",
        "image_size, generator)",
        "(image_size[0], image_size[0]), generator)",
        hint="Height and width may differ.",
    ),
    mistake(
        "class_visualization",
        "float32",
        "image = start_picture(model, image_size, generator)",
        "image = start_picture(model, image_size, generator).float().double()[:, :, :].float()",
        hint="The number format of the result is not the network's.",
    ),
    mistake(
        "class_visualization",
        "no clamp",
        ".clamp(0, 1)\n",
        "\n",
        hint="Some of your values are no colours any more.",
    ),
    mistake(
        "class_visualization",
        "clamp at the end",
        ".clamp(0, 1)\n",
        "\n",
        "return image",
        "return image.clamp(0, 1)",
        hint="On the way the network is shown pictures that do not exist: what leaves the range must come back at once.",
    ),
    mistake(
        "class_visualization",
        "steps from the start",
        "for step in range(1, num_steps + 1):\n",
        "start = image\n    for step in range(1, num_steps + 1):\n        image = start\n",
        hint="Every step begins at the same place: what does the next one build on?",
    ),
    mistake(
        "class_visualization",
        "two steps at once",
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)",
        "for _ in range(2): image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)",
        hint="Between two pictures in range yours moves twice.",
    ),
    mistake(
        "class_visualization",
        "step size forgotten",
        "step_size=step_size",
        "step_size=1.0",
        hint="However far the caller wants to go in a step, yours goes equally far.",
    ),
    mistake(
        "class_visualization",
        "regulariser forgotten",
        "l2_weight=l2_weight",
        "l2_weight=0.0",
        hint="The caller's weight decay is lost on the way.",
    ),
    mistake(
        "class_visualization",
        "steps shrink",
        "step_size=step_size",
        "step_size=step_size / step",
        hint="Your steps become shorter and shorter; nobody asked for a schedule.",
    ),
    mistake(
        "class_visualization",
        "blur counted from zero",
        "step % blur_every == 0",
        "(step - 1) % blur_every == 0",
        hint="The first picture is softened too early: from where do you count?",
    ),
    mistake(
        "class_visualization",
        "blur always",
        "if blur_every and step % blur_every == 0:",
        "if blur_every:",
        hint="Yours softens the picture each time, however seldom it was asked for.",
    ),
    mistake(
        "class_visualization",
        "blur never",
        "if blur_every and step % blur_every == 0:",
        "if False:",
        hint="One of the tricks has no effect in yours: switch them on one by one.",
    ),
    mistake(
        "class_visualization",
        "blur divides by zero",
        "if blur_every and step",
        "if step",
        hint="There is a setting that means never; yours breaks at it.",
    ),
    mistake(
        "class_visualization",
        "blur at the end only",
        "if blur_every and step % blur_every == 0:",
        "if blur_every and step == num_steps:",
        hint="Softening the last picture only makes it softer; softening on the way changes where the ascent goes.",
    ),
    mistake(
        "class_visualization",
        "blur of fixed width",
        "blur(image, blur_sigma)",
        "blur(image, 0.5)",
        hint="The caller also says how wide the bell is.",
    ),
    mistake(
        "class_visualization",
        "blur before the step",
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)\n        "
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n        "
        "image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)\n",
        hint="You soften first and climb afterwards: the last thing you did is left sharp.",
    ),
    mistake(
        "class_visualization",
        "small pixels forgotten",
        "zero_small_pixels(image, pixel_fraction)",
        "image",
        hint="What reaches the second clipping has not been through the first: is that one there, and in its place?",
    ),
    mistake(
        "class_visualization",
        "small pixels before the blur",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n        "
        "image = zero_small_pixels(image, pixel_fraction)\n",
        "image = zero_small_pixels(image, pixel_fraction)\n        "
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n",
        hint="What you cut away is smeared back in a moment later.",
    ),
    mistake(
        "class_visualization",
        "contributions forgotten",
        "if contribution_fraction:",
        "if False:",
        hint="The second of the two clippings has no effect in yours: switch them on one by one.",
    ),
    mistake(
        "class_visualization",
        "fractions exchanged",
        "zero_small_pixels(image, pixel_fraction)",
        "zero_small_pixels(image, contribution_fraction)",
        "image = zero_small_contributions(image, gradient, contribution_fraction)",
        "image = zero_small_contributions(image, gradient, pixel_fraction)",
        hint="Each clipping has a share of its own; you have them the other way round.",
    ),
    mistake(
        "class_visualization",
        "slope after the step",
        "before = before.detach()",
        "before = image.detach()",
        hint="You ask for the slope where the picture has already moved away from.",
    ),
    mistake(
        "class_visualization",
        "slope of the penalised score",
        "model(before[None])[0, target],",
        "model(before[None])[0, target] - l2_weight * (before - 0.5).square().sum(),",
        hint="What a pixel contributes is asked of the network alone, not of the regulariser.",
    ),
    mistake(
        "class_visualization",
        "contributions of the old picture",
        "zero_small_contributions(image, gradient",
        "zero_small_contributions(before.detach(), gradient",
        hint="With the clipping your step is lost: which of the two pictures is to be clipped?",
    ),
    mistake(
        "class_visualization",
        "clamp before the clippings",
        "image = zero_small_pixels(image, pixel_fraction)",
        "image = zero_small_pixels(image.clamp(0, 1), pixel_fraction)",
        hint="You cut the colours into range too early: that comes last.",
    ),
    mistake(
        "class_visualization",
        "jitter not undone",
        "image = image.roll((-dy, -dx), dims=(1, 2)).clamp(0, 1)",
        "image = image.clamp(0, 1)",
        hint="Your picture wanders: what was moved for the step must come back after it.",
    ),
    mistake(
        "class_visualization",
        "jitter undone the wrong way",
        "(-dy, -dx)",
        "(dy, dx)",
        hint="The way back is the way there, a second time: your picture ends up twice as far.",
    ),
    mistake(
        "class_visualization",
        "jitter in one direction",
        "torch.randint(-jitter, jitter + 1",
        "torch.randint(0, jitter + 1",
        hint="Your picture is only ever moved down and to the right.",
    ),
    mistake(
        "class_visualization",
        "jitter without its end",
        "torch.randint(-jitter, jitter + 1",
        "torch.randint(-jitter, max(jitter, 1 - jitter)",
        hint="The largest move never happens: does your range include its upper end?",
    ),
    mistake(
        "class_visualization",
        "jitter along the diagonal",
        "dy, dx = offset.tolist()",
        "dy = dx = offset.tolist()[0]",
        hint="Your picture only ever moves along its diagonal.",
    ),
    mistake(
        "class_visualization",
        "jitter drawn once",
        "for step in range(1, num_steps + 1):\n        dy = dx = 0\n        if generator is not None:\n    ",
        "dy = dx = 0\n    for step in range(1, num_steps + 1):\n        if generator is not None and step == 1:\n    ",
        hint="Your picture trembles once, at the beginning.",
    ),
    mistake(
        "class_visualization",
        "jitter forgotten",
        "if generator is not None:",
        "if False:",
        hint="Your picture never moves sideways.",
    ),
    mistake(
        "class_visualization",
        "rolled without wrapping",
        "image.roll((dy, dx), dims=(1, 2))",
        "image.roll((dy, dx), dims=(1, 2)) * (torch.arange(image.shape[1])[:, None] >= dy)",
        hint="What leaves on one side comes back on the other; in yours it is lost.",
    ),
    mistake(
        "class_visualization",
        "channels rolled",
        "image.roll((dy, dx), dims=(1, 2))",
        "image.roll((dy, dx), dims=(0, 2))",
        "(-dy, -dx), dims=(1, 2)",
        "(-dy, -dx), dims=(0, 2)",
        hint="In yours colours change places instead of rows.",
    ),
    mistake(
        "class_visualization",
        "global randomness",
        "(2,), generator=generator, device=generator.device)",
        "(2,))",
        hint=WORLD,
    ),
    mistake(
        "class_visualization",
        "parameters switched off",
        "image = start_picture",
        "model.requires_grad_(False) if isinstance(model, nn.Module) else None; image = start_picture",
        hint="The network comes back with its parameters frozen.",
    ),
)

MAXIMIZE_ACTIVATION = (
    mistake(
        "maximize_activation",
        "mean over positions",
        ".sum(dim=1, keepdim=True)",
        ".mean(dim=1, keepdim=True)",
        hint="Against the regulariser your score is too faint, the more so the larger the map: how do you join the positions?",
    ),
    mistake(
        "maximize_activation",
        "strongest position",
        ".sum(dim=1, keepdim=True)",
        ".amax(dim=1, keepdim=True)",
        hint="Yours excites a single place of the map; the whole channel was asked for.",
    ),
    mistake(
        "maximize_activation",
        "whole layer",
        "[:, channel].reshape",
        ".reshape",
        hint="All channels of the layer pull at your picture; one was asked for.",
    ),
    mistake(
        "maximize_activation",
        "next channel",
        "[:, channel]",
        "[:, channel - 1]",
        hint="A neighbour answers: from where are channels counted?",
    ),
    mistake(
        "maximize_activation",
        "square of the activation",
        ".sum(dim=1, keepdim=True)",
        ".square().sum(dim=1, keepdim=True)",
        hint="That is DeepDream's goal, the power of a layer; here negative values count against you.",
    ),
    mistake(
        "maximize_activation",
        "rectified",
        "outputs[layer][:, channel]",
        "outputs[layer][:, channel].relu()",
        hint="The layer's own values were asked for, negative ones too, not what the next one makes of them.",
    ),
    mistake(
        "maximize_activation",
        "aliased by an in-place ReLU",
        "with record_outputs(model, [layer]) as outputs:\n            model(images)\n",
        "outputs = {}\n        handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: outputs.update({layer: o}))\n"
        "        try:\n            model(images)\n        finally:\n            handle.remove()\n",
        hint="The layer that follows writes over what you kept: look at negative values of your copy.",
    ),
    mistake(
        "maximize_activation",
        "hooks pile up",
        "with record_outputs(model, [layer]) as outputs:\n            model(images)\n",
        "outputs = {}\n        model.get_submodule(layer).register_forward_hook(\n"
        "            lambda m, i, o: (outputs.update({layer: o}), o.clone())[1])\n        model(images)\n",
        hint="After the call, and after a call that failed, the network must be exactly what it was.",
    ),
    mistake(
        "maximize_activation",
        "descent",
        "keepdim=True)  #",
        "keepdim=True).neg()  #",
        hint="The channel becomes quieter from step to step.",
    ),
    mistake(
        "maximize_activation",
        "one step too few",
        "range(1, num_steps + 1)",
        "range(1, num_steps)",
        hint=COUNT,
    ),
    mistake(
        "maximize_activation",
        "no clamp",
        "image = image.clamp(0, 1)",
        "pass",
        hint="Some of your values are no colours any more.",
    ),
    mistake(
        "maximize_activation",
        "clamp at the end",
        "image = image.clamp(0, 1)",
        "pass",
        "return image\n",
        "return image.clamp(0, 1)\n",
        hint="On the way the network is shown pictures that do not exist: what leaves the range must come back at once.",
    ),
    mistake(
        "maximize_activation",
        "blur before the step",
        "image = ascent_step(scores, image, 0, step_size=step_size, l2_weight=l2_weight)\n        "
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n        "
        "image = ascent_step(scores, image, 0, step_size=step_size, l2_weight=l2_weight)\n",
        hint="You soften first and climb afterwards: the last thing you did is left sharp.",
    ),
    mistake(
        "maximize_activation",
        "blur counted from zero",
        "step % blur_every == 0",
        "(step - 1) % blur_every == 0",
        hint="The first picture is softened too early: from where do you count?",
    ),
    mistake(
        "maximize_activation",
        "blur forgotten",
        "if blur_every and",
        "if not blur_every and",
        hint="Softening has no effect in yours, or breaks where it should never happen.",
    ),
    mistake(
        "maximize_activation",
        "regulariser forgotten",
        "l2_weight=l2_weight",
        "l2_weight=0.0",
        hint="The caller's weight decay is lost on the way.",
    ),
    mistake(
        "maximize_activation",
        "step size forgotten",
        "step_size=step_size",
        "step_size=1.0",
        hint="However far the caller wants to go in a step, yours goes equally far.",
    ),
    mistake(
        "maximize_activation",
        "always grey",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, None)",
        hint="With a source of randomness the first picture is not plain.",
    ),
    mistake(
        "maximize_activation",
        "stale activation",
        body="""
        image = start_picture(model, image_size, generator)
        images = image[None].detach().requires_grad_()
        with record_outputs(model, [layer]) as outputs:
            model(images)
        score = outputs[layer][:, channel].sum()
        for step in range(1, num_steps + 1):
            (slope,) = torch.autograd.grad(score, images, retain_graph=True, materialize_grads=True)
            slope = slope[0] - 2 * l2_weight * (image - 0.5)
            length = slope.norm()
            image = image + step_size * slope / torch.where(length > 0, length, 1)
            if blur_every and step % blur_every == 0:
                image = blur(image, blur_sigma)
            image = image.clamp(0, 1)
        return image
        """,
        hint="You go on with what was said about your first picture: ask anew after every step.",
    ),
    mistake(
        "maximize_activation",
        "dead channel",
        body="""
        image = start_picture(model, image_size, generator)
        for step in range(1, num_steps + 1):
            images = image[None].detach().requires_grad_()
            with record_outputs(model, [layer]) as outputs:
                model(images)
            score = outputs[layer][:, channel].sum() - l2_weight * (images - 0.5).square().sum()
            (slope,) = torch.autograd.grad(score, images)
            image = image + step_size * slope[0] / slope.norm()
            if blur_every and step % blur_every == 0:
                image = blur(image, blur_sigma)
            image = image.clamp(0, 1)
        return image
        """,
        hint="What happens in yours with a channel that no pixel can move?",
    ),
)

MISTAKES = (
    *ASCENT_STEP,
    *CLASS_VISUALIZATION,
    *MAXIMIZE_ACTIVATION,
    *class_visualization_priors.MISTAKES,
)
