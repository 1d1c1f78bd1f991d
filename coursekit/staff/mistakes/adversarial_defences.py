"""Mistakes of part 3 in scoring attacks, poisoning a training and defending."""

from coursekit.staff.edits import mistake

ONE_SOURCE = "Random numbers come from one source only, the one that is handed to you."
CALLERS = "Compare what you were given before and after the call."

ATTACK_SUCCESS = (
    mistake(
        "attack_success",
        "largest with a margin",
        "predicted = logits.argmax(dim=1)",
        "predicted = (logits + 1e-6 * F.one_hot(labels, logits.shape[1])).argmax(dim=1)",
        hint="The largest is the largest, by however little: yours leaves the label a margin.",
    ),
    mistake(
        "attack_success",
        "logits compared",
        "x.softmax(dim=1).gather",
        "x.gather",
        hint="A score can fall while its class becomes more likely: compare what is asked for.",
    ),
    mistake(
        "attack_success",
        "equal counts as lower",
        "after < before",
        "after <= before",
        hint="Has an attack that changed nothing reduced anything?",
    ),
    mistake(
        "attack_success",
        "confidence raised",
        "after < before",
        "after > before",
        hint="Which of the two should be the smaller one?",
    ),
    mistake(
        "attack_success",
        "largest probability",
        ".gather(1, labels[:, None])[:, 0]",
        ".amax(dim=1)",
        hint="The confidence in which class? A confident mistake has reduced it too.",
    ),
    mistake(
        "attack_success",
        "any change of class",
        "success = predicted.ne(labels)\n",
        "success = predicted != (labels if clean_logits is None else clean_logits.argmax(dim=1))\n",
        "if clean_logits is not None:",
        "if clean_logits is not None and goal != 'misclassification':",
        hint="What was wrong before and is wrong in another way now is not a success.",
    ),
    mistake(
        "attack_success",
        "wrong before counts",
        "success = success & (clean_logits.argmax(dim=1) == labels)",
        "pass",
        hint="Some pictures needed no attack: they are no merit of it.",
    ),
    mistake(
        "attack_success",
        "only pictures that were wrong before",
        "clean_logits.argmax(dim=1) == labels",
        "clean_logits.argmax(dim=1) != labels",
        hint="Exactly those pictures count in your version that needed no attack.",
    ),
    mistake(
        "attack_success",
        "target that is the label counts",
        "predicted.ne(labels) & (predicted == target)",
        "predicted == target",
        hint="A picture of the wanted class that is recognised has not been attacked with success.",
    ),
    mistake(
        "attack_success",
        "targeted as any mistake",
        "predicted.ne(labels) & (predicted == target)",
        "predicted.ne(labels) & (labels != target)",
        hint="With a wanted class it is not enough that the network is wrong somehow.",
    ),
    mistake(
        "attack_success",
        "source ignored",
        "success = success & (labels == source)",
        "pass",
        hint="One of the four goals speaks of pictures of one class alone.",
    ),
    mistake(
        "attack_success",
        "source and target exchanged",
        "success = success & (labels == source)",
        "success = (predicted == source) & (labels == target)",
        hint="From which class to which? Yours goes the other way.",
    ),
    mistake(
        "attack_success",
        "a rate",
        "return success",
        "return success.double().mean()",
        hint="One answer a picture is asked for, no rate.",
    ),
    mistake(
        "attack_success",
        "numbers",
        "return success",
        "return success.long()",
        hint="Look at the type of the entries: yes or no.",
    ),
)

