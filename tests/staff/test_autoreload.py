"""Every exercise in a real kernel with `%autoreload 2`: the hole, filled and saved, edited wrongly and saved, mended again."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import run_kernel

from coursekit.grading.holes import hole
from coursekit.parts import PARTS, ROOT, Part, part_of
from coursekit.staff.markers import cut, find_regions

# What stands in the first cell of every notebook, names imported from modules besides, and inputs of every exercise.
FIRST_CELL = """
%load_ext autoreload
%autoreload 2
import sys
sys.path.insert(0, "..")
from coursekit.grading.notebook import check, hint, needs
"""
SETUP = """
import json
import torch
from torch import nn

from assignment2 import adversarial, class_visualization, robustness, saliency, segmentation, style_transfer, upsampling


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.normalize = nn.Identity()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

    def forward(self, images):
        return self.classifier(self.features(self.normalize(images)))


def seed():
    return torch.Generator().manual_seed(0)


def seeded(make):
    torch.manual_seed(0)
    return make().eval()


def told(value):
    if isinstance(value, nn.Module):
        return told(list(value.parameters()))
    if isinstance(value, (tuple, list)):
        return [told(item) for item in value]
    if isinstance(value, torch.Tensor):
        places = torch.arange(1, value.numel() + 1, dtype=torch.float64).sqrt()
        return [list(value.shape), f"{float((value.detach().double().flatten() * places).sum()):.5g}"]
    return str(value)


