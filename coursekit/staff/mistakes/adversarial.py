"""Mistakes of part 3, as learners make them: fooling images, FGSM and PGD; the others are in the files beside."""

from coursekit.staff.edits import mistake
from coursekit.staff.mistakes import adversarial_black_box, adversarial_defences

FALLS = "Look at the score on the way: it falls where it should rise."
LENGTH = "Measure how far a single step moves the picture."
OWN_GUESS = "Which class the attack is about is the caller's choice; it is not what the network says."
LEFT_BEHIND = "Compare parameters, their gradients and your inputs with what they were before the call."
OUT_OF_RANGE = "Look at the smallest and the largest value of the result: is it still a picture?"
NOT_SIGNED = "Small slopes move values less than large ones in your attack; the budget counts each value alone."

FOOLING_IMAGE = (
    mistake(
        "fooling_image",
        "epsilon",
        "step_size * gradient / length",
        "step_size * gradient / (length + 1e-8)",
        hint="A safety margin in the denominator: on very faint slopes your step shrinks to nothing.",
    ),
    mistake(
        "fooling_image",
        "L1 norm",
        "gradient.norm()",
        "gradient.abs().sum()",
        hint="Your steps are far too short: the sum of all sizes is another length than the one the docstring names.",
    ),
    mistake(
        "fooling_image",
        "root mean square",
        "gradient.norm()",
        "gradient.square().mean().sqrt()",
        hint="Your step grows with the number of pixels: its length is a sum over them, not a mean.",
    ),
    mistake(
        "fooling_image",
        "one step too few",
        "range(max_steps)",
        "range(max_steps - 1)",
        hint="Allow a single step, and count how many are taken.",
    ),
    mistake("fooling_image", "descends", "+ step_size", "- step_size", hint=FALLS),
    mistake(
        "fooling_image",
        "lowers the original class",
        "(logits[target], image,",
        "(-logits.max(), image,",
        hint="Away from one class is not towards another: which score did you differentiate?",
    ),
    mistake(
        "fooling_image",
        "probability or cross-entropy",
        "(logits[target], image,",
        "(logits.log_softmax(dim=0)[target], image,",
        hint="You also push all other classes down; the lecture climbs one score, before softmax.",
    ),
    mistake(
        "fooling_image",
        "squared norm",
        "gradient / length",
        "gradient / length**2",
        hint="The longer the gradient, the shorter your step: look at the power of what you divide by.",
    ),
    mistake("fooling_image", "step not normalised", "gradient / length", "gradient", hint=LENGTH),
    mistake(
        "fooling_image",
        "L-infinity norm",
        "gradient / length",
        "gradient / gradient.abs().max()",
        hint="You made the largest entry of the step one; which norm does the docstring name?",
    ),
    mistake(
        "fooling_image",
        "norm of each channel",
        "gradient / length",
        "gradient / gradient.flatten(1).norm(dim=1)[:, None, None]",
        hint="The three channels are one picture and share one length.",
    ),
    mistake(
        "fooling_image",
        "never stops",
        "logits.argmax() == target",
        "False",
        hint="Your loop goes on when the network is fooled already.",
    ),
    mistake(
        "fooling_image",
        "stops one step late",
        body="""
        image = image.detach().clone()
        fooled = False
        for _ in range(max_steps):
            image.requires_grad_()
            logits = model(image[None])[0]
            (gradient,) = torch.autograd.grad(logits[target], image, materialize_grads=True)
            length = gradient.norm()
            if fooled or length == 0:
                break
            fooled = bool(logits.argmax() == target)
            image = image.detach() + step_size * gradient / length
        return image.detach()
        """,
        hint="Ask whether to stop before you move, not after.",
    ),
    mistake(
        "fooling_image",
        "gradient accumulates",
        body="""
        image, total = image.detach().clone(), 0
        for _ in range(max_steps):
            image.requires_grad_()
            logits = model(image[None])[0]
            if logits.argmax() == target:
                break
            (gradient,) = torch.autograd.grad(logits[target], image, materialize_grads=True)
            total = total + gradient
            if total.norm() == 0:
                break
            image = image.detach() + step_size * total / total.norm()
        return image.detach()
        """,
        hint="From the second step on, something of the earlier steps is still in your direction.",
    ),
    mistake(
        "fooling_image",
        "gradient of the first picture reused",
        body="""
        image = image.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(model(image[None])[0, target], image, materialize_grads=True)
        for _ in range(max_steps):
            if model(image[None]).argmax() == target or gradient.norm() == 0:
                break
            image = image.detach() + step_size * gradient / gradient.norm()
        return image.detach()
        """,
        hint="The network is not linear: the direction at the start is not the direction further on.",
    ),
    mistake(
        "fooling_image",
        "nearly the largest will do",
        "logits.argmax() == target",
        "logits[target] >= logits.max() - 1e-6",
        hint="You stop a little too early: another class is still ahead, by very little.",
    ),
    mistake(
        "fooling_image",
        "largest with a margin",
        "logits.argmax() == target",
        "logits.argmax() == target and logits.topk(2).values.diff() < -1e-6",
        hint="You go on although the target is ahead already, by very little: that is enough.",
    ),
    mistake(
        "fooling_image", "two steps at once", "+ step_size", "+ 2 * step_size", hint=LENGTH + " Twice what it should?"
    ),
    mistake(
        "fooling_image",
        "one step too many",
        "range(max_steps)",
        "range(max_steps + 1)",
        hint="Allow no step at all, and count how many are taken.",
    ),
    mistake(
        "fooling_image",
        "zero divided by zero",
        "length == 0",
        "False",
        hint="What becomes of a picture that does not reach the score at all?",
    ),
    mistake(
        "fooling_image",
        "clamped on the way",
        "step_size * gradient / length",
        "step_size * gradient / length\n        image = image.clamp(0, 1)",
        hint="Values may leave the range of a picture here; it is for showing that one limits them.",
    ),
    mistake(
        "fooling_image",
        "caller's image edited",
        "image = image.detach() + step_size * gradient / length",
        "image.data += step_size * gradient / length",
        "image.clone().detach()",
        "image.detach()",
        hint="The picture that you were given is another one after the call.",
    ),
    mistake(
        "fooling_image",
        "gradients left in the network",
        "(gradient,) = torch.autograd.grad(logits[target], image, materialize_grads=True)",
        "image.retain_grad(); logits[target].backward(); gradient = image.grad if image.grad is not None else image * 0",
        hint=LEFT_BEHIND,
    ),
)