FLIP_LABELS = (
    mistake(
        "flip_labels",
        "half rounded up",
        "round(fraction * len(labels))",
        "int(fraction * len(labels) + 0.5)",
        hint="How many labels change is said in Python: what does its function make of a half?",
    ),
    mistake(
        "flip_labels",
        "classes counted in the labels",
        "turn = torch.randint(1, num_classes,",
        "num_classes = int(labels.max()) + 1\n    turn = torch.randint(1, max(num_classes, 2),",
        hint="How many classes there are is told you; labels need not hold all of them.",
    ),
    mistake(
        "flip_labels",
        "may keep its class",
        "torch.randint(1, num_classes",
        "torch.randint(0, num_classes",
        hint="Some of the chosen labels come out as they were.",
    ),
    mistake(
        "flip_labels",
        "the first ones",
        "torch.randperm(len(labels), generator=generator, device=generator.device)[:count]",
        "torch.arange(count)",
        hint="Which labels were changed? They all stand together.",
    ),
    mistake(
        "flip_labels",
        "drawn with replacement",
        "torch.randperm(len(labels), generator=generator, device=generator.device)[:count]",
        "torch.randint(len(labels), (count,), generator=generator, device=generator.device)",
        hint="The same label can be chosen twice: count what really changed.",
    ),
    mistake(
        "flip_labels",
        "each with that probability",
        "flipped[chosen] = (labels[chosen] + turn) % num_classes",
        "hit = torch.rand(len(labels), generator=generator) < fraction\n"
        "    flipped[hit] = (labels[hit] + torch.randint(1, num_classes, (int(hit.sum()),), generator=generator)) % num_classes",
        hint="How many are changed is left to chance in your version: the number is given.",
    ),
    mistake(
        "flip_labels",
        "rounded down",
        "round(fraction * len(labels))",
        "int(fraction * len(labels))",
        hint="Work out the number for a tenth of 37 labels.",
    ),
    mistake(
        "flip_labels",
        "always the next class",
        "torch.randint(1, num_classes, (count,), generator=generator, device=generator.device).to(labels.device)",
        "1",
        hint="From the new label one can tell the old one: any other class is possible.",
    ),
    mistake(
        "flip_labels",
        "all to one class",
        "(labels[chosen] + turn) % num_classes",
        "torch.where(labels[chosen] > 0, 0, 1)",
        hint="Count the new labels: nearly all are the same.",
    ),
    mistake(
        "flip_labels",
        "no longer a class",
        " % num_classes",
        "",
        hint="Look at the largest label: there is no such class.",
    ),
    mistake(
        "flip_labels",
        "generator started anew",
        "count = round(",
        "generator = torch.Generator().manual_seed(generator.initial_seed())\n    count = round(",
        hint="Who asks twice gets the same labels flipped twice: where does your second call begin to draw?",
    ),
    mistake("flip_labels", "caller's labels edited", "labels.clone()", "labels", hint=CALLERS),
    mistake(
        "flip_labels",
        "shuffled",
        "flipped = labels.clone()",
        "flipped = labels[torch.randperm(len(labels), generator=generator)]",
        hint="The labels that were not chosen do not stand in their old places.",
    ),
    mistake(
        "flip_labels",
        "global generator",
        "torch.randperm(len(labels), generator=generator, device=generator.device)",
        "torch.randperm(len(labels))",
        hint=ONE_SOURCE,
    ),
)

