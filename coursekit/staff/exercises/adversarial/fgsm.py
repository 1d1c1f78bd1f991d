"""Exercise fgsm: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import LEFT_BEHIND, NOT_SIGNED, OUT_OF_RANGE, OWN_GUESS

HINTS = (
    "The network is trained by moving its weights down the loss. Here the weights stay, and the picture moves up.",
    (
        "You need the derivative of the cross-entropy with respect to the pictures. Only its sign is used: every value "
        "moves as far as any other."
    ),
    (
        "With targeted, the labels are the classes that you want: their loss should fall. At last bring the result "
        "back to [0, 1]."
    ),
    "x_adv = clip(x + eps * sign(d CE(f(x), y) / d x), 0, 1); targeted: minus",
)

MISTAKES = (
    mistake(
        "the other way",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign() if targeted else -gradient.sign()",
        hint="Look at the loss before and after: it moves the wrong way.",
    ),
    mistake("raw gradient", "eps * direction", "eps * gradient * (1 - 2 * targeted)", hint=NOT_SIGNED),
    mistake(
        "gradient of length one",
        "eps * direction",
        "eps * gradient * (1 - 2 * targeted) / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1).clamp(min=1e-30)",
        hint=NOT_SIGNED + " Dividing by the length does not change that.",
    ),
    mistake(
        "gradient over its largest entry",
        "eps * direction",
        "eps * gradient * (1 - 2 * targeted) / gradient.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-30)",
        hint=NOT_SIGNED + " Only the steepest value uses all of it.",
    ),
    mistake("no clamp", ".clamp(0, 1)", "", hint=OUT_OF_RANGE),
    mistake(
        "no step at the border",
        "(images.detach() + eps * direction).clamp(0, 1)",
        "torch.where(((images + eps * direction) - 0.5).abs() <= 0.5, images + eps * direction, images).detach()",
        hint="A value near white can still move up to white: limit the result instead of giving up the step.",
    ),
    mistake(
        "eps in 255ths",
        "eps * direction",
        "eps / 255 * direction",
        hint="The budget is in the units of the images already.",
    ),
    mistake(
        "targeted ignored",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign()",
        hint="With a wanted class the loss has to go the other way.",
    ),
    mistake(
        "always targeted",
        "-gradient.sign() if targeted else gradient.sign()",
        "-gradient.sign()",
        hint="You lead towards the labels also when they are the true ones.",
    ),
    mistake("predicted class", "labels, red", "model(images).argmax(dim=1), red", hint=OWN_GUESS),
    mistake(
        "loss on probabilities",
        "model(images), labels",
        "model(images).softmax(dim=1), labels",
        hint="The loss takes what the network returns; softmax is applied twice in your version.",
    ),
    mistake(
        "only the label's logit",
        'F.cross_entropy(model(images), labels, reduction="sum")',
        "-model(images).gather(1, labels[:, None]).sum()",
        hint="Lowering one score is not raising the loss: the other classes have a part in it.",
    ),
    mistake(
        "logarithm of a probability",
        'F.cross_entropy(model(images), labels, reduction="sum")',
        "-model(images).softmax(dim=1).log().gather(1, labels[:, None]).sum()",
        hint="Try a network that is very certain: a probability of zero has no logarithm.",
    ),
    mistake(
        "moves values without a slope",
        "gradient.sign() if targeted else gradient.sign()",
        "torch.where(gradient >= 0, 1, -1) if targeted else torch.where(gradient >= 0, 1, -1)",
        hint="What happens to a value that the network does not look at?",
    ),
    mistake(
        "one direction for the whole batch",
        "direction = ",
        "gradient = gradient.sum(dim=0, keepdim=True)\n    direction = ",
        hint="Each picture has a slope of its own.",
    ),
    mistake(
        "one direction for all channels",
        "direction = ",
        "gradient = gradient.sum(dim=1, keepdim=True)\n    direction = ",
        hint="The three colours of a pixel may move in different directions.",
    ),
    mistake(
        "caller's images switched to gradients",
        "images.detach().requires_grad_()",
        "images.requires_grad_()",
        hint="After the call the caller's pictures ask for gradients: work on what is cut off from them.",
    ),
    mistake(
        "gradients left in the network",
        "(gradient,) = torch.autograd.grad(loss, images)",
        "loss.backward(); gradient = images.grad",
        hint=LEFT_BEHIND,
    ),
    mistake(
        "still joined to the graph",
        "(images.detach() + eps",
        "(images + eps",
        hint="The result drags the picture's history along.",
    ),
    mistake(
        "perturbation only",
        "(images.detach() + eps * direction).clamp(0, 1)",
        "eps * direction",
        hint="You return the perturbation alone: where are the images?",
    ),
    mistake(
        "clamped to -1",
        ".clamp(0, 1)",
        ".clamp(-1, 1)",
        hint="Your result is limited to [-1, 1]: images here lie in [0, 1].",
    ),
    mistake(
        "squared error",
        'F.cross_entropy(model(images), labels, reduction="sum")',
        "F.mse_loss(model(images), F.one_hot(labels, model(images).shape[1]).to(images))",
        hint="Your loss is the squared error against one-hot labels: FGSM follows the cross-entropy.",
    ),
    mistake(
        "perturbation clamped",
        "(images.detach() + eps * direction).clamp(0, 1)",
        "images.detach() + (eps * direction).clamp(0, 1)",
        hint="You clamp the perturbation, which may be negative, instead of the result.",
    ),
    mistake(
        "tanh for the sign",
        "gradient.sign() if targeted else gradient.sign()",
        "gradient.tanh() if targeted else gradient.tanh()",
        hint="Your steps are as faint as the gradient: tanh of a small number is small.",
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
