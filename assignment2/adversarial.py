"""Part 3. Fooling networks: how little must a picture change, who can change it, and what can be done about it?

Szegedy et al. 2014, Goodfellow et al. 2015 (FGSM), Madry et al. 2018 (PGD), Su et al. 2019 (one pixel), Papernot et al.
2017 (black box), Chakraborty et al. 2018 (goals, capabilities, training time).

In every function: images are (N, 3, H, W) in [0, 1], of any strides; model maps them to logits (N, K) and is in eval mode;
eps is an L-infinity budget in the images' units (8 / 255 is usual). Nothing given is modified, results are new, detached
tensors, random numbers come from the generator alone (`uniform` and `normal` of coursekit.vision draw them). Gradients are
enabled for you. Bad arguments raise ValueError before your code.
"""

from __future__ import annotations

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.vision import checked, normal, uniform

from coursekit.vision.arguments import (  # isort: skip
    AnyModeModel, AnyTensor, AtLeast1, CleanLogits, Count, Eps, Flag, Fraction, Generator, Goal, Gradients, Image,
    Images, Label, Labels, Levels, Logits, Model, ModelOrFunction, NewImages, NewLabels, NotNegative, Number, NumClasses,
    Oracle, Population, Positive, Probabilities, Scores, Source, Substitute, Target
)  # fmt: skip


@checked
def fooling_image(model: Model, image: Image, target: Target, *, step_size: Positive, max_steps: Count) -> Tensor:
    """Climb the target's logit from a real picture until the network says target.

    Args:
        image: (3, H, W) in [0, 1].
        step_size: L2 length of each step, which goes along the gradient.
        max_steps: at most so many; before each, stop if target has the largest logit. A zero gradient stops too.

    Returns:
        (3, H, W), not clamped (clamp to show it).

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
    """Move every pixel value by eps in the direction that raises the cross-entropy.

    A value whose gradient is zero stays. So does a whole picture of which float32 is certain (logits of 1e5: the
    probability is exactly 1): the attack fails there although the network is not robust ("gradient masking").

    Args:
        model: a network, or a function that calls one: use nothing of it but the call.
        labels: (N,) the true classes; with targeted, the classes wanted, whose cross-entropy falls.

    Returns:
        (N, 3, H, W) in [0, 1], nowhere beyond images - eps and images + eps.

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
    """Take many small steps of FGSM, back into the eps ball round images and into [0, 1] after each.

    Args:
        labels: (N,) the true classes; with targeted, the classes wanted.
        step_size: how far every value moves in a step. Every image takes all num_steps steps.
        generator: if given, start uniformly in the ball (a draw for each value), clamped; else at images.

    Returns:
        (N, 3, H, W), the last iterate, in [0, 1], nowhere beyond images - eps and images + eps.

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
    """Say by how much a linear score w . x can change if every entry of x may move by eps.

    Args:
        weight: any shape.

    Returns:
        0-d: the largest w . d over all d with |d| <= eps everywhere; it grows with the number of pixels.

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
    """Search one pixel to replace by differential evolution; nothing is known but what predict returns.

    A member is (y, x, r, g, b), real; it paints pixel (floor y, floor x). Start: position uniform over the picture, colour
    uniform in [0, 1]. The child of member i is r1 + 0.5 (r2 - r3), three distinct members of the old generation, none of
    them i; a y or x outside the picture is drawn anew, a colour clipped. It takes i's place if it is fitter: label less
    probable, or target more. Before each generation stop if the fittest member is taken for another class (for target).
    Each generation is shown to predict once, in order, in batches of any size.

    Returns:
        The picture of the fittest member, (3, H, W), and the number of pictures shown to predict.
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
    """Estimate the gradient of the label's score from differences of scores alone.

    The mean over directions u, every entry from N(0, 1), of (f(x + sigma u) - f(x - sigma u)) u / (2 sigma), f the score
    of x's label. Each image has directions of its own; what is shown is not clamped.

    Args:
        predict: (M, 3, H, W) -> (M, K) scores; it is shown 2 * num_samples pictures an image.

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
    return total / (2 * sigma * num_samples)
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
    """Copy a network that only tells labels: train a substitute on what it answers.

    A round: in train mode num_steps steps of a fresh Adam on the mean cross-entropy of all pictures gathered so far, all in
    one batch. Between rounds, in eval mode, every gathered picture begets one: moved by step_size times the sign of the
    gradient of its label's logit, clamped, labelled by the oracle. One round is an attacker who cannot ask further.

    Args:
        oracle: (M, 3, H, W) -> (M,) labels; asked once for each picture.
        images: (N, 3, H, W) the attacker's own pictures, whose true labels nobody tells.

    Returns a trained deep copy of substitute, in eval mode.
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
    """Attack a network that one cannot see with FGSM on one that one has.

    Args:
        labels: (N,) the true classes. Whether the pictures fool the unseen network is measured there, by the caller.

    Returns:
        (N, 3, H, W) in [0, 1], nowhere beyond images - eps and images + eps.

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
    """Say which attacks reached the goal.

    "confidence_reduction": label is less probable than on the clean picture. "misclassification": label has not the largest
    logit. "targeted": target has, and is not the label. "source_to_target": likewise, only for pictures of class source.

    Args:
        logits: (N, K) on the attacked pictures.
        clean_logits: (N, K) on the clean ones; if given, a picture that was wrong already is no success.

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
    """Poison training data by changing labels ("data modification").

    Args:
        labels: (N,) int64.
        fraction: exactly round(fraction * N) labels change, any of them, each to another class, all equally likely.

    Returns:
        (N,) int64, in the old order.

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
    """Poison training data by adding samples ("data injection").

    Args:
        new_images, new_labels: (M, 3, H, W) and (M,).

    Returns:
        (N + M, 3, H, W) and (N + M,), the originals first.

    Source: Chakraborty et al. 2018, section 3.1; Gu et al. 2017 (a trigger that opens a back door).
    """
    ### BEGIN SOLUTION
    return torch.cat([images, new_images]).detach(), torch.cat([labels, new_labels])
    ### END SOLUTION


