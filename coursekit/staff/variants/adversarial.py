"""Right solutions of part 3 that are written in other ways."""

from coursekit.staff.edits import variant

WHITE_BOX = (
    variant(
        "fooling_image",
        "gradient of the whole batch of one",
        body="""
        x = image[None].detach().clone()
        for step in range(max_steps):
            x = x.detach().requires_grad_(True)
            scores = model(x)
            if scores.argmax(1).item() == target:
                return x[0].detach()
            g = torch.autograd.grad(scores[:, target].sum(), x, allow_unused=True)[0]
            if g is None or not g.any():
                break
            x = x + step_size * F.normalize(g.flatten(1), dim=1, eps=0).view_as(x)
        return x[0].detach()
        """,
    ),
    variant(
        "fooling_image",
        "two passes a step",
        body="""
        result = image.detach().clone()
        count = 0
        while count < max_steps and int(model(result[None]).argmax()) != target:
            leaf = result.clone().requires_grad_()
            g = torch.autograd.grad(model(leaf.unsqueeze(0))[0, target], leaf, materialize_grads=True)[0]
            norm = g.square().sum().sqrt()
            if float(norm) == 0.0:
                break
            result = result.add(g / norm, alpha=step_size)
            count += 1
        return result
        """,
    ),
    variant(
        "fooling_image",
        "in place on a copy",
        body="""
        fooled = image.detach().clone().requires_grad_()
        for _ in range(max_steps):
            logits = model(fooled[None]).squeeze(0)
            if torch.topk(logits, 1).indices == target:
                break
            (gradient,) = torch.autograd.grad(logits[target], [fooled], materialize_grads=True)
            if torch.count_nonzero(gradient) == 0:
                break
            with torch.no_grad():
                fooled += step_size * gradient.div(torch.linalg.vector_norm(gradient))
        return fooled.detach()
        """,
    ),
    variant(
        "fgsm",
        "loop over images",
        body="""
        moved = []
        for image, label in zip(images, labels):
            x = image[None].detach().clone().requires_grad_(True)
            loss = -model(x).log_softmax(1)[0, label]
            g = torch.autograd.grad(loss, x)[0][0]
            step = eps * g.sign() * (-1 if targeted else 1)
            moved.append(torch.clamp(image.detach() + step, min=0, max=1))
        return torch.stack(moved)
        """,
    ),
    variant(
        "fgsm",
        "mean loss, turned",
        body="""
        x = images.clone().detach()
        x.requires_grad = True
        loss = nn.CrossEntropyLoss()(model(x), labels)
        g = torch.autograd.grad(-loss if targeted else loss, x)[0]
        return torch.clamp(x.detach().add(torch.sign(g), alpha=eps), 0.0, 1.0)
        """,
    ),
    variant(
        "fgsm",
        "where instead of sign, log-sum-exp for the loss",
        body="""
        x = images.detach().requires_grad_()
        logits = model(x)
        loss = (logits.logsumexp(1) - logits.gather(1, labels.view(-1, 1)).squeeze(1)).sum()
        g, = torch.autograd.grad(loss, x)
        if targeted:
            g = -g
        up, down = (images + eps).clamp(max=1), (images - eps).clamp(min=0)
        return torch.where(g > 0, up, torch.where(g < 0, down, images)).detach()
        """,
    ),
    variant(
        "pgd",
        "kept as a difference",
        body="""
        x = images.detach()
        delta = torch.zeros_like(x)
        if generator is not None:
            delta = torch.empty_like(x).uniform_(-eps, eps, generator=generator)
            delta = (x + delta).clamp(0, 1) - x
        way = -1 if targeted else 1
        for _ in range(num_steps):
            here = (x + delta).requires_grad_()
            g = torch.autograd.grad(F.cross_entropy(model(here), labels, reduction="sum"), here)[0]
            delta = (delta + way * step_size * g.sign()).clamp(-eps, eps)
            delta = (x + delta).clamp(0, 1) - x
        return (x + delta).clamp(0, 1).clamp(x - eps, x + eps)
        """,
    ),
    variant(
        "pgd",
        "minimum and maximum",
        body="""
        low, high = (images.detach() - eps).clamp(min=0), (images.detach() + eps).clamp(max=1)
        adv = images.detach().clone()
        if generator is not None:
            share = torch.rand(images.shape, generator=generator, dtype=images.dtype)
            adv = torch.max(torch.min(images.detach() - eps + 2 * eps * share, high), low)
        for _ in range(num_steps):
            adv = adv.requires_grad_()
            loss = nn.CrossEntropyLoss(reduction="sum")(model(adv), labels)
            g = torch.autograd.grad(loss if not targeted else -loss, adv)[0]
            adv = torch.max(torch.min(adv.detach() + step_size * g.sign(), high), low)
        return adv
        """,
    ),
    variant(
        "pgd",
        "loop over images",
        body="""
        out = []
        for image, label in zip(images.detach(), labels):
            x, y = image[None], label[None]
            adv = x.clone()
            if generator is not None:
                adv = (x + (uniform(*x.shape, like=x, generator=generator) * 2 - 1) * eps).clamp(0, 1)
            for step in range(num_steps):
                adv.requires_grad_(True)
                nll = F.nll_loss(model(adv).log_softmax(1), y)
                g = torch.autograd.grad(nll, adv)[0] * (-1 if targeted else 1)
                adv = (adv + step_size * g.sign()).detach()
                adv = torch.clamp(torch.clamp(adv, x - eps, x + eps), 0, 1)
            out.append(adv)
        return torch.cat(out)
        """,
    ),
    variant("linear_shift", "L1 norm", body="return eps * weight.detach().norm(p=1)"),
    variant("linear_shift", "product with the sign", body="return (weight * eps * weight.sign()).sum().detach()"),
    variant(
        "linear_shift",
        "positive and negative apart",
        body="w = weight.detach().flatten()\nreturn torch.einsum('i->', eps * (w.clamp(min=0) - w.clamp(max=0)))",
    ),
)

