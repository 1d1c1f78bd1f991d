"""Part 1 against captum and grad-cam: alternating runs in one process, one thread, ratios of medians."""

from __future__ import annotations

import math
import warnings

import torch
from alternating import HEAD, compare
from captum.attr import GuidedBackprop, Saliency
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from assignment2 import saliency
from coursekit.vision import evaluation_scenes, load_model, photographs
from coursekit.vision.layers import cam_layer

SIDE = 224  # of the photographs for the real network


def main() -> None:
    """Print a row for each method and batch size."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    scenes, photos = evaluation_scenes(64), photographs((SIDE, SIDE))
    print(HEAD)
    for size in (1, 16, 64):
        rows("tiny_vgg", scenes.images[:size], scenes.label[:size])
    for size in (1, 8):
        rows("efficientnet_lite0", photos.images[:size], photos.labels[:size])


def rows(name: str, images: Tensor, labels: Tensor) -> None:
    """Print the rows of one network and one batch."""
    model = load_model(name)
    for path, module in list(model.named_modules()):
        if isinstance(module, nn.ReLU):
            module.inplace = False  # captum raises on in-place ReLUs
        if isinstance(module, nn.ReLU6):  # captum gives it the plain gradient: the same in two modules
            model.set_submodule(path, nn.Sequential(nn.ReLU(), nn.Hardtanh(-math.inf, 6.0)))
    layer = cam_layer(model)
    targets = [ClassifierOutputTarget(int(k)) for k in labels]
    cam = GradCAM(model, [model.get_submodule(layer)])
    batch = f"{name}, batch of {len(images)}"
    compare(
        f"`saliency_map`, {batch}",
        lambda: saliency.saliency_map(model, images, labels),
        "captum",
        lambda: Saliency(model).attribute(images.clone().requires_grad_(), target=labels),
    )
    compare(
        f"`guided_backprop`, {batch}",
        lambda: saliency.guided_backprop(model, images, labels),
        "captum",
        lambda: GuidedBackprop(model).attribute(images.clone().requires_grad_(), target=labels),
    )
    compare(
        f"`grad_cam`, {batch}",
        lambda: saliency.grad_cam(model, images, labels, layer),
        "grad-cam",
        lambda: cam(images.clone(), targets),
    )


if __name__ == "__main__":
    main()