FGSM = (
    mistake(
        "fgsm",
        "the other way",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign() if targeted else -gradient.sign()",
        hint="Look at the loss before and after: it moves the wrong way.",
    ),
    mistake("fgsm", "raw gradient", "eps * direction", "eps * gradient * (1 - 2 * targeted)", hint=NOT_SIGNED),
    mistake(
        "fgsm",
        "gradient of length one",
        "eps * direction",
        "eps * gradient * (1 - 2 * targeted) / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1).clamp(min=1e-30)",
        hint=NOT_SIGNED + " Dividing by the length does not change that.",
    ),
    mistake(
        "fgsm",
        "gradient over its largest entry",
        "eps * direction",
        "eps * gradient * (1 - 2 * targeted) / gradient.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-30)",
        hint=NOT_SIGNED + " Only the steepest value uses all of it.",
    ),
    mistake("fgsm", "no clamp", ".clamp(0, 1)", "", hint=OUT_OF_RANGE),
    mistake(
        "fgsm",
        "no step at the border",
        "(images.detach() + eps * direction).clamp(0, 1)",
        "torch.where(((images + eps * direction) - 0.5).abs() <= 0.5, images + eps * direction, images).detach()",
        hint="A value near white can still move up to white: limit the result instead of giving up the step.",
    ),
    mistake(
        "fgsm",
        "eps in 255ths",
        "eps * direction",
        "eps / 255 * direction",
        hint="The budget is in the units of the images already.",
    ),
    mistake(
        "fgsm",
        "targeted ignored",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign()",
        hint="With a wanted class the loss has to go the other way.",
    ),
    mistake(
        "fgsm",
        "always targeted",
        "-gradient.sign() if targeted else gradient.sign()",
        "-gradient.sign()",
        hint="You lead towards the labels also when they are the true ones.",
    ),
    mistake("fgsm", "predicted class", "labels, red", "model(images).argmax(dim=1), red", hint=OWN_GUESS),
    mistake(
        "fgsm",
        "loss on probabilities",
        "model(images), labels",
        "model(images).softmax(dim=1), labels",
        hint="The loss takes what the network returns; softmax is applied twice in your version.",
    ),
    mistake(
        "fgsm",
        "only the label's logit",
        'F.cross_entropy(model(images), labels, reduction="sum")',
        "-model(images).gather(1, labels[:, None]).sum()",
        hint="Lowering one score is not raising the loss: the other classes have a part in it.",
    ),
    mistake(
        "fgsm",
        "logarithm of a probability",
        'F.cross_entropy(model(images), labels, reduction="sum")',
        "-model(images).softmax(dim=1).log().gather(1, labels[:, None]).sum()",
        hint="Try a network that is very certain: a probability of zero has no logarithm.",
    ),
    mistake(
        "fgsm",
        "moves values without a slope",
        "gradient.sign() if targeted else gradient.sign()",
        "torch.where(gradient >= 0, 1, -1) if targeted else torch.where(gradient >= 0, 1, -1)",
        hint="What happens to a value that the network does not look at?",
    ),
    mistake(
        "fgsm",
        "one direction for the whole batch",
        "direction = ",
        "gradient = gradient.sum(dim=0, keepdim=True)\n    direction = ",
        hint="Each picture has a slope of its own.",
    ),
    mistake(
        "fgsm",
        "one direction for all channels",
        "direction = ",
        "gradient = gradient.sum(dim=1, keepdim=True)\n    direction = ",
        hint="The three colours of a pixel may move in different directions.",
    ),
    mistake(
        "fgsm",
        "caller's images switched to gradients",
        "images.detach().requires_grad_()",
        "images.requires_grad_()",
        hint="After the call the caller's pictures ask for gradients: work on what is cut off from them.",
    ),
    mistake(
        "fgsm",
        "gradients left in the network",
        "(gradient,) = torch.autograd.grad(loss, images)",
        "loss.backward(); gradient = images.grad",
        hint=LEFT_BEHIND,
    ),
    mistake(
        "fgsm",
        "still joined to the graph",
        "(images.detach() + eps",
        "(images + eps",
        hint="The result drags the picture's history along.",
    ),
)

