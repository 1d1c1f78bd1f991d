"""Part 3. Fooling networks: how small a change is enough, who can make it, and how can a network be defended?

Szegedy et al. 2014, Goodfellow et al. 2015 (FGSM), Madry et al. 2018 (PGD), Su et al. 2019 (one pixel), Papernot et al.
2017 (black box), Chakraborty et al. 2018 (goals, capabilities, training time).

In every function: images are (N, 3, H, W) in [0, 1], any strides (`view` may fail, `reshape` works). model maps them to
logits (N, K) and is in eval mode. eps is an L-infinity budget in the units of the images (8 / 255 is usual). The
arguments are not modified. Results are new, detached tensors. Your code runs with gradients enabled. Invalid arguments
are checked for you: they raise ValueError before your code runs.

Random numbers come from generator alone. `uniform` and `normal` of coursekit.vision draw them on the generator's device
and return them on the device and in the dtype of `like`: normal(*images.shape, like=images, generator=generator).
"""

from __future__ import annotations

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.vision import checked, normal, uniform

from coursekit.vision.arguments import (  # isort: skip
    AnyModeModel, AnyTensor, AtLeast1, CleanLogits, Count, Eps, Flag, Fraction, Generator, Goal, Gradients, Image,
    Images, Label, Labels, Levels, Logits, Model, ModelOrFunction, NewImages, NewLabels, NotNegative, Number,
    NumClasses, Oracle, Population, Positive, Probabilities, Scores, Source, Substitute, Target
)  # fmt: skip


@checked
def fooling_image(model: Model, image: Image, target: Target, *, step_size: Positive, max_steps: Count) -> Tensor:
    """Return the image after gradient ascent on the target's logit, stopped as soon as the network predicts target.

    Args:
        image: (3, H, W) in [0, 1].
        step_size: the L2 length of each step. A step goes along the gradient.
        max_steps: the largest number of steps. Before each step, stop if target has the largest logit, or if the
            gradient is zero.

    Returns:
        (3, H, W), not clamped (clamp it to show it).

    Source: Szegedy et al. 2014; the lecture's "start from a real image".
    """
    ### BEGIN SOLUTION
    image = image.clone().detach()
    for _ in range(max_steps):
        image.requires_grad_()
        logits = model(image[None])[0]  # (K,)
        if logits.argmax() == target:
            break
        (gradient,) = torch.autograd.grad(logits[target], image, materialize_grads=True)
        length = gradient.norm()
        if length == 0:
            break
        image = image.detach() + step_size * gradient / length
    return image.detach()
    ### END SOLUTION


@checked
def fgsm(model: ModelOrFunction, images: Images, labels: Labels, eps: Eps, *, targeted: Flag = False) -> Tensor:
    """Return the images after one FGSM step: every value moves by eps in the direction that raises the cross-entropy.

    A value whose gradient is zero does not move. Background ("gradient masking"): with logits near 1e5, float32 rounds
    the label's probability to 1. Then every gradient is zero and FGSM fails, although the network is not robust.

    Args:
        model: a network, or a plain function from images to logits. Only call model(images): a function has no layers.
        labels: (N,) the true classes; with targeted, the wanted classes, whose cross-entropy is lowered instead.

    Returns:
        (N, 3, H, W), every value in [0, 1] and between images - eps and images + eps.
    Source: Goodfellow et al. 2015, section 4.
    """
    ### BEGIN SOLUTION
    images = images.detach().requires_grad_()
    # The sum, not the mean: no image's gradient depends on how many there are.
    loss = F.cross_entropy(model(images), labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, images)
    direction = -gradient.sign() if targeted else gradient.sign()
    # Clamp last: the step may leave [0, 1], and the model never saw such pixels.
    return (images.detach() + eps * direction).clamp(0, 1)
    ### END SOLUTION


