"""Train the zoo's networks on EmojiScenes, from a seed, and store the weights with what was measured of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from coursekit.errors import UsageError
from coursekit.staff import fit
from coursekit.staff.measure import measure_accuracy, measure_robustness, measure_shape_bias
from coursekit.staff.recipes import RECIPES, Recipe
from coursekit.staff.weights import add_batch_norm, fold_batch_norm, store
from coursekit.vision import zoo
from coursekit.vision.networks import ARCHITECTURES
from coursekit.vision.scenes import EVALUATION_SEED, evaluation_scenes
from coursekit.vision.textures import evaluation_conflicts

CHECKPOINTS = Path(".a2") / "train"
EVALUATION_SCENES = 2400
ATTACKED_SCENES = 480


@dataclass(frozen=True)
class Trained:
    """One finished training: the file, its accuracy on fresh scenes, and the seconds that the epochs took."""

    name: str
    path: Path
    accuracy: float
    seconds: float


def train(
    name: str,
    *,
    device: str | None = None,
    epochs: int | None = None,
    num_scenes: int | None = None,
    wanted_accuracy: float | None = None,
    destination: Path = zoo.WEIGHTS,
    checkpoints: Path = CHECKPOINTS,
) -> list[Trained]:
    """Train one network of RECIPES, or "all", and write its weights and its entry of zoo.json.

    Args:
        device: "cpu", "cuda"; by default a CUDA device if there is one.
        epochs, num_scenes, wanted_accuracy: instead of the recipe's.
        checkpoints: the folder of interrupted trainings, which go on from their last finished epoch.
        destination: the folder of NAME.safetensors and zoo.json.

    Raises:
        UsageError: an unknown name, or an accuracy below the recipe's.
    """
    if name != "all" and name not in RECIPES:
        raise UsageError(f"no recipe {name!r}: train one of {', '.join(RECIPES)}, or all")
    if epochs is not None and epochs < 1:
        raise UsageError(f"--epochs {epochs}: at least one is needed")
    try:
        where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.zeros(1, device=where)
    except (RuntimeError, AssertionError, NotImplementedError):
        why = "torch has no such device here; take cpu, or leave the option out"
        raise UsageError(f"--device {device}: {why}") from None
    changes: dict[str, Any] = {"epochs": epochs, "num_scenes": num_scenes, "wanted_accuracy": wanted_accuracy}
    changes = {key: value for key, value in changes.items() if value is not None}
    recipes = RECIPES.values() if name == "all" else [RECIPES[name]]
    return [_train_one(replace(recipe, **changes), where, destination, checkpoints) for recipe in recipes]


def _train_one(recipe: Recipe, device: torch.device, destination: Path, checkpoints: Path) -> Trained:
    keeps_batch_norm = any(isinstance(layer, nn.BatchNorm2d) for layer in ARCHITECTURES[recipe.name]().modules())
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        plain = zoo.load_model(recipe.start_from) if recipe.start_from else ARCHITECTURES[recipe.name]()
        keeps_batch_norm = keeps_batch_norm or bool(recipe.start_from)  # where there is none, none is added
        model = (plain if keeps_batch_norm else add_batch_norm(plain)).to(device).to(memory_format=torch.channels_last)
        seconds = fit.fit(model, recipe, device, checkpoints / f"{recipe.name}.pt")
    model = model.to("cpu").to(memory_format=torch.contiguous_format)
    shipped = model.eval() if keeps_batch_norm else fold_batch_norm(model)
    state = {key: value.half() if value.is_floating_point() else value for key, value in shipped.state_dict().items()}
    shipped.load_state_dict(state)  # copied into float32: what is measured is the rounded weights
    (checkpoints / f"{recipe.name}.pt").unlink(missing_ok=True)
    measured = _measure(shipped, recipe)
    path = store(recipe, state, measured, seconds, device, destination)
    return Trained(recipe.name, path, measured["accuracy"], seconds)


def _measure(model: nn.Module, recipe: Recipe) -> dict[str, Any]:
    """Measure what the recipe wants; UsageError where the network stays below it."""
    scenes = evaluation_scenes(EVALUATION_SCENES)
    measured: dict[str, Any] = {"accuracy": measure_accuracy(model, scenes.images, scenes.label)}
    _hold(recipe, measured["accuracy"], recipe.wanted_accuracy, "on fresh scenes")
    if recipe.wanted_robustness:
        scenes = evaluation_scenes(ATTACKED_SCENES)
        measured["robustness"] = measure_robustness(model, scenes.images, scenes.label)
        _hold(recipe, measured["robustness"], recipe.wanted_robustness, "under PGD-20 at eps 4/255")
    if recipe.wanted_shape_bias:
        measured["shape_bias"] = measure_shape_bias(model, evaluation_conflicts())
        _hold(recipe, measured["shape_bias"], recipe.wanted_shape_bias, "of shape decisions on fresh conflicts")
    measured = {key: round(value, 4) for key, value in measured.items()}
    return {**measured, "evaluation": {"num_scenes": EVALUATION_SCENES, "seed": EVALUATION_SEED}}


def _hold(recipe: Recipe, reached: float, wanted: float, what: str) -> None:
    if reached < wanted:
        raise UsageError(
            f"{recipe.name} reached {reached:.2%} {what}, below {wanted:.0%}; nothing was written: "
            "train longer with --epochs"
        )
