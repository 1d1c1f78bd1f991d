"""Measure what a network is worth: accuracy, accuracy under attack, and whether it decides by shape or by texture."""

from __future__ import annotations

import importlib

import torch
from torch import Tensor, nn

from coursekit.vision.textures import Conflicts

EPS = 4 / 255
BATCH = 12  # what fits the cache: two thirds of the time of batches of 100, half under attack


def measure_accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images (N, 3, H, W) whose largest logit is the label's."""
    with torch.no_grad():
        hits = [(model(x).argmax(1) == y).sum() for x, y in zip(images.split(BATCH), labels.split(BATCH), strict=True)]
    return float(sum(hits)) / len(images)


def measure_robustness(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the accuracy on images (N, 3, H, W) that 20 steps of PGD have moved, from a random start, by up to EPS."""
    adversarial = importlib.import_module("assignment2.adversarial")  # staff's own: coursekit imports no student code
    generator = torch.Generator().manual_seed(0)
    moved = [
        adversarial.pgd(model, x, y, EPS, step_size=EPS / 8, num_steps=20, generator=generator)
        for x, y in zip(images.split(BATCH), labels.split(BATCH), strict=True)
    ]
    return measure_accuracy(model, torch.cat(moved), labels)


def measure_shape_bias(model: nn.Module, conflicts: Conflicts) -> float:
    """Return the share of shape decisions among the trials in which the network chose shape or texture."""
    with torch.no_grad():
        predictions = torch.cat([model(x).argmax(1) for x in conflicts.images.split(BATCH)])
    robustness = importlib.import_module("assignment2.robustness")
    return robustness.shape_bias(predictions, conflicts.shapes, conflicts.textures)
