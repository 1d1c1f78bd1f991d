"""Exercise maximize_activation: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.class_visualization.shared import OWN_BLUR

HINTS = (
    "A class score is only one unit of the network. Any other unit is a number that depends on the image, too.",
    (
        "ascent_step differentiates one column of its network's output. A function that takes images and "
        "returns one column can serve as that network."
    ),
    (
        "record_outputs gives the layer's own output, even if the next layer overwrites it. Sum a map over "
        "its places. A flat unit is one number already."
    ),
    "s(I) = sum over (y, x) of a[channel, y, x](I), with a the output of the layer; then the loop of class_visualization without jitter and clippings",
)

MISTAKES = (
    mistake(
        "mean over positions",
        ".sum(dim=1, keepdim=True)",
        ".mean(dim=1, keepdim=True)",
        hint="You average over the places of the map: sum over them.",
    ),
    mistake(
        "strongest position",
        ".sum(dim=1, keepdim=True)",
        ".amax(dim=1, keepdim=True)",
        hint="You take the maximum over the places of the map: sum over them.",
    ),
    mistake(
        "whole layer",
        "[:, channel].reshape",
        ".reshape",
        hint="You sum over all channels of the layer: use the given channel only.",
    ),
    mistake(
        "next channel",
        "[:, channel]",
        "[:, channel - 1]",
        hint="You use the channel before the given one: channels are counted from 0.",
    ),
    mistake(
        "square of the activation",
        ".sum(dim=1, keepdim=True)",
        ".square().sum(dim=1, keepdim=True)",
        hint="You square the activation, as DeepDream does: sum it as it is.",
    ),
    mistake(
        "rectified",
        "outputs[layer][:, channel]",
        "outputs[layer][:, channel].relu()",
        hint="You apply ReLU to the layer's output: use the output as it is, with negative values.",
    ),
    mistake(
        "aliased by an in-place ReLU",
        "with record_outputs(model, [layer]) as outputs:\n            model(images)\n",
        "outputs = {}\n        handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: outputs.update({layer: o}))\n"
        "        try:\n            model(images)\n        finally:\n            handle.remove()\n",
        hint="The in-place ReLU after the layer overwrites the output that your hook kept: use record_outputs.",
    ),
    mistake(
        "hooks pile up",
        "with record_outputs(model, [layer]) as outputs:\n            model(images)\n",
        "outputs = {}\n        model.get_submodule(layer).register_forward_hook(\n"
        "            lambda m, i, o: (outputs.update({layer: o}), o.clone())[1])\n        model(images)\n",
        hint="Every call leaves one more hook on the layer: remove it after the forward pass.",
    ),
    mistake(
        "descent",
        "keepdim=True)  #",
        "keepdim=True).neg()  #",
        hint="You negate the score, so the activation falls: do not negate it.",
    ),
    mistake(
        "one step too few",
        "range(1, num_steps + 1)",
        "range(1, num_steps)",
        hint="You take num_steps - 1 steps: the end of range is excluded.",
    ),
    mistake(
        "no clamp",
        "image = image.clamp(0, 1)",
        "pass",
        hint="Your values leave [0, 1]: clamp the image after every step.",
    ),
    mistake(
        "clamp at the end",
        "image = image.clamp(0, 1)",
        "pass",
        "return image\n",
        "return image.clamp(0, 1)\n",
        hint="You clamp only once, at the end: clamp after every step.",
    ),
    mistake(
        "blur before the step",
        "image = ascent_step(scores, image, 0, step_size=step_size, l2_weight=l2_weight)\n        "
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)\n        "
        "image = ascent_step(scores, image, 0, step_size=step_size, l2_weight=l2_weight)\n",
        hint="You blur before the ascent step: blur after it.",
    ),
    mistake(
        "blur counted from zero",
        "step % blur_every == 0",
        "(step - 1) % blur_every == 0",
        hint="You blur one step too early: count steps from 1 and blur at multiples of blur_every.",
    ),
    mistake(
        "blur forgotten",
        "if blur_every and",
        "if not blur_every and",
        hint="With blur_every 0 you divide by zero: then there is no blur, and with more there is one.",
    ),
    mistake(
        "regulariser forgotten",
        "l2_weight=l2_weight",
        "l2_weight=0.0",
        hint="You always use l2_weight = 0: pass on the caller's l2_weight.",
    ),
    mistake(
        "step size forgotten",
        "step_size=step_size",
        "step_size=1.0",
        hint="You always use step_size = 1: pass on the caller's step_size.",
    ),
    mistake(
        "always grey",
        "start_picture(model, image_size, generator)",
        "start_picture(model, image_size, None)",
        hint="You ignore the generator at the start: with a generator, start from noise.",
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
        hint=(
            "You differentiate the activation of the first image in every step: run the network again in every step."
        ),
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
        hint=("If the gradient is zero everywhere, you divide by a norm of zero: leave the image unchanged."),
    ),
    mistake(
        "absolute activation",
        ".sum(dim=1, keepdim=True)",
        ".abs().sum(dim=1, keepdim=True)",
        hint="You sum absolute activations: sum them with their sign.",
    ),
    mistake(
        "stops without a gradient",
        "image = ascent_step(scores, image, 0, step_size=step_size, l2_weight=l2_weight)",
        "before = image\n        image = ascent_step(scores, image, 0, step_size=step_size, l2_weight=l2_weight)\n        if torch.equal(before, image):\n            break",
        hint="You stop, or skip the blur, where the gradient is zero: blur and clamp go on in every step.",
    ),
    mistake(
        "clamped after the step",
        "l2_weight=l2_weight)\n",
        "l2_weight=l2_weight).clamp(0, 1)\n",
        hint="You clamp right after the ascent step: clamp at the end, after the blur.",
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
        "blur always",
        "if blur_every and step % blur_every == 0:",
        "if blur_every:",
        hint="You blur after every step: blur only at multiples of blur_every.",
    ),
    mistake(
        "needs a path to the image",
        body="""
        image = start_picture(model, image_size, generator)
        for step in range(1, num_steps + 1):
            images = image[None].detach().requires_grad_()
            with record_outputs(model, [layer]) as outputs:
                model(images)
            (slope,) = torch.autograd.grad(outputs[layer][:, channel].sum(), images)
            slope = slope[0] - 2 * l2_weight * (image - 0.5)
            length = slope.norm()
            image = image + step_size * slope / torch.where(length > 0, length, 1)
            if blur_every and step % blur_every == 0:
                image = blur(image, blur_sigma)
            image = image.clamp(0, 1)
        return image
        """,
        hint="If the channel does not depend on the image, autograd raises an error: its gradient is zero there.",
    ),
    mistake(
        "all channels up to it",
        "outputs[layer][:, channel]",
        "outputs[layer][:, : channel + 1]",
        hint="You sum the channels before the given one too: take the given channel alone.",
    ),
    mistake(
        "maps alone",
        ".reshape(len(images), -1).sum(dim=1, keepdim=True)",
        ".sum(dim=(1, 2))[:, None]",
        hint="You sum over rows and columns, which a flat layer (N, C) does not have: there, take the unit itself.",
    ),
    mistake(
        "blur with sigma 0",
        "if blur_every and step % blur_every == 0:\n            image = blur(image, blur_sigma)",
        "image = blur(image, blur_sigma if blur_every and step % blur_every == 0 else 0.0)",
        hint="You call blur with sigma 0 in the steps between: do not call it there.",
    ),
    mistake(
        "no step without a slope of the channel",
        "        image = ascent_step(scores,",
        "        probe = image.detach().clone().requires_grad_()\n        flat = not torch.autograd.grad(scores(probe[None]).sum(), probe, materialize_grads=True)[0].any()\n        image = image if flat else ascent_step(scores,",
        hint="You take no step where the channel has no slope, but the penalty still has one.",
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
