"""Exercise fgsm: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import LEFT_BEHIND, NOT_SIGNED, OUT_OF_RANGE, OWN_GUESS

HINTS = (
    (
        "Training moves the weights so that the loss falls. Here the weights stay fixed, and the image moves "
        "so that the loss rises."
    ),
    (
        "You need the gradient of the cross-entropy with respect to the images. Use only its sign: every "
        "value moves by the same amount."
    ),
    (
        "With targeted, the labels are the classes that you want, so their loss must fall. At the end, clamp "
        "the result to [0, 1]."
    ),
    "x_adv = clip(x + eps * sign(d CE(f(x), y) / d x), 0, 1); targeted: minus",
)

MISTAKES = (
    mistake(
        "the other way",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign() if targeted else -gradient.sign()",
        hint="Your signs are exchanged: untargeted raises the loss, targeted lowers it.",
    ),
    mistake("raw gradient", "eps * direction", "eps * gradient * (1 - 2 * targeted)", hint=NOT_SIGNED),
    mistake(
        "gradient of length one",
        "eps * direction",
        "eps * gradient * (1 - 2 * targeted) / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1).clamp(min=1e-30)",
        hint="You divide the gradient by its L2 norm: take its sign, so that every value moves by eps.",
    ),
    mistake(
        "gradient over its largest entry",
        "eps * direction",
        "eps * gradient * (1 - 2 * targeted) / gradient.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-30)",
        hint="You divide the gradient by its largest entry: take its sign, so that every value moves by eps.",
    ),
    mistake("no clamp", ".clamp(0, 1)", "", hint=OUT_OF_RANGE),
    mistake(
        "no step at the border",
        "(images.detach() + eps * direction).clamp(0, 1)",
        "torch.where(((images + eps * direction) - 0.5).abs() <= 0.5, images + eps * direction, images).detach()",
        hint="You skip the step where it leaves [0, 1]: take the step, then clamp the result.",
    ),
    mistake(
        "eps in 255ths",
        "eps * direction",
        "eps / 255 * direction",
        hint="You divide eps by 255: eps is already in the units of the images, [0, 1].",
    ),
    mistake(
        "targeted ignored",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign()",
        hint="You ignore targeted: with targeted, the loss must fall, so reverse the sign.",
    ),
    mistake(
        "always targeted",
        "-gradient.sign() if targeted else gradient.sign()",
        "-gradient.sign()",
        hint="You always lower the loss: without targeted, it must rise.",
    ),
    mistake("predicted class", "labels, red", "model(images).argmax(dim=1), red", hint=OWN_GUESS),
    mistake(
        "loss on probabilities",
        "model(images), labels",
        "model(images).softmax(dim=1), labels",
        hint="You apply softmax before cross_entropy, which applies it again: pass the logits.",
    ),
    mistake(
        "only the label's logit",
        'F.cross_entropy(model(images), labels, reduction="sum")',
        "-model(images).gather(1, labels[:, None]).sum()",
        hint="Your loss is minus the label's logit: use the cross-entropy, which depends on all logits.",
    ),
    mistake(
        "logarithm of a probability",
        'F.cross_entropy(model(images), labels, reduction="sum")',
        "-model(images).softmax(dim=1).log().gather(1, labels[:, None]).sum()",
        hint="Your log(softmax) becomes log(0) for confident networks: compute the cross-entropy from the logits.",
    ),
    mistake(
        "moves values without a slope",
        "gradient.sign() if targeted else gradient.sign()",
        "torch.where(gradient >= 0, 1, -1) if targeted else torch.where(gradient >= 0, 1, -1)",
        hint="You move values whose gradient is 0: the sign of 0 is 0.",
    ),
    mistake(
        "one direction for the whole batch",
        "direction = ",
        "gradient = gradient.sum(dim=0, keepdim=True)\n    direction = ",
        hint="You sum the gradient over the batch: each image has its own gradient.",
    ),
    mistake(
        "one direction for all channels",
        "direction = ",
        "gradient = gradient.sum(dim=1, keepdim=True)\n    direction = ",
        hint="You sum the gradient over channels: each channel has its own sign.",
    ),
    mistake(
        "caller's images switched to gradients",
        "images.detach().requires_grad_()",
        "images.requires_grad_()",
        hint="After the call, the caller's images require gradients: work on a detached copy.",
    ),
    mistake(
        "gradients left in the network",
        "(gradient,) = torch.autograd.grad(loss, images)",
        "loss.backward(); gradient = images.grad",
        hint=LEFT_BEHIND,
    ),
    mistake(
        "joined to the caller's images",
        body="""
        x = images.detach().requires_grad_()
        loss = F.cross_entropy(model(x), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x)
        direction = -gradient.sign() if targeted else gradient.sign()
        return (images + eps * direction).clamp(0, 1)
        """,
        hint="If the images that you get require gradients, your result does too: detach it.",
    ),
    mistake(
        "still joined to the graph",
        "(images.detach() + eps",
        "(images + eps",
        hint="Your result still has a gradient history: detach it.",
    ),
    mistake(
        "perturbation only",
        "(images.detach() + eps * direction).clamp(0, 1)",
        "eps * direction",
        hint="You return the perturbation alone: add it to the images.",
    ),
    mistake(
        "clamped to -1",
        ".clamp(0, 1)",
        ".clamp(-1, 1)",
        hint="You clamp to [-1, 1]: images lie in [0, 1].",
    ),
    mistake(
        "squared error",
        'F.cross_entropy(model(images), labels, reduction="sum")',
        "F.mse_loss(model(images), F.one_hot(labels, model(images).shape[1]).to(images))",
        hint="Your loss is the squared error to one-hot labels: use the cross-entropy.",
    ),
    mistake(
        "perturbation clamped",
        "(images.detach() + eps * direction).clamp(0, 1)",
        "images.detach() + (eps * direction).clamp(0, 1)",
        hint="You clamp the perturbation to [0, 1]: clamp the sum of image and perturbation.",
    ),
    mistake(
        "tanh for the sign",
        "gradient.sign() if targeted else gradient.sign()",
        "gradient.tanh() if targeted else gradient.tanh()",
        hint="You use tanh of the gradient, which is small for small gradients: use the sign.",
    ),
    mistake(
        "clamped to the images' own range",
        ".clamp(0, 1)",
        ".clamp(images.min().item(), images.max().item())",
        hint="You clamp to the smallest and largest value of the images: clamp to [0, 1].",
    ),
    mistake(
        "small gradients count as zero",
        "gradient.sign() if targeted else gradient.sign()",
        "torch.where(gradient.abs() < 1e-8, 0, gradient).sign() if targeted else torch.where(gradient.abs() < 1e-8, 0, gradient).sign()",
        hint="You take small gradients for zero: every value whose gradient is not exactly zero moves by eps.",
    ),
    mistake(
        "smoothed labels",
        'reduction="sum")',
        'reduction="sum", label_smoothing=0.1)',
        hint="You smooth the labels: use the plain cross-entropy.",
    ),
    mistake(
        "temperature",
        "model(images), labels",
        "model(images) / 10, labels",
        hint="You divide the logits by a number: use the cross-entropy of the logits as they are.",
    ),
    mistake(
        "images themselves for eps 0",
        "    images = images.detach().requires_grad_()\n",
        "    if eps == 0:\n        return images.detach()\n    images = images.detach().requires_grad_()\n",
        hint="For eps 0 your result shares its memory with the images: return a copy.",
    ),
)

VARIANTS = (
    variant(
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
)
