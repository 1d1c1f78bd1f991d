"""Part 5. Style transfer: the content of one picture, painted in the style of another.

Gatys et al. 2015, section 2 (losses and loop); Mahendran and Vedaldi 2015, section 3 (content, total variation).

In every function: features are the outputs of a layer, (N, C, H, W), any strides (`view` may fail, `reshape` works).
Entry i of `features`, of `targets` or `grams`, and of `weights` belongs to the same layer. Losses are 0-d sums, not
means. They are differentiable with respect to features and images; targets and grams are constants. The arguments are
not modified. The code of `style_transfer` and `stylize` runs with gradients enabled. Invalid arguments are checked for
you: they raise ValueError before your code runs.

To get outputs of layers, call model inside `with record_outputs(model, layers) as outputs:` and read outputs[layer].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.vision import checked, record_outputs

from coursekit.vision.arguments import (  # isort: skip
    Content, ContentLayers, ContentWeights, Count, FeatureMaps, Features, FeatureTargets, FeatureWeights, Flag,
    Fraction, Generator, Grams, Images, Init, Labels, Model, NotNegative, Optimizer, Positive, Style, StyleLayers,
    Styles, StyleWeights, Transfer, UnboundedImages
)  # fmt: skip

CONTENT_LAYERS = ("features.11",)  # ReLUs of trunk(load_model("tiny_vgg")), the fifth of eight
STYLE_LAYERS = ("features.1", "features.3", "features.6", "features.8", "features.11", "features.13")


def make_optimizer(name: str, image: Tensor, step_size: float) -> torch.optim.Optimizer:
    """Given: return the optimizer "lbfgs" or "adam", which changes image in place at each step(closure).

    closure() returns the loss of the current image and stores the gradient in image.grad. One step of "lbfgs" is one
    iteration; step_size has no influence on it.
    """
    if name == "adam":
        return torch.optim.Adam([image], lr=step_size)
    return torch.optim.LBFGS([image], max_iter=1, history_size=20, tolerance_grad=0, tolerance_change=0)


def balanced_weights(
    model: nn.Module,
    picture: Tensor,
    layers: Sequence[str],
    describe: Callable[[Tensor], Tensor] = Tensor.detach,
    *,
    total: float = 1.0,
) -> list[float]:
    """Given: return one weight per layer, total / (number of layers * sum(describe(F)^2)), so that all count equally.

    Args:
        picture: (1, 3, H, W), the content or the style picture.
        describe: gram_matrix for the style; for the content the features themselves.
        total: the loss of a picture whose features are all zero. Make it proportional to the number of pixel values:
            L-BFGS ignores a curvature below 1e-10.
    """
    with torch.no_grad(), record_outputs(model, layers) as outputs:
        model(picture)
        sizes = [describe(outputs[name]).square().sum().item() for name in layers]
    return [total / (len(layers) * max(size, 1e-12)) for size in sizes]


def painter(
    model: nn.Module,
    *,
    content_layers: Sequence[str] = CONTENT_LAYERS,
    style_layers: Sequence[str] = STYLE_LAYERS,
    content_share: float = 0.05,
    tv_weight: float = 4.0,
    optimizer: str = "adam",
    step_size: float = 0.03,
    **settings: Any,
) -> Transfer:
    """Given: return transfer(image, style), which is `style_transfer` with weights that suit pictures of any size.

    Args:
        content_share: the weight of all content layers together; that of all style layers together is 1.
        optimizer: "lbfgs" has no line search here; its first steps may be too long and lead away from the photograph.
        settings: more arguments of style_transfer.
    """

    def transfer(image: Tensor, style: Tensor) -> Tensor:
        size = image.numel()
        contents = balanced_weights(model, image[None], content_layers, total=content_share * size)
        textures = balanced_weights(model, style[None], style_layers, gram_matrix, total=size)
        return style_transfer(
            model,
            image[None],
            style[None],
            content_layers=content_layers,
            content_weights=contents,
            style_layers=style_layers,
            style_weights=textures,
            tv_weight=tv_weight,
            optimizer=optimizer,
            step_size=step_size,
            **settings,
        )[0]

    return transfer


@checked
def content_loss(features: Features, targets: FeatureTargets, weights: FeatureWeights) -> Tensor:
    """Return sum_i w_i * sum (F_i - P_i)^2, the distance of the features from those of the content picture.

    Args:
        features: F_i (N, C_i, H_i, W_i), one entry per layer.
        targets: P_i, shaped like F_i; constants, no gradient reaches them.
        weights: w_i, one number per layer.

    Returns:
        0-d, in the features' dtype. The inner sum runs over images, channels and positions.

    Source: Gatys et al. 2015, equation 1 (with a factor 1/2), summed over layers.
    """
    ### BEGIN SOLUTION
    terms = [w * (f - p.detach()).square().sum() for f, p, w in zip(features, targets, weights, strict=True)]
    return torch.stack(terms).sum()
    ### END SOLUTION


@checked
def gram_matrix(features: FeatureMaps, *, normalize: Flag = True) -> Tensor:
    """Return the Gram matrix of each image: entry (i, j) is the sum over positions of channel i times channel j.

    Args:
        features: (N, C, H, W), any strides.
        normalize: divide by C * H * W, so that layers and pictures of different sizes can be compared.

    Returns:
        (N, C, C), differentiable.

    Source: Gatys et al. 2015, equation 3 (the division is in equation 4).
    """
    ### BEGIN SOLUTION
    channels, height, width = features.shape[1:]
    flat = features.flatten(2)  # (N, C, H * W)
    gram = flat @ flat.mT  # (N, C, C)
    return gram / (channels * height * width) if normalize else gram
    ### END SOLUTION


@checked
def style_loss(features: Features, grams: Grams, weights: FeatureWeights) -> Tensor:
    """Return sum_i w_i * sum (G(F_i) - A_i)^2, the distance of the Gram matrices from those of the style picture.

    Args:
        features: F_i (N, C_i, H_i, W_i), one entry per layer; G is `gram_matrix`, normalised.
        grams: A_i, the style's normalised Gram matrices, (N, C_i, C_i), or (1, C_i, C_i) for all images. Constants, no
            gradient reaches them. The style picture may have another size.
        weights: w_i, one number per layer.

    Returns:
        0-d, in the features' dtype. The inner sum runs over images and over all entries (c, d) of the matrices.
    Source: Gatys et al. 2015, equations 4 and 5.
    """
    ### BEGIN SOLUTION
    terms = [w * (gram_matrix(f) - a.detach()).square().sum() for f, a, w in zip(features, grams, weights, strict=True)]
    return torch.stack(terms).sum()
    ### END SOLUTION


@checked
def total_variation_loss(images: UnboundedImages) -> Tensor:
    """Return the sum of squared differences between vertical neighbours and between horizontal neighbours.

    Args:
        images: (N, 3, H, W). Opposite borders are not neighbours: nothing wraps around. A single row has no vertical
            neighbours, a single column no horizontal ones.

    Returns:
        0-d, summed over images, channels and all pairs of neighbours.

    Source: Mahendran and Vedaldi 2015, section 3 (with beta = 2).
    """
    ### BEGIN SOLUTION
    vertical = images[:, :, 1:] - images[:, :, :-1]  # (N, 3, H - 1, W)
    horizontal = images[..., 1:] - images[..., :-1]  # (N, 3, H, W - 1)
    return vertical.square().sum() + horizontal.square().sum()
    ### END SOLUTION


@checked
def style_transfer(
    model: Model,
    content: Content,
    style: Style,
    *,
    content_layers: ContentLayers,
    content_weights: ContentWeights,
    style_layers: StyleLayers,
    style_weights: StyleWeights,
    tv_weight: NotNegative = 0.0,
    num_steps: Count = 100,
    optimizer: Optimizer = "lbfgs",
    step_size: Positive = 0.02,
    init: Init | None = None,
) -> Tensor:
    """Return content repainted in the style of another picture, by num_steps optimizer steps on its pixels.

    The loss is content_loss + style_loss + tv_weight * total_variation_loss. If content_layers or style_layers is
    empty, leave its loss out. Compute targets and Gram matrices once. Optimise the images one after the other, each
    with an optimizer of its own from `make_optimizer`. Clamp to [0, 1] after each step, not inside the loss.

    Args:
        content, style: (N, 3, H, W) and (1, 3, h, w).
        optimizer: "lbfgs" or "adam"; step_size is for "adam" only.
        init: (N, 3, H, W) in [0, 1], the start; content by default. num_steps = 0 returns the start.
    Returns (N, 3, H, W) in [0, 1], detached.
    Source: Gatys et al. 2015, section 2 and equation 7.
    """

    ### BEGIN SOLUTION
    def look(pictures: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return what the content layers and what the style layers make of pictures."""
        with record_outputs(model, [*content_layers, *style_layers]) as outputs:
            model(pictures)
        return [outputs[name] for name in content_layers], [outputs[name] for name in style_layers]

    def repaint(picture: Tensor, image: Tensor) -> Tensor:
        """Move one image (1, 3, H, W) downhill: L-BFGS shares its memory of slopes between all that it moves."""
        targets = [features.detach() for features in look(picture)[0]]
        image = nn.Parameter(image.detach().clone())

        def closure() -> Tensor:
            contents, textures = look(image)
            loss = tv_weight * total_variation_loss(image)
            if content_layers:
                loss = loss + content_loss(contents, targets, content_weights)
            if style_layers:
                loss = loss + style_loss(textures, grams, style_weights)
            (image.grad,) = torch.autograd.grad(loss, image)
            return loss.detach()

        descent = make_optimizer(optimizer, image, step_size)
        for _ in range(num_steps):
            descent.step(closure)
            image.detach().clamp_(0, 1)  # in the image's own memory, and unseen by autograd
        return image.detach()

    grams = [gram_matrix(features).detach() for features in look(style)[1]]
    starts = content if init is None else init
    return torch.cat([repaint(*pair) for pair in zip(content.split(1), starts.split(1), strict=True)])
    ### END SOLUTION


