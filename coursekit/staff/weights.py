"""Turn a trained network into what ships: batch norm folded away, half precision, and its entry of zoo.json."""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from coursekit.staff.recipes import Recipe
from coursekit.vision import zoo
from coursekit.vision.networks import NUM_CLASSES


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


def store(
    recipe: Recipe,
    state: dict[str, Tensor],
    measured: dict[str, Any],
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