INJECT_SAMPLES = (
    mistake("inject_samples", "still joined to the graph", ".detach()", "", hint="Cut the history off."),
    mistake(
        "inject_samples",
        "new ones first",
        "torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "torch.cat([new_images, images]).detach(), torch.cat([new_labels, labels])",
        hint="In which order do old and new stand?",
    ),
    mistake(
        "inject_samples",
        "labels in the other order",
        "torch.cat([labels, new_labels])",
        "torch.cat([new_labels, labels])",
        hint="Does every picture still have its own label?",
    ),
    mistake(
        "inject_samples",
        "replaces originals",
        "torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "torch.cat([images[: -len(new_images)], new_images]).detach(), torch.cat([labels[: -len(new_labels)], new_labels])",
        hint="Some of the originals are gone.",
    ),
    mistake(
        "inject_samples",
        "only pictures",
        "torch.cat([labels, new_labels])",
        "labels.clone()",
        hint="Are there as many labels as pictures?",
    ),
    mistake(
        "inject_samples",
        "one label for all new ones",
        "torch.cat([labels, new_labels])",
        "torch.cat([labels, new_labels[:1].expand(len(new_labels))])",
        hint="Each of the new pictures has a label of its own.",
    ),
    mistake(
        "inject_samples",
        "only one of them",
        "torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "torch.cat([images, new_images[:1]]).detach(), torch.cat([labels, new_labels[:1]])",
        hint="Count what comes out.",
    ),
    mistake(
        "inject_samples",
        "old pictures twice",
        "torch.cat([images, new_images])",
        "torch.cat([images, images[: len(new_images)]])",
        hint="Look at the last pictures: you have seen them before.",
    ),
    mistake(
        "inject_samples",
        "sorted by class",
        "return torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])",
        "labels, order = torch.cat([labels, new_labels]).sort()\n    return torch.cat([images, new_images])[order], labels",
        hint="The order is part of the answer; classes have no say in it.",
    ),
)

CORRUPT_UPDATE = (
    mistake("corrupt_update", "in place", "scale * gradient.detach() for", "gradient.mul_(scale) for", hint=CALLERS),
    mistake(
        "corrupt_update",
        "scale ignored",
        "scale * gradient.detach()",
        "-gradient.detach()",
        hint="Try another factor than the usual one.",
    ),
    mistake(
        "corrupt_update",
        "not turned",
        "scale * gradient.detach()",
        "abs(scale) * gradient.detach()",
        hint="Where has the sign of the factor gone?",
    ),
    mistake(
        "corrupt_update",
        "the other sign",
        "scale * gradient.detach()",
        "-scale * gradient.detach()",
        hint="The sign is turned once too often.",
    ),
    mistake(
        "corrupt_update",
        "added",
        "scale * gradient.detach()",
        "scale + gradient.detach()",
        hint="What does the factor do to a gradient of zero?",
    ),
    mistake(
        "corrupt_update",
        "signs only",
        "scale * gradient.detach()",
        "scale * gradient.detach().sign()",
        hint="The lengths of the gradients are lost.",
    ),
    mistake(
        "corrupt_update",
        "normalised",
        "scale * gradient.detach()",
        "scale * gradient.detach() / gradient.detach().norm()",
        hint="All gradients have the same length in your answer.",
    ),
    mistake(
        "corrupt_update",
        "the first only",
        "[scale * gradient.detach() for gradient in gradients]",
        "[scale * gradients[0].detach(), *(g.detach().clone() for g in gradients[1:])]",
        hint="Every parameter's gradient is corrupted.",
    ),
    mistake(
        "corrupt_update",
        "flattened",
        "scale * gradient.detach()",
        "scale * gradient.detach().flatten()",
        hint="Compare the shapes with the parameters'.",
    ),
    mistake(
        "corrupt_update",
        "reversed",
        "for gradient in gradients]",
        "for gradient in list(gradients)[::-1]]",
        hint="Which answer belongs to which parameter?",
    ),
    mistake(
        "corrupt_update", "still joined to the graph", "gradient.detach()", "gradient", hint="Cut the history off."
    ),
)

