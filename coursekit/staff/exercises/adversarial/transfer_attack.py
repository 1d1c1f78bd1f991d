"""Exercise transfer_attack: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "What fools one network often fools another that learned the same task.",
    "You have already written the attack. On which of the two networks can you run it?",
    "x_adv = FGSM of the substitute at (x, y) with budget eps",
)

MISTAKES = (
    mistake(
        "half of the budget",
        "labels, eps)",
        "labels, eps / 2)",
        hint="Your attack has another budget than the one you were given: use all of it, and no more.",
    ),
    mistake("targeted", "eps)", "eps, targeted=True)", hint="The labels are the true classes, to be led away from."),
    mistake(
        "predicted class",
        "labels, eps",
        "substitute(images).argmax(dim=1), eps",
        hint="The attack leads away from the true classes, which the attacker knows here; do not ask a network for them.",
    ),
    mistake(
        "one image at a time lost",
        "images, labels, eps)",
        "images[:1], labels[:1], eps)",
        hint="Every picture is attacked, not the first one alone.",
    ),
    mistake(
        "only where the substitute is fooled",
        body="""
        adv_images = fgsm(substitute, images, labels, eps)
        fooled = substitute(adv_images).argmax(dim=1) != labels
        return torch.where(fooled.view(-1, 1, 1, 1), adv_images, images)
        """,
        hint="What fails at home may succeed abroad: do not take pictures back.",
    ),
    mistake(
        "returns whether it succeeded",
        body="return substitute(fgsm(substitute, images, labels, eps)).argmax(dim=1) != labels",
        hint="Pictures are asked for; whether they succeed is measured elsewhere.",
    ),
    mistake(
        "two steps",
        body="""
        adv_images = fgsm(substitute, images, labels, eps)
        return images + 2 * (adv_images - images)
        """,
        hint="You moved further than you may.",
    ),
    mistake(
        "random noise",
        body="return (images + eps * (torch.linspace(0, 9e5, images.numel()).view_as(images).sin()).sign()).clamp(0, 1)",
        hint="What you know of the network that you have goes unused.",
    ),
    mistake(
        "substitute left in train mode",
        body="return fgsm(substitute.train(), images, labels, eps)",
        hint="The network that you have was in another mode before.",
    ),
)

VARIANTS = (
    variant(
        "self-written",
        body="""
        x = images.detach().requires_grad_()
        g = torch.autograd.grad(F.cross_entropy(substitute(x), labels, reduction="sum"), x)[0]
        return (images + eps * g.sign()).clamp(0, 1).detach()
        """,
    ),
    variant(
        "image by image",
        body="return torch.cat([fgsm(substitute, x[None], y[None], eps) for x, y in zip(images, labels)])",
    ),
    variant("named arguments", body="return fgsm(model=substitute, images=images, labels=labels, eps=eps)"),
)
