"""Pictures and numbers as users bring them: outside [0, 1], in other precisions, on devices without float64, as 0-d tensors."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from assignment2 import adversarial, robustness, saliency, segmentation, style_transfer
from coursekit.checks.small_networks import Linear, SmallConvNet, pictures, seeded

IMAGES, LABELS = pictures(3), torch.tensor([4, 0, 2])
MAPS = torch.arange(2 * 4 * 6).view(2, 4, 6) % 3


def seed():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: adversarial.fgsm(seeded(SmallConvNet()), x, LABELS, 0.1),
        lambda x: saliency.saliency_map(seeded(SmallConvNet()), x, LABELS),
        lambda x: robustness.gaussian_noise(x, 1, generator=seed()),
        lambda x: adversarial.fooling_image(seeded(SmallConvNet()), x[0], 1, step_size=0.1, max_steps=1),
        lambda x: adversarial.inject_samples(IMAGES, LABELS, x, LABELS),
        lambda x: robustness.cue_conflict(IMAGES, x, lambda a, b: a),
        lambda x: style_transfer.stylize(IMAGES, LABELS, [x[0]], lambda a, b: a),
    ],
)
def test_normalised_pictures_are_refused_and_rounding_is_not(call):
    normalised = (IMAGES - 0.45) / 0.225

    with pytest.raises(
        ValueError, match=r"has values from -1\.\d+ to 2\.\d+, expected \[0, 1\]: undo the normalisation"
    ):
        call(normalised)
    assert call(IMAGES * (1 + 2e-7) - 1e-7) is not None


def test_a_picture_a_hair_below_black_has_shot_noise():
    images = pictures(1) * 0 - 1e-8

    assert robustness.shot_noise(images, 3, generator=seed()).abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["motion_blur", "zoom_blur"])
@pytest.mark.parametrize("severity", [1, 5])
def test_half_precision_pictures_are_blurred_at_the_right_places(name, dtype, severity):
    images = pictures(2, size=(40, 300))
    blur = getattr(robustness, name)

    exact = blur(images.to(dtype).float(), severity, generator=seed())
    result = blur(images.to(dtype), severity, generator=seed())

    assert result.dtype == dtype
    assert (result.float() - exact).abs().max() < 2 * torch.finfo(dtype).eps


def test_grad_cam_under_autocast_is_a_map_of_the_images_dtype():
    model = seeded(SmallConvNet()).float()

    with torch.autocast("cpu", torch.bfloat16):
        result = saliency.grad_cam(model, IMAGES.float(), LABELS, "features.6")

    assert result.dtype == torch.float32
    assert (result - saliency.grad_cam(model, IMAGES.float(), LABELS, "features.6")).abs().mean() < 0.05


class NoFloat64(TorchDispatchMode):
    """What a device without double precision does (Apple's MPS)."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.dtype == torch.float64:
            raise TypeError(f"{func} makes float64, which this device does not have")
        return result


@pytest.mark.parametrize(
    "call",
    [
        lambda x, _: robustness.frosted_glass_blur(x, 3, generator=seed()),
        lambda x, model: robustness.corruption_errors(model, x, LABELS, [robustness.zoom_blur], generator=seed()),
        lambda x, model: saliency.grad_cam(model, x, LABELS, "features.6"),
        lambda *_: segmentation.pixel_accuracy(MAPS, MAPS),
        lambda *_: segmentation.mean_iou(MAPS, MAPS, 3),
        lambda *_: segmentation.dice(MAPS, MAPS, 3),
        lambda *_: segmentation.frequency_weighted_iou(MAPS, MAPS, 3),
    ],
)
def test_nothing_needs_double_precision_inside(call):
    images, model = IMAGES.float(), seeded(SmallConvNet()).float()

    with NoFloat64():
        assert call(images, model).isfinite().all()


def test_a_substitute_with_dropout_leaves_the_global_generator_where_it_was():
    substitute = seeded(nn.Sequential(Linear(), nn.Dropout(0.5)))
    before = torch.get_rng_state()

    adversarial.train_substitute(
        lambda x: torch.zeros(len(x), dtype=torch.int64), substitute, IMAGES, num_rounds=1, num_steps=3,
        learning_rate=0.1, step_size=0.1,
    )  # fmt: skip

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("target", [torch.tensor(2), np.int64(2)])
def test_a_whole_number_of_another_library_is_told_to_become_an_int(target):
    with pytest.raises(ValueError, match=r"^target is .*, expected a Python int: use int\(target\)$"):
        adversarial.fooling_image(seeded(SmallConvNet()), IMAGES[0], target, step_size=0.1, max_steps=1)


def test_to_ignore_nothing_a_number_is_given_that_no_label_has():
    with pytest.raises(
        ValueError, match=r"ignore_index is None, expected a whole number \(if every pixel counts, .*-100"
    ):
        segmentation.mean_iou(MAPS, MAPS, 3, ignore_index=None)
    assert segmentation.mean_iou(MAPS, MAPS, 3, ignore_index=-100) == 1
