"""Exercise adversarial_loss: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "First attack the images, then compute the ordinary loss on the result.",
    (
        "The attack must not change batch-norm statistics. Remember each module's mode, switch all to eval "
        "mode, attack, and restore each mode."
    ),
    "The attack may raise an error. How do you restore the modes even then?",
    "L = 1/N * sum_n CE(f(x_n + eps * sign(d CE / d x_n)), y_n)",
)

MISTAKES = (
    mistake(
        "still joined to the caller's images",
        body="""
        modes = [(module, module.training) for module in model.modules()]
        model.eval()
        try:
            x = images.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(F.cross_entropy(model(x), labels), x)
        finally:
            for module, training in modes:
                module.training = training
        return F.cross_entropy(model((images + eps * gradient.sign()).clamp(0, 1)), labels)
        """,
        hint="Your attacked images are not detached: the loss then gives a gradient to the caller's images.",
    ),
    mistake(
        "gradients erased",
        "return F.cross_entropy",
        "model.zero_grad()\n    return F.cross_entropy",
        hint="After the call the parameters' .grad is another: it belongs to the caller, so neither fill nor clear it.",
    ),
    mistake(
        "clean loss",
        "model(adv_images)",
        "model(images)",
        hint="Your loss uses the clean images: use the attacked ones.",
    ),
    mistake(
        "half clean, half attacked",
        "return F.cross_entropy(model(adv_images), labels)",
        "return (F.cross_entropy(model(adv_images), labels) + F.cross_entropy(model(images), labels)) / 2",
        hint="You average clean and adversarial loss (Goodfellow et al. 2015): return the adversarial loss alone.",
    ),
    mistake(
        "sum over the batch",
        "model(adv_images), labels)",
        "model(adv_images), labels, reduction='sum')",
        hint="Your loss is a sum over the batch: take the mean.",
    ),
    mistake(
        "loss for each image",
        "model(adv_images), labels)",
        "model(adv_images), labels, reduction='none')",
        hint="Your loss has one value per image: take the mean.",
    ),
    mistake(
        "predicted class",
        "model(adv_images), labels)",
        "model(adv_images), model(adv_images).argmax(dim=1))",
        hint="Your loss uses the predicted classes: use the given labels.",
    ),
    mistake(
        "detached",
        "return F.cross_entropy(model(adv_images), labels)",
        "return F.cross_entropy(model(adv_images), labels).detach()",
        hint="You detach the loss: training needs its gradient.",
    ),
    mistake(
        "attack in train mode",
        "    model.eval()\n",
        "",
        hint="You attack in train mode, which changes batch-norm statistics: switch to eval mode for the attack.",
    ),
    mistake(
        "everything into train mode",
        "module.training = training",
        "module.train()",
        hint="You switch every module to train mode after the attack: restore each one's own mode.",
    ),
    mistake(
        "left in eval mode",
        "module.training = training",
        "pass",
        hint="You leave the network in eval mode: restore each module's mode after the attack.",
    ),
    mistake(
        "the outermost mode for all",
        "    finally:\n        for module, training in modes:\n            module.training = training",
        "    finally:\n        model.train(modes[0][1])",
        hint="You give all modules the outermost module's mode: restore each one's own.",
    ),
    mistake(
        "not restored after an error",
        body="""
        modes = [(module, module.training) for module in model.modules()]
        model.eval()
        adv_images = fgsm(model, images, labels, eps)
        for module, training in modes:
            module.training = training
        return F.cross_entropy(model(adv_images), labels)
        """,
        hint="If the attack raises an error, the modes are not restored: restore them in that case too.",
    ),
    mistake(
        "only batch norm in eval mode",
        body="""
        norms = [(module, module.training) for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        for module, _ in norms:
            module.eval()
        try:
            x = images.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(F.cross_entropy(model(x), labels), x)
        finally:
            for module, training in norms:
                module.training = training
        return F.cross_entropy(model((images + eps * gradient.sign()).clamp(0, 1).detach()), labels)
        """,
        hint="You put only batch norm into eval mode for the attack: put the whole network into it.",
    ),
    mistake(
        "loss in eval mode too",
        body="""
        modes = [(module, module.training) for module in model.modules()]
        model.eval()
        try:
            return F.cross_entropy(model(fgsm(model, images, labels, eps)), labels)
        finally:
            for module, training in modes:
                module.training = training
        """,
        hint="You compute the loss in eval mode: restore the modes after the attack, before the loss.",
    ),
    mistake(
        "clean pass in train mode",
        "    return F.cross_entropy(model(adv_images), labels)",
        "    model(images)\n    return F.cross_entropy(model(adv_images), labels)",
        hint="Batch-norm statistics are updated twice: in train mode, run the network once, on the attacked images.",
    ),
    mistake(
        "gradients left in the network",
        "    return F.cross_entropy(model(adv_images), labels)",
        "    loss = F.cross_entropy(model(adv_images), labels)\n    loss.backward(retain_graph=True)\n    return loss",
        hint="After the call the parameters' .grad has changed: return the loss, and let the caller call backward().",
    ),
    mistake(
        "targeted attack",
        "fgsm(model, images, labels, eps)",
        "fgsm(model, images, labels, eps, targeted=True)",
        hint="Your attack is targeted, so it lowers the loss: attack without targeted.",
    ),
    mistake(
        "clean loss added",
        "return F.cross_entropy(model(adv_images), labels)",
        "return F.cross_entropy(model(adv_images), labels) + F.cross_entropy(model(images), labels)",
        hint="You add the clean loss: return the adversarial loss alone.",
    ),
    mistake(
        "loss of a copy",
        "model(adv_images)",
        "deepcopy(model)(adv_images)",
        hint="Your loss belongs to a copy of the network: training needs its gradient in the parameters of model.",
    ),
    mistake(
        "parameters frozen, then all thawed",
        "    model.eval()\n",
        "    model.eval().requires_grad_(False)\n",
        "            module.training = training\n",
        "            module.training = training\n        model.requires_grad_(True)\n",
        hint="After the call, parameters that the caller had frozen require gradients: leave requires_grad as it was.",
    ),
    mistake(
        "dropout stays on",
        "    model.eval()\n",
        "    model.eval()\n    for module, training in modes:\n        if isinstance(module, torch.nn.Dropout):\n            module.training = training\n",
        hint="Dropout stays on while you make the attack: put every module into eval mode.",
    ),
)

VARIANTS = (
    variant(
        "attack on a copy",
        body="""
        adv_images = fgsm(deepcopy(model).eval(), images, labels, eps)
        return nn.CrossEntropyLoss()(model(adv_images), labels)
        """,
    ),
    variant(
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
)
