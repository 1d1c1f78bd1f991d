"""Exercise pgd: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant
from coursekit.staff.exercises.adversarial.shared import LEFT_BEHIND, NOT_SIGNED, OUT_OF_RANGE, OWN_GUESS

HINTS = (
    "Many small steps instead of a large one, each with a fresh derivative at the place reached.",
    (
        "Two fences are checked after every step: never further than eps from where the picture was at the beginning, "
        "and never outside [0, 1]."
    ),
    (
        "A random start is a draw for each value between -eps and eps. It comes before the first derivative, and the "
        "second fence holds for it too."
    ),
    "x_(t+1) = clip_[0,1](clip_[x-eps, x+eps](x_t + step_size * sign(d CE(f(x_t), y) / d x_t)))",
)

MISTAKES = (
    mistake(
        "gradient divided by its size",
        "gradient.sign() if targeted else gradient.sign()",
        "gradient / gradient.abs() if targeted else gradient / gradient.abs()",
        hint="Some values of a picture change nothing about the loss: what becomes of zero divided by zero?",
    ),
    mistake(
        "no random start for a targeted attack",
        "generator is not None",
        "generator is not None and not targeted",
        hint="A generator means a random start, whichever way the attack goes.",
    ),
    mistake(
        "no ball",
        "adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        "adv_images.clamp(0, 1)",
        hint="After many steps, how far is the result from where it began? There is a budget.",
    ),
    mistake("no box", "images + eps).clamp(0, 1)", "images + eps)", hint=OUT_OF_RANGE),
    mistake(
        "ball round the previous iterate",
        "adv_images = adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        "adv_images = adv_images.clamp(images - eps, images + eps).clamp(0, 1)\n        images = adv_images",
        hint="The budget counts from the original; yours counts from the last step.",
    ),
    mistake(
        "projected only at the end",
        "adv_images = adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        "",
        "return adv_images",
        "return adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        hint="The way there left the budget: bring it back each time, not once.",
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
        hint="The second step uses what was found at the first picture.",
    ),
    mistake(
        "gradient at the original",
        "loss = F.cross_entropy(model(adv_images), labels",
        "original = images.clone().requires_grad_()\n        loss = F.cross_entropy(model(original), labels",
        "(loss, adv_images)",
        "(loss, original)",
        hint="Where you are now the slope is another than where you started, from the first step on.",
    ),
    mistake("one step too many", "range(num_steps)", "range(num_steps + 1)", hint="Ask for no steps, and count them."),
    mistake(
        "one step too few",
        "range(num_steps)",
        "range(num_steps - 1)",
        hint="Ask for a single step, and look at what moved.",
    ),
    mistake(
        "targeted ignored",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign()",
        hint="With a wanted class the loss has to go the other way.",
    ),
    mistake(
        "the other way",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign() if targeted else -gradient.sign()",
        hint="Look at the loss before and after: it moves the wrong way.",
    ),
    mistake("raw gradient", "step_size * direction", "step_size * gradient * (1 - 2 * targeted)", hint=NOT_SIGNED),
    mistake(
        "step of eps over the number of steps",
        "step_size * direction",
        "eps / num_steps * direction",
        hint="How far a step goes is given; you worked it out yourself.",
    ),
    mistake(
        "steps of the whole budget",
        "step_size * direction",
        "eps * direction",
        hint="One of your steps uses up all that is allowed.",
    ),
    mistake(
        "stops where the network is fooled",
        "adv_images = adv_images.detach() + step_size * direction",
        "direction = direction * (model(adv_images).argmax(dim=1) == labels).view(-1, 1, 1, 1)\n"
        "        adv_images = adv_images.detach() + step_size * direction",
        hint="Some pictures rest while others move: every one takes all of its steps.",
    ),
    mistake("predicted class", "labels, red", "model(images).argmax(dim=1), red", hint=OWN_GUESS),
    mistake(
        "Gaussian start",
        "2 * uniform(*images.shape, like=images, generator=generator) - 1",
        "normal(*images.shape, like=images, generator=generator).clamp(-1, 1)",
        hint="Every place in the ball is as likely as any other at the start; the bell curve prefers the middle.",
    ),
    mistake(
        "start in a corner of the ball",
        "(images + eps * noise)",
        "(images + eps * noise.sign())",
        hint="The start lies anywhere in the ball, not in its corners.",
    ),
    mistake(
        "start on one side",
        "2 * uniform(*images.shape, like=images, generator=generator) - 1",
        "uniform(*images.shape, like=images, generator=generator)",
        hint="At the start no value is ever darker than before: the ball has two sides.",
    ),
    mistake(
        "same start for every image",
        "uniform(*images.shape,",
        "uniform(*images.shape[1:],",
        hint="Compare the random starts of two pictures.",
    ),
    mistake(
        "same start for every channel",
        "uniform(*images.shape,",
        "uniform(len(images), 1, *images.shape[2:],",
        hint="Compare the random starts of the three colours of a picture.",
    ),
    mistake(
        "start leaves the box",
        "(images + eps * noise).clamp(0, 1)",
        "images + eps * noise",
        hint="The first picture that the network sees is none: look at its smallest value.",
    ),
    mistake(
        "no random start",
        "generator is not None",
        "False",
        hint="What does the attack do with its source of random numbers?",
    ),
    mistake(
        "random start from the global generator",
        "uniform(*images.shape, like=images, generator=generator)",
        "torch.rand_like(images)",
        hint="Random numbers come from one source only, the one that is handed to you.",
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
        hint="Without a step you hand back the very memory that you were given.",
    ),
    mistake(
        "ball of the step size",
        "images - eps, images + eps",
        "images - step_size, images + step_size",
        hint="Your ball has the radius of one step: the budget is another argument.",
    ),
    mistake(
        "L2 step",
        "direction = -gradient.sign() if targeted else gradient.sign()",
        "direction = gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1).clamp(min=1e-12) * (-1 if targeted else 1)",
        hint="Your step has L2 length step_size: that is PGD for an L2 ball; here every value moves alike.",
    ),
    mistake(
        "clamped to -1",
        "images + eps).clamp(0, 1)\n",
        "images + eps).clamp(-1, 1)\n",
        hint="Your result is limited to [-1, 1]: images here lie in [0, 1].",
    ),
    mistake(
        "step times the budget",
        "step_size * direction",
        "step_size * eps * direction",
        hint="Your step is a share of the budget: step_size is in units of the images already.",
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
