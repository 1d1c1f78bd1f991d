"""Right solutions of part 5 that are written in other ways."""

from coursekit.staff.edits import variant

VARIANTS = (
    variant(
        "content_loss",
        "loop",
        body="""
        total = 0
        for i in range(len(features)):
            total = total + weights[i] * torch.sum((features[i] - targets[i].detach()) ** 2)
        return total
        """,
    ),
    variant(
        "content_loss",
        "mse",
        body="""
        mse = torch.nn.functional.mse_loss
        return sum(mse(f, p.detach(), reduction="sum") * w for f, p, w in zip(features, targets, weights))
        """,
    ),
    variant(
        "content_loss",
        "expanded square",
        body="""
        total = features[0].new_zeros(())
        for feature, target, weight in zip(features, targets, weights):
            f, p = feature.flatten(), target.detach().flatten()
            total = total + weight * (f @ f - 2 * (f @ p) + p @ p)
        return total
        """,
    ),
    variant(
        "content_loss",
        "norms over one long vector",
        body="""
        parts = [(f - p.data).reshape(-1) * abs(w) ** 0.5 for f, p, w in zip(features, targets, weights)]
        signs = [torch.sign(torch.tensor(float(w))).item() for w in weights]
        return sum(s * part.dot(part) for s, part in zip(signs, parts))
        """,
    ),
    variant(
        "gram_matrix",
        "einsum",
        body="""
        gram = torch.einsum("ncyx,ndyx->ncd", features, features)
        return gram / features[0].numel() if normalize else gram
        """,
    ),
    variant(
        "gram_matrix",
        "bmm",
        body="""
        n, c, h, w = features.size()
        flat = features.reshape(n, c, h * w)
        g = torch.bmm(flat, flat.transpose(1, 2))
        if normalize:
            g = g.div(c * h * w)
        return g
        """,
    ),
    variant(
        "gram_matrix",
        "loops",
        body="""
        rows = []
        for image in features:
            channels = image.reshape(image.shape[0], -1)
            gram = torch.stack([torch.stack([(a * b).sum() for b in channels]) for a in channels])
            rows.append(gram / image.numel() if normalize else gram)
        return torch.stack(rows)
        """,
    ),
    variant(
        "gram_matrix",
        "scaled before the product",
        body="""
        divisor = features.shape[1] * features.shape[2] * features.shape[3] if normalize else 1
        flat = features.reshape(*features.shape[:2], -1) / divisor**0.5
        return torch.matmul(flat, flat.permute(0, 2, 1))
        """,
    ),
    variant(
        "gram_matrix",
        "outer products of places",
        body="""
        columns = features.permute(0, 2, 3, 1).flatten(1, 2)
        gram = (columns[..., :, None] * columns[..., None, :]).sum(dim=1)
        return gram / features[0].numel() if normalize else gram
        """,
    ),
    variant(
        "style_loss",
        "loop",
        body="""
        total = 0
        for i, feature in enumerate(features):
            total += weights[i] * ((gram_matrix(feature) - grams[i].detach()) ** 2).sum()
        return total
        """,
    ),
    variant(
        "style_loss",
        "own Gram matrix",
        body="""
        total = torch.zeros((), dtype=features[0].dtype, device=features[0].device)
        for f, a, w in zip(features, grams, weights):
            n, c, h, v = f.shape
            flat = f.reshape(n, c, -1)
            total = total + w * torch.sum((flat @ flat.transpose(1, 2) / (c * h * v) - a.data) ** 2)
        return total
        """,
    ),
    variant(
        "style_loss",
        "image by image",
        body="""
        total = 0
        for f, a, w in zip(features, grams, weights):
            a = a.detach().expand(len(f), -1, -1)
            for i in range(len(f)):
                total = total + w * (gram_matrix(f[i : i + 1], normalize=True)[0] - a[i]).pow(2).sum()
        return total
        """,
    ),
    variant(
        "style_loss",
        "raw sums divided here",
        body="""
        terms = []
        for f, a, w in zip(features, grams, weights):
            gram = gram_matrix(f, normalize=False) / (f.shape[1] * f.shape[2] * f.shape[3])
            terms.append(w * torch.nn.functional.mse_loss(gram, a.detach().expand_as(gram), reduction="sum"))
        return sum(terms)
        """,
    ),
    variant(
        "total_variation_loss",
        "diff",
        body="""
        return images.diff(dim=2).pow(2).sum() + images.diff(dim=-1).pow(2).sum()
        """,
    ),
    variant(
        "total_variation_loss",
        "roll with the seam cut",
        body="""
        down = (images - images.roll(1, 2))[:, :, 1:]
        right = (images - images.roll(1, 3))[:, :, :, 1:]
        return (down * down).sum() + (right * right).sum()
        """,
    ),
    variant(
        "total_variation_loss",
        "row by row",
        body="""
        total = 0 * images.sum()
        for y in range(1, images.shape[2]):
            total = total + ((images[:, :, y] - images[:, :, y - 1]) ** 2).sum()
        for x in range(1, images.shape[3]):
            total = total + ((images[..., x] - images[..., x - 1]) ** 2).sum()
        return total
        """,
    ),
    variant(
        "style_transfer",
        "whole batch at once, everything self-written",
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
        "style_transfer",
        "gradients of the losses added by hand",
        body="""
        def features_of(x, names):
            if not names:
                return []
            with record_outputs(model, names) as outputs:
                model(x)
            return [outputs[name] for name in names]

        targets = [f.detach() for f in features_of(content, content_layers)]
        grams = [gram_matrix(f).detach() for f in features_of(style, style_layers)]
        if not content_layers:
            model(content)
        image = (content if init is None else init).detach().clone()
        descent = make_optimizer(optimizer, image.requires_grad_(), step_size)

        def closure():
            slope = torch.zeros_like(image)
            losses = [tv_weight * total_variation_loss(image)]
            if len(content_layers) > 0:
                losses.append(content_loss(features_of(image, content_layers), targets, content_weights))
            if len(style_layers) > 0:
                losses.append(style_loss(features_of(image, style_layers), grams, style_weights))
            for loss in losses:
                slope += torch.autograd.grad(loss, image)[0]
            image.grad = slope
            return sum(loss.detach() for loss in losses)

        for _ in range(num_steps):
            descent.step(closure)
            with torch.no_grad():
                image.copy_(image.clamp(min=0, max=1))
        return image.detach()
        """,
    ),
    variant(
        "style_transfer",
        "twenty iterations before each clamp, backward on a frozen copy",
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
        x = torch.empty_like(content).copy_((content if init is None else init).detach()).requires_grad_(True)
        if optimizer == "adam":
            network = deepcopy(model).requires_grad_(False) if not hasattr(model, "shown") else model
            steps, minimiser = num_steps, torch.optim.Adam([x], step_size)
        else:
            steps, minimiser = -(-num_steps // 20), torch.optim.LBFGS([x], max_iter=20)

        def closure():
            minimiser.zero_grad()
            outputs = look(x)
            loss = tv_weight * total_variation_loss(x)
            if content_layers:
                loss = loss + content_loss([outputs[n] for n in content_layers], targets, content_weights)
            if style_layers:
                loss = loss + style_loss([outputs[n] for n in style_layers], grams, style_weights)
            (x.grad,) = torch.autograd.grad(loss, [x])
            return loss

        for _ in range(steps):
            minimiser.step(closure)
            with torch.no_grad():
                x.clamp_(0, 1)
        return x.detach()
        """,
    ),
    variant(
        "style_transfer",
        "looks at the final picture and at the start again",
        body="""
        names = list(dict.fromkeys([*content_layers, *style_layers]))

        def look(x):
            with record_outputs(model, names) as found:
                model(x)
            return found

        wanted = {name: value.detach() for name, value in look(content).items()}
        painted = {name: gram_matrix(value).detach() for name, value in look(style).items() if name in style_layers}
        start = content if init is None else init
        with torch.no_grad():
            look(start)
        results = []
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
    variant(
        "stylize",
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
        "stylize",
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
        "stylize",
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
