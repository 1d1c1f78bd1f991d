"""Part 2. Optimising the picture: what does a network want to see?

Simonyan et al. 2013, section 2 (class models); Yosinski et al. 2015, section 3 (the regularisers).

In every function: a picture is one image (3, H, W) in [0, 1], of any strides; grey is 0.5 in every channel; model maps
images (N, 3, H, W) to logits (N, K) and is in eval mode. Nothing given is modified, results are new, detached tensors.
Gradients are enabled for you. Bad arguments raise ValueError before your code.
"""

from __future__ import annotations

import math
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.vision import checked, record_outputs

from coursekit.vision.arguments import (  # isort: skip
    Channel, Count, Fraction, Generator, Gradient, Image, ImageSize, Jitter, Layer, Model, ModelOrFunction, NotNegative,
    PixelFraction, Positive, Target, UnboundedImage
)  # fmt: skip

NOISE = 0.1  # the standard deviation of a start that is not plain grey


def start_picture(model: ModelOrFunction, image_size: tuple[int, int], generator: torch.Generator | None) -> Tensor:
    """Make the picture that the ascent starts from: grey, or with a generator normal noise round grey.

    Returns:
        (3, H, W) in [0, 1], on the network's device and in its dtype.
    """
    values = chain(model.parameters(), model.buffers()) if isinstance(model, nn.Module) else iter(())
    like = next((value for value in values if value.is_floating_point()), torch.empty(0))
    grey = torch.full((3, *image_size), 0.5, device=like.device, dtype=like.dtype)
    if generator is None:
        return grey
    noise = torch.randn(grey.shape, generator=generator, device=generator.device)
    return (grey + NOISE * noise.to(grey)).clamp(0, 1)


@checked
def ascent_step(
    model: ModelOrFunction, image: Image, target: Target, *, step_size: Positive, l2_weight: NotNegative
) -> Tensor:
    """Move a picture one step uphill: towards a higher score of the target, less a penalty for leaving grey.

    The step is step_size * g / ||g||, where g is the gradient of
    logit_target(image) - l2_weight * sum((image - 0.5)^2) and ||g|| its Euclidean length over the whole picture.

    Args:
        model: a network, or a function that calls one: use nothing of it but the call.
        image: (3, H, W).

    Returns:
        (3, H, W), at distance step_size from image, not clamped; exactly image where g is zero.

    Source: Simonyan et al. 2013, section 2 (the score before the softmax).
    """
    ### BEGIN SOLUTION
    image = image.detach().requires_grad_()
    penalty = (image - 0.5).square().sum()
    objective = model(image[None])[0, target] - l2_weight * penalty
    (gradient,) = torch.autograd.grad(objective, image)
    length = gradient.norm()
    return (image + step_size * gradient / torch.where(length > 0, length, 1)).detach()
    ### END SOLUTION


@checked
def blur(image: UnboundedImage, sigma: NotNegative) -> Tensor:
    """Blur a picture with a Gaussian, each channel by itself.

    A neighbour dy rows and dx columns away has weight exp(-(dy^2 + dx^2) / (2 sigma^2)), and the weights sum to 1. Beyond
    the border the picture goes on with its outermost pixels, so a constant picture stays as it is.

    Args:
        image: (3, H, W).
        sigma: in pixels; the window reaches at least 3 sigma to each side. 0 changes nothing.

    Returns:
        (3, H, W).

    Source: Yosinski et al. 2015, section 3.
    """
    ### BEGIN SOLUTION
    radius = math.ceil(3 * sigma)
    if radius == 0:
        return image.detach().clone()
    offsets = torch.arange(-radius, radius + 1, device=image.device, dtype=image.dtype)
    weights = (offsets / sigma).square().div(-2).softmax(dim=0)
    padded = F.pad(image.detach()[:, None], (radius,) * 4, mode="replicate")  # (3, 1, H + 2r, W + 2r)
    rows = F.conv2d(padded, weights.view(1, 1, -1, 1))  # (3, 1, H, W + 2r)
    return F.conv2d(rows, weights.view(1, 1, 1, -1))[:, 0]  # (3, H, W)
    ### END SOLUTION


@checked
def zero_small_pixels(image: UnboundedImage, fraction: Fraction) -> Tensor:
    """Turn the least coloured pixels grey, so that only the main object remains.

    A pixel counts by the Euclidean norm over its three channels of image - 0.5.

    Args:
        image: (3, H, W).
        fraction: 0 to 1; floor(fraction * H * W) pixels become 0.5 in all channels.

    Returns:
        (3, H, W).

    Source: Yosinski et al. 2015, section 3 (clipping pixels with small norm).
    """
    ### BEGIN SOLUTION
    norms = (image - 0.5).norm(dim=0).flatten()  # (H * W,)
    smallest = norms.argsort()[: math.floor(fraction * len(norms))]
    result = image.detach().flatten(1).index_fill(1, smallest, 0.5)  # (3, H * W)
    return result.view(image.shape)
    ### END SOLUTION


