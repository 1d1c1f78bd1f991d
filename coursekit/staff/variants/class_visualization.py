"""Right solutions of part 2 that are written in other ways."""

from coursekit.staff.edits import variant

OWN_STEP = """
            x = image.detach().clone().requires_grad_(True)
            score = model(x.unsqueeze(0))[0, target] - l2_weight * ((x - 0.5) ** 2).sum()
            g = torch.autograd.grad(score, x)[0]
            size = g.pow(2).sum().sqrt()
            image = (x + step_size / size * g).detach() if size > 0 else image
"""

OWN_BLUR = """
            if blur_every > 0 and step % blur_every == 0:
                r = int(4 * blur_sigma) + 1
                d = torch.arange(-r, r + 1).to(image)
                bell = torch.exp(-(d**2) / (2 * blur_sigma**2))
                bell = torch.outer(bell, bell) / bell.sum() ** 2
                image = F.conv2d(F.pad(image[None], (r, r, r, r), mode="replicate"), bell.expand(3, 1, -1, -1), groups=3)[0]
"""

VARIANTS = (
    variant(
        "ascent_step",
        "gradient of the penalty by hand",
        body="""
        x = image.detach().clone().requires_grad_(True)
        g = torch.autograd.grad(model(x.unsqueeze(0))[:, target].sum(), x, materialize_grads=True)[0]
        g = g - 2 * l2_weight * (x.detach() - 0.5)
        size = torch.linalg.vector_norm(g)
        return image.detach().clone() if size == 0 else image.detach() + step_size * g / size
        """,
    ),
    variant(
        "ascent_step",
        "batch of one, one-hot seed",
        body="""
        x = image.detach()[None].requires_grad_()
        logits = model(x)
        seed = F.one_hot(torch.tensor([target]), logits.shape[1]).to(logits)
        g, = torch.autograd.grad((logits * seed).sum() - l2_weight * ((x - 0.5) ** 2).sum(), [x])
        return x[0].detach() + step_size * F.normalize(g.flatten(), dim=0, eps=1e-300 if g.dtype == torch.float64 else 1e-38).view_as(image)
        """,
    ),
    variant(
        "ascent_step",
        "backward on a frozen copy",
        body="""
        from copy import deepcopy
        network = deepcopy(model).requires_grad_(False) if isinstance(model, nn.Module) else model
        x = nn.Parameter(image.detach().clone())
        network(x[None])
        before = [] if isinstance(model, nn.Module) else None
        if before is None:
            g = torch.autograd.grad(network(x[None])[0, target] - l2_weight * (x - 0.5).norm() ** 2, x)[0]
        else:
            (network(x[None])[0, target] - l2_weight * (x - 0.5).pow(2).sum()).backward()
            g = x.grad
        with torch.no_grad():
            return image + step_size * g / g.norm() if g.any() else image.clone()
        """,
    ),
    variant(
        "blur",
        "one kernel, depthwise",
        body="""
        if sigma == 0:
            return image.detach().clone()
        r = int(4 * sigma + 1)
        d = torch.arange(-r, r + 1, dtype=image.dtype)
        bell = torch.exp(-(d[:, None] ** 2 + d**2) / (2 * sigma**2))
        bell = (bell / bell.sum()).expand(3, 1, -1, -1)
        padded = F.pad(image.detach()[None], (r, r, r, r), mode="replicate")
        return F.conv2d(padded, bell, groups=3)[0]
        """,
    ),
    variant(
        "blur",
        "loop over shifts",
        body="""
        image = image.detach()
        if sigma == 0:
            return image.clone()
        reach = max(1, round(5 * sigma))
        height, width = image.shape[1:]
        result = torch.zeros_like(image)
        weights = [math.exp(-(d * d) / (2 * sigma * sigma)) for d in range(-reach, reach + 1)]
        total = sum(weights)
        for d, w in zip(range(-reach, reach + 1), weights):
            result += w / total * image[:, (torch.arange(height) + d).clamp(0, height - 1)]
        image, result = result, torch.zeros_like(image)
        for d, w in zip(range(-reach, reach + 1), weights):
            result += w / total * image[:, :, (torch.arange(width) + d).clamp(0, width - 1)]
        return result
        """,
    ),
    variant(
        "blur",
        "matrices",
        body="""
        image = image.detach()
        if sigma == 0:
            return image + 0

        def spread(n):
            reach = math.ceil(3 * sigma)
            matrix = torch.zeros(n, n, dtype=image.dtype)
            for i in range(n):
                for j in range(i - reach, i + reach + 1):
                    matrix[i, min(max(j, 0), n - 1)] += math.exp(-0.5 * ((i - j) / sigma) ** 2)
            return matrix / matrix.sum(1, keepdim=True)

        return torch.einsum("yi,cij,xj->cyx", spread(image.shape[1]), image, spread(image.shape[2]))
        """,
    ),
    variant(
        "blur",
        "round window",
        body="""
        if sigma == 0:
            return image.detach().clone()
        r = math.ceil(3 * sigma)
        d = torch.arange(-r, r + 1, dtype=image.dtype)
        squares = d[:, None] ** 2 + d**2
        bell = torch.exp(-squares / (2 * sigma**2)) * (squares <= (3 * sigma) ** 2)
        padded = F.pad(image.detach()[None], (r, r, r, r), mode="replicate")
        return F.conv2d(padded, (bell / bell.sum()).expand(3, 1, -1, -1), groups=3)[0]
        """,
    ),
    *(
        variant(name, way, body=body.replace("SCORES", scores))
        for name, scores in (
            ("zero_small_pixels", "((image - 0.5) ** 2).sum(0)"),
            ("zero_small_contributions", "torch.einsum('chw,chw->hw', image - 0.5, gradient).abs()"),
        )
        for way, body in (
            (
                "topk",
                """
                scores = SCORES.detach()
                count = int(fraction * scores.numel())
                result = image.detach().clone()
                result.view(3, -1)[:, scores.flatten().topk(count, largest=False).indices] = 0.5
                return result
                """,
            ),
            (
                "rank of every pixel",
                """
                scores = SCORES.flatten()
                ranks = scores.argsort().argsort().view(image.shape[1:])
                return torch.where(ranks < math.floor(fraction * scores.numel()), 0.5, image).detach()
                """,
            ),
            (
                "limit by sorting",
                """
                scores = SCORES
                count = int(fraction * scores.shape[0] * scores.shape[1])
                ordered = scores.flatten().sort().values
                keep = torch.ones_like(scores, dtype=torch.bool) if count == 0 else scores > ordered[count - 1]
                return (0.5 + (image - 0.5) * keep).detach()
                """,
            ),
            (
                "plain search",
                """
                scores = (SCORES).tolist()
                places = sorted((s, y, x) for y, row in enumerate(scores) for x, s in enumerate(row))
                result = image.detach().clone()
                for _, y, x in places[: int(fraction * len(places))]:
                    result[:, y, x] = 0.5
                return result
                """,
            ),
        )
    ),
    variant(
        "class_visualization",
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
        "class_visualization",
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
        "class_visualization",
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
    variant(
        "maximize_activation",
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
        "maximize_activation",
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
        "maximize_activation",
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
