"""Exercise pgd: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import LEFT_BEHIND, NOT_SIGNED, OUT_OF_RANGE, OWN_GUESS

HINTS = (
    "Take many small steps instead of a large one. Compute the gradient anew at the current image in every step.",
    "Project twice after every step. First, stay within eps of the original image. Second, stay in [0, 1].",
    (
        "A random start draws each value uniformly between -eps and eps. It comes before the first gradient, "
        "and it is clamped to [0, 1] as well."
    ),
    "x_(t+1) = clip_[0,1](clip_[x-eps, x+eps](x_t + step_size * sign(d CE(f(x_t), y) / d x_t)))",
)

MOMENTUM = "You add up the gradients of several steps (momentum): use the gradient at the current image alone."
CAPPED = "You shorten step_size when eps is small or the steps are many: use the given step_size, then project."

MISTAKES = (
    mistake(
        "gradient divided by its size",
        "gradient.sign() if targeted else gradient.sign()",
        "gradient / gradient.abs() if targeted else gradient / gradient.abs()",
        hint="Where the gradient is 0, you compute 0 / 0 = NaN: the sign of 0 is 0.",
    ),
    mistake(
        "no random start for a targeted attack",
        "generator is not None",
        "generator is not None and not targeted",
        hint="You skip the random start for targeted attacks: start randomly whenever a generator is given.",
    ),
    mistake(
        "no ball",
        "adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        "adv_images.clamp(0, 1)",
        hint="Your result leaves the eps ball: project onto the ball around the original images after every step.",
    ),
    mistake("no box", "images + eps).clamp(0, 1)", "images + eps)", hint=OUT_OF_RANGE),
    mistake(
        "projected only at the end",
        "adv_images = adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        "",
        "return adv_images",
        "return adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        hint="You project only once, at the end: project after every step.",
    ),
    mistake(
        "gradient of the first picture reused",
        body="""
        start = images.detach().clone()
        if generator is not None:
            start = (start + eps * (2 * uniform(*images.shape, like=images, generator=generator) - 1)).clamp(0, 1)
        start.requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(model(start), labels, reduction="sum"), start)
        direction = -gradient.sign() if targeted else gradient.sign()
        adv_images = start.detach().clone()
        for _ in range(num_steps):
            adv_images = (adv_images + step_size * direction).clamp(images - eps, images + eps).clamp(0, 1).detach()
        return adv_images
        """,
        hint="You use the first gradient in every step: compute it anew at the current image.",
    ),
    mistake(
        "gradient at the original",
        "loss = F.cross_entropy(model(adv_images), labels",
        "original = images.clone().requires_grad_()\n        loss = F.cross_entropy(model(original), labels",
        "(loss, adv_images)",
        "(loss, original)",
        hint="You compute the gradient at the original images: compute it at the current ones.",
    ),
    mistake("one step too many", "range(num_steps)", "range(num_steps + 1)", hint="You take num_steps + 1 steps."),
    mistake(
        "one step too few",
        "range(num_steps)",
        "range(num_steps - 1)",
        hint="You take num_steps - 1 steps.",
    ),
    mistake(
        "targeted ignored",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign()",
        hint="You ignore targeted: with targeted, the loss must fall, so reverse the sign.",
    ),
    mistake(
        "the other way",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign() if targeted else -gradient.sign()",
        hint="Your signs are exchanged: untargeted raises the loss, targeted lowers it.",
    ),
    mistake("raw gradient", "step_size * direction", "step_size * gradient * (1 - 2 * targeted)", hint=NOT_SIGNED),
    mistake(
        "step of eps over the number of steps",
        "step_size * direction",
        "eps / num_steps * direction",
        hint="Your step size is eps / num_steps: use the given step_size.",
    ),
    mistake(
        "steps of the whole budget",
        "step_size * direction",
        "eps * direction",
        hint="Your step size is eps: use the given step_size.",
    ),
    mistake(
        "stops where the network is fooled",
        "adv_images = adv_images.detach() + step_size * direction",
        "direction = direction * (model(adv_images).argmax(dim=1) == labels).view(-1, 1, 1, 1)\n"
        "        adv_images = adv_images.detach() + step_size * direction",
        hint="You stop moving images that already fool the network: every image takes all steps.",
    ),
    mistake("predicted class", "labels, red", "model(images).argmax(dim=1), red", hint=OWN_GUESS),
    mistake(
        "Gaussian start",
        "2 * uniform(*images.shape, like=images, generator=generator) - 1",
        "normal(*images.shape, like=images, generator=generator).clamp(-1, 1)",
        hint="Your start is Gaussian: draw it uniformly from the eps ball.",
    ),
    mistake(
        "start in a corner of the ball",
        "(images + eps * noise)",
        "(images + eps * noise.sign())",
        hint="Your start moves every value by exactly eps: draw each value uniformly between -eps and eps.",
    ),
    mistake(
        "start on one side",
        "2 * uniform(*images.shape, like=images, generator=generator) - 1",
        "uniform(*images.shape, like=images, generator=generator)",
        hint="Your start only adds positive noise: draw it uniformly between -eps and eps.",
    ),
    mistake(
        "same start for every image",
        "uniform(*images.shape,",
        "uniform(*images.shape[1:],",
        hint="All images get the same random start: draw one for each image.",
    ),
    mistake(
        "same start for every channel",
        "uniform(*images.shape,",
        "uniform(len(images), 1, *images.shape[2:],",
        hint="All channels get the same random start: draw each value separately.",
    ),
    mistake(
        "start leaves the box",
        "(images + eps * noise).clamp(0, 1)",
        "images + eps * noise",
        hint="Your random start leaves [0, 1]: clamp it before the first gradient.",
    ),
    mistake(
        "start without steps",
        "    for _ in range",
        "    if num_steps == 0:\n        return images\n    for _ in range",
        hint="With num_steps 0 you return images: if a generator is given, return the random start.",
    ),
    mistake(
        "no random start",
        "generator is not None",
        "False",
        hint="You ignore the generator: with a generator, start at a random point of the eps ball.",
    ),
    mistake(
        "random start from the global generator",
        "uniform(*images.shape, like=images, generator=generator)",
        "torch.rand_like(images)",
        hint="You draw from the global random generator: draw from the generator that you are given.",
    ),
    mistake(
        "gradients left in the network",
        "(gradient,) = torch.autograd.grad(loss, adv_images)",
        "adv_images.retain_grad(); loss.backward(); gradient = adv_images.grad",
        hint=LEFT_BEHIND,
    ),
    mistake(
        "caller's images returned",
        "images.detach().clone()",
        "images.detach()",
        "adv_images.requires_grad_()",
        "adv_images = adv_images.detach().requires_grad_()",
        "return adv_images",
        "return adv_images.detach()",
        hint="With num_steps = 0 you return the caller's own tensor: return a copy.",
    ),
    mistake(
        "ball of the step size",
        "images - eps, images + eps",
        "images - step_size, images + step_size",
        hint="You project onto a ball of radius step_size: the radius is eps.",
    ),
    mistake(
        "L2 step",
        "direction = -gradient.sign() if targeted else gradient.sign()",
        "direction = gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1).clamp(min=1e-12) * (-1 if targeted else 1)",
        hint="You divide the gradient by its L2 norm (PGD for an L2 ball): take its sign.",
    ),
    mistake(
        "clamped to -1",
        "images + eps).clamp(0, 1)\n",
        "images + eps).clamp(-1, 1)\n",
        hint="You clamp to [-1, 1]: images lie in [0, 1].",
    ),
    mistake(
        "step times the budget",
        "step_size * direction",
        "step_size * eps * direction",
        hint="You multiply step_size by eps: step_size is already in the units of the images.",
    ),
    mistake(
        "ball only at the end",
        "adv_images = adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        "adv_images = adv_images.clamp(0, 1)",
        "return adv_images",
        "return adv_images.clamp(images - eps, images + eps)",
        hint="You project onto the eps ball only once, at the end: project after every step.",
    ),
    mistake(
        "momentum",
        "for _ in range",
        "total = 0\n    for _ in range",
        "direction = -gradient.sign() if targeted else gradient.sign()",
        "total = total + gradient / gradient.abs().mean(dim=(1, 2, 3), keepdim=True).clamp(min=1e-300)\n        direction = -total.sign() if targeted else total.sign()",
        hint=MOMENTUM,
    ),
    mistake(
        "gradients add up",
        "for _ in range",
        "total = 0\n    for _ in range",
        "direction = -gradient.sign() if targeted else gradient.sign()",
        "total = total + gradient\n        direction = -total.sign() if targeted else total.sign()",
        hint=MOMENTUM,
    ),
    mistake(
        "stops when all are fooled",
        "(gradient,) = torch",
        "if ((model(adv_images).argmax(dim=1) == labels) == targeted).all():\n            break\n        (gradient,) = torch",
        "return adv_images",
        "return adv_images.detach()",
        hint="You stop when the whole batch fools the network: every image takes all num_steps steps.",
    ),
    mistake(
        "step of at most the ball",
        "step_size * direction",
        "min(step_size, eps) * direction",
        hint=CAPPED,
    ),
    mistake(
        "step of at most a share of the ball",
        "step_size * direction",
        "min(step_size, 2.5 * eps / num_steps) * direction",
        hint=CAPPED,
    ),
    mistake(
        "small gradients count as zero",
        "gradient.sign() if targeted else gradient.sign()",
        "torch.where(gradient.abs() < 1e-8, 0, gradient).sign() if targeted else torch.where(gradient.abs() < 1e-8, 0, gradient).sign()",
        hint="You take small gradients for zero: every value whose gradient is not exactly zero moves by step_size.",
    ),
    mistake(
        "loss of the first image alone",
        'reduction="sum")',
        'reduction="none")[0]',
        hint="Only the first image has a gradient: the loss is the sum over all images.",
    ),
    mistake(
        "ball round the random start",
        "        adv_images = (images + eps * noise).clamp(0, 1)\n",
        "        adv_images = images = (images + eps * noise).clamp(0, 1)\n        adv_images = adv_images.clone()\n",
        hint="Your eps ball is centred on the random start: centre it on the original images.",
    ),
    mistake(
        "box only at the end",
        "images + eps).clamp(0, 1)",
        "images + eps)",
        "return adv_images",
        "return adv_images.clamp(0, 1)",
        hint="You clamp to [0, 1] only at the end: clamp after every step.",
    ),
)

VARIANTS = (
    variant("looks at the clean pictures first", "for _ in range", "model(images)\n    for _ in range"),
    variant(
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
)
