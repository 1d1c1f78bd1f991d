"""Exercise train_substitute: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "The labels come from the oracle, not from the truth. Train a deep copy, and keep two growing "
        "tensors: images and the oracle's labels."
    ),
    (
        "Between two rounds, move each image along the gradient's sign so that the logit of its label rises. "
        "Ask the oracle about the new images only."
    ),
    (
        "A round is ordinary training. Make a new Adam, then take num_steps steps on the mean cross-entropy "
        "over all images so far."
    ),
    "D_(r+1) = D_r + {(x', O(x')): x' = clip(x + step_size * sign(d logit_O(x) / d x), 0, 1), x in D_r}",
)

MISTAKES = (
    mistake(
        "trained in eval mode",
        "model.train().parameters()",
        "model.eval().parameters()",
        hint="You train in eval mode: switch to train mode for the training steps.",
    ),
    mistake(
        "new pictures made in train mode",
        "        model.eval()\n    return model",
        "    return model.eval()",
        hint=(
            "You make new images in train mode, which changes batch-norm statistics: switch to eval mode after "
            "each round."
        ),
    ),
    mistake(
        "trains the caller's network",
        "deepcopy(substitute)",
        "substitute",
        hint="You train the caller's network itself: train a deep copy.",
    ),
    mistake(
        "new pictures keep the old labels",
        "oracle(new_images)]",
        "labels]",
        hint="New images keep the labels of their originals: ask the oracle.",
    ),
    mistake(
        "labels new pictures itself",
        "oracle(new_images)]",
        "model(new_images).argmax(dim=1)]",
        hint="You label new images with the substitute: ask the oracle.",
    ),
    mistake(
        "learns from its own labels",
        "labels = oracle(images)",
        "labels = model(images).argmax(dim=1)",
        hint="You label the first images with the substitute: ask the oracle.",
    ),
    mistake(
        "forgets earlier pictures",
        "torch.cat([images, new_images]), torch.cat([labels, oracle(new_images)])",
        "new_images, oracle(new_images)",
        hint="You train on the new images only: append them to the earlier ones.",
    ),
    mistake(
        "asks about everything again",
        "torch.cat([labels, oracle(new_images)])",
        "oracle(torch.cat([images, new_images]))",
        hint="You ask the oracle about all images again: ask about the new ones only.",
    ),
    mistake(
        "moves along the loss",
        "scores = model(shown).gather(1, labels[:, None])",
        "scores = F.cross_entropy(model(shown), labels, reduction='none')",
        hint="You move new images along the cross-entropy: move them along the logit of the label.",
    ),
    mistake(
        "moves down",
        "images + step_size",
        "images - step_size",
        hint="You move new images against the gradient: move them along it.",
    ),
    mistake(
        "raw gradient", "gradient.sign()", "gradient", hint="You move new images by the raw gradient: use its sign."
    ),
    mistake("not clamped", ".clamp(0, 1)", "", hint="New images leave [0, 1]: clamp them before you ask the oracle."),
    mistake(
        "one round too many",
        "range(num_rounds)",
        "range(num_rounds + 1)",
        hint="You train, or ask the oracle, one round too often: num_rounds rounds, new images only between them.",
    ),
    mistake(
        "grows after the last round too",
        "        model.eval()",
        "        model.eval()\n        if round_number == num_rounds - 1:\n            oracle(images + step_size)",
        hint="You ask the oracle again after the last round: new images come only between rounds.",
    ),
    mistake("plain gradient descent", "torch.optim.Adam", "torch.optim.SGD", hint="Your optimizer is SGD: use Adam."),
    mistake(
        "optimizer kept over rounds",
        "optimizer = torch",
        "optimizer = round_number and optimizer or torch",
        hint="You keep one optimizer over all rounds: make a new one in each round.",
    ),
    mistake(
        "gradients add up",
        "optimizer.zero_grad()",
        "pass",
        hint="You never clear the gradients, so they add up over steps.",
    ),
    mistake(
        "one step short",
        "range(num_steps)",
        "range(num_steps - 1)",
        hint="You take num_steps - 1 training steps per round: take num_steps.",
    ),
    mistake(
        "left in train mode",
        "        model.eval()\n",
        "",
        hint="You return the substitute in train mode: return it in eval mode.",
    ),
    mistake(
        "learning rate of its own",
        "parameters(), learning_rate",
        "parameters(), 1e-3",
        hint="You use a fixed learning rate: use the given learning_rate.",
    ),
    mistake(
        "AdamW",
        "torch.optim.Adam(",
        "torch.optim.AdamW(",
        hint="Your optimizer is AdamW, which also decays weights: use Adam.",
    ),
    mistake(
        "from the start in every round",
        "optimizer = torch",
        "model = deepcopy(substitute)\n        optimizer = torch",
        hint="You begin with a fresh copy of substitute in each round: go on training the same copy.",
    ),
    mistake(
        "largest logit",
        "model(shown).gather(1, labels[:, None])",
        "model(shown).amax(dim=1)",
        hint="You move images along the substitute's largest logit: use the logit of the oracle's label.",
    ),
    mistake(
        "only the first images multiply",
        "shown = images.clone().requires_grad_()",
        "first = len(images) // round_number\n            shown = images.clone().requires_grad_()",
        "(images + step_size * gradient.sign()).clamp(0, 1)",
        "(images + step_size * gradient.sign()).clamp(0, 1)[:first]",
        hint="You make new images from the first ones only: make one from each image so far.",
    ),
    mistake(
        "first 32 pairs only",
        "F.cross_entropy(model(images), labels).backward()",
        "F.cross_entropy(model(images[:32]), labels[:32]).backward()",
        hint="You train on the first 32 images only: train on all images so far.",
    ),
    mistake(
        "small batches",
        "F.cross_entropy(model(images), labels).backward()",
        "rows = torch.arange(4 * _, 4 * _ + 4) % len(images)\n            F.cross_entropy(model(images[rows]), labels[rows]).backward()",
        hint="You train on a part of the images in each step: use all images so far in one batch.",
    ),
)

VARIANTS = (
    variant(
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
        "gradients by hand",
        "optimizer.zero_grad()\n            F.cross_entropy(model(images), labels).backward()",
        "grads = torch.autograd.grad(F.cross_entropy(model(images), labels), list(model.parameters()))\n"
        "            for parameter, grad in zip(model.parameters(), grads):\n                parameter.grad = grad",
    ),
    variant(
        "oracle asked one by one",
        "labels = oracle(images)\n",
        "labels = torch.cat([oracle(image[None]) for image in images])\n",
        "oracle(new_images)]",
        "*(oracle(image[None]) for image in new_images)]",
    ),
)