BLACK_BOX = (
    variant(
        "one_pixel_attack",
        "loops and Python numbers",
        body="""
        height, width = image.shape[1:]

        def one():
            return uniform(1, like=image, generator=generator).item()

        def member():
            return [one() * height, one() * width, one(), one(), one()]

        def show(members):
            rows = []
            for y, x, *colour in members:
                picture = image.detach().clone()
                picture[:, int(y), int(x)] = torch.tensor(colour, dtype=image.dtype)
                rows.append(predict(picture[None])[0])
            return rows

        def fitness(row):
            return float(row[label]) if target is None else -float(row[target])

        def picture_of(gene):
            picture = image.detach().clone()
            picture[:, int(gene[0]), int(gene[1])] = torch.tensor(gene[2:], dtype=image.dtype)
            return picture

        members = [member() for _ in range(population)]
        rows = show(members)
        queries = population
        for _ in range(generations):
            best = min(range(population), key=lambda i: fitness(rows[i]))
            top = int(rows[best].argmax())
            if (target is None and top != label) or (target is not None and top == target):
                break
            children = []
            for i in range(population):
                others = [j for j in range(population) if j != i]
                a, b, c = (others.pop(int(one() * len(others))) for _ in range(3))
                child = [p + 0.5 * (q - r) for p, q, r in zip(members[a], members[b], members[c])]
                if not 0 <= child[0] < height:
                    child[0] = one() * height
                if not 0 <= child[1] < width:
                    child[1] = one() * width
                child[2:] = [min(max(value, 0.0), 1.0) for value in child[2:]]
                children.append(child)
            answers = show(children)
            queries += population
            for i in range(population):
                if fitness(answers[i]) < fitness(rows[i]):
                    members[i], rows[i] = children[i], answers[i]
        best = min(range(population), key=lambda i: fitness(rows[i]))
        return picture_of(members[best]), queries
        """,
    ),
    variant(
        "one_pixel_attack", "all at once", "0, population, 25", "0, population, population", "i + 25", "i + population"
    ),
    variant(
        "one_pixel_attack",
        "weighted draw of three others",
        "order = uniform(population, population, like=image, generator=generator).fill_diagonal_(2)",
        "chances = 1 - torch.eye(population)",
        "order.topk(3, dim=1, largest=False).indices.unbind(dim=1)",
        "torch.multinomial(chances, 3, generator=generator).unbind(dim=1)",
    ),
    variant(
        "one_pixel_attack",
        "other order of draws",
        "children = members[one] + 0.5 * (members[two] - members[three])\n"
        "        fresh = sides * uniform(population, 5, like=image, generator=generator)",
        "fresh = sides * uniform(5, population, like=image, generator=generator).T\n"
        "        children = torch.lerp(members[three], members[two], 0.5) - members[three] + members[one]",
    ),
    variant(
        "estimate_gradient",
        "all samples in one batch",
        body="""
        n, shape = len(images), images.shape[1:]
        u = normal(num_samples, n, *shape, like=images, generator=generator)
        shown = torch.cat([(images + sigma * u).flatten(0, 1), (images - sigma * u).flatten(0, 1)])
        scores = predict(shown.detach())[torch.arange(2 * num_samples * n), labels.repeat(2 * num_samples)]
        ahead, behind = scores.view(2, num_samples, n)
        return torch.einsum("sn,snchw->nchw", ahead - behind, u) / (2 * sigma * num_samples)
        """,
    ),
    variant(
        "estimate_gradient",
        "loop over images",
        body="""
        rows = []
        for image, label in zip(images.detach(), labels.tolist()):
            slopes = []
            for _ in range(num_samples):
                u = normal(*image.shape, like=images, generator=generator)
                high, low = predict(torch.stack([image + sigma * u, image - sigma * u]))[:, label]
                slopes.append((high - low) / (2 * sigma) * u)
            rows.append(torch.stack(slopes).mean(0))
        return torch.stack(rows)
        """,
    ),
    variant(
        "estimate_gradient",
        "behind first",
        body="""
        x = images.detach()
        estimate = torch.zeros_like(x)
        picked = F.one_hot(labels, predict.__code__ and 1 + int(labels.max())).to(x)
        for _ in range(num_samples):
            step = sigma * normal(*x.shape, like=x, generator=generator)
            low = (predict(x - step)[:, : picked.shape[1]] * picked).sum(1)
            high = (predict(x + step)[:, : picked.shape[1]] * picked).sum(1)
            estimate = estimate + (high - low).view(-1, 1, 1, 1) * step / (2 * sigma**2)
        return estimate / num_samples
        """,
    ),
    variant(
        "train_substitute",
        "lists of pairs",
        body="""
        student = deepcopy(substitute)
        batches, answers = [images.detach().clone()], [oracle(images.detach())]
        for number in range(num_rounds):
            student.train()
            x, y = torch.cat(batches), torch.cat(answers)
            adam = torch.optim.Adam(student.parameters(), lr=learning_rate)
            for _ in range(num_steps):
                loss = nn.CrossEntropyLoss()(student(x), y)
                adam.zero_grad()
                loss.backward()
                adam.step()
            student.eval()
            if number + 1 < num_rounds:
                leaf = x.clone().requires_grad_()
                g = torch.autograd.grad(student(leaf)[torch.arange(len(y)), y].sum(), leaf)[0]
                batches.append((x + step_size * g.sign()).clamp(0, 1))
                answers.append(oracle(batches[-1]))
        return student
        """,
    ),
    variant(
        "train_substitute",
        "gradients by hand",
        "optimizer.zero_grad()\n            F.cross_entropy(model(images), labels).backward()",
        "grads = torch.autograd.grad(F.cross_entropy(model(images), labels), list(model.parameters()))\n"
        "            for parameter, grad in zip(model.parameters(), grads):\n                parameter.grad = grad",
    ),
    variant(
        "train_substitute",
        "oracle asked one by one",
        "labels = oracle(images)\n",
        "labels = torch.cat([oracle(image[None]) for image in images])\n",
        "oracle(new_images)]",
        "*(oracle(image[None]) for image in new_images)]",
    ),
    variant(
        "transfer_attack",
        "self-written",
        body="""
        x = images.detach().requires_grad_()
        g = torch.autograd.grad(F.cross_entropy(substitute(x), labels, reduction="sum"), x)[0]
        return (images + eps * g.sign()).clamp(0, 1).detach()
        """,
    ),
    variant(
        "transfer_attack",
        "image by image",
        body="return torch.cat([fgsm(substitute, x[None], y[None], eps) for x, y in zip(images, labels)])",
    ),
    variant(
        "transfer_attack",
        "named arguments",
        body="return fgsm(model=substitute, images=images, labels=labels, eps=eps)",
    ),
)