net = seeded(Net)
images = torch.rand(2, 3, 8, 8, generator=seed())
labels, rates = torch.tensor([2, 0]), torch.rand(2, 5, generator=seed())
maps = torch.arange(128).view(2, 8, 8) // 3 % 3
kernel = torch.rand(3, 2, 3, 3, generator=seed())
likely = lambda shown: net(shown).softmax(dim=1).detach()
answer = lambda shown: net(shown).argmax(dim=1)
trunk = [nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 5, 3, 2, 1), nn.Conv2d(5, 6, 3, 2, 1)]
"""
CALLS = {
    "saliency_map": "(net, images, labels)",
    "activation_gradient": "(net, images, 'features.0', (1, 2, 3))",
    "deconvnet_relu_gradient": "(images - 0.5, images.flip(0) - 0.5)",
    "guided_relu_gradient": "(images - 0.5, images.flip(0) - 0.5)",
    "guided_backprop": "(net, images, labels)",
    "deconvnet": "(net, images, 'features.0', 1)",
    "receptive_field": "(net, 'features.2', (0, 2, 3), (8, 8))",
    "top_patches": "(net, images, 'features.0', 1, 2)",
    "grad_cam": "(net, images, labels, 'features.0')",
    "guided_grad_cam": "(net, images, labels, 'features.0')",
    "ascent_step": "(net, images[0], 1, step_size=0.5, l2_weight=0.1)",
    "blur": "(images[0], 1.0)",
    "zero_small_pixels": "(images[0], 0.4)",
    "zero_small_contributions": "(images[0], images[1], 0.4)",
    "class_visualization": "(net, 1, num_steps=2, image_size=(8, 8))",
    "maximize_activation": "(net, 'features.0', 1, num_steps=2, image_size=(8, 8))",
    "fooling_image": "(net, images[0], 1, step_size=0.5, max_steps=2)",
    "fgsm": "(net, images, labels, 0.1)",
    "pgd": "(net, images, labels, 0.1, step_size=0.05, num_steps=2)",
    "linear_shift": "(images, 0.1)",
    "one_pixel_attack": "(likely, images[0], 1, population=4, generations=2, generator=seed())",
    "estimate_gradient": "(likely, images, labels, sigma=0.1, num_samples=2, generator=seed())",
    "train_substitute": "(answer, net, images, num_rounds=2, num_steps=2, learning_rate=0.01, step_size=0.1)",
    "transfer_attack": "(net, images, labels, 0.1)",
    "attack_success": "(net(images), labels, 'misclassification')",
    "flip_labels": "(labels, 0.5, 3, generator=seed())",
    "inject_samples": "(images, labels, images[:1], labels[:1])",
    "corrupt_update": "([images, rates])",
    "adversarial_loss": "(net, images, labels, 0.1)",
    "reencode": "(images, levels=4)",
    "noisy_predict": "(net, images, sigma=0.1, num_samples=2, generator=seed())",
    "gaussian_noise": "(images, 3, generator=seed())",
    "shot_noise": "(images, 3, generator=seed())",
    "impulse_noise": "(images, 3, generator=seed())",
    "defocus_blur": "(images, 3)",
    "frosted_glass_blur": "(images, 3, generator=seed())",
    "motion_blur": "(images, 3, generator=seed())",
    "zoom_blur": "(images, 3)",
    "corruption_errors": "(net, images, labels, [lambda x, severity, generator: x.flip(3)], generator=seed())",
    "mean_corruption_error": "(rates, rates / 2)",
    "relative_mean_corruption_error": "(rates, 0.01, rates / 2, 0.02)",
    "cue_conflict": "(images, images.flip(0), lambda image, style: (image + style) / 2)",
    "shape_bias": "(labels, labels, labels.flip(0))",
    "content_loss": "([images], [images / 2], [2.0])",
    "gram_matrix": "(images)",
    "style_loss": "([images], [torch.ones(1, 3, 3)], [2.0])",
    "total_variation_loss": "(images)",
    "style_transfer": "(net, images[:1], images[1:], content_layers=['features.0'], content_weights=[1.0], "
    "style_layers=['features.0'], style_weights=[1.0], num_steps=2, optimizer='adam')",
    "stylize": "(images, labels, [images[0]], lambda image, style: (image + style) / 2)",
    "max_pool": "(images, 2, 2)",
    "max_unpool": "(images[..., :4, :4], maps[:, None, :4, :4].expand(2, 3, 4, 4), (8, 8))",
    "transposed_conv2d": "(images, kernel, stride=2, padding=1)",
    "rotate_kernel": "(kernel)",
    "bilinear_kernel": "(2, 3)",
    "linear_to_conv": "(net.classifier[1], 4, 4)",
    "convolutionalize": "(net)",
    "trained_unet": f"({str(ROOT / 'trained' / 'unet.safetensors')!r})",
    "pixel_cross_entropy": "(images, maps)",
    "confusion_matrix": "(maps.flip(0), maps, 3)",
    "pixel_accuracy": "(maps.flip(0), maps)",
    "mean_iou": "(maps.flip(0), maps, 3)",
    "dice": "(maps.flip(0), maps, 3)",
    "frequency_weighted_iou": "(maps.flip(0), maps, 3)",
    "instance_labels": "(maps)",
}
NETWORKS = {"FCN": "(trunk, (4, 5, 6), 3)", "DeconvNet": "(3, (4, 5), 3)", "UNet": "(3, 2, (4, 8))"}
EXERCISES = [  # in the order of their files: a solution uses what stands above it
    node.name
    for part in PARTS
    for node in ast.parse((ROOT / part.module_path).read_text(encoding="utf-8")).body
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in part.functions
]


def call(name: str) -> str:
    """Write the call of an exercise through its module; of a network the forward pass of a new one."""
    place = f"{part_of(name).module}.{name}"
    return f"seeded(lambda: {place}{NETWORKS[name]})(images)" if name in NETWORKS else place + CALLS[name]


class Student:
    """Somebody at a notebook, and the modules of an edition in which exercises are saved one by one."""

    def __init__(self, edition: Path) -> None:
        self.edition, self.saves = edition, 0
        self.right = {part.module: (ROOT / part.module_path).read_text(encoding="utf-8") for part in PARTS}
        self.done: set[str] = set()

    def save(self, name: str, *, wrong: bool = False) -> None:
        """Fill an exercise, or spoil it: the function, or the network's forward pass, then returns a word."""
        part = part_of(name)
        self.done.add(name)
        lines = self.right[part.module].split("\n")
        for region in reversed(find_regions(self.right[part.module], part.module_path)):
            owner, method = (*region.function.split("."), "")[:2]
            if owner not in self.done:
                lines[region.start_line - 1 : region.end_line] = [region.indent + hole(region.function)]
            elif wrong and owner == name and method != "__init__":
                lines[region.start_line - 1 : region.end_line] = [f'{region.indent}return "a word"']
        path = self.edition / part.module_path
        path.write_text("\n".join(lines), encoding="utf-8")
        # Two saves within one second have the same time for a file system that counts in seconds, and for Python's cache.
        self.saves += 1
        then = path.stat().st_mtime + 5 * self.saves
        os.utime(path, (then, then))

    def run(self, client, code: str) -> str:
        """Run a cell; return what it prints and the name and text of its error."""
        shown: list[str] = []

        def keep(message) -> None:
            content = message["content"]
            if message["msg_type"] == "error":
                shown.append(f"{content['ename']}: {content['evalue']}")
            elif message["msg_type"] == "stream":
                shown.append(content["text"])

        client.execute_interactive(code, output_hook=keep, timeout=60)
        return "".join(shown).strip()


