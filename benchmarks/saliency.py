"""Part 1 against captum and grad-cam: alternating runs in one process, one thread, ratios of medians."""

from __future__ import annotations

import warnings

import torch
from alternating import HEAD, compare
from captum.attr import GuidedBackprop, Saliency
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from assignment2 import saliency
from coursekit.vision import evaluation_scenes, load_model

LAYER = "features.18"


def main() -> None:
    """Print a row for each method and batch size."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    model = load_model("tiny_vgg")
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # captum raises on in-place ReLUs
    scenes = evaluation_scenes(64)
    print(HEAD)
    for size in (1, 16, 64):
        rows(model, scenes.images[:size], scenes.label[:size])


def rows(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Print the rows of one batch."""
    targets = [ClassifierOutputTarget(int(k)) for k in labels]
    cam = GradCAM(model, [model.get_submodule(LAYER)])
    batch = f"batch of {len(images)}"
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
        lambda: saliency.grad_cam(model, images, labels, LAYER),
        "grad-cam",
        lambda: cam(images.clone(), targets),
    )


if __name__ == "__main__":
    main()
