"""Exercise train_substitute: its ladder of hints, its known mistakes, its right variants."""

from coursekit.staff.edits import mistake, variant

HINTS = (
    (
        "Nobody tells the true labels; the oracle tells its own. Work on a deep copy, and keep two growing tensors: "
        "pictures and answers."
    ),
    (
        "Between two rounds each picture is moved a little, in the direction in which the copy's score of the answer "
        "rises, and only the new ones are shown to the oracle."
    ),
    (
        "A round is an ordinary training: a new Adam, num_steps times the mean cross-entropy over everything gathered "
        "so far."
    ),
    "D_(r+1) = D_r + {(x', O(x')): x' = clip(x + step_size * sign(d logit_O(x) / d x), 0, 1), x in D_r}",
)

MISTAKES = (
    mistake(
        "trained in eval mode",
        "model.train().parameters()",
        "model.eval().parameters()",
        hint="Batch norm and dropout behave differently while a network learns: which mode was yours in?",
    ),
    mistake(
        "new pictures made in train mode",
        "        model.eval()\n    return model",
        "    return model.eval()",
        hint="Batch norm also learned from a batch that is no training step: where does the substitute only look?",
    ),
    mistake(
        "trains the caller's network",
        "deepcopy(substitute)",
        "substitute",
        hint="The network that you were given is another one after the call.",
    ),
    mistake(
        "new pictures keep the old labels",
        "oracle(new_images)]",
        "labels]",
        hint="A moved picture may have another class: who could tell you?",
    ),
    mistake(
        "labels new pictures itself",
        "oracle(new_images)]",
        "model(new_images).argmax(dim=1)]",
        hint="The network learns from its own guesses in your version.",
    ),
    mistake(
        "learns from its own labels",
        "labels = oracle(images)",
        "labels = model(images).argmax(dim=1)",
        hint="What does the box say about the attacker's own pictures? You never asked.",
    ),
    mistake(
        "forgets earlier pictures",
        "torch.cat([images, new_images]), torch.cat([labels, oracle(new_images)])",
        "new_images, oracle(new_images)",
        hint="The collection grows from round to round; yours is replaced.",
    ),
    mistake(
        "asks about everything again",
        "torch.cat([labels, oracle(new_images)])",
        "oracle(torch.cat([images, new_images]))",
        hint="You pay for each question: what has been answered need not be asked again.",
    ),
    mistake(
        "moves along the loss",
        "scores = model(shown).gather(1, labels[:, None])",
        "scores = F.cross_entropy(model(shown), labels, reduction='none')",
        hint="New pictures follow the score of the label here, not a loss.",
    ),
    mistake(
        "moves down",
        "images + step_size",
        "images - step_size",
        hint="New pictures move the wrong way along the slope.",
    ),
    mistake(
        "raw gradient", "gradient.sign()", "gradient", hint="Every value of a new picture moves by the same amount."
    ),
    mistake("not clamped", ".clamp(0, 1)", "", hint="Look at the smallest value that the box was asked about."),
    mistake(
        "one round too many",
        "range(num_rounds)",
        "range(num_rounds + 1)",
        hint="Count the questions with a single round.",
    ),
    mistake(
        "grows after the last round too",
        "        model.eval()",
        "        model.eval()\n        if round_number == num_rounds - 1:\n            oracle(images + step_size)",
        hint="Questions whose answers teach nobody: when is the last one asked?",
    ),
    mistake("plain gradient descent", "torch.optim.Adam", "torch.optim.SGD", hint="The optimizer is another one."),
    mistake(
        "optimizer kept over rounds",
        "optimizer = torch",
        "optimizer = round_number and optimizer or torch",
        hint="What the optimizer remembers of an earlier round should be gone.",
    ),
    mistake(
        "gradients add up",
        "optimizer.zero_grad()",
        "pass",
        hint="From the second step on, something of the earlier ones is still in the gradient.",
    ),
    mistake("one step short", "range(num_steps)", "range(num_steps - 1)", hint="Count the steps of a round."),
    mistake("left in train mode", "        model.eval()\n", "", hint="In which mode does the copy come back?"),
    mistake(
        "learning rate of its own",
        "parameters(), learning_rate",
        "parameters(), 1e-3",
        hint="Your optimizer has a learning rate of its own: use the caller's.",
    ),
    mistake(
        "AdamW",
        "torch.optim.Adam(",
        "torch.optim.AdamW(",
        hint="Your optimizer also decays the weights (AdamW): the docstring names another.",
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
