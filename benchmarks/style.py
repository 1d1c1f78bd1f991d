"""Part 5 with the slope back to its input: the total variation against torchmetrics', the rest against plain torch.

No library for this machine's torch has a Gram matrix or a style loss of its own. The peer is what people write instead: for
one picture, torch.mm of the flattened maps and mse_loss, as in torch's own tutorial on neural style. Part 5 sums where the
tutorial averages, which costs the same. torchmetrics' total variation takes absolute values, ours squares.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from alternating import HEAD, compare
from torch import Tensor
from torchmetrics.functional.image import total_variation

from assignment2 import style_transfer
from coursekit.vision import evaluation_scenes, load_model, record_outputs, trunk


def main() -> None:
    """Print a row for each loss."""
    torch.set_num_threads(1)
    images = evaluation_scenes(16).images
    features, style = layers_of(images[:1]), layers_of(images[1:2])
    grams = [style_transfer.gram_matrix(f) for f in style]
    weights = [1.0] * len(features)
    print(HEAD)
    for maps in (features[0], features[-1]):
        shape = " x ".join(map(str, maps.shape))
        pair = (lambda x=maps: style_transfer.gram_matrix(x)), (lambda x=maps: plain_gram(x))
        compare(f"`gram_matrix`, {shape}", pair[0], "torch.mm", pair[1])
    batch = features[-1].repeat(8, 1, 1, 1)
    compare(
        f"`gram_matrix`, {' x '.join(map(str, batch.shape))}",
        lambda: style_transfer.gram_matrix(batch),
        "torch.einsum",
        lambda: torch.einsum("nchw,ndhw->ncd", batch, batch).div(batch[0].numel()),
    )
    compare(
        f"`style_loss` and its slope, {len(features)} layers",
        lambda: slope(lambda *maps: style_transfer.style_loss(maps, grams, weights), features),
        "torch.mm, mse_loss",
        lambda: slope(lambda *maps: plain_style(maps, grams, weights), features),
    )
    for size in (1, 16):
        compare(
            f"`total_variation_loss` and its slope, {size} x 3 x 96 x 96",
            lambda: slope(style_transfer.total_variation_loss, [images[:size]]),  # noqa: B023
            "torchmetrics",
            lambda: slope(total_variation, [images[:size]]),  # noqa: B023
        )


@torch.no_grad()
def layers_of(images: Tensor) -> list[Tensor]:
    """Return what the style layers make of pictures."""
    model = trunk(load_model("tiny_vgg"))
    with record_outputs(model, style_transfer.STYLE_LAYERS) as outputs:
        model(images)
    return [outputs[name] for name in style_transfer.STYLE_LAYERS]


def slope(loss: Callable[..., Tensor], inputs: list[Tensor]) -> tuple[Tensor, ...]:
    """Return the gradient of a loss at its inputs."""
    inputs = [x.detach().requires_grad_() for x in inputs]
    return torch.autograd.grad(loss(*inputs), inputs)


def plain_gram(features: Tensor) -> Tensor:
    """The Gram matrix of one picture."""
    _, channels, height, width = features.shape
    flat = features.view(channels, height * width)
    return torch.mm(flat, flat.t()).div(channels * height * width)


def plain_style(features: tuple[Tensor, ...], grams: list[Tensor], weights: list[float]) -> Tensor:
    """The style loss of one picture."""
    loss = torch.zeros(())
    for maps, gram, weight in zip(features, grams, weights, strict=True):
        loss = loss + weight * F.mse_loss(plain_gram(maps), gram[0], reduction="sum")
    return loss


if __name__ == "__main__":
    main()
