"""Exercise style_transfer: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.style_transfer.shared import STILL_JOINED

HINTS = (
    (
        "The network is frozen and the image is the parameter, as in part 2. New: it must match one picture's features and another picture's Gram matrices."
    ),
    (
        "Before the first step, compute the content layers' features of content and the style layers' Gram matrices of style. Keep both as constants. record_outputs gives a layer's own output."
    ),
    (
        "The optimiser's step takes a closure. It computes the loss of the current image, stores the gradient in image.grad, and returns the loss. After every step, clamp the image to [0, 1]."
    ),
    "I <- clamp(I - step(d/dI ( L_content(I) + L_style(I) + lambda L_tv(I) )), 0, 1), num_steps times",
)

MISTAKES = (
    mistake(
        "left in train mode",
        "starts = content if init is None else init",
        "starts = content if init is None else init\n    model.train()",
        hint="You put the network into train mode: leave its mode as it was.",
    ),
    mistake(
        "ascent",
        "(image.grad,) = torch.autograd.grad(loss, image)",
        "image.grad = -torch.autograd.grad(loss, image)[0]",
        hint="Your losses grow: the gradient you store in image.grad has the wrong sign.",
    ),
    mistake(
        "content forgotten",
        "loss = loss + content_loss(contents, targets, content_weights)",
        "pass",
        hint="The content loss is missing from your loss.",
    ),
    mistake(
        "style forgotten",
        "loss = loss + style_loss(textures, grams, style_weights)",
        "pass",
        hint="The style loss is missing from your loss.",
    ),
    mistake(
        "roughness forgotten",
        "loss = tv_weight * total_variation_loss(image)",
        "loss = 0 * image.sum()",
        hint="The total variation loss is missing from your loss.",
    ),
    mistake(
        "roughness without its weight",
        "tv_weight * total_variation_loss(image)",
        "total_variation_loss(image)",
        hint="You add the total variation loss without its weight: multiply it by tv_weight.",
    ),
    mistake(
        "content and style exchanged",
        "for features in look(style)[1]]",
        "for features in look(content[:1])[1]]",
        hint="Your Gram matrices come from the content picture: compute them from the style picture.",
    ),
    mistake(
        "targets from the style",
        "for features in look(picture)[0]]",
        "for features in look(torch.nn.functional.interpolate(style, picture.shape[2:]))[0]]",
        hint="Your content targets come from the style picture: compute them from the content picture.",
    ),
    mistake(
        "targets from the start",
        "for features in look(picture)[0]]",
        "for features in look(image)[0]]",
        hint="Your content targets come from the starting image: compute them from the content picture.",
    ),
    mistake(
        "targets of the picture as it is",
        "content_loss(contents, targets, content_weights)",
        "content_loss(contents, [f.detach() for f in contents], content_weights)",
        hint="Your content loss compares the image with itself: compare it with the targets.",
    ),
    mistake(
        "init ignored",
        "content if init is None else init",
        "content",
        hint="You always start from content: if init is given, start from init.",
    ),
    mistake(
        "always from grey",
        "content if init is None else init",
        "torch.full_like(content, 0.5) if init is None else init",
        hint="Without init you start from grey: start from content.",
    ),
    mistake(
        "never clamped",
        "image.detach().clamp_(0, 1)",
        "pass",
        hint="Some values lie outside [0, 1]: clamp the image after each step.",
    ),
    mistake(
        "clamped at the end only",
        "            image.detach().clamp_(0, 1)  # in the image's own memory, and unseen by autograd\n        return image.detach()",
        "        return image.detach().clamp(0, 1)",
        hint="You clamp once at the end: clamp after every step.",
    ),
    mistake(
        "loss of a clamped copy",
        "            image.detach().clamp_(0, 1)  # in the image's own memory, and unseen by autograd\n        return image.detach()",
        "        return image.detach().clamp(0, 1)",
        "contents, textures = look(image)",
        "contents, textures = look(image.clamp(0, 1))",
        hint="You compute the loss of a clamped copy: clamp the image itself, after each step.",
    ),
    mistake(
        "squashed instead of clamped",
        "image.detach().clamp_(0, 1)",
        "image.data = (image.data - image.data.min()) / (image.data.max() - image.data.min())",
        hint="You rescale the whole image to [0, 1]: clamp it instead.",
    ),
    mistake(
        "one step too few",
        "range(num_steps)",
        "range(max(num_steps - 1, 0))",
        hint="You take one step too few: take num_steps steps.",
    ),
    mistake(
        "one step too many",
        "range(num_steps)",
        "range(num_steps + 1)",
        hint="You take one step too many: take num_steps steps.",
    ),
    mistake(
        "optimiser made anew",
        "            descent.step(closure)",
        "            descent = make_optimizer(optimizer, image, step_size)\n            descent.step(closure)",
        hint="You make a new optimiser at each step, so it forgets the earlier ones: make it once.",
    ),
    mistake(
        "slopes add up",
        "(image.grad,) = torch.autograd.grad(loss, image)",
        "image.grad = torch.autograd.grad(loss, image)[0] + (0 if image.grad is None else image.grad)",
        hint="You add earlier gradients to image.grad: store the new gradient only.",
    ),
    mistake(
        "network's gradients written",
        "(image.grad,) = torch.autograd.grad(loss, image)",
        "image.grad = None\n            loss.backward()",
        hint="backward() also fills the gradients of the network's parameters: compute the image's gradient only.",
    ),
    mistake(
        "step size ignored",
        "make_optimizer(optimizer, image, step_size)",
        "make_optimizer(optimizer, image, 0.01)",
        hint="Your step size is always 0.01: use step_size.",
    ),
    mistake(
        "always Adam",
        "make_optimizer(optimizer, image, step_size)",
        'make_optimizer("adam", image, step_size)',
        hint="You always use Adam: use the optimizer that the caller names.",
    ),
    mistake(
        "wanted anew at every step",
        "contents, textures = look(image)",
        "contents, textures = look(image)\n            targets[:] = [f.detach() for f in look(picture)[0]]",
        hint="You compute the content targets at every step: compute them once, before the first step.",
    ),
    mistake(
        "style anew at every step",
        "contents, textures = look(image)",
        "contents, textures = look(image)\n            grams[:] = [gram_matrix(f).detach() for f in look(style)[1]]",
        hint="You compute the style's Gram matrices at every step: compute them once, before the first step.",
    ),
    mistake(
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
        hint="A later in-place layer overwrites the outputs your hooks keep: use record_outputs, or clone the outputs.",
    ),
    mistake(
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
        hint="Your hooks stay in the network after the call: remove them.",
    ),
    mistake(
        "style layers for content",
        "[outputs[name] for name in content_layers]",
        "[outputs[name] for name in style_layers][: len(content_layers)] or [outputs[name] for name in content_layers]",
        hint="You compute the content loss from the style layers: use content_layers.",
    ),
    mistake(
        "content layers for style",
        "[outputs[name] for name in style_layers]",
        "[outputs[name] for name in ([*content_layers, *style_layers][: len(style_layers)])]",
        hint="You compute the style loss from the content layers: use style_layers.",
    ),
    mistake(
        "summed grams for the style",
        "grams = [gram_matrix(features).detach()",
        "grams = [gram_matrix(features, normalize=False).detach()",
        hint="The style's Gram matrices are raw sums (normalize=False): normalise them.",
    ),
    mistake(
        "content cut down",
        "content.split(1), starts.split(1)",
        "content[:1].expand_as(content).split(1), starts.split(1)",
        hint="You use the first content for all images: image i has content i.",
    ),
    mistake(
        "batch mean",
        "loss = tv_weight",
        "loss = (0.5 if len(content) > 1 else 1.0) * tv_weight",
        hint="You halve the total variation loss for several images: each image is handled as if alone.",
    ),
    mistake(
        "start changed in place",
        "nn.Parameter(image.detach().clone())",
        "nn.Parameter(image.detach())",
        hint="You change the caller's starting image: optimise a copy of it.",
    ),
    mistake(
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
        hint="You return the image with the lowest loss: return the image after the last step.",
    ),
    mistake("still joined", "return image.detach()", "return image", hint=STILL_JOINED),
    mistake(
        "noise at the start",
        "nn.Parameter(image.detach().clone())",
        "nn.Parameter((image.detach() + 1e-3 * torch.randn_like(image)).clamp(0, 1))",
        hint="You add noise to the starting image: start exactly from content or init.",
    ),
    mistake(
        "content weights for style",
        "style_loss(textures, grams, style_weights)",
        "style_loss(textures, grams, [(*content_weights, *style_weights)[i] for i in range(len(style_weights))])",
        hint="You use content_weights for the style loss: use style_weights.",
    ),
    mistake(
        "content weights ignored",
        "content_loss(contents, targets, content_weights)",
        "content_loss(contents, targets, [1.0] * len(contents))",
        hint="You weight all content layers by 1: use content_weights.",
    ),
    mistake(
        "clamped to -1",
        "clamp_(0, 1)",
        "clamp_(-1, 1)",
        hint="You clamp to [-1, 1]: images lie in [0, 1].",
    ),
    mistake(
        "style subtracted",
        "loss = loss + style_loss",
        "loss = loss - style_loss",
        hint="You subtract the style loss: add it.",
    ),
    mistake(
        "all images together",
        "torch.cat([repaint(*pair) for pair in zip(content.split(1), starts.split(1), strict=True)])",
        "repaint(content, starts)",
        hint="You optimise all images together, so L-BFGS mixes them: optimise one after the other.",
    ),
    mistake(
        "all iterations in one step",
        "descent = make_optimizer(optimizer, image, step_size)",
        """steps = num_steps
        descent = make_optimizer(optimizer, image, step_size)
        if optimizer == "lbfgs":
            options = {"history_size": 20, "tolerance_grad": 0, "tolerance_change": 0}
            descent, steps = torch.optim.LBFGS([image], max_iter=max(num_steps, 1), **options), min(num_steps, 1)""",
        "range(num_steps)",
        "range(steps)",
        hint="You run all L-BFGS iterations in one step, without a clamp between: one iteration per step.",
    ),
    mistake(
        "twenty iterations a step",
        "make_optimizer(optimizer, image, step_size)",
        'torch.optim.LBFGS([image]) if optimizer == "lbfgs" else make_optimizer(optimizer, image, step_size)',
        hint="Your L-BFGS runs 20 iterations per step, torch's default: make_optimizer's runs one.",
    ),
    mistake(
        "step size for L-BFGS",
        "make_optimizer(optimizer, image, step_size)",
        'torch.optim.LBFGS([image], lr=step_size, max_iter=1) if optimizer == "lbfgs" '
        "else make_optimizer(optimizer, image, step_size)",
        hint="Your L-BFGS multiplies its steps by step_size: step_size is for Adam only.",
    ),
    mistake(
        "two steps for one",
        "            descent.step(closure)",
        "            descent.step(closure)\n            descent.step(closure)",
        hint="You call the optimizer's step twice for each of num_steps: call it once.",
    ),
    mistake(
        "default step size",
        "make_optimizer(optimizer, image, step_size)",
        "make_optimizer(optimizer, image, 0.02)",
        hint="Your step size is always 0.02: use step_size.",
    ),
    mistake(
        "layers in the network's order",
        "return [outputs[name] for name in content_layers], [outputs[name] for name in style_layers]",
        """order = [name for name, _ in model.named_modules()]
        inside = [sorted(names, key=order.index) for names in (content_layers, style_layers)]
        return [outputs[name] for name in inside[0]], [outputs[name] for name in inside[1]]""",
        hint="You take the layers in the network's order: weight i belongs to the i-th layer named.",
    ),
    mistake(
        "style weights reversed",
        "style_loss(textures, grams, style_weights)",
        "style_loss(textures, grams, list(style_weights)[::-1])",
        hint="You use style_weights in reverse order: weight i belongs to layer i.",
    ),
    mistake(
        "style weights ignored",
        "style_loss(textures, grams, style_weights)",
        "style_loss(textures, grams, [1.0] * len(textures))",
        hint="You weight all style layers by 1: use style_weights.",
    ),
    mistake(
        "roughness of the content",
        "total_variation_loss(image)",
        "total_variation_loss(picture.detach())",
        hint="You compute the total variation of the content picture: compute that of the image you optimise.",
    ),
    mistake(
        "the best picture so far",
        """        for _ in range(num_steps):
            descent.step(closure)
            image.detach().clamp_(0, 1)  # in the image's own memory, and unseen by autograd
        return image.detach()""",
        """        best, low = image.detach().clone(), float("inf")
        for _ in range(num_steps):
            before = image.detach().clone()
            value = float(descent.step(closure))
            if value < low:
                low, best = value, before
            image.detach().clamp_(0, 1)
        return image.detach() if num_steps and float(closure()) < low else best""",
        hint="You return the image with the lowest loss: return the image after the last step.",
    ),
    mistake(
        "stops when the image hardly changes",
        "            descent.step(closure)\n",
        """            before = image.detach().clone()
            descent.step(closure)
            if (image.detach() - before).abs().max() < 5e-3:
                break
