"""How many classes can a U-Net from random weights learn to segment in a few minutes on two cores? Mean IoU on fresh scenes.

PYTHONPATH=. .venv/bin/python benchmarks/segment_classes.py [CLASSES [STEPS]]   # 24 and 2500: about four minutes
"""

from __future__ import annotations

import os
import sys

import torch
from rich.progress import track
from torch import Tensor, nn

from assignment2 import segmentation
from coursekit.vision import CLASSES, UNET_WIDTHS
from coursekit.vision.segmenting import (
    SEGMENTED,
    Curve,
    draw_he_weights,
    segment,
    segmentation_scenes,
    soft_dice_loss,
    train_segmenter,
)

SCENES, VALIDATION, LEARNING_RATE, SCORES = 8000, 200, 5e-3, 5


def train(num_classes: int, num_steps: int, num_scenes: int = SCENES, num_validation: int = VALIDATION) -> Curve:
    """Train notebook 6's U-Net on two objects a scene of 64 x 64 pixels, among the slides' own classes and then the others."""
    among = (*SEGMENTED, *(name for name in CLASSES if name not in SEGMENTED))[:num_classes]
    images, labels, _ = segmentation_scenes(num_scenes, seed=11, among=among)
    fresh_images, fresh_labels, _ = segmentation_scenes(num_validation, seed=777, among=among)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return segmentation.pixel_cross_entropy(logits, labels) + soft_dice_loss(logits, labels)

    def score(network: nn.Module) -> float:
        return segmentation.mean_iou(segment(network, fresh_images), fresh_labels, num_classes + 1).item()

    torch.manual_seed(0)
    network = draw_he_weights(segmentation.UNet(3, num_classes + 1, UNET_WIDTHS))
    return train_segmenter(
        network, images, labels, loss, num_steps=num_steps, learning_rate=LEARNING_RATE, score=score,
        score_every=max(1, num_steps // SCORES), progress=lambda steps: track(steps, f"{num_classes} classes"),
    )  # fmt: skip


def main() -> None:
    """Print one line of a markdown table."""
    given = [int(word) for word in sys.argv[1:3]]
    num_classes, num_steps = given + [24, 2500][len(given) :]
    curve = train(num_classes, num_steps)
    scores = ", ".join(
        f"{score:.2f} after {seconds:.0f} s" for score, seconds in zip(curve.scores, curve.seconds, strict=True)
    )
    print(
        f"| {num_classes} | {num_steps} | {scores} | {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f} |"
    )


if __name__ == "__main__":
    main()
