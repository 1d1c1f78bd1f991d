"""Train the zoo's networks on EmojiScenes, from a seed, and store the weights with their measured accuracy."""

from __future__ import annotations

import copy
import datetime
import hashlib
import importlib
import json
import os
import pickle
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from coursekit.errors import UsageError
from coursekit.vision import zoo
from coursekit.vision.networks import ARCHITECTURES, NUM_CLASSES
from coursekit.vision.scenes import EVALUATION_SEED, evaluation_scenes, make_scenes

CHECKPOINTS = Path(".a2") / "train"
BATCH = 128
EVALUATION_SCENES = 2400
ATTACKED_SCENES = 480
ATTACKED_BATCH = 12  # what fits the cache: half the time of batches of 100


@dataclass(frozen=True)
class Recipe:
    """What makes a network's weights again: everything that the training depends on besides the machine."""

    name: str
    seed: int
    epochs: int
    learning_rate: float
    weight_decay: float = 0.05
    num_scenes: int = 12_000
    wanted_accuracy: float = 0.98  # on fresh scenes; a training below it stores nothing
    start_from: str = ""  # a trained network of the zoo whose weights are the start
    eps: float = 0.0  # more than 0: train on adversarial images of this budget, made by two steps of PGD
    wanted_robustness: float = 0.0  # accuracy under PGD-20 at eps 4 / 255


@dataclass(frozen=True)
class Trained:
    """One finished training: the file, its accuracy on fresh scenes, and the seconds that the epochs took."""

    name: str
    path: Path
    accuracy: float
    seconds: float


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("tiny_vgg", seed=1, epochs=8, learning_rate=4e-3),
        Recipe("tiny_alexnet", seed=2, epochs=10, learning_rate=3e-3, wanted_accuracy=0.95),
        Recipe("tiny_squeezenet", seed=3, epochs=14, learning_rate=8e-3, weight_decay=0.02),
        Recipe("tiny_resnet", seed=4, epochs=10, learning_rate=6e-3),
        Recipe(
            "tiny_vgg_robust",
            seed=6,
            epochs=3,
            learning_rate=1e-3,
            num_scenes=8000,
            wanted_accuracy=0.95,
            start_from="tiny_vgg",
            eps=5 / 255,
            wanted_robustness=0.75,
        ),
    )
}


def train(
    name: str,
    *,
    device: str | None = None,
    threads: int | None = None,
    epochs: int | None = None,
    num_scenes: int | None = None,
    wanted_accuracy: float | None = None,
    resume: bool = True,
    destination: Path = zoo.WEIGHTS,
    checkpoints: Path = CHECKPOINTS,
) -> list[Trained]:
    """Train one network of RECIPES, or "all", and write its weights and its entry of zoo.json.

    Args:
        device: "cpu", "cuda"; by default a CUDA device if there is one.
        threads: CPU threads for torch; its own choice by default.
        epochs, num_scenes, wanted_accuracy: instead of the recipe's.
        resume: go on from the last finished epoch that an interrupted training left in checkpoints.
        destination: the folder of NAME.safetensors and zoo.json.

    Raises:
        UsageError: an unknown name, or an accuracy below the recipe's.
    """
    if name != "all" and name not in RECIPES:
        raise UsageError(f"no recipe {name!r}: train one of {', '.join(RECIPES)}, or all")
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    changes: dict[str, Any] = {"epochs": epochs, "num_scenes": num_scenes, "wanted_accuracy": wanted_accuracy}
    changes = {key: value for key, value in changes.items() if value is not None}
    done = []
    with _threads(threads):
        for recipe in RECIPES.values() if name == "all" else [RECIPES[name]]:
            done.append(_train_one(replace(recipe, **changes), where, resume, destination, checkpoints))
    return done


def measure_accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images (N, 3, H, W) whose largest logit is the label's."""
    with torch.no_grad():
        hits = [(model(x).argmax(1) == y).sum() for x, y in zip(images.split(100), labels.split(100), strict=True)]
    return float(sum(hits)) / len(images)


def measure_robustness(
    model: nn.Module, images: Tensor, labels: Tensor, *, eps: float = 4 / 255, num_steps: int = 20
) -> float:
    """Return the accuracy on images (N, 3, H, W) that PGD has moved, from a random start, by up to eps."""
    adversarial = importlib.import_module("assignment2.adversarial")  # staff's own: coursekit imports no student code
    generator = torch.Generator().manual_seed(0)
    moved = [
        adversarial.pgd(model, x, y, eps, step_size=eps / 8, num_steps=num_steps, generator=generator)
        for x, y in zip(images.split(ATTACKED_BATCH), labels.split(ATTACKED_BATCH), strict=True)
    ]
    return measure_accuracy(model, torch.cat(moved), labels)


def add_batch_norm(model: nn.Module) -> nn.Module:
    """Return a copy where each convolution, but one that gives the class scores, is followed by a batch norm."""
    model = copy.deepcopy(model)
    for parent in list(model.modules()):
        for child_name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d) and child.out_channels != NUM_CLASSES:
                setattr(parent, child_name, nn.Sequential(child, nn.BatchNorm2d(child.out_channels)))
    return model


def fold_batch_norm(model: nn.Module) -> nn.Module:
    """Undo `add_batch_norm` in a copy in eval mode: each pair becomes the one convolution that computes the same."""
    model = copy.deepcopy(model).eval()
    for parent in list(model.modules()):
        for child_name, child in list(parent.named_children()):
            if isinstance(child, nn.Sequential) and len(child) == 2:
                conv, norm = child
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    setattr(parent, child_name, fuse_conv_bn_eval(conv, norm))
    return model


