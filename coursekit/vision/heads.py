"""Given code: networks that pool globally, in the form that `convolutionalize` of part 6 reads."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.vision.hooks import record_outputs


class LinearHead(nn.Module):
    """Convolutions that end in one place on the training size, then linear layers: a classifier that can slide."""

    def __init__(self, normalize: nn.Module, features: nn.Sequential, classifier: nn.Sequential) -> None:
        super().__init__()
        self.normalize = normalize
        self.features = features
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of images (N, 3, H, W) of the training size."""
        return self.classifier(self.features(self.normalize(images)))


def linear_head(model: Any) -> nn.Module:
    """Return a loaded network in the form that `convolutionalize` reads: `normalize`, `features` and `classifier`.

    The network's global mean becomes average pooling over one window, as large as the last map at the training size
    (`model.input_size`). On larger images this window slides with stride 1, like the kernel of a convolution.

    Args:
        model: a network of `load_model` with global pooling (SqueezeNet, ResNet, MobileNet, EfficientNet). One without
            it (AlexNet, VGG) is returned as it is.

    Returns:
        A network that shares model's layers and gives the same logits at the training size.

    Raises:
        ValueError: the network is not a chain of layers, a global mean and linear layers (a transformer is not).
    """
    found = _parts(model)
    if found is None:
        return model
    layers, head = found
    grey = torch.full((1, 3, *model.input_size), 0.5).to(next(model.parameters()))
    window = _map_side(layers, model.normalize(grey))
    features = nn.Sequential(*layers, nn.AvgPool2d(window, stride=1))
    result = LinearHead(model.normalize, features, nn.Sequential(nn.Flatten(), *head)).train(model.training)
    _hold(model, result, grey)
    return result


def _parts(model: Any) -> tuple[list[nn.Module], list[nn.Module]] | None:
    """Return the layers before the global mean and those behind it; None for a network that has no such mean."""
    children = dict(model.named_children())
    features, last = children.get("features"), children.get("head", children.get("fc", children.get("classifier")))
    if last is None:
        raise ValueError(f"a {type(model).__name__} has no linear layer at its end that could become a convolution")
    behind = list(last) if isinstance(last, nn.Sequential) else [last]
    linears = [layer for layer in behind if isinstance(layer, nn.Linear)]
    if not isinstance(features, nn.Sequential):  # a ResNet: its children in the order in which they run
        others = ("normalize", "avgpool", "dropout", "fc", "head", "classifier")
        return [child for name, child in children.items() if name not in others], behind
    channels = [conv.out_channels for conv in features.modules() if isinstance(conv, nn.Conv2d)][-1]
    if linears:
        reads_a_map = isinstance(last, nn.Sequential) and linears[0].in_features != channels
        return None if reads_a_map else (list(features), _without(behind, nn.Flatten))
    # SqueezeNet scores each place and takes the mean: nothing is left to do, which a linear layer can do as well.
    scores = [*features, *_without(behind, (nn.AdaptiveAvgPool2d, nn.Identity))]
    num_classes = [conv.out_channels for layer in scores for conv in layer.modules() if isinstance(conv, nn.Conv2d)][-1]
    return scores, [_unchanged(num_classes).to(next(model.parameters()))]


def _without(layers: list[nn.Module], kinds: Any) -> list[nn.Module]:
    return [layer for layer in layers if not isinstance(layer, kinds)]


def _unchanged(size: int) -> nn.Linear:
    """Make the linear layer that returns what it is given."""
    linear = nn.utils.skip_init(nn.Linear, size, size, bias=False)
    linear.weight = nn.Parameter(torch.eye(size))
    return linear


def _map_side(layers: list[nn.Module], normalized: Tensor) -> tuple[int, int]:
    """Return (h, w) of the map that the layers make."""
    chain = nn.Sequential(*layers)
    with torch.no_grad(), record_outputs(chain, [str(len(layers) - 1)]) as outputs:
        chain(normalized)
    maps = outputs[str(len(layers) - 1)]
    if maps.dim() != 4:
        raise ValueError(f"the layers end in {tuple(maps.shape)}, which is no map (N, C, h, w): nothing can slide")
    return int(maps.shape[2]), int(maps.shape[3])


def _hold(model: nn.Module, result: LinearHead, like: Tensor) -> None:
    """Raise ValueError if the network says something else in its new form, or nothing."""
    noise = torch.rand(like.shape, generator=torch.Generator().manual_seed(0)).to(like)
    was, same = model.training, False
    with torch.no_grad(), suppress(RuntimeError):
        wanted, found = model.eval()(noise), result.eval()(noise)
        same = torch.allclose(wanted, found, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))
    model.train(was)
    result.train(was)
    channels = [conv.out_channels for conv in result.features.modules() if isinstance(conv, nn.Conv2d)][-1]
    reads = next(layer.in_features for layer in result.classifier.modules() if isinstance(layer, nn.Linear))
    if not same or channels != reads:
        name = type(model).__name__
        raise ValueError(f"a {name} is no chain of convolutions, a global mean and linear layers: it cannot slide")