SCORES_AND_DEFENCES = (
    variant(
        "attack_success",
        "loop",
        body="""
        rows = []
        for i, label in enumerate(labels.tolist()):
            top = int(logits[i].argmax())
            if goal == "confidence_reduction":
                ok = bool(logits[i].softmax(0)[label] < clean_logits[i].softmax(0)[label])
            elif goal == "misclassification":
                ok = top != label
            elif goal == "targeted":
                ok = top == target != label
            else:
                ok = label == source and top == target != label
            if clean_logits is not None and int(clean_logits[i].argmax()) != label:
                ok = False
            rows.append(ok)
        return torch.tensor(rows)
        """,
    ),
    variant(
        "attack_success",
        "table of goals",
        body="""
        n = torch.arange(len(labels))
        top = logits.max(1).indices
        wrong = top.ne(labels)
        hit = torch.zeros_like(wrong) if target is None else top.eq(target) & wrong
        table = {
            "misclassification": lambda: wrong,
            "targeted": lambda: hit,
            "source_to_target": lambda: hit & labels.eq(source),
            "confidence_reduction": lambda: logits.softmax(1)[n, labels] < clean_logits.softmax(1)[n, labels],
        }
        result = table[goal]()
        return result if clean_logits is None else result.logical_and(clean_logits.max(1).indices.eq(labels))
        """,
    ),
    variant(
        "attack_success",
        "log-probabilities",
        "x.softmax(dim=1)",
        "x.log_softmax(dim=1)",
    ),
    variant(
        "flip_labels",
        "loop",
        body="""
        result = labels.clone()
        for i in torch.randperm(len(labels), generator=generator)[: round(fraction * len(labels))].tolist():
            others = [k for k in range(num_classes) if k != int(labels[i])]
            result[i] = others[int(torch.randint(len(others), (1,), generator=generator))]
        return result
        """,
    ),
    variant(
        "flip_labels",
        "skips the old class",
        body="""
        order = torch.rand(len(labels), generator=generator).argsort()
        mask = torch.zeros(len(labels), dtype=torch.bool)
        mask[order[: round(fraction * len(labels))]] = True
        new = torch.randint(num_classes - 1, labels.shape, generator=generator)
        new = new + (new >= labels).long()
        return torch.where(mask, new, labels)
        """,
    ),
    variant(
        "flip_labels",
        "drawn until they differ",
        body="""
        result = labels.clone()
        rows = torch.randperm(len(labels), generator=generator)[: round(fraction * len(labels))]
        while len(rows):
            result[rows] = torch.randint(num_classes, (len(rows),), generator=generator)
            rows = rows[result[rows] == labels[rows]]
        return result
        """,
    ),
    variant(
        "inject_samples",
        "vstack and hstack",
        body="return torch.vstack([images.detach(), new_images.detach()]), torch.hstack([labels, new_labels])",
    ),
    variant(
        "inject_samples",
        "filled in",
        body="""
        n, m = len(images), len(new_images)
        both, all_labels = images.new_empty(n + m, *images.shape[1:]), labels.new_empty(n + m)
        both[:n], both[n:] = images, new_images
        all_labels[:n], all_labels[n:] = labels, new_labels
        return both.detach(), all_labels
        """,
    ),
    variant(
        "inject_samples",
        "lists",
        body="return torch.stack([*images, *new_images]).detach(), torch.stack([*labels, *new_labels])",
    ),
    variant(
        "corrupt_update",
        "loop",
        body="result = []\nfor g in gradients:\n    result.append(g.detach().clone().mul_(scale))\nreturn result",
    ),
    variant(
        "corrupt_update", "foreach", body="return list(torch._foreach_mul([g.detach() for g in gradients], scale))"
    ),
    variant("corrupt_update", "map", body="return list(map(lambda g: torch.mul(g, scale).detach(), gradients))"),
    variant(
        "adversarial_loss",
        "attack on a copy",
        body="""
        adv_images = fgsm(deepcopy(model).eval(), images, labels, eps)
        return nn.CrossEntropyLoss()(model(adv_images), labels)
        """,
    ),
    variant(
        "adversarial_loss",
        "self-written attack",
        body="""
        modes = {name: module.training for name, module in model.named_modules()}
        try:
            model.train(False)
            x = images.detach().requires_grad_()
            g = torch.autograd.grad(F.cross_entropy(model(x), labels, reduction="sum"), x)[0]
        finally:
            for name, module in model.named_modules():
                module.training = modes[name]
        logits = model((images + eps * g.sign()).clamp(0, 1).detach())
        return -logits.log_softmax(1).gather(1, labels[:, None]).mean()
        """,
    ),
    variant(
        "adversarial_loss",
        "context manager",
        body="""
        from contextlib import contextmanager

        @contextmanager
        def quiet(network):
            training = [m for m in network.modules() if m.training]
            for m in training:
                m.training = False
            try:
                yield network
            finally:
                for m in training:
                    m.training = True

        with quiet(model):
            pictures = fgsm(model, images, labels, eps)
        return F.cross_entropy(model(pictures), labels, reduction="sum") / len(labels)
        """,
    ),
    variant(
        "reencode",
        "floor of one half more",
        body="return ((images.detach() * (levels - 1)) + 0.5).floor() / (levels - 1)",
    ),
    variant(
        "reencode",
        "nearest of a grid",
        body="""
        grid = torch.linspace(0, 1, levels, dtype=images.dtype, device=images.device)
        return grid[(images.detach().unsqueeze(-1) - grid).abs().argmin(-1)]
        """,
    ),
    variant(
        "reencode",
        "whole numbers",
        body="n = levels - 1\nreturn torch.round(images.detach() * n).long().to(images.dtype) / n",
    ),
    variant(
        "noisy_predict",
        "one large batch",
        body="""
        copies = images.detach().repeat(num_samples, 1, 1, 1)
        copies = copies + sigma * normal(*copies.shape, like=images, generator=generator)
        with torch.no_grad():
            return model(copies).softmax(1).view(num_samples, len(images), -1).mean(0)
        """,
    ),
    variant(
        "noisy_predict",
        "loop over images",
        body="""
        rows = []
        with torch.no_grad():
            for image in images:
                noise = normal(num_samples, *image.shape, like=images, generator=generator)
                rows.append(F.softmax(model(image + sigma * noise), dim=-1).mean(0))
        return torch.stack(rows)
        """,
    ),
    variant(
        "noisy_predict",
        "running mean",
        body="""
        mean = 0
        for i in range(num_samples):
            with torch.inference_mode(False), torch.no_grad():
                noisy = images + sigma * normal(*images.shape, like=images, generator=generator)
                model(noisy)
                mean = mean + (model(noisy).softmax(1) - mean) / (i + 1)
        return mean
        """,
    ),
)

VARIANTS = (*WHITE_BOX, *BLACK_BOX, *SCORES_AND_DEFENCES)
