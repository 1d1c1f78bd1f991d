"""Fit a network to its recipe's scenes, one epoch after another; an interrupted training goes on from its checkpoint."""

from __future__ import annotations

import importlib
import os
import pickle
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from coursekit.errors import UsageError
from coursekit.staff.recipes import Recipe
from coursekit.vision.scenes import EVALUATION_SEED, make_scenes
from coursekit.vision.segmenting import bfloat16_is_faster
from coursekit.vision.textures import retextured_scenes

BATCH = 128
EPS_RAMP = 0.6  # of the training until the adversarial budget is reached; begun at once, it leaves a network at chance
RETEXTURED_SEED = 1000  # added to the recipe's seed, so that no scene is seen in both materials


def fit(model: nn.Module, recipe: Recipe, device: torch.device, checkpoint: Path) -> float:
    """Train the model in place, saving its state after each epoch; return the seconds spent, earlier runs included."""
    steps = recipe.num_scenes // BATCH
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps * recipe.epochs)
    first, seconds = 0, 0.0
    saved = read_checkpoint(checkpoint, recipe)
    if saved:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
        first, seconds = saved["epochs_done"], saved["seconds"]
    start = time.monotonic() - seconds
    images, labels = _training_scenes(recipe, device)
    half = bfloat16_is_faster(model, device)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(recipe.name, total=steps * recipe.epochs, completed=steps * first)
        for epoch in range(first, recipe.epochs):
            torch.manual_seed(1000 * recipe.seed + epoch)  # so that a resumed training draws what it would have drawn
            order = torch.randperm(len(images))
            loss_sum = torch.zeros((), device=device)
            for i, rows in enumerate(order.split(BATCH)[:steps]):
                done = (epoch * steps + i) / (steps * recipe.epochs)
                eps = recipe.eps * min(1.0, done / EPS_RAMP)
                loss_sum += _step(model, images[rows], labels[rows], optimizer, eps, half)
                schedule.step()
                progress.update(task, advance=1)
            seconds = time.monotonic() - start
            progress.console.print(f"{recipe.name} epoch {epoch + 1}: loss {loss_sum / steps:.4f}, {seconds:.0f} s")
            write_checkpoint(checkpoint, recipe, model, optimizer, schedule, epoch + 1, seconds)
    return seconds


def _step(
    model: nn.Module, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer, eps: float, half: bool
) -> Tensor:
    """Take one step on a batch of uint8 images, with eps on what PGD-2 makes of them; return its loss."""
    batch = (images.float() / 255).to(memory_format=torch.channels_last)
    with torch.autocast(batch.device.type, dtype=torch.bfloat16, enabled=half):
        if eps > 0:
            pgd = importlib.import_module("assignment2.adversarial").pgd
            batch = pgd(model.eval(), batch, labels, eps, step_size=0.7 * eps, num_steps=2)
        model.train()
        logits = model(batch)
    loss = F.cross_entropy(logits.float(), labels, label_smoothing=0.05)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _training_scenes(recipe: Recipe, device: torch.device) -> tuple[Tensor, Tensor]:
    """Compose the recipe's scenes: uint8 images (a quarter of the memory) and labels, on the device."""
    if recipe.seed == EVALUATION_SEED:
        raise UsageError(f"seed {recipe.seed} is the evaluation set's: train on another")
    num_retextured = round(recipe.retextured * recipe.num_scenes)
    parts = []
    if num_retextured < recipe.num_scenes:
        parts.append(make_scenes(recipe.num_scenes - num_retextured, seed=recipe.seed))
    if num_retextured:
        parts.append(retextured_scenes(num_retextured, seed=recipe.seed + RETEXTURED_SEED))
    images = torch.cat([(scenes.images * 255).round_().byte() for scenes in parts])
    return images.to(device), torch.cat([scenes.label for scenes in parts]).to(device)


def read_checkpoint(path: Path, recipe: Recipe) -> dict[str, Any] | None:
    """Read what an interrupted training left, unless it is unreadable or of another recipe."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError):
        return None
    return saved if saved.get("recipe") == asdict(recipe) else None


def write_checkpoint(
    path: Path,
    recipe: Recipe,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    epochs_done: int,
    seconds: float,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "recipe": asdict(recipe),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "epochs_done": epochs_done,
        "seconds": seconds,
    }
    torch.save(state, path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)  # an interrupted write leaves the old one whole
