"""Part 2. Optimising the picture: which picture does a network score highest?

Simonyan et al. 2013, section 2 (class models); Yosinski et al. 2015, section 3 (the regularisers).

In every function: a picture is one image (3, H, W), any strides (`view` may fail, `reshape` works); grey is 0.5 in
every channel. model maps images (N, 3, H, W) in [0, 1] to logits (N, K) and is in eval mode. The arguments are not
modified. Results are new, detached tensors. Your code runs with gradients enabled. Invalid arguments are checked for
you: they raise ValueError before your code runs.

To get a layer's output, call model inside `with record_outputs(model, ["features.12"]) as outputs:`. Then read
outputs["features.12"].
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
    """Given: return the picture from which the ascent starts: grey, or with a generator grey plus normal noise.

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
    """Return the picture after one gradient ascent step on the target's logit minus an L2 penalty.

    The step is step_size * g / ||g||, where g is the gradient of
    logit_target(image) - l2_weight * sum((image - 0.5)^2) and ||g|| is its Euclidean norm over the whole picture.

    Args:
        model: a network, or a plain function from images to logits. Only call model(images): a function has no layers.

    Returns:
        (3, H, W), not clamped, at distance step_size from image. If g is zero everywhere: a copy of image, unchanged.

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
    """Return the picture after a Gaussian blur, each channel separately.

    The pixel dy rows and dx columns away has weight exp(-(dy^2 + dx^2) / (2 sigma^2)), divided by the sum of all
    weights. Beyond the border the outermost pixels are repeated, so a constant picture does not change.

    Args:
        image: (3, H, W).
        sigma: in pixels. Pixels up to 3 sigma away count; farther ones may be left out. With 0 the result equals image.

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
    """Return the picture with its least coloured pixels set to grey, so that only the main object remains.

    Pixels are compared by the Euclidean norm of image - 0.5 over the three channels.

    Args:
        image: (3, H, W).
        fraction: 0 to 1. The floor(fraction * H * W) pixels of smallest norm get 0.5 in all channels; of ties, any.

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
    """Return the picture with the pixels that contribute least to the score set to grey.

    The contribution of a pixel is |sum over channels of (image - 0.5) * gradient|. It is approximately the change of
    the score when this pixel becomes grey.

    Args:
        image: (3, H, W).
        gradient: (3, H, W), of the score with respect to the picture. Not modified.
        fraction: 0 to 1. floor(fraction * H * W) pixels of least contribution get 0.5 in all channels; of ties, any.

    Returns (3, H, W).
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
    """Return a picture with a high logit of the target: gradient ascent from `start_picture`, num_steps steps.

    Random numbers come from generator alone; jitter > 0 needs one. Each step, in this order:
    (1) roll the picture by dy rows and dx columns, both drawn anew from -jitter..jitter. Call the result rolled;
    (2) `ascent_step` with step_size and l2_weight; a zero gradient changes nothing here, and (3) to (6) follow;
    (3) `blur` with blur_sigma, at steps blur_every, 2 * blur_every, ..., counted from 1;
    (4) `zero_small_pixels` with pixel_fraction;
    (5) `zero_small_contributions` with contribution_fraction and the gradient of target's logit (no penalty) at rolled;
    (6) roll back by -dy and -dx, then clamp to [0, 1].
    If blur_every or a fraction is 0, do not call that step's function: it may not be written yet.
    Returns (3, H, W) in [0, 1], in the model's dtype; with num_steps 0 the start.
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
    """Return a picture that activates a channel of a layer: gradient ascent from `start_picture`, num_steps steps.

    The score is the sum of the channel over all positions of the layer's output (in a flat layer: that unit).
    Each step:
    (1) the step of `ascent_step`, with this score in place of the logit; the penalty with l2_weight stays. A zero
        gradient changes nothing here, and (2) and (3) follow;
    (2) `blur` with blur_sigma, at steps blur_every, 2 * blur_every, ..., counted from 1; never if blur_every is 0;
    (3) clamp to [0, 1].

    Returns:
        (3, H, W) in [0, 1], in the model's dtype; num_steps 0 returns the start.
    Source: Yosinski et al. 2015, section 3 (an activation in place of the class score).
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