def _train_one(recipe: Recipe, device: torch.device, resume: bool, destination: Path, checkpoints: Path) -> Trained:
    keeps_batch_norm = any(isinstance(layer, nn.BatchNorm2d) for layer in ARCHITECTURES[recipe.name]().modules())
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        plain = zoo.load_model(recipe.start_from) if recipe.start_from else ARCHITECTURES[recipe.name]()
        keeps_batch_norm = keeps_batch_norm or bool(recipe.start_from)  # where there is none, none is added
        model = (plain if keeps_batch_norm else add_batch_norm(plain)).to(device).to(memory_format=torch.channels_last)
        seconds = _fit(model, recipe, device, checkpoints / f"{recipe.name}.pt", resume)
    model = model.to("cpu").to(memory_format=torch.contiguous_format)
    shipped = model.eval() if keeps_batch_norm else fold_batch_norm(model)
    state = {key: value.half() if value.is_floating_point() else value for key, value in shipped.state_dict().items()}
    shipped.load_state_dict(state)  # copied into float32: the accuracy is that of the rounded weights
    scenes = evaluation_scenes(EVALUATION_SCENES)
    accuracy = measure_accuracy(shipped, scenes.images, scenes.label)
    (checkpoints / f"{recipe.name}.pt").unlink(missing_ok=True)
    if accuracy < recipe.wanted_accuracy:
        raise UsageError(
            f"{recipe.name} reached {accuracy:.2%} on fresh scenes, below {recipe.wanted_accuracy:.0%}; nothing was written: "
            "train longer with --epochs"
        )
    measured = {"accuracy": round(accuracy, 4)}
    if recipe.wanted_robustness:
        attacked = evaluation_scenes(ATTACKED_SCENES)
        measured["robustness"] = round(measure_robustness(shipped, attacked.images, attacked.label), 4)
        if measured["robustness"] < recipe.wanted_robustness:
            raise UsageError(
                f"{recipe.name} reached {measured['robustness']:.2%} under PGD-20 at eps 4/255, below "
                f"{recipe.wanted_robustness:.0%}; nothing was written: train longer with --epochs"
            )
    path = _store(recipe, state, measured, seconds, device, destination)
    return Trained(recipe.name, path, accuracy, seconds)


def _fit(model: nn.Module, recipe: Recipe, device: torch.device, checkpoint: Path, resume: bool) -> float:
    """Train the model in place, saving its state after each epoch; return the seconds spent, earlier runs included."""
    steps = recipe.num_scenes // BATCH
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps * recipe.epochs)
    first, seconds = 0, 0.0
    saved = _read_checkpoint(checkpoint, recipe) if resume else None
    if saved:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
        first, seconds = saved["epochs_done"], saved["seconds"]
    start = time.monotonic() - seconds
    images, labels = _training_scenes(recipe, device)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(recipe.name, total=steps * recipe.epochs, completed=steps * first)
        for epoch in range(first, recipe.epochs):
            torch.manual_seed(1000 * recipe.seed + epoch)  # so that a resumed training draws what it would have drawn
            order = torch.randperm(len(images))
            loss_sum = torch.zeros((), device=device)
            for rows in order.split(BATCH)[:steps]:
                loss_sum += _step(model, images[rows], labels[rows], optimizer, recipe.eps)
                schedule.step()
                progress.update(task, advance=1)
            seconds = time.monotonic() - start
            progress.console.print(f"{recipe.name} epoch {epoch + 1}: loss {loss_sum / steps:.4f}, {seconds:.0f} s")
            _write_checkpoint(checkpoint, recipe, model, optimizer, schedule, epoch + 1, seconds)
    return seconds


def _step(model: nn.Module, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer, eps: float) -> Tensor:
    """Take one step on a batch of uint8 images, with eps on what PGD-2 makes of them; return its loss."""
    batch = (images.float() / 255).to(memory_format=torch.channels_last)
    with torch.autocast(batch.device.type, dtype=torch.bfloat16):
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
    scenes = make_scenes(recipe.num_scenes, seed=recipe.seed)
    return (scenes.images * 255).round_().byte().to(device), scenes.label.to(device)


def _store(
    recipe: Recipe,
    state: dict[str, Tensor],
    measured: dict[str, float],
    seconds: float,
    device: torch.device,
    folder: Path,
) -> Path:
    """Write NAME.safetensors and the network's entry of zoo.json."""
    from safetensors.torch import save

    content = save({key: value.contiguous() for key, value in state.items()})
    path = folder / f"{recipe.name}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    entry = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "parameters": sum(value.numel() for key, value in state.items() if value.is_floating_point()),
        **measured,
        "evaluation": {"num_scenes": EVALUATION_SCENES, "seed": EVALUATION_SEED},
        "recipe": asdict(recipe),
        "training_seconds": round(seconds),
        "machine": _machine(device),
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
    }
    entries = zoo.read_zoo(folder) if (folder / "zoo.json").is_file() else {}
    entries[recipe.name] = entry
    ordered = {name: entries[name] for name in sorted(entries)}
    (folder / "zoo.json").write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")
    return path


def _read_checkpoint(path: Path, recipe: Recipe) -> dict[str, Any] | None:
    """Read what an interrupted training left, unless it is unreadable or of another recipe."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError):
        return None
    return saved if saved.get("recipe") == asdict(recipe) else None


def _write_checkpoint(
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


def _machine(device: torch.device) -> str:
    """Describe the machine in a few words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    return f"{cpu}, {torch.get_num_threads()} threads"


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Use count CPU threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