@checked
def pgd(
    model: Model,
    images: Images,
    labels: Labels,
    eps: Eps,
    *,
    step_size: Positive,
    num_steps: Count,
    targeted: Flag = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return the images after num_steps small FGSM steps, each followed by two clamps: to the eps ball, then to [0, 1].

    The eps ball contains the values from images - eps to images + eps.

    Args:
        labels: (N,) the true classes; with targeted, the wanted classes, whose cross-entropy is lowered instead.
        step_size: the change of every value in one step.
        num_steps: every image takes all steps, also after it fools the network.
        generator: if given, the start is uniform in the ball (one draw per value), clamped to [0, 1]. If None, the
            start is images.
    Returns (N, 3, H, W), the result of the last step.
    Source: Madry et al. 2018, section 2.1.
    """
    ### BEGIN SOLUTION
    images, adv_images = images.detach(), images.detach().clone()
    if generator is not None:
        noise = 2 * uniform(*images.shape, like=images, generator=generator) - 1
        adv_images = (images + eps * noise).clamp(0, 1)
    for _ in range(num_steps):
        adv_images.requires_grad_()
        loss = F.cross_entropy(model(adv_images), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, adv_images)
        direction = -gradient.sign() if targeted else gradient.sign()
        adv_images = adv_images.detach() + step_size * direction
        adv_images = adv_images.clamp(images - eps, images + eps).clamp(0, 1)
    return adv_images
    ### END SOLUTION


@checked
def linear_shift(weight: AnyTensor, eps: Eps) -> Tensor:
    """Return the largest change of a linear score w . x if every entry of x may change by at most eps.

    Args:
        weight: w, any shape.

    Returns:
        0-d: the maximum of w . d over all d with |d| <= eps in every entry. It grows with the number of entries.

    Source: Goodfellow et al. 2015, section 3.
    """
    ### BEGIN SOLUTION
    return eps * weight.detach().abs().sum()
    ### END SOLUTION


@checked
def one_pixel_attack(
    predict: Probabilities,
    image: Image,
    label: Label,
    *,
    target: Target | None = None,
    population: Population = 100,
    generations: Count = 50,
    generator: Generator,
) -> tuple[Tensor, int]:
    """Return the image with one pixel replaced, found by differential evolution on predict's probabilities alone.

    A member is five real numbers (y, x, r, g, b): its image has the colour (r, g, b) at pixel (floor(y), floor(x)).
    A member is fitter if label is less probable; with target, if target is more probable.
    (1) Start: `population` members, y uniform in [0, H), x in [0, W), colours in [0, 1]. Show them to predict.
    (2) Stop after `generations` rounds, or if the fittest is predicted as another class (with target: as target).
    (3) Child i is r1 + 0.5 (r2 - r3); r1, r2, r3 are distinct members of the old generation and not member i.
    (4) If a child's y is outside the image, draw this y anew as in (1); likewise its x. Clip its colour to [0, 1].
    (5) Show the children to predict. Child i replaces member i only if it is fitter. Go back to (2).
    In (1) and (5), show each image once, in the order of i, in batches of any size.
    Returns the image of the fittest member, (3, H, W), and the number of images shown to predict.
    Source: Su et al. 2019, section 3.3.
    """
    ### BEGIN SOLUTION
    sides = torch.tensor([*image.shape[1:], 1, 1, 1], dtype=image.dtype, device=image.device)
    wanted, sign = (label, 1) if target is None else (target, -1)

    def paint(genes: Tensor) -> Tensor:
        images = image.detach().repeat(len(genes), 1, 1, 1)  # (M, 3, H, W)
        row, column = genes[:, :2].long().unbind(dim=1)
        images[torch.arange(len(genes)), :, row, column] = genes[:, 2:]
        return images

    def show(genes: Tensor) -> Tensor:
        # Small batches stay in the processor's cache.
        return torch.cat([predict(paint(genes[i : i + 25])) for i in range(0, population, 25)])

    members = sides * uniform(population, 5, like=image, generator=generator)
    scores, queries = show(members), population
    for _ in range(generations):
        best = (sign * scores[:, wanted]).argmin()
        if (scores[best].argmax() == wanted) == (target is not None):
            break
        # Everybody in random order, oneself last: the first three are three others.
        order = uniform(population, population, like=image, generator=generator).fill_diagonal_(2)
        one, two, three = order.topk(3, dim=1, largest=False).indices.unbind(dim=1)
        children = members[one] + 0.5 * (members[two] - members[three])
        fresh = sides * uniform(population, 5, like=image, generator=generator)
        inside = (children[:, :2] >= 0) & (children[:, :2] < sides[:2])
        children[:, :2] = torch.where(inside, children[:, :2], fresh[:, :2])
        children[:, 2:] = children[:, 2:].clamp(0, 1)
        child_scores, queries = show(children), queries + population
        fitter = sign * child_scores[:, [wanted]] < sign * scores[:, [wanted]]  # (M, 1)
        members = torch.where(fitter, children, members)
        scores = torch.where(fitter, child_scores, scores)
    best = (sign * scores[:, wanted]).argmin()
    return paint(members[best][None])[0], queries
    ### END SOLUTION


@checked
def estimate_gradient(
    predict: Scores,
    images: Images,
    labels: Labels,
    *,
    sigma: Positive,
    num_samples: AtLeast1,
    generator: Generator,
) -> Tensor:
    """Return an estimate of the gradient of the label's score with respect to each pixel, from calls of predict alone.

    The estimate is the mean, over num_samples random u, of (f(x + sigma u) - f(x - sigma u)) u / (2 sigma). x is an
    image and f(x) is predict's score of its label. Each image has its own u, with every entry drawn from N(0, 1).

    Args:
        predict: images (M, 3, H, W) -> scores (M, K). It sees 2 * num_samples images per image, not clamped.

    Returns:
        (N, 3, H, W), signed.
    Source: Ilyas et al. 2018, section 2.1.
    """
    ### BEGIN SOLUTION
    images, total = images.detach(), torch.zeros_like(images)
    for _ in range(num_samples):
        noise = normal(*images.shape, like=images, generator=generator)
        ahead = predict(images + sigma * noise).gather(1, labels[:, None])  # (N, 1)
        behind = predict(images - sigma * noise).gather(1, labels[:, None])
        total += (ahead - behind)[:, :, None, None] * noise
    return total.detach() / (2 * sigma * num_samples)
    ### END SOLUTION


@checked
def train_substitute(
    oracle: Oracle,
    substitute: Substitute,
    images: Images,
    *,
    num_rounds: AtLeast1,
    num_steps: Count,
    learning_rate: Positive,
    step_size: Positive,
) -> nn.Module:
    """Return a copy of substitute, trained on the labels that oracle gives to the attacker's images.

    First, ask oracle for the labels of images. Then, num_rounds times:
    (1) From the second round on, add one new image for each image so far: image + step_size * sign(g), clamped to
        [0, 1], where g = d (the copy's logit of oracle's label) / d image, in eval mode. Ask oracle for the new labels.
    (2) num_steps steps of a new Adam, the copy in train mode, on the mean cross-entropy of all images in one batch.

    Args:
        oracle: (M, 3, H, W) -> (M,) labels. Ask it once about each image.
        images: (N, 3, H, W), the attacker's own; their true labels are unknown.
    Returns the trained copy (a deep copy), in eval mode.
    Source: Papernot et al. 2017, section 4.
    """
    ### BEGIN SOLUTION
    model, images = deepcopy(substitute), images.detach()
    labels = oracle(images)
    for round_number in range(num_rounds):
        if round_number > 0:
            shown = images.clone().requires_grad_()
            scores = model(shown).gather(1, labels[:, None])  # (M, 1)
            (gradient,) = torch.autograd.grad(scores.sum(), shown)
            new_images = (images + step_size * gradient.sign()).clamp(0, 1)
            images, labels = torch.cat([images, new_images]), torch.cat([labels, oracle(new_images)])
        optimizer = torch.optim.Adam(model.train().parameters(), learning_rate)
        for _ in range(num_steps):
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
        model.eval()
    return model
    ### END SOLUTION


@checked
def transfer_attack(substitute: Model, images: Images, labels: Labels, eps: Eps) -> Tensor:
    """Return the FGSM images of a substitute network, made to attack another network that is unknown.

    Args:
        substitute: the network that FGSM differentiates. The caller then tests the images on the unknown network.
        labels: (N,) the true classes.

    Returns:
        (N, 3, H, W), every value in [0, 1] and between images - eps and images + eps.

    Source: Papernot et al. 2017, section 5.
    """
    ### BEGIN SOLUTION
    return fgsm(substitute, images, labels, eps)
    ### END SOLUTION


@checked
def attack_success(
    logits: Logits,
    labels: Labels,
    goal: Goal,
    *,
    target: Target | None = None,
    source: Source | None = None,
    clean_logits: CleanLogits | None = None,
) -> Tensor:
    """Return, per image, whether the attack reached its goal.

    "confidence_reduction" (needs clean_logits): the label is less probable than on the clean image.
    "misclassification": the largest logit is not the label's.
    "targeted" (needs target): the largest logit is the target's, and target is not the label.
    "source_to_target" (needs target and source): as "targeted", and the label is source.

    Args:
        logits: (N, K) of the attacked images.
        clean_logits: (N, K) of the clean images. If given, only images classified rightly there can be successes.
    Returns (N,) bool.
    Source: Chakraborty et al. 2018, section 2.3 (the lecture's four goals).
    """
    ### BEGIN SOLUTION
    predicted = logits.argmax(dim=1)  # (N,)
    if goal == "confidence_reduction" and clean_logits is not None:
        before, after = (x.softmax(dim=1).gather(1, labels[:, None])[:, 0] for x in (clean_logits, logits))
        success = after < before
    elif goal == "misclassification":
        success = predicted.ne(labels)
    else:
        success = predicted.ne(labels) & (predicted == target)
    if goal == "source_to_target":
        success = success & (labels == source)
    if clean_logits is not None:
        success = success & (clean_logits.argmax(dim=1) == labels)
    return success
    ### END SOLUTION


@checked
def flip_labels(labels: Labels, fraction: Fraction, num_classes: NumClasses, *, generator: Generator) -> Tensor:
    """Return the labels with a random fraction of them changed to other classes ("data modification").

    Args:
        labels: (N,) int64.
        fraction: exactly round(fraction * N) labels change, chosen at random. Each becomes one of the num_classes - 1
            other classes, all equally likely.

    Returns:
        (N,) int64, in the same order.

    Source: Chakraborty et al. 2018, section 3.1.
    """
    ### BEGIN SOLUTION
    count = round(fraction * len(labels))
    chosen = torch.randperm(len(labels), generator=generator, device=generator.device)[:count].to(labels.device)
    turn = torch.randint(1, num_classes, (count,), generator=generator, device=generator.device).to(labels.device)
    flipped = labels.clone()
    flipped[chosen] = (labels[chosen] + turn) % num_classes
    return flipped
    ### END SOLUTION


@checked
def inject_samples(
    images: Images, labels: Labels, new_images: NewImages, new_labels: NewLabels
) -> tuple[Tensor, Tensor]:
    """Return the training images and labels with the new ones appended ("data injection").

    Args:
        new_images, new_labels: (M, 3, H, W) and (M,).

    Returns:
        (N + M, 3, H, W) and (N + M,), the originals first.

    Source: Chakraborty et al. 2018, section 3.1; Gu et al. 2017 (new images with a backdoor trigger).
    """
    ### BEGIN SOLUTION
    return torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])
    ### END SOLUTION


@checked
def corrupt_update(gradients: Gradients, *, scale: Number = -1.0) -> list[Tensor]:
    """Return the gradients multiplied by scale. The optimizer gets them instead of the true ones ("logic corruption").

    Args:
        gradients: one tensor per parameter, any shapes.
        scale: the default, -1, turns gradient descent into ascent.

    Returns:
        A list of new tensors of the same shapes, in the same order.

    Source: Chakraborty et al. 2018, section 3.1.
    """
    ### BEGIN SOLUTION
    return [scale * gradient.detach() for gradient in gradients]
    ### END SOLUTION


@checked
def adversarial_loss(model: AnyModeModel, images: Images, labels: Labels, eps: Eps) -> Tensor:
    """Return the mean cross-entropy of the network on its own FGSM images: the loss of adversarial training.

    (1) Make the FGSM images with every module in eval mode (batch norm keeps its statistics). Write to no .grad.
    (2) Set every module back to the mode that it had before, also if (1) raises an error.
    (3) Compute the loss in that mode.

    Args:
        model: in any mode; its modules may be in different modes.

    Returns:
        0-d, differentiable with respect to the model's parameters.
    Source: Goodfellow et al. 2015, section 6.
    """
    ### BEGIN SOLUTION
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        adv_images = fgsm(model, images, labels, eps)
    finally:
        for module, training in modes:
            module.training = training
    return F.cross_entropy(model(adv_images), labels)
    ### END SOLUTION


@checked
def reencode(images: Images, *, levels: Levels) -> Tensor:
    """Return the images with every value rounded to the nearest of `levels` equally spaced values from 0 to 1.

    Args:
        levels: at least 2. The values 0 and 1 are the first and the last level. An 8-bit image file has 256.

    Returns:
        (N, 3, H, W) in [0, 1].

    Source: Xu et al. 2018 (feature squeezing), section III-A.
    """
    ### BEGIN SOLUTION
    return (images.detach() * (levels - 1)).round() / (levels - 1)
    ### END SOLUTION


@checked
def noisy_predict(
    model: Model, images: Images, *, sigma: NotNegative, num_samples: AtLeast1, generator: Generator
) -> Tensor:
    """Return the mean of the network's softmax probabilities over noisy copies of each image.

    Args:
        sigma: the standard deviation of the Gaussian noise. Each value of each copy has its own noise. Do not clamp the
            copies.
        num_samples: the number of copies per image.

    Returns:
        (N, K) probabilities.

    Source: Cohen et al. 2019 (randomized smoothing), section 3.
    """
    ### BEGIN SOLUTION
    answers = []
    for _ in range(num_samples):
        noise = normal(*images.shape, like=images, generator=generator)
        answers.append(model(images.detach() + sigma * noise).softmax(dim=1).detach())  # (N, K)
    return torch.stack(answers).mean(dim=0)
    ### END SOLUTION