""",
        hint="You stop when the image hardly changes: take all num_steps steps.",
    ),
    mistake(
        "stops when the loss hardly changes",
        """        for _ in range(num_steps):
            descent.step(closure)
""",
        """        last = float("inf")
        for _ in range(num_steps):
            value = float(descent.step(closure))
            if abs(last - value) < 1e-6 * value:
                break
            last = value
""",
        hint="You stop when the loss hardly changes: take all num_steps steps.",
    ),
    mistake(
        "content loss of no layer",
        "if content_layers:",
        "if True:",
        hint="You call content_loss without a layer, which is an error: leave the loss out if content_layers is empty.",
    ),
    mistake(
        "style loss of no layer",
        "if style_layers:",
        "if True:",
        hint="You call style_loss without a layer, which is an error: leave the loss out if style_layers is empty.",
    ),
    mistake(
        "weights exchanged",
        "content_loss(contents, targets, content_weights)",
        "content_loss(contents, targets, style_weights)",
        "style_loss(textures, grams, style_weights)",
        "style_loss(textures, grams, content_weights)",
        hint="You exchange content_weights and style_weights.",
    ),
    mistake(
        "loss of a clamped copy, clamped as well",
        "contents, textures = look(image)",
        "contents, textures = look(image.clamp(0, 1))",
        hint="You clamp inside the loss, which stops the gradient at 0 and at 1: clamp after each step only.",
    ),
    mistake(
        "style resized",
        "look(style)[1]",
        'look(torch.nn.functional.interpolate(style, content.shape[2:], mode="bilinear", align_corners=False))[1]',
        hint="You resize the style picture: take its Gram matrices at its own size.",
    ),
    mistake(
        "steps that decay",
        "            descent.step(closure)\n",
        """            descent.step(closure)
            for group in descent.param_groups:
                group["lr"] *= 0.99 if optimizer == "adam" else 1
