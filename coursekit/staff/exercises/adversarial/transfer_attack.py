"""Exercise transfer_attack: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    "An image that fools one network often fools another one that learned the same task.",
    "You have already written the attack. On which of the two networks can you compute gradients?",
    "x_adv = FGSM of the substitute at (x, y) with budget eps",
)

MISTAKES = (
    mistake(
        "half of the budget",
        "labels, eps)",
        "labels, eps / 2)",
        hint="You use half of eps: use all of it.",
    ),
    mistake(
        "targeted",
        "eps)",
        "eps, targeted=True)",
        hint="Your attack is targeted: the labels are the true classes, so their loss must rise.",
    ),
    mistake(
        "predicted class",
        "labels, eps",
        "substitute(images).argmax(dim=1), eps",
        hint="You replace the labels by the substitute's predictions: use the given labels.",
    ),
    mistake(
        "one image at a time lost",
        "images, labels, eps)",
        "images[:1], labels[:1], eps)",
        hint="You attack the first image only: attack the whole batch.",
    ),
    mistake(
        "only where the substitute is fooled",
        body="""
        adv_images = fgsm(substitute, images, labels, eps)
        fooled = substitute(adv_images).argmax(dim=1) != labels
        return torch.where(fooled.view(-1, 1, 1, 1), adv_images, images)
        """,
        hint="You keep the clean image where the substitute is not fooled: return every attacked image.",
    ),
    mistake(
        "returns whether it succeeded",
        body="return substitute(fgsm(substitute, images, labels, eps)).argmax(dim=1) != labels",
        hint="You return whether the attack succeeded: return the attacked images.",
    ),
    mistake(
        "two steps",
        body="""
        adv_images = fgsm(substitute, images, labels, eps)
        return images + 2 * (adv_images - images)
        """,
        hint="Your images move by 2 eps: the budget is eps.",
    ),
    mistake(
        "random noise",
        body="return (images + eps * (torch.linspace(0, 9e5, images.numel()).view_as(images).sin()).sign()).clamp(0, 1)",
        hint="You add noise of size eps: attack the substitute with FGSM.",
    ),
    mistake(
        "substitute left in train mode",
        body="return fgsm(substitute.train(), images, labels, eps)",
        hint="You switch the substitute to train mode: leave its mode as it is.",
    ),
    mistake(
        "many steps",
        body="""
        return pgd(substitute, images, labels, eps, step_size=eps / 4 + 1e-9, num_steps=10)
        """,
        hint="Your attack takes many steps: take the single step of FGSM.",
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
