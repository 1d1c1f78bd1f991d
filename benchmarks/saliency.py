"""Part 1 against captum and grad-cam: alternating runs in one process, one thread, ratios of medians."""

from __future__ import annotations

import warnings

import torch
from alternating import alternate
from captum.attr import GuidedBackprop, Saliency
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

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
    print("| method | batch | ours, ms | peer | peer, ms | peer / ours |\n|---|---|---|---|---|---|")
    for size in (1, 16, 64):
        images, labels = scenes.images[:size], scenes.label[:size]
        targets = [ClassifierOutputTarget(int(k)) for k in labels]
        cam = GradCAM(model, [model.get_submodule(LAYER)])
        for name, ours, peer_name, peer in (
            ("saliency_map", lambda: saliency.saliency_map(model, images, labels), "captum",  # noqa: B023
             lambda: Saliency(model).attribute(images.clone().requires_grad_(), target=labels)),  # noqa: B023
            ("guided_backprop", lambda: saliency.guided_backprop(model, images, labels), "captum",  # noqa: B023
             lambda: GuidedBackprop(model).attribute(images.clone().requires_grad_(), target=labels)),  # noqa: B023
            ("grad_cam", lambda: saliency.grad_cam(model, images, labels, LAYER), "grad-cam",  # noqa: B023
             lambda: cam(images.clone(), targets)),  # noqa: B023
        ):  # fmt: skip
            mine, theirs = alternate(ours, peer)
            print(f"| `{name}` | {size} | {mine:.1f} | {peer_name} | {theirs:.1f} | {theirs / mine:.2f} |")


if __name__ == "__main__":
    main()