PGD = (
    mistake(
        "pgd",
        "no random start for a targeted attack",
        "generator is not None",
        "generator is not None and not targeted",
        hint="A generator means a random start, whichever way the attack goes.",
    ),
    mistake(
        "pgd",
        "no ball",
        "adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        "adv_images.clamp(0, 1)",
        hint="After many steps, how far is the result from where it began? There is a budget.",
    ),
    mistake("pgd", "no box", "images + eps).clamp(0, 1)", "images + eps)", hint=OUT_OF_RANGE),
    mistake(
        "pgd",
        "ball round the previous iterate",
        "adv_images = adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        "adv_images = adv_images.clamp(images - eps, images + eps).clamp(0, 1)\n        images = adv_images",
        hint="The budget counts from the original; yours counts from the last step.",
    ),
    mistake(
        "pgd",
        "projected only at the end",
        "adv_images = adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        "",
        "return adv_images",
        "return adv_images.clamp(images - eps, images + eps).clamp(0, 1)",
        hint="The way there left the budget: bring it back each time, not once.",
    ),
    mistake(
        "pgd",
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
        "pgd",
        "gradient at the original",
        "loss = F.cross_entropy(model(adv_images), labels",
        "original = images.clone().requires_grad_()\n        loss = F.cross_entropy(model(original), labels",
        "(loss, adv_images)",
        "(loss, original)",
        hint="Where you are now the slope is another than where you started, from the first step on.",
    ),
    mistake(
        "pgd", "one step too many", "range(num_steps)", "range(num_steps + 1)", hint="Ask for no steps, and count them."
    ),
    mistake(
        "pgd",
        "one step too few",
        "range(num_steps)",
        "range(num_steps - 1)",
        hint="Ask for a single step, and look at what moved.",
    ),
    mistake(
        "pgd",
        "targeted ignored",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign()",
        hint="With a wanted class the loss has to go the other way.",
    ),
    mistake(
        "pgd",
        "the other way",
        "-gradient.sign() if targeted else gradient.sign()",
        "gradient.sign() if targeted else -gradient.sign()",
        hint="Look at the loss before and after: it moves the wrong way.",
    ),
    mistake(
        "pgd", "raw gradient", "step_size * direction", "step_size * gradient * (1 - 2 * targeted)", hint=NOT_SIGNED
    ),
    mistake(
        "pgd",
        "step of eps over the number of steps",
        "step_size * direction",
        "eps / num_steps * direction",
        hint="How far a step goes is given; you worked it out yourself.",
    ),
    mistake(
        "pgd",
        "steps of the whole budget",
        "step_size * direction",
        "eps * direction",
        hint="One of your steps uses up all that is allowed.",
    ),
    mistake(
        "pgd",
        "stops where the network is fooled",
        "adv_images = adv_images.detach() + step_size * direction",
        "direction = direction * (model(adv_images).argmax(dim=1) == labels).view(-1, 1, 1, 1)\n"
        "        adv_images = adv_images.detach() + step_size * direction",
        hint="Some pictures rest while others move: every one takes all of its steps.",
    ),
    mistake("pgd", "predicted class", "labels, red", "model(images).argmax(dim=1), red", hint=OWN_GUESS),
    mistake(
        "pgd",
        "Gaussian start",
        "2 * uniform(*images.shape, like=images, generator=generator) - 1",
        "normal(*images.shape, like=images, generator=generator).clamp(-1, 1)",
        hint="Every place in the ball is as likely as any other at the start; the bell curve prefers the middle.",
    ),
    mistake(
        "pgd",
        "start in a corner of the ball",
        "(images + eps * noise)",
        "(images + eps * noise.sign())",
        hint="The start lies anywhere in the ball, not in its corners.",
    ),
    mistake(
        "pgd",
        "start on one side",
        "2 * uniform(*images.shape, like=images, generator=generator) - 1",
        "uniform(*images.shape, like=images, generator=generator)",
        hint="At the start no value is ever darker than before: the ball has two sides.",
    ),
    mistake(
        "pgd",
        "same start for every image",
        "uniform(*images.shape,",
        "uniform(*images.shape[1:],",
        hint="Compare the random starts of two pictures.",
    ),
    mistake(
        "pgd",
        "same start for every channel",
        "uniform(*images.shape,",
        "uniform(len(images), 1, *images.shape[2:],",
        hint="Compare the random starts of the three colours of a picture.",
    ),
    mistake(
        "pgd",
        "start leaves the box",
        "(images + eps * noise).clamp(0, 1)",
        "images + eps * noise",
        hint="The first picture that the network sees is none: look at its smallest value.",
    ),
    mistake(
        "pgd",
        "no random start",
        "generator is not None",
        "False",
        hint="What does the attack do with its source of random numbers?",
    ),
    mistake(
        "pgd",
        "random start from the global generator",
        "uniform(*images.shape, like=images, generator=generator)",
        "torch.rand_like(images)",
        hint="Random numbers come from one source only, the one that is handed to you.",
    ),
    mistake(
        "pgd",
        "gradients left in the network",
        "(gradient,) = torch.autograd.grad(loss, adv_images)",
        "adv_images.retain_grad(); loss.backward(); gradient = adv_images.grad",
        hint=LEFT_BEHIND,
    ),
    mistake(
        "pgd",
        "caller's images returned",
        "images.detach().clone()",
        "images.detach()",
        "adv_images.requires_grad_()",
        "adv_images = adv_images.detach().requires_grad_()",
        "return adv_images",
        "return adv_images.detach()",
        hint="Without a step you hand back the very memory that you were given.",
    ),
)

