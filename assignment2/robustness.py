"""Part 4. Robustness and bias: what do noise and blur do to a network, and does it decide by shape or by texture?

Hendrycks & Dietterich 2019 (corruptions, mCE), Geirhos et al. 2019 (shape and texture).

In every function: images are (N, 3, H, W) in [0, 1], any H, W and strides (`view` may fail, `reshape` works). The
arguments are not modified. Results are new, detached tensors of the images' dtype. Invalid arguments are checked for
you: they raise ValueError before your code runs.

A corruption returns (N, 3, H, W), clamped to [0, 1] and not rounded. Beyond the border the outermost pixels are
repeated. Its settings are in SEVERITIES. Random numbers come from generator alone, different ones for each image.
`uniform` and `normal` of coursekit.vision draw them on the generator's device and return them on the device and in the
dtype of `like`: normal(*images.shape, like=images, generator=generator).
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn  # noqa: F401 (the exercises may use it)

from coursekit.vision import checked, normal, uniform

from coursekit.vision.arguments import (  # isort: skip
    BaselineRate, BaselineRates, Content, Corruptions, ErrorRate, ErrorRates, Generator, Images, Labels, Model,
    Severity, Texture, Transfer, TrialClasses
)  # fmt: skip

# The settings of severity 1 to 5: those of ImageNet-C, lengths in pixels scaled from 224 to 96; glass and zoom are stronger,
# because the scenes' objects are larger and simpler than ImageNet's.
SEVERITIES: dict[str, tuple[Any, ...]] = {
    "gaussian_noise": (0.08, 0.12, 0.18, 0.26, 0.38),  # sigma
    "shot_noise": (60, 25, 12, 5, 3),  # photons that a white pixel stands for
    "impulse_noise": (0.03, 0.06, 0.09, 0.17, 0.27),  # amount
    "defocus_blur": (1, 1.5, 2.5, 3.5, 4.5),  # radius
    "frosted_glass_blur": ((0.3, 1, 1), (0.4, 1, 2), (0.45, 2, 2), (0.5, 2, 3), (0.65, 3, 3)),  # sigma, reach, rounds
    "motion_blur": (5, 7, 11, 15, 19),  # length, odd
    "zoom_blur": ((0.02, 11), (0.025, 17), (0.04, 16), (0.05, 17), (0.06, 17)),  # step, number of zooms
}


@checked
def gaussian_noise(images: Images, severity: Severity, *, generator: Generator) -> Tensor:
    """Return the images plus normal noise of standard deviation sigma, as from a camera sensor in low light.

    Args:
        severity: 1 to 5; sigma is SEVERITIES["gaussian_noise"][severity - 1]. Each value has its own noise.

    Source: Hendrycks & Dietterich 2019, section 4.1.
    """
    ### BEGIN SOLUTION
    sigma: float = SEVERITIES["gaussian_noise"][severity - 1]
    noise = normal(*images.shape, like=images, generator=generator)
    return (images.detach() + sigma * noise).clamp(0, 1)
    ### END SOLUTION


@checked
def shot_noise(images: Images, severity: Severity, *, generator: Generator) -> Tensor:
    """Return the images with Poisson noise: x becomes a Poisson number of mean x * photons, divided by photons.

    `torch.poisson(rates, generator)` needs rates on the generator's device: move them there, and the result back.

    Args:
        severity: 1 to 5; photons is SEVERITIES["shot_noise"][severity - 1], the mean count of a pixel with value 1.

    Source: Hendrycks & Dietterich 2019, section 4.1.
    """
    ### BEGIN SOLUTION
    photons: int = SEVERITIES["shot_noise"][severity - 1]
    rates = (images.detach() * photons).clamp(min=0).to(generator.device)  # rounding may leave -1e-8
    counts = torch.poisson(rates, generator=generator).to(images.device)
    return (counts / photons).clamp(0, 1)
    ### END SOLUTION


@checked
def impulse_noise(images: Images, severity: Severity, *, generator: Generator) -> Tensor:
    """Return the images with each value set to 0 with probability amount / 2 and to 1 with probability amount / 2.

    Args:
        severity: 1 to 5; amount is SEVERITIES["impulse_noise"][severity - 1]. The three channels of a pixel are drawn
            separately.

    Source: Hendrycks & Dietterich 2019, section 4.1 ("salt and pepper").
    """
    ### BEGIN SOLUTION
    amount: float = SEVERITIES["impulse_noise"][severity - 1]
    chance = uniform(*images.shape, like=images, generator=generator)
    noisy = torch.where(chance < amount / 2, 0, images.detach())
    return torch.where(chance >= 1 - amount / 2, 1, noisy).clamp(0, 1)
    ### END SOLUTION


@checked
def defocus_blur(images: Images, severity: Severity, *, generator: Generator | None = None) -> Tensor:
    """Return the images blurred by a disk: each pixel is the mean over offsets (dy, dx) with dy^2 + dx^2 <= radius^2.

    Args:
        severity: 1 to 5; radius is SEVERITIES["defocus_blur"][severity - 1], in pixels, not always a whole number.
        generator: not used, nothing is random.

    Source: Hendrycks & Dietterich 2019, section 4.1.
    """
    ### BEGIN SOLUTION
    radius: float = SEVERITIES["defocus_blur"][severity - 1]
    reach = math.floor(radius)
    offsets = torch.arange(-reach, reach + 1, device=images.device)
    disk = (offsets[:, None] ** 2 + offsets**2 <= radius**2).to(images)  # (k, k)
    kernel = (disk / disk.sum()).expand(3, 1, -1, -1)  # the same for each channel
    padded = F.pad(images.detach(), [reach] * 4, mode="replicate")
    return F.conv2d(padded, kernel, groups=3).clamp(0, 1)
    ### END SOLUTION


@checked
def frosted_glass_blur(images: Images, severity: Severity, *, generator: Generator) -> Tensor:
    """Return the images after a Gaussian blur, random exchanges of nearby pixels, and a second Gaussian blur.

    (1) Blur: standard deviation sigma, kernel 3 sigma or more to each side. With sigma 0, do not blur.
    (2) `rounds` times: permute the pixels of each image at random; the three channels of a pixel stay together. In one
        round most pixels move, at most `reach` rows and columns. One way: in each round, lay a grid of squares of side
        reach + 1 over the image at a random offset (squares at the border are cut off), and shuffle the pixels inside
        each square. The source exchanges pixels in a loop, which carries some further: this is accepted too.
    (3) Blur again, as in (1).

    Args:
        severity: 1 to 5; (sigma, reach, rounds) is SEVERITIES["frosted_glass_blur"][severity - 1].
    Source: Hendrycks & Dietterich 2019, section 4.1.
    """
    ### BEGIN SOLUTION
    sigma, reach, rounds = SEVERITIES["frosted_glass_blur"][severity - 1]
    radius, (n, _, height, width) = math.ceil(4 * sigma), images.shape
    offsets = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    bell = (-((offsets / max(sigma, 1e-3)) ** 2) / 2).softmax(dim=0)

    def blurred(x: Tensor) -> Tensor:
        padded = F.pad(x, [radius] * 4, mode="replicate")
        across = F.conv2d(padded, bell.expand(3, 1, 1, -1), groups=3)
        return F.conv2d(across, bell[:, None].expand(3, 1, -1, 1), groups=3)

    pixels = blurred(images.detach()).flatten(2)  # (N, 3, H * W)
    rows, columns = (torch.arange(length, device=images.device) for length in (height, width))
    for _ in range(rounds):
        # Squares of side reach + 1, laid anew each time: whatever happens inside one stays within reach.
        shift = uniform(2, n, 1, like=pixels.float(), generator=generator).mul(reach + 1).long()
        squares_down, squares_across = (rows + shift[0]) // (reach + 1), (columns + shift[1]) // (reach + 1)
        square = (squares_down[:, :, None] * (width + 1) + squares_across[:, None, :]).flatten(1)  # (N, H * W)
        chance = uniform(*square.shape, like=pixels.float(), generator=generator).mul(2**24).long()
        # Both list the pixels square by square; only inside a square is the order another one.
        sorted_places, mixed_places = square.argsort(dim=1, stable=True), (square * 2**24 + chance).argsort(dim=1)
        moved = pixels.gather(2, mixed_places[:, None].expand_as(pixels))
        pixels = torch.empty_like(pixels).scatter_(2, sorted_places[:, None].expand_as(pixels), moved)
    return blurred(pixels.unflatten(2, (height, width))).clamp(0, 1)
    ### END SOLUTION


@checked
def motion_blur(images: Images, severity: Severity, *, generator: Generator) -> Tensor:
    """Return the images with each pixel replaced by the mean over a straight line through it, as from a moving camera.

    The line through the pixel (y, x) has `length` points: (y + t sin a, x + t cos a) with t from -(length - 1) / 2 to
    (length - 1) / 2 in steps of 1, sampled bilinearly. Each image has its own random angle a, all directions equally
    likely.

    Args:
        severity: 1 to 5; length is SEVERITIES["motion_blur"][severity - 1], an odd number.

    Source: Hendrycks & Dietterich 2019, section 4.1 (whose weights are Gaussian).
    """
    ### BEGIN SOLUTION
    length: int = SEVERITIES["motion_blur"][severity - 1]
    dtype, images = images.dtype, images.to(torch.promote_types(images.dtype, torch.float32))  # half is too coarse
    n, _, height, width = images.shape
    angle = math.pi * uniform(n, 1, 1, like=images, generator=generator)
    rows = torch.arange(height, device=images.device, dtype=images.dtype)[:, None]  # (H, 1)
    columns = torch.arange(width, device=images.device, dtype=images.dtype)  # (W,)
    total = torch.zeros_like(images.detach())
    for step in range(-(length // 2), length // 2 + 1):
        y, x = rows + step * angle.sin(), columns + step * angle.cos()  # (N, H, 1), (N, 1, W)
        # grid_sample wants (x, y), where -1 and 1 are the picture's edges.
        places = [(2 * x + 1) / width - 1, (2 * y + 1) / height - 1]
        grid = torch.stack([place.expand(n, height, width) for place in places], dim=-1)  # (N, H, W, 2)
        total += F.grid_sample(images.detach(), grid, padding_mode="border", align_corners=False)
    return (total / length).clamp(0, 1).to(dtype)
    ### END SOLUTION


@checked
def zoom_blur(images: Images, severity: Severity, *, generator: Generator | None = None) -> Tensor:
    """Return the mean of the images enlarged by 1, 1 + step, 1 + 2 step, ..., as from a camera that moves forward.

    Enlarged by z, the pixel at offset (dy, dx) from the image's centre gets the original's value at (dy / z, dx / z),
    sampled bilinearly. For example, with z = 2, the pixel 10 columns right of the centre gets the value 5 columns
    right.

    Args:
        severity: 1 to 5; (step, number) is SEVERITIES["zoom_blur"][severity - 1]. The zooms are 1 + i * step for
            i = 0 ... number - 1.
        generator: not used, nothing is random.

    Source: Hendrycks & Dietterich 2019, section 4.1 (whose code counts the original twice).
    """
    ### BEGIN SOLUTION
    step, number = SEVERITIES["zoom_blur"][severity - 1]
    dtype, images = images.dtype, images.to(torch.promote_types(images.dtype, torch.float32))  # half is too coarse
    zooms = [1 + i * step for i in range(number)]
    total = torch.zeros_like(images.detach())
    for zoom in zooms:
        shrink = torch.eye(2, 3, device=images.device, dtype=images.dtype) / zoom
        grid = F.affine_grid(shrink.expand(len(images), -1, -1), list(images.shape), align_corners=False)
        total += F.grid_sample(images.detach(), grid, padding_mode="border", align_corners=False)
    return (total / len(zooms)).clamp(0, 1).to(dtype)
    ### END SOLUTION


@checked
def corruption_errors(
    model: Model, images: Images, labels: Labels, corruptions: Corruptions, *, generator: Generator
) -> Tensor:
    """Return the network's error rate for each corruption at each severity.

    Args:
        labels: (N,) the true classes.
        corruptions: C functions like those above, called as corruption(images, severity, generator=generator).

    Returns:
        (C, 5) in the images' dtype. Entry [c, s - 1] is for corruption c at severity s: the fraction of images whose
        largest logit is not the label's.

    Source: Hendrycks & Dietterich 2019, section 4.2.
    """
    ### BEGIN SOLUTION
    rates = torch.zeros(len(corruptions), 5, dtype=images.dtype, device=images.device)
    for i, corruption in enumerate(corruptions):
        for severity in (1, 2, 3, 4, 5):
            corrupted = corruption(images.detach(), severity, generator=generator)
            with torch.inference_mode():  # in parts that stay in the processor's cache
                predicted = torch.cat([model(part).argmax(dim=1) for part in corrupted.split(25)])
            rates[i, severity - 1] = (predicted != labels).to(rates).mean()
    return rates
    ### END SOLUTION


@checked
def mean_corruption_error(errors: ErrorRates, baseline: BaselineRates) -> Tensor:
    """Return the mean corruption error (mCE): a network's errors relative to those of a baseline.

    For each corruption, sum the network's errors over the severities and divide by the same sum of the baseline. mCE is
    the mean of these ratios over the corruptions. So an easy corruption counts as much as a difficult one.

    Args:
        errors: (C, S) error rates of the network.
        baseline: (C, S) of the baseline (AlexNet in the paper). A row that sums to 0 raises ValueError before your
            code runs.
    Returns 0-d; 1 for the baseline itself (the paper writes 100).
    Source: Hendrycks & Dietterich 2019, section 4.2.
    """
    ### BEGIN SOLUTION
    return (errors.detach().sum(dim=1) / baseline.detach().sum(dim=1)).mean()
    ### END SOLUTION


@checked
def relative_mean_corruption_error(
    errors: ErrorRates, clean: ErrorRate, baseline: BaselineRates, baseline_clean: BaselineRate
) -> Tensor:
    """Return the relative mCE: mean over c of [sum over s of (E - clean)] / [sum over s of (B - baseline_clean)].

    E and B are the errors of the network and of the baseline; c is the corruption, s the severity. A denominator of 0
    raises ValueError before your code runs.

    Args:
        errors, baseline: (C, S) error rates of the network and of the baseline.
        clean, baseline_clean: their error rates on clean images, floats or 0-d.

    Returns:
        0-d; 1 for the baseline itself.
    Source: Hendrycks & Dietterich 2019, section 4.2.
    """
    ### BEGIN SOLUTION
    worse, baseline_worse = errors.detach() - clean, baseline.detach() - baseline_clean
    return (worse.sum(dim=1) / baseline_worse.sum(dim=1)).mean().detach()
    ### END SOLUTION


@checked
def cue_conflict(content: Content, texture: Texture, transfer: Transfer) -> Tensor:
    """Return images with the shape of one picture and the texture of another, one per pair.

    Args:
        content: (N, 3, H, W), gives the shapes.
        texture: (N, 3, h, w), gives the textures: texture i for content i. Its size may differ.
        transfer: transfer(image, style) returns image painted with the texture of style. image and the result are (3,
            H, W), style is (3, h, w). Call it once per pair. Gradients are enabled for you (some transfers need them).

    Returns:
        (N, 3, H, W), clamped to [0, 1].
    Source: Geirhos et al. 2019, section 2 and figure 1.
    """
    ### BEGIN SOLUTION
    pairs = zip(content.detach(), texture.detach(), strict=True)
    return torch.stack([transfer(image, style).detach() for image, style in pairs]).clamp(0, 1)
    ### END SOLUTION


@checked
def shape_bias(predictions: TrialClasses, shapes: TrialClasses, textures: TrialClasses) -> float:
    """Return the fraction of decisions by shape among all decisions by shape or by texture.

    A trial counts only if its shape and its texture are different classes and its prediction is one of the two.

    Args:
        predictions, shapes, textures: (T,) int64: the predicted class, the class of the shape, the class of the
            texture.

    Returns:
        Shape decisions / (shape decisions + texture decisions), a float from 0 to 1. NaN if no trial counts.

    Source: Geirhos et al. 2019, section 3.
    """
    ### BEGIN SOLUTION
    conflict = shapes != textures  # (T,)
    by_shape = int((conflict & (predictions == shapes)).sum())
    by_texture = int((conflict & (predictions == textures)).sum())
    return by_shape / (by_shape + by_texture) if by_shape + by_texture else math.nan
    ### END SOLUTION