ADVERSARIAL_LOSS = (
    mistake(
        "adversarial_loss",
        "gradients erased",
        "return F.cross_entropy",
        "model.zero_grad()\n    return F.cross_entropy",
        hint="Whoever trains may be collecting gradients: nothing that is stored in the parameters is yours to touch.",
    ),
    mistake(
        "adversarial_loss",
        "clean loss",
        "model(adv_images)",
        "model(images)",
        hint="The loss is that of the pictures as they were given: what was the attack for?",
    ),
    mistake(
        "adversarial_loss",
        "half clean, half attacked",
        "return F.cross_entropy(model(adv_images), labels)",
        "return (F.cross_entropy(model(adv_images), labels) + F.cross_entropy(model(images), labels)) / 2",
        hint="The paper mixes two losses, the exercise takes the one.",
    ),
    mistake(
        "adversarial_loss",
        "sum over the batch",
        "model(adv_images), labels)",
        "model(adv_images), labels, reduction='sum')",
        hint="With more pictures your loss grows.",
    ),
    mistake(
        "adversarial_loss",
        "loss for each image",
        "model(adv_images), labels)",
        "model(adv_images), labels, reduction='none')",
        hint="One number is asked for.",
    ),
    mistake(
        "adversarial_loss",
        "predicted class",
        "model(adv_images), labels)",
        "model(adv_images), model(adv_images).argmax(dim=1))",
        hint="The network is taught its own opinion.",
    ),
    mistake(
        "adversarial_loss",
        "detached",
        "return F.cross_entropy(model(adv_images), labels)",
        "return F.cross_entropy(model(adv_images), labels).detach()",
        hint="Nothing can be learned from a loss without history.",
    ),
    mistake(
        "adversarial_loss",
        "attack in train mode",
        "    model.eval()\n",
        "",
        hint="In which mode was the network attacked? Its statistics move along.",
    ),
    mistake(
        "adversarial_loss",
        "everything into train mode",
        "module.training = training",
        "module.train()",
        hint="Afterwards every part of the network trains, also one that did not before.",
    ),
    mistake(
        "adversarial_loss",
        "left in eval mode",
        "module.training = training",
        "pass",
        hint="After the call the network is in another mode than before.",
    ),
    mistake(
        "adversarial_loss",
        "the outermost mode for all",
        "    finally:\n        for module, training in modes:\n            module.training = training",
        "    finally:\n        model.train(modes[0][1])",
        hint="The parts of a network need not all be in the same mode.",
    ),
    mistake(
        "adversarial_loss",
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
        "adversarial_loss",
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
        "adversarial_loss",
        "clean pass in train mode",
        "    return F.cross_entropy(model(adv_images), labels)",
        "    model(images)\n    return F.cross_entropy(model(adv_images), labels)",
        hint="The network's statistics have moved twice.",
    ),
    mistake(
        "adversarial_loss",
        "gradients left in the network",
        "    return F.cross_entropy(model(adv_images), labels)",
        "    loss = F.cross_entropy(model(adv_images), labels)\n    loss.backward(retain_graph=True)\n    return loss",
        hint="Look at the gradients that the parameters carry after the call: the optimizer will add to them.",
    ),
)

REENCODE = (
    mistake(
        "reencode", "floor", ".round()", ".floor()", hint="A value just below a level falls a long way in your version."
    ),
    mistake(
        "reencode",
        "ceiling",
        ".round()",
        ".ceil()",
        hint="A value just above a level climbs a long way in your version.",
    ),
    mistake(
        "reencode",
        "one level too many",
        "(images.detach() * (levels - 1)).round() / (levels - 1)",
        "(images.detach() * levels).round() / levels",
        hint="With two levels, how many different values come out?",
    ),
    mistake("reencode", "not scaled back", " / (levels - 1)", "", hint="The result is no picture any more."),
    mistake(
        "reencode",
        "divided by another number",
        " / (levels - 1)",
        " / levels",
        hint="White does not stay white.",
    ),
    mistake(
        "reencode",
        "middle of each bin",
        "(images.detach() * (levels - 1)).round() / (levels - 1)",
        "((images.detach() * levels).floor().clamp(max=levels - 1) + 0.5) / levels",
        hint="Black and white are themselves levels.",
    ),
    mistake(
        "reencode",
        "stretched to the picture's range",
        "(images.detach() * (levels - 1))",
        "((images - images.min()) / (images.max() - images.min()) * (levels - 1)).detach()",
        hint="The levels are the same for every picture, whatever is in it.",
    ),
    mistake(
        "reencode",
        "joined to the graph",
        "images.detach()",
        "images",
        hint="The result drags the picture's history along.",
    ),
    mistake(
        "reencode",
        "binary",
        "(levels - 1)).round() / (levels - 1)",
        "1).round()",
        hint="Only black and white are left of your picture.",
    ),
)