def edition_with_holes(folder: Path, parts: list[Part]) -> Path:
    """Lay out what a notebook needs: the modules with their holes, and the given code."""
    for name in ("notebooks", "assignment2"):
        (folder / name).mkdir(parents=True)
    (folder / "assignment2" / "__init__.py").write_bytes((ROOT / "assignment2" / "__init__.py").read_bytes())
    for name in ("coursekit", "data"):
        (folder / name).symlink_to(ROOT / name, target_is_directory=True)
    for part in parts:
        text = (ROOT / part.module_path).read_text(encoding="utf-8")
        (folder / part.module_path).write_text(cut(text, part.module_path), encoding="utf-8")
    return folder


def walk(edition: Path, names: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Work through exercises in one kernel; yield what was not as it should be."""
    student = Student(edition_with_holes(edition, list(PARTS)))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    here: dict = {}
    exec(SETUP, here)  # noqa: S102 (our own text)
    by_name = "\n".join(f"from assignment2.{part_of(n).module} import {n} as imported_{n}" for n in EXERCISES)
    with run_kernel(cwd=str(edition / "notebooks")) as client:
        for code in (FIRST_CELL, SETUP, by_name):
            assert student.run(client, code) == ""
        for name in names:
            right = json.dumps(eval("told(" + call(name) + ")", here))
            ways = [call(name), call(name).replace(f"{part_of(name).module}.{name}", f"imported_{name}")]

            yield from wrongly(name, "hole", student.run(client, cell(ways)), len(ways) * ["NotImplementedError"])
            student.done.update(EXERCISES[: EXERCISES.index(name)])
            student.save(name)
            yield from wrongly(name, "filled", student.run(client, cell(ways)), len(ways) * [right])
            if name in NETWORKS:
                assert student.run(client, "older = " + call(name).removesuffix("(images)")) == ""
                ways.append("older(images)")
            student.save(name, wrong=True)
            yield from wrongly(name, "spoilt", student.run(client, cell(ways)), len(ways) * ['"a word"'])
            student.save(name)
            yield from wrongly(name, "mended", student.run(client, cell(ways)), len(ways) * [right])


def cell(ways: list[str]) -> str:
    """Write a cell that calls a function in several ways and prints a line for each."""
    return "".join(
        f"try:\n    print(json.dumps(told({way})))\nexcept Exception as error:\n    print(type(error).__name__, error)\n"
        for way in ways
    )


def wrongly(name: str, when: str, printed: str, wanted: list[str]) -> Iterator[str]:
    lines = printed.splitlines()
    if len(lines) != len(wanted) or any(not line.startswith(start) for line, start in zip(lines, wanted, strict=True)):
        yield f"{name}, {when}: {printed[:600]}, not {wanted[0][:200]}"


@pytest.mark.slow
def test_the_networks_of_part_6_can_be_worked_on_in_a_notebook(tmp_path, monkeypatch):
    assert not "\n".join(walk(tmp_path, list(NETWORKS), monkeypatch))


# Every fifth; A2_WHOLE=1 takes all, some minutes more. The networks, whose classes are replaced, have a test of their own above.
WALKED = EXERCISES if os.environ.get("A2_WHOLE") else EXERCISES[::5]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_exercise_can_be_worked_on_in_a_notebook(tmp_path, monkeypatch):
    assert {*CALLS, *NETWORKS} == {name for part in PARTS for name in part.functions} == {*EXERCISES}

    assert not "\n".join(walk(tmp_path, WALKED, monkeypatch))