@checked
def stylize(
    images: Images,
    labels: Labels,
    styles: Styles,
    transfer: Transfer,
    *,
    fraction: Fraction = 1.0,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Return a training set with a random fraction of the images repainted, so that a network cannot rely on texture.

    Args:
        images, labels: (N, 3, H, W) and (N,).
        styles: a list of pictures (3, h, w) of any size. Each repainted image gets one of them at random.
        transfer: transfer(image, style) returns (3, H, W) and may use gradients. Call it once per repainted image.
        fraction: exactly round(fraction * N) images are repainted, chosen at random.
        generator: all random numbers come from it. It may be None if there is one style and fraction is 0 or 1.

    Returns images (N, 3, H, W), detached, in the same order, the others unchanged; and a copy of labels (N,).
    Source: Geirhos et al. 2018, section 2 (Stylized-ImageNet); the lecture's last point on style.
    """
    ### BEGIN SOLUTION
    order, which = torch.arange(len(images)), torch.zeros(len(images), dtype=torch.int64)
    if generator is not None:
        order = torch.randperm(len(images), generator=generator, device=generator.device)
        which = torch.randint(len(styles), which.shape, generator=generator, device=generator.device)
    result = images.detach().clone()
    for i in order[: round(fraction * len(images))].tolist():
        result[i] = transfer(images[i].detach(), styles[int(which[i])]).detach()
    return result, labels.clone()
    ### END SOLUTION