@checked
def corrupt_update(gradients: Gradients, *, scale: Number = -1.0) -> list[Tensor]:
    """Poison the learning itself ("logic corruption"): hand the optimizer other gradients than the computed ones.

    Args:
        gradients: one tensor a parameter, any shapes.
        scale: what each is multiplied by; the default turns descent into ascent.

    Returns:
        New tensors of the same shapes, in the same order.

    Source: Chakraborty et al. 2018, section 3.1.
    """
    ### BEGIN SOLUTION
    return [scale * gradient.detach() for gradient in gradients]
    ### END SOLUTION


@checked
def adversarial_loss(model: AnyModeModel, images: Images, labels: Labels, eps: Eps) -> Tensor:
    """Score a network on the FGSM pictures of itself: the loss of adversarial training.

    The attack runs with every module in eval mode (batch norm keeps its statistics) and writes no .grad. Then every module
    is put back into its own mode, also after an error, and the loss is computed in that mode.

    Args:
        model: in any mode, its modules in different ones if you like.

    Returns:
        0-d mean cross-entropy, differentiable in the model's parameters.

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
    """Round every value to the nearest of `levels` equally spaced ones, 0 and 1 among them.

    Args:
        levels: 2 or more; 256 is what a file of eight bits does.

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
    """Let the network look at noisy copies of each picture and average what it says.

    Args:
        sigma: standard deviation of the Gaussian noise, own for each value and each copy; noisy copies are not clamped.
        num_samples: copies an image.

    Returns:
        (N, K) probabilities: the mean of the softmax over an image's copies.

    Source: Cohen et al. 2019 (randomized smoothing), section 3.
    """
    ### BEGIN SOLUTION
    answers = []
    for _ in range(num_samples):
        noise = normal(*images.shape, like=images, generator=generator)
        answers.append(model(images.detach() + sigma * noise).softmax(dim=1).detach())  # (N, K)
    return torch.stack(answers).mean(dim=0)
    ### END SOLUTION
