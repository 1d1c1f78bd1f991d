"""Exercise adversarial_loss: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "Attack first, then compute the ordinary loss on what came out.",
    (
        "Batch norm must not learn from the attack: remember the mode of every module, switch all to eval, and put "
        "each back."
    ),
    "An error may interrupt the attack: what puts the modes back then?",
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
        hint="The attacked pictures are data: with your loss the caller's images receive a gradient too.",
    ),
    mistake(
        "gradients erased",
        "return F.cross_entropy",
        "model.zero_grad()\n    return F.cross_entropy",
        hint="Whoever trains may be collecting gradients: nothing that is stored in the parameters is yours to touch.",
    ),
    mistake(
        "clean loss",
        "model(adv_images)",
        "model(images)",
        hint="The loss is that of the pictures as they were given: what was the attack for?",
    ),
    mistake(
        "half clean, half attacked",
        "return F.cross_entropy(model(adv_images), labels)",
        "return (F.cross_entropy(model(adv_images), labels) + F.cross_entropy(model(images), labels)) / 2",
        hint="The paper mixes two losses, the exercise takes the one.",
    ),
    mistake(
        "sum over the batch",
        "model(adv_images), labels)",
        "model(adv_images), labels, reduction='sum')",
        hint="With more pictures your loss grows.",
    ),
    mistake(
        "loss for each image",
        "model(adv_images), labels)",
        "model(adv_images), labels, reduction='none')",
        hint="One number is asked for.",
    ),
    mistake(
        "predicted class",
        "model(adv_images), labels)",
        "model(adv_images), model(adv_images).argmax(dim=1))",
        hint="The network is taught its own opinion.",
    ),
    mistake(
        "detached",
        "return F.cross_entropy(model(adv_images), labels)",
        "return F.cross_entropy(model(adv_images), labels).detach()",
        hint="Nothing can be learned from a loss without history.",
    ),
    mistake(
        "attack in train mode",
        "    model.eval()\n",
        "",
        hint="In which mode was the network attacked? Its statistics move along.",
    ),
    mistake(
        "everything into train mode",
        "module.training = training",
        "module.train()",
        hint="Afterwards every part of the network trains, also one that did not before.",
    ),
    mistake(
        "left in eval mode",
        "module.training = training",
        "pass",
        hint="After the call the network is in another mode than before.",
    ),
    mistake(
        "the outermost mode for all",
        "    finally:\n        for module, training in modes:\n            module.training = training",
        "    finally:\n        model.train(modes[0][1])",
        hint="The parts of a network need not all be in the same mode.",
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
        hint="In which mode is the network when the attack breaks?",
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
        hint="Only the attack runs in the quiet mode; the lesson itself does not.",
    ),
    mistake(
        "clean pass in train mode",
        "    return F.cross_entropy(model(adv_images), labels)",
        "    model(images)\n    return F.cross_entropy(model(adv_images), labels)",
        hint="The network's statistics have moved twice.",
    ),
    mistake(
        "gradients left in the network",
        "    return F.cross_entropy(model(adv_images), labels)",
        "    loss = F.cross_entropy(model(adv_images), labels)\n    loss.backward(retain_graph=True)\n    return loss",
        hint="Look at the gradients that the parameters carry after the call: the optimizer will add to them.",
    ),
    mistake(
        "targeted attack",
        "fgsm(model, images, labels, eps)",
        "fgsm(model, images, labels, eps, targeted=True)",
        hint="Your attack leads towards the labels: it makes the pictures easier.",
    ),
    mistake(
        "clean loss added",
        "return F.cross_entropy(model(adv_images), labels)",
        "return F.cross_entropy(model(adv_images), labels) + F.cross_entropy(model(images), labels)",
        hint="You add the loss on the clean pictures: only the attacked ones count here.",
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