@checked
def zero_small_contributions(image: UnboundedImage, gradient: Gradient, fraction: Fraction) -> Tensor:
    """Turn the pixels grey that contribute least to the score.

    Turning a pixel grey changes the score by about the sum over its channels of (image - 0.5) * gradient; the absolute
    value of this sum is its contribution.

    Args:
        image: (3, H, W).
        gradient: (3, H, W), of the score with respect to the picture. Not modified.
        fraction: 0 to 1; floor(fraction * H * W) pixels become 0.5 in all channels.

    Returns:
        (3, H, W).

    Source: Yosinski et al. 2015, section 3 (clipping pixels with small contribution).
    """
    ### BEGIN SOLUTION
    contributions = ((image - 0.5) * gradient).sum(dim=0).abs().flatten()  # (H * W,)
    smallest = contributions.argsort()[: math.floor(fraction * len(contributions))]
    result = image.detach().flatten(1).index_fill(1, smallest, 0.5)  # (3, H * W)
    return result.view(image.shape)
    ### END SOLUTION


@checked
def class_visualization(
    model: ModelOrFunction,
    target: Target,
    *,
    num_steps: Count,
    image_size: ImageSize = (96, 96),
    step_size: Positive = 1.0,
    l2_weight: NotNegative = 0.0,
    blur_every: Count = 0,
    blur_sigma: NotNegative = 0.5,
    pixel_fraction: PixelFraction = 0.0,
    contribution_fraction: PixelFraction = 0.0,
    jitter: Jitter = 0,
    generator: Generator | None = None,
) -> Tensor:
    """Paint the picture that a network takes for the target, by gradient ascent from `start_picture`.

    Each step, in this order: roll the picture by a new random offset (-jitter..jitter rows, likewise columns);
    `ascent_step`; at every blur_every-th step, counted from 1, `blur` (0: never); `zero_small_pixels`;
    `zero_small_contributions`, with the gradient of the logit alone at the picture that `ascent_step` was given; roll
    back; clamp.
    Skip a trick whose setting is 0: it would change nothing, and it need not be written yet.

    Args:
        model: a network, or a function that calls one: use nothing of it but the call.
        num_steps: 0 returns the start.
        generator: the only source of randomness; jitter needs one.

    Returns:
        (3, H, W) in [0, 1], the model's dtype.

    Source: Simonyan et al. 2013, section 2; Yosinski et al. 2015, section 3; the roll is Mordvintsev et al. 2015.
    """
    ### BEGIN SOLUTION
    image = start_picture(model, image_size, generator)
    for step in range(1, num_steps + 1):
        dy = dx = 0
        if generator is not None:
            offset = torch.randint(-jitter, jitter + 1, (2,), generator=generator, device=generator.device)
            dy, dx = offset.tolist()
        image = before = image.roll((dy, dx), dims=(1, 2))
        image = ascent_step(model, image, target, step_size=step_size, l2_weight=l2_weight)
        if blur_every and step % blur_every == 0:
            image = blur(image, blur_sigma)
        if pixel_fraction:
            image = zero_small_pixels(image, pixel_fraction)
        if contribution_fraction:
            before = before.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(model(before[None])[0, target], before, materialize_grads=True)
            image = zero_small_contributions(image, gradient, contribution_fraction)
        image = image.roll((-dy, -dx), dims=(1, 2)).clamp(0, 1)
    return image
    ### END SOLUTION


@checked
def maximize_activation(
    model: Model,
    layer: Layer,
    channel: Channel,
    *,
    num_steps: Count,
    image_size: ImageSize = (96, 96),
    step_size: Positive = 1.0,
    l2_weight: NotNegative = 0.0,
    blur_every: Count = 0,
    blur_sigma: NotNegative = 0.5,
    generator: Generator | None = None,
) -> Tensor:
    """Paint the picture that excites a channel of a layer most, by gradient ascent from `start_picture`.

    The score is the sum of the layer's own output over all positions of the channel (in a flat layer: that unit). Each
    step: the step of `ascent_step` on this score; at every blur_every-th step `blur`; clamp. A picture that cannot move
    the score stays as it is.

    Args:
        num_steps: 0 returns the start.

    Returns:
        (3, H, W) in [0, 1], the model's dtype.

    Source: Yosinski et al. 2015, section 3: any activation can stand where the class score stood.
    """

    ### BEGIN SOLUTION
    def scores(images: Tensor) -> Tensor:
        """Answer like a network with a single class: the channel."""
        with record_outputs(model, [layer]) as outputs:
            model(images)
        return outputs[layer][:, channel].reshape(len(images), -1).sum(dim=1, keepdim=True)  # (N, 1)

    image = start_picture(model, image_size, generator)
    for step in range(1, num_steps + 1):
        image = ascent_step(scores, image, 0, step_size=step_size, l2_weight=l2_weight)
        if blur_every and step % blur_every == 0:
            image = blur(image, blur_sigma)
        image = image.clamp(0, 1)
    return image
    ### END SOLUTION
