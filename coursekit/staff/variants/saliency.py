"""Right solutions of part 1 that are written in other ways."""

from coursekit.staff.edits import variant

VARIANTS = (
    variant(
        "saliency_map",
        "loop over images",
        body="""
        maps = []
        for image, label in zip(images, labels):
            x = image.detach()[None].clone().requires_grad_(True)
            (g,) = torch.autograd.grad(model(x)[0, label], x)
            maps.append(g[0].abs().sum(0))
        return torch.stack(maps)
        """,
    ),
    variant(
        "saliency_map",
        "backward with cleaning up",
        body="""
        model = __import__("copy").deepcopy(model) if isinstance(model, nn.Module) else model
        x = images.clone().detach().requires_grad_(True)
        own = [p.grad for p in ()]
        logits = model(x)
        seed = torch.zeros_like(logits)
        seed[torch.arange(len(x)), labels] = 1
        return torch.autograd.grad(logits, x, grad_outputs=seed)[0].abs().sum(1).detach()
        """,
    ),
    variant(
        "saliency_map",
        "fancy indexing and einsum",
        body="""
        x = images.detach().clone()
        x.requires_grad = True
        score = model(x)[range(len(x)), labels].sum()
        gradient = torch.autograd.grad(score, x)[0].detach()
        return torch.einsum("nchw->nhw", gradient.abs())
        """,
    ),
    variant(
        "saliency_map",
        "one-hot product",
        body="""
        x = images.detach().requires_grad_()
        logits = model(x)
        mask = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
        (g,) = torch.autograd.grad((logits * mask).sum(), [x])
        r, gr, b = g.abs().unbind(1)
        return r + gr + b
        """,
    ),
    variant(
        "saliency_map",
        "torch.func",
        body="""
        def score(image, label):
            return model(image[None])[0].gather(0, label[None])[0]

        return torch.func.vmap(torch.func.grad(score))(images.detach(), labels).abs().sum(1).detach()
        """,
    ),
    variant(
        "activation_gradient",
        "own hook with a clone",
        body="""
        kept = {}

        def hook(module, args, output):
            kept["output"] = output
            return output.clone()

        handle = model.get_submodule(layer).register_forward_hook(hook)
        x = images.detach().clone().requires_grad_(True)
        try:
            model(x)
        finally:
            handle.remove()
        total = kept["output"][(slice(None),) + tuple(unit)].sum()
        g = torch.autograd.grad(total, x, allow_unused=True)[0]
        return torch.zeros_like(images) if g is None else g
        """,
    ),
    variant(
        "activation_gradient",
        "seeded with a one-hot gradient",
        body="""
        x = images.detach().requires_grad_()
        with record_outputs(model, [layer]) as outputs:
            model(x)
        output = outputs[layer]
        seed = torch.zeros_like(output)
        seed[(slice(None), *unit)] = 1
        return torch.autograd.grad(output, x, seed, materialize_grads=True)[0]
        """,
    ),
    variant(
        "activation_gradient",
        "loop over images",
        body="""
        rows = []
        for image in images:
            x = image[None].detach().requires_grad_()
            with record_outputs(model, [layer]) as outputs:
                model(x)
            value = outputs[layer][0]
            for i in unit:
                value = value[i]
            rows.append(torch.autograd.grad(value, x, materialize_grads=True)[0][0])
        return torch.stack(rows)
        """,
    ),
    variant("deconvnet_relu_gradient", "where", body="return torch.where(upstream > 0, upstream, 0)"),
    variant("deconvnet_relu_gradient", "relu", body="return F.relu(upstream)"),
    variant("deconvnet_relu_gradient", "product with a mask", body="return upstream * (upstream > 0)"),
    variant(
        "guided_relu_gradient",
        "both conditions in one where",
        body="return torch.where((upstream > 0) & (relu_input > 0), upstream, 0)",
    ),
    variant("guided_relu_gradient", "product of masks", body="return upstream * (upstream > 0) * (relu_input > 0)"),
    variant(
        "guided_relu_gradient",
        "clamp and where",
        body="return torch.where(relu_input > 0, upstream.clamp(min=0), torch.zeros_like(upstream))",
    ),
    variant(
        "guided_relu_gradient",
        "masked copy",
        body="""
        result = upstream.clone()
        result[upstream <= 0] = 0
        result[relu_input <= 0] = 0
        return result
        """,
    ),
    variant("guided_relu_gradient", "relu and sign", body="return F.relu(upstream) * F.relu(relu_input).sign()"),
    variant(
        "guided_backprop",
        "gradient taken inside the rule",
        body="""
        x = images.clone().detach().requires_grad_(True)
        with relu_rule(guided_relu_gradient):
            logits = model(x)
            seed = F.one_hot(labels, logits.shape[1]).to(logits)
            return torch.autograd.grad(logits, x, seed)[0]
        """,
    ),
    variant(
        "guided_backprop",
        "loop over images",
        body="""
        rows = []
        for image, label in zip(images, labels.tolist()):
            x = image[None].detach().requires_grad_()
            with relu_rule(guided_relu_gradient):
                score = model(x)[0, label]
            rows.append(torch.autograd.grad(score, x)[0])
        return torch.cat(rows)
        """,
    ),
    variant(
        "guided_backprop",
        "own autograd function and rule",
        body="""
        x = images.detach().requires_grad_()
        with relu_rule(lambda up, inp: up.clamp(min=0) * (inp > 0).to(up)):
            total = model(x)[torch.arange(len(x)), labels].sum()
        return torch.autograd.grad(total, x)[0].detach()
        """,
    ),
    variant(
        "deconvnet",
        "one-hot seed",
        body="""
        x = images.detach().requires_grad_()
        with relu_rule(deconvnet_relu_gradient), record_outputs(model, [layer]) as outputs:
            model(x)
        output = outputs[layer]
        flat = output[:, channel].reshape(len(x), -1)
        seed = torch.zeros_like(output)
        picked = torch.zeros_like(flat)
        picked[torch.arange(len(x)), flat.argmax(1)] = 1
        seed[:, channel] = picked.reshape(output[:, channel].shape)
        return torch.autograd.grad(output, x, seed, materialize_grads=True)[0]
        """,
    ),
    variant(
        "deconvnet",
        "loop with activation_gradient",
        body="""
        rows = []
        for image in images:
            with torch.no_grad(), record_outputs(model, [layer]) as outputs:
                model(image[None])
            plane = outputs[layer][0, channel]
            best = int(plane.argmax())
            unit = (channel, best // plane.shape[-1], best % plane.shape[-1]) if plane.dim() else (channel,)
            x = image[None].detach().requires_grad_()
            with relu_rule(deconvnet_relu_gradient), record_outputs(model, [layer]) as outputs:
                model(x)
            rows.append(torch.autograd.grad(outputs[layer][(0, *unit)], x, materialize_grads=True)[0])
        return torch.cat(rows)
        """,
    ),
    variant(
        "deconvnet",
        "argmax and gather",
        "responses.max(dim=1).values",
        "responses.gather(1, responses.argmax(dim=1, keepdim=True))",
    ),
    variant(
        "receptive_field",
        "recursion",
        body="""
        steps = spatial_steps(model, layer, image_size)
        made_by = {step.output: step for step in steps}

        def back(number, box):
            if number not in made_by:
                return box
            step = made_by[number]
            top, left, bottom, right = box
            if step.kernel is None:
                wide = (0, 0, *step.size)
            else:
                wide = tuple(
                    (first * s - p) for first, s, p in zip((top, left), step.stride, step.padding)
                ) + tuple(
                    ((last - 1) * s - p + d * (k - 1) + 1)
                    for last, s, p, d, k in zip((bottom, right), step.stride, step.padding, step.dilation, step.kernel)
                )
            boxes = [back(source, wide) for source in step.inputs]
            tops, lefts, bottoms, rights = zip(*boxes)
            return min(tops), min(lefts), max(bottoms), max(rights)

        y, x = unit[1:] if len(unit) == 3 else (0, 0)
        top, left, bottom, right = back(steps[-1].output, (y, x, y + 1, x + 1))
        height, width = image_size
        return max(top, 0), max(left, 0), min(bottom, height), min(right, width)
        """,
    ),
    variant(
        "receptive_field",
        "gradient of a network of ones",
        body="""
        from copy import deepcopy
        from torch.overrides import TorchFunctionMode

        class Pools(TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                if func in (F.max_pool2d, torch.max_pool2d, F.relu, torch.relu):
                    if func in (F.relu, torch.relu):
                        return args[0].clone()
                    return F.avg_pool2d(args[0], args[1], **{k: v for k, v in (kwargs or {}).items() if k in ("stride", "padding")})
                return func(*args, **(kwargs or {}))

        ones = deepcopy(model).double()
        with torch.no_grad():
            for name, value in ones.state_dict().items():
                if value.is_floating_point():
                    value.fill_(1.0 if not name.endswith(("bias", "running_mean")) else 0.0)
        x = torch.ones(1, 3, *image_size, dtype=torch.float64, requires_grad=True)
        with Pools(), record_outputs(ones, [layer]) as outputs:
            ones(x)
        (g,) = torch.autograd.grad(outputs[layer][(0, *unit)], x)
        rows = (g[0].sum(0).sum(1) > 0).nonzero().flatten()
        columns = (g[0].sum(0).sum(0) > 0).nonzero().flatten()
        return rows[0].item(), columns[0].item(), rows[-1].item() + 1, columns[-1].item() + 1
        """,
    ),
    variant(
        "receptive_field",
        "clipped at the end",
        "max(low, 0)",
        "low",
        "min(high, size)",
        "high",
        "return top, left, bottom, right",
        "return max(top, 0), max(left, 0), min(bottom, image_size[0]), min(right, image_size[1])",
    ),
    variant(
        "top_patches",
        "topk",
        "values, indices = strongest.sort(descending=True, stable=True)",
        "values, indices = strongest.topk(k)",
    ),
    variant(
        "top_patches",
        "plain search",
        body="""
        with torch.no_grad(), record_outputs(model, [layer]) as outputs:
            model(images)
        found = []
        for i, plane in enumerate(outputs[layer][:, channel]):
            place = int(plane.flatten().argmax())
            unit = (channel,) if plane.dim() == 0 else (channel, place // plane.shape[1], place % plane.shape[1])
            found.append((float(plane.flatten()[place]), i, unit))
        found = sorted(found, key=lambda entry: -entry[0])[:k]
        boxes = [receptive_field(model, layer, unit, tuple(images.shape[2:])) for _, _, unit in found]
        return Patches(
            torch.tensor([i for _, i, _ in found]),
            torch.tensor([value for value, _, _ in found], dtype=images.dtype),
            torch.tensor(boxes),
            [images[i][:, t:b, l:r].detach().clone() for (_, i, _), (t, l, b, r) in zip(found, boxes)],
        )
        """,
    ),
    variant(
        "top_patches",
        "argsort with numpy's unravelling",
        "unit = (channel, *divmod(place, responses.shape[-1])) if responses.dim() == 3 else (channel,)",
        "unit = (channel, *(int(i) for i in __import__('numpy').unravel_index(place, responses.shape[1:])))",
    ),
    variant(
        "grad_cam",
        "einsum",
        body="""
        x = images.detach().requires_grad_()
        with record_outputs(model, [layer]) as outputs:
            logits = model(x)
        features = outputs[layer]
        seed = F.one_hot(labels, logits.shape[1]).to(logits)
        (g,) = torch.autograd.grad(logits, features, seed, materialize_grads=True)
        cam = torch.einsum("nc,nchw->nhw", g.mean((2, 3)), features).clamp(min=0).detach()
        cam = F.interpolate(cam.unsqueeze(1), size=x.shape[2:], mode="bilinear").squeeze(1)
        for plane in cam:
            if plane.max() > 0:
                plane /= plane.max().clone()
        return cam
        """,
    ),
    variant(
        "grad_cam",
        "weights by summing",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.sum(dim=(2, 3), keepdim=True)",
    ),
    variant(
        "grad_cam",
        "loop over images, own hooks",
        body="""
        maps = []
        for image, label in zip(images, labels):
            kept = []
            handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: (kept.append(o), o.clone())[1])
            try:
                score = model(image[None].detach().requires_grad_())[0, label]
            finally:
                handle.remove()
            g = torch.autograd.grad(score, kept[-1], allow_unused=True)[0]
            g = torch.zeros_like(kept[-1]) if g is None else g
            w = g.flatten(2).mean(2)
            cam = F.relu((w[0, :, None, None] * kept[-1][0]).sum(0)).detach()
            cam = F.interpolate(cam[None, None], image.shape[1:], mode="bilinear", align_corners=False)[0, 0]
            maps.append(cam / cam.max() if cam.max() > 0 else cam)
        return torch.stack(maps)
        """,
    ),
    variant(
        "guided_grad_cam",
        "einsum",
        body="return torch.einsum('nchw,nhw->nchw', guided_backprop(model, images, labels), grad_cam(model, images, labels, layer))",
    ),
    variant(
        "guided_grad_cam",
        "expand",
        body="""
        signed = guided_backprop(model, images, labels)
        cam = grad_cam(model, images, labels, layer)
        return signed * cam.unsqueeze(1).expand_as(signed)
        """,
    ),
    variant(
        "guided_grad_cam",
        "self-written factors",
        body="""
        x = images.detach().requires_grad_()
        with relu_rule(lambda up, inp: up.clamp(min=0) * (inp > 0)):
            scores = model(x)[torch.arange(len(x)), labels]
        (signed,) = torch.autograd.grad(scores.sum(), x)
        y = images.detach().requires_grad_()
        with record_outputs(model, [layer]) as outputs:
            scores = model(y)[torch.arange(len(y)), labels]
        (g,) = torch.autograd.grad(scores.sum(), outputs[layer])
        cam = (g.mean((2, 3), keepdim=True) * outputs[layer]).sum(1, keepdim=True).relu().detach()
        cam = F.interpolate(cam, y.shape[2:], mode="bilinear", align_corners=False)
        peak = cam.amax((1, 2, 3), keepdim=True)
        return signed * (cam / peak.where(peak > 0, 1))
        """,
    ),
)
