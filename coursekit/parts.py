"""The one table: part -> module, notebook, checks, title, functions. Everything else is derived from it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coursekit.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent  # the folder of this edition
PLAY = Path("notebooks") / "0_play.ipynb"  # belongs to no part: nothing in it is graded


@dataclass(frozen=True)
class Part:
    """A student module and what goes with it; core functions are what everybody is graded on, extension functions come on top.

    Modules of one part of the lecture are rows with one number, and may share a notebook.
    """

    number: int
    title: str
    module: str
    notebook: str
    core: tuple[str, ...]
    extension: tuple[str, ...]
    trained: tuple[str, ...] = ()  # weights that the notebook trains and that are handed in, if they are there

    @property
    def functions(self) -> tuple[str, ...]:
        return self.core + self.extension

    @property
    def module_path(self) -> Path:
        return Path("assignment2") / f"{self.module}.py"

    @property
    def notebook_path(self) -> Path:
        return Path("notebooks") / f"{self.notebook}.ipynb"

    @property
    def tests_path(self) -> Path:
        """The folder of the module's checks."""
        return Path("tests") / self.module

    @property
    def test_files(self) -> tuple[Path, ...]:
        """What the checks of a module share, and a file of checks for each function."""
        return self.tests_path / "conftest.py", *(self.tests_path / f"test_{name}.py" for name in self.functions)

    @property
    def hidden_path(self) -> Path:
        return Path("tests") / "hidden" / self.module


PARTS = (
    Part(
        number=1,
        title="Looking into networks",
        module="saliency",
        notebook="1_saliency",
        core=("saliency_map", "guided_relu_gradient", "guided_backprop", "grad_cam"),
        extension=(
            "activation_gradient",
            "deconvnet_relu_gradient",
            "deconvnet",
            "receptive_field",
            "top_patches",
            "guided_grad_cam",
        ),
    ),
    Part(
        number=2,
        title="Optimising the picture",
        module="class_visualization",
        notebook="2_class_visualization",
        core=("ascent_step", "class_visualization", "blur"),
        extension=("zero_small_pixels", "zero_small_contributions", "maximize_activation"),
    ),
    Part(
        number=3,
        title="Fooling networks",
        module="adversarial",
        notebook="3_adversarial",
        core=("fooling_image", "fgsm", "pgd"),
        extension=(
            "linear_shift",
            "one_pixel_attack",
            "estimate_gradient",
            "train_substitute",
            "transfer_attack",
            "attack_success",
            "flip_labels",
            "inject_samples",
            "corrupt_update",
            "adversarial_loss",
            "reencode",
            "noisy_predict",
        ),
    ),
    Part(
        number=4,
        title="Robustness and bias",
        module="robustness",
        notebook="4_robustness",
        core=("mean_corruption_error", "shape_bias"),
        extension=(
            "gaussian_noise",
            "shot_noise",
            "impulse_noise",
            "defocus_blur",
            "frosted_glass_blur",
            "motion_blur",
            "zoom_blur",
            "corruption_errors",
            "relative_mean_corruption_error",
            "cue_conflict",
        ),
    ),
    Part(
        number=5,
        title="Style transfer",
        module="style_transfer",
        notebook="5_style_transfer",
        core=("content_loss", "gram_matrix", "style_loss"),
        extension=("total_variation_loss", "style_transfer", "stylize"),
    ),
    Part(
        number=6,
        title="Upsampling by hand",
        module="upsampling",
        notebook="6_segmentation",
        core=("max_unpool", "transposed_conv2d"),
        extension=("max_pool", "rotate_kernel", "bilinear_kernel"),
    ),
    Part(
        number=6,
        title="Segmentation networks",
        module="segmentation",
        notebook="6_segmentation",
        core=("FCN", "UNet", "mean_iou"),
        extension=(
            "linear_to_conv",
            "convolutionalize",
            "DeconvNet",
            "trained_unet",
            "pixel_cross_entropy",
            "confusion_matrix",
            "pixel_accuracy",
            "dice",
            "frequency_weighted_iou",
            "instance_labels",
        ),
        trained=("trained/unet.safetensors",),
    ),
)


NUMBERS = tuple(dict.fromkeys(part.number for part in PARTS))  # a part may have two modules


def notebooks_of(parts: Sequence[Part]) -> tuple[Path, ...]:
    """Return the notebooks of some parts, each once, in their order."""
    return tuple(dict.fromkeys(part.notebook_path for part in parts))


def find_parts(names: str | Sequence[str] | None) -> tuple[Part, ...]:
    """Return the parts that a person means by numbers, modules or functions, in the table's order; all for no name."""
    wanted = [names] if isinstance(names, str) else names or []
    found = {name: [p for p in PARTS if name in (str(p.number), p.module, p.notebook, *p.functions)] for name in wanted}
    for name in (name for name in wanted if not found[name]):
        known = ", ".join(f"{p.number} ({p.module})" for p in PARTS)
        functions = [function for p in PARTS for function in p.functions]
        near = ", ".join(difflib.get_close_matches(name, functions))
        raise UsageError(f"no part is called {name!r}; the parts are {known}{near and f'; near functions: {near}'}")
    return tuple(p for p in PARTS if not wanted or any(p in parts for parts in found.values()))


def is_extension(function: str) -> bool:
    """Say whether a function is one that nobody has to write."""
    return function in {name for part in PARTS for name in part.extension}


def part_of(function: str) -> Part:
    """Return the part that a student function belongs to."""
    for part in PARTS:
        if function in part.functions:
            return part
    names = [name for part in PARTS for name in part.functions]
    near = ", ".join(difflib.get_close_matches(function, names))
    raise UsageError(f"no function is called {function!r}; {f'near: {near}' if near else '`a2 grade` lists them all'}")