""",
        hint="Your step size decays from step to step: keep step_size.",
    ),
    mistake(
        "first start for all images",
        "content if init is None else init",
        "content if init is None else init[:1].expand_as(content)",
        hint="You start every image from the first of init: image i starts from init i.",
    ),
    mistake(
        "start itself without steps",
        "return torch.cat([repaint",
        "if num_steps == 0:\n        return starts\n    return torch.cat([repaint",
        hint="With num_steps = 0 you return the caller's tensor itself: return a copy.",
    ),
)

VARIANTS = (
    variant(
        "whole batch at once with Adam, everything self-written",
        body="""
        layers = [*content_layers, *style_layers]

        def look(x):
            found, hooks = {}, []
            for name in layers:
                def keep(module, inputs, output, name=name):
                    found[name] = output
                    return output.clone()

                hooks.append(model.get_submodule(name).register_forward_hook(keep))
            try:
                model(x)
            finally:
                for hook in hooks:
                    hook.remove()
            return found

        def gram(f):
            rows = f.reshape(f.shape[0], f.shape[1], -1)
            return rows @ rows.transpose(1, 2) / rows[0].numel()

        with torch.no_grad():
            targets, textures = look(content), look(style)
            grams = {name: gram(textures[name]) for name in style_layers}
        if len(content) > 1 and optimizer == "lbfgs":  # its memory of slopes is one image's
            settings = {
                "content_layers": content_layers,
                "content_weights": content_weights,
                "style_layers": style_layers,
                "style_weights": style_weights,
                "tv_weight": tv_weight,
                "num_steps": num_steps,
            }
            starts = (content if init is None else init).split(1)
            pairs = zip(content.split(1), starts)
            return torch.cat([style_transfer(model, c, style, init=s, **settings) for c, s in pairs])
        x = nn.Parameter((content if init is None else init).detach().clone())
        adam = optimizer == "adam"
        minimiser = torch.optim.Adam([x], lr=step_size) if adam else torch.optim.LBFGS([x], max_iter=1)

        def closure():
            found = look(x)
            loss = tv_weight * ((x[:, :, 1:] - x[:, :, :-1]) ** 2).sum()
            loss = loss + tv_weight * ((x[..., 1:] - x[..., :-1]) ** 2).sum()
            for name, weight in zip(content_layers, content_weights):
                loss = loss + weight * ((found[name] - targets[name]) ** 2).sum()
            for name, weight in zip(style_layers, style_weights):
                loss = loss + weight * ((gram(found[name]) - grams[name]) ** 2).sum()
            x.grad = torch.autograd.grad(loss, x)[0]
            return loss

        for _ in range(num_steps):
            minimiser.step(closure)
            x.data.clamp_(0, 1)
        return x.detach().clone()
        """,
    ),
    variant(
        "gradients of the losses added by hand",
        body="""
        def features_of(x, names):
            if not names:
                return []
            with record_outputs(model, names) as outputs:
                model(x)
            return [outputs[name] for name in names]

        grams = [gram_matrix(f).detach() for f in features_of(style, style_layers)]
        if not content_layers:
            model(content)

        def losses_of(image, targets):
            losses = [tv_weight * total_variation_loss(image)]
            if len(content_layers) > 0:
                losses.append(content_loss(features_of(image, content_layers), targets, content_weights))
            if len(style_layers) > 0:
                losses.append(style_loss(features_of(image, style_layers), grams, style_weights))
            return losses

        result = (content if init is None else init).detach().clone()
        for i in range(len(content)):
            targets = [f.detach() for f in features_of(content[i : i + 1], content_layers)]
            image = result[i : i + 1].clone()
            descent = make_optimizer(optimizer, image.requires_grad_(), step_size)

            def closure():
                losses = losses_of(image, targets)
                image.grad = sum(torch.autograd.grad(loss, image)[0] for loss in losses)
                return sum(loss.detach() for loss in losses)

            for _ in range(num_steps):
                descent.step(closure)
                with torch.no_grad():
                    image.copy_(image.clamp(min=0, max=1))
            result[i] = image[0].detach()
        return result
        """,
    ),
    variant(
        "an L-BFGS of its own for each image, on a frozen copy",
        body="""
        from copy import deepcopy

        network = deepcopy(model).requires_grad_(False)

        def look(x):
            with record_outputs(network, {*content_layers, *style_layers}) as outputs:
                network(x)
            return outputs

        with torch.no_grad(), record_outputs(model, [*content_layers, *style_layers]) as outputs:
            model(content)
            targets = [outputs[name].clone() for name in content_layers]
            model(style)
            grams = [gram_matrix(outputs[name]) for name in style_layers]
        painted = []
        for i, start in enumerate((content if init is None else init).detach()):
            x = torch.empty_like(start[None]).copy_(start).requires_grad_(True)
            if optimizer == "adam":
                minimiser = torch.optim.Adam([x], step_size)
            else:
                minimiser = torch.optim.LBFGS([x], max_iter=1)

            def closure():
                minimiser.zero_grad()
                outputs = look(x)
                loss = tv_weight * total_variation_loss(x)
                if content_layers:
                    mine = [target[i : i + 1] for target in targets]
                    loss = loss + content_loss([outputs[n] for n in content_layers], mine, content_weights)
                if style_layers:
                    loss = loss + style_loss([outputs[n] for n in style_layers], grams, style_weights)
                loss.backward()
                return loss

            for _ in range(num_steps):
                minimiser.step(closure)
                with torch.no_grad():
                    x.clamp_(0, 1)
            painted.append(x[0].detach())
        return torch.stack(painted)
        """,
    ),
    variant(
        "looks at the final picture and at the start again",
        body="""
        names = list(dict.fromkeys([*content_layers, *style_layers]))

        def look(x):
            with record_outputs(model, names) as found:
                model(x)
            return found

        painted = {name: gram_matrix(value).detach() for name, value in look(style).items() if name in style_layers}
        start = content if init is None else init
        if len(content) > 1:
            settings = {
                "content_layers": content_layers,
                "content_weights": content_weights,
                "style_layers": style_layers,
                "style_weights": style_weights,
                "tv_weight": tv_weight,
                "num_steps": num_steps,
                "optimizer": optimizer,
                "step_size": step_size,
            }
            singles = [(content[i : i + 1], start[i : i + 1]) for i in range(len(content))]
            return torch.cat([style_transfer(model, one, style, init=its_start, **settings) for one, its_start in singles])
        wanted = {name: value.detach() for name, value in look(content).items()}
        with torch.no_grad():
            look(start)
        x = start.detach().clone().requires_grad_()
        descent = make_optimizer(name=optimizer, image=x, step_size=step_size)

        def closure():
            found, loss = look(x), total_variation_loss(x) * tv_weight
            if style_layers:
                loss = loss + style_loss(
                    features=[found[n] for n in style_layers], grams=[painted[n] for n in style_layers],
                    weights=style_weights,
                )
            if content_layers:
                loss = loss + content_loss(
                    features=[found[n] for n in content_layers], targets=[wanted[n] for n in content_layers],
                    weights=content_weights,
                )
            x.grad = torch.autograd.grad(loss, x)[0]
            return loss

        step = 0
        while step < num_steps:
            descent.step(closure)
            x.data = x.data.clamp(0, 1)
            step += 1
        with torch.no_grad():
            look(x)
        return x.detach().clone()
        """,
    ),
)