LINEAR_SHIFT = (
    mistake("linear_shift", "still joined to the graph", "weight.detach()", "weight", hint="Cut the history off."),
    mistake(
        "linear_shift",
        "sum before the absolute value",
        "weight.detach().abs().sum()",
        "weight.detach().sum().abs()",
        hint="Weights of different sign cancel in your sum, but the attacker chooses each direction alone.",
    ),
    mistake(
        "linear_shift",
        "plain sum",
        ".abs().sum()",
        ".sum()",
        hint="A negative weight can be used against the network as well.",
    ),
    mistake(
        "linear_shift", "mean", ".sum()", ".mean()", hint="The more pixels, the larger the change: yours does not grow."
    ),
    mistake(
        "linear_shift", "largest weight", ".sum()", ".max()", hint="The attacker moves all pixels, not the best one."
    ),
    mistake(
        "linear_shift",
        "L2 norm",
        ".abs().sum()",
        ".norm()",
        hint="Your answer is for a budget on the length of the whole change; here each entry has its own.",
    ),
    mistake(
        "linear_shift",
        "sum of squares",
        ".abs().sum()",
        ".square().sum()",
        hint="A change moves the score by weight times step, not more.",
    ),
    mistake("linear_shift", "without eps", "eps * ", "", hint="How does the answer change when the budget is halved?"),
    mistake(
        "linear_shift",
        "twice",
        "eps * ",
        "2 * eps * ",
        hint="Count from the unchanged score, not from one extreme to the other.",
    ),
    mistake(
        "linear_shift",
        "eps squared",
        "eps * ",
        "eps**2 * ",
        hint="A budget ten times smaller makes your answer a hundred times smaller.",
    ),
    mistake("linear_shift", "shape (1,)", ".sum()", ".sum().reshape(1)", hint="Look at the shape: a number, no list."),
    mistake("linear_shift", "Python number", ".sum()", ".sum().item()", hint="A tensor is asked for, with no axes."),
    mistake("linear_shift", "one number a row", ".sum()", ".sum(dim=-1)", hint="All axes together make one number."),
)

MISTAKES = (
    *FOOLING_IMAGE,
    *FGSM,
    *PGD,
    *LINEAR_SHIFT,
    *adversarial_black_box.MISTAKES,
    *adversarial_defences.MISTAKES,
)