NOISY_PREDICT = (
    mistake(
        "noisy_predict",
        "one row's noise for all rows",
        "normal(*images.shape,",
        "normal(*images.shape[:2], 1, images.shape[3],",
        hint="Compare the noise of two rows.",
    ),
    mistake(
        "noisy_predict",
        "softmax of the mean",
        "softmax(dim=1).detach())",
        "detach())",
        "torch.stack(answers).mean(dim=0)",
        "torch.stack(answers).mean(dim=0).softmax(dim=1)",
        hint="What is averaged, scores or probabilities?",
    ),
    mistake(
        "noisy_predict",
        "logits",
        ".softmax(dim=1).detach()",
        ".detach()",
        hint="Do the rows of your answer sum to one?",
    ),
    mistake(
        "noisy_predict",
        "sum",
        ".mean(dim=0)",
        ".sum(dim=0)",
        hint="Do the rows of your answer sum to one? They grow with the number of copies.",
    ),
    mistake(
        "noisy_predict",
        "votes",
        ".softmax(dim=1).detach()",
        ".eq(model(images.detach() + sigma * noise).amax(dim=1, keepdim=True)).to(images)",
        hint="You count winners; how sure each answer was is lost.",
    ),
    mistake(
        "noisy_predict",
        "noise clamped",
        "images.detach() + sigma * noise",
        "(images.detach() + sigma * noise).clamp(0, 1)",
        hint="The noisy copies may be no pictures: leave them.",
    ),
    mistake(
        "noisy_predict",
        "same noise for every image",
        "normal(*images.shape,",
        "normal(1, *images.shape[1:],",
        hint="Compare the noise of two pictures.",
    ),
    mistake(
        "noisy_predict",
        "same noise for every channel",
        "normal(*images.shape,",
        "normal(len(images), 1, *images.shape[2:],",
        hint="Compare the noise of the three colours.",
    ),
    mistake(
        "noisy_predict",
        "same noise for every copy",
        "    for _ in range(num_samples):\n        noise = normal(*images.shape, like=images, generator=generator)",
        "    noise = normal(*images.shape, like=images, generator=generator)\n    for _ in range(num_samples):",
        hint="Compare two copies of one picture.",
    ),
    mistake(
        "noisy_predict",
        "variance for standard deviation",
        "sigma * noise",
        "sigma**2 * noise",
        hint="Measure how strong the noise is.",
    ),
    mistake(
        "noisy_predict",
        "uniform noise",
        "normal(*images.shape, like=images, generator=generator)",
        "12**0.5 * (uniform(*images.shape, like=images, generator=generator) - 0.5)",
        hint="The bell curve is asked for, and yours has edges.",
    ),
    mistake(
        "noisy_predict",
        "one copy too few",
        "range(num_samples)",
        "range(max(num_samples - 1, 1))",
        hint="Count the copies.",
    ),
    mistake(
        "noisy_predict",
        "global generator",
        "normal(*images.shape, like=images, generator=generator)",
        "torch.randn_like(images)",
        hint=ONE_SOURCE,
    ),
    mistake(
        "noisy_predict",
        "noise and its opposite",
        "noise = normal(*images.shape, like=images, generator=generator)",
        "noise = -noise if len(answers) % 2 else normal(*images.shape, like=images, generator=generator)",
        hint="Each copy has noise of its own; yours comes in pairs that cancel.",
    ),
    mistake(
        "noisy_predict", "still joined to the graph", ".detach())  # (N, K)", ")  # (N, K)", hint="Cut the history off."
    ),
)

MISTAKES = (
    *ATTACK_SUCCESS,
    *FLIP_LABELS,
    *INJECT_SAMPLES,
    *CORRUPT_UPDATE,
    *ADVERSARIAL_LOSS,
    *REENCODE,
    *NOISY_PREDICT,
)
