"""Exercise maximize_activation: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.class_visualization.shared import COUNT, OWN_BLUR

HINTS = (
    "The class score is only the last unit. What else is a number that depends on the picture?",
    (
        "ascent_step asks its network for one number. A function that takes pictures and answers with one column is a "
        "network as well."
    ),
    (
        "record_outputs gives the layer's own output, also where the next layer writes over it. A map becomes one "
        "number by adding up its places; a flat unit is one already."
    ),
    "s(I) = sum over (y, x) of a[channel, y, x](I), with a the output of the layer; then the loop of class_visualization without jitter and clippings",
)

MISTAKES = (
    mistake(
        "mean over positions",
        ".sum(dim=1, keepdim=True)",
        ".mean(dim=1, keepdim=True)",
        hint="Against the regulariser your score is too faint, the more so the larger the map: how do you join the positions?",
    ),
    mistake(
        "strongest position",
        ".sum(dim=1, keepdim=True)",
        ".amax(dim=1, keepdim=True)",
        hint="Yours excites a single place of the map; the whole channel was asked for.",
    ),
    mistake(
        "whole layer",
        "[:, channel].reshape",
        ".reshape",
        hint="All channels of the layer pull at your picture; one was asked for.",
    ),
    mistake(
        "next channel", "[:, channel]", "[:, channel - 1]", hint="A neighbour answers: from where are channels counted?"
    ),
    mistake(
        "square of the activation",
        ".sum(dim=1, keepdim=True)",
        ".square().sum(dim=1, keepdim=True)",
        hint="That is DeepDream's goal, the power of a layer; here negative values count against you.",
    ),
    mistake(
        "rectified",
        "outputs[layer][:, channel]",
        "outputs[layer][:, channel].relu()",
        hint="The layer's own values were asked for, negative ones too, not what the next one makes of them.",
    ),
    mistake(
        "aliased by an in-place ReLU",
        "with record_outputs(model, [layer]) as outputs:\n            model(images)\n",
        "outputs = {}\n        handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: outputs.update({layer: o}))\n"
        "        try:\n            model(images)\n        finally:\n            handle.remove()\n",
        hint="The layer that follows writes over what you kept: look at negative values of your copy.",
    ),
    mistake(
        "hooks pile up",
        "with record_outputs(model, [layer]) as outputs:\n            model(images)\n",
        "outputs = {}\n        model.get_submodule(layer).register_forward_hook(\n"
        "            lambda m, i, o: (outputs.update({layer: o}), o.clone())[1])\n        model(images)\n",
        hint="After the call, and after a call that failed, the network must be exactly what it was.",
    ),
    mistake(
        "descent", "keepdim=True)  #", "keepdim=True).neg()  #", hint="The channel becomes quieter from step to step."
    ),
    mistake("one step too few", "range(1, num_steps + 1)", "range(1, num_steps)", hint=COUNT),
    mistake("no clamp", "image = image.clamp(0, 1)", "pass", hint="Some of your values are no colours any more."),
    mistake(
        "clamp at the end",
        "image = image.clamp(0, 1)",
        "pass",
        "return image\n",
        "return image.clamp(0, 1)\n",
        hint="On the way the network is shown pictures that do not exist: what leaves the range must come back at once.",
    ),
    mistake(
        "blur before the step",
        "image = ascent_step(scores, image, 0, step_size=step_size, l2_weight=l2_weight)\n        "
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n        "
        "image = ascent_step(scores, image, 0, step_size=step_size, l2_weight=l2_weight)\n",
        hint="You soften first and climb afterwards: the last thing you did is left sharp.",
    ),
    mistake(
        "blur counted from zero",
        "step % blur_every == 0",
        "(step - 1) % blur_every == 0",
        hint="The first picture is softened too early: from where do you count?",
    ),
    mistake(
        "blur forgotten",
        "if blur_every and",
        "if not blur_every and",
        hint="Softening has no effect in yours, or breaks where it should never happen.",
    ),
    mistake(
        "regulariser forgotten",
        "l2_weight=l2_weight",
        "l2_weight=0.0",
        hint="The caller's weight decay is lost on the way.",
    ),
    mistake(
        "step size forgotten",
        "step_size=step_size",
        "step_size=1.0",
        hint="However far the caller wants to go in a step, yours goes equally far.",
    ),
    mistake(
        "always grey",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, None)",
        hint="With a source of randomness the first picture is not plain.",
    ),
    mistake(
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
    mistake(
        "absolute activation",
        ".sum(dim=1, keepdim=True)",
        ".abs().sum(dim=1, keepdim=True)",
        hint="Your score adds absolute activations: negative ones count against the channel.",
    ),
)

VARIANTS = (
    variant(
        "own hook and step",
        body=f"""
        image = start_picture(model, image_size, generator)
        for step in range(1, num_steps + 1):
            kept = []
            handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: (kept.append(o), o.clone())[1])
            x = image.detach().clone().requires_grad_(True)
            try:
                model(x[None])
            finally:
                handle.remove()
            score = kept[-1][0, channel].sum() - l2_weight * ((x - 0.5) ** 2).sum()
            g = torch.autograd.grad(score, x)[0]
            size = g.norm()
            image = (x + step_size * g / size).detach() if size > 0 else x.detach()
            {OWN_BLUR.strip()}
            image = image.clamp(0, 1)
        return image
        """,
    ),
    variant(
        "network with one class",
        body="""
        class OneClass(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = model
                self.eval()

            def forward(self, images):
                with record_outputs(self.inner, [layer]) as outputs:
                    self.inner(images)
                return outputs[layer][:, channel].flatten().sum().view(1, 1)

        image = start_picture(model, image_size, generator)
        for step in range(num_steps):
            image = ascent_step(OneClass(), image, 0, step_size=step_size, l2_weight=l2_weight)
            if blur_every and step % blur_every == blur_every - 1:
                image = blur(image, blur_sigma)
            image = image.clamp(0, 1)
        return image
        """,
    ),
    variant(
        "through class_visualization",
        body="""
        grey = torch.get_default_dtype()
        like = next(model.parameters())

        class OneClass(nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("like", like.detach()[:0].flatten())
                self.eval()

            def forward(self, images):
                with record_outputs(model, [layer]) as outputs:
                    model(images)
                return outputs[layer][:, channel].reshape(len(images), -1).sum(1, keepdim=True)

        return class_visualization(
            OneClass(), 0, num_steps=num_steps, image_size=image_size, step_size=step_size, l2_weight=l2_weight,
            blur_every=blur_every, blur_sigma=blur_sigma, generator=generator,
        )
        """,
    ),
)
