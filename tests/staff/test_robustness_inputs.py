"""Bad input to part 4: refused before the student's code runs, with the value and the remedy."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.small_networks import SmallConvNet, pictures, seeded

IMAGES, LABELS = pictures(3), torch.tensor([4, 0, 2])
TABLE = torch.tensor([[0.1, 0.2], [0.3, 0.4]])


def seed():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("name", robustness.SEVERITIES)
@pytest.mark.parametrize("severity", [0, 6, -1, 2.0, True, "3", None])
def test_a_corruption_refuses_a_severity_that_does_not_exist(name, severity):
    with pytest.raises(ValueError, match=r"severity is .*, expected 1 \(weak\) to 5 \(strong\)"):
        getattr(robustness, name)(IMAGES, severity, generator=seed())


@pytest.mark.parametrize("name", robustness.SEVERITIES)
def test_a_corruption_without_a_generator(name):
    corruption = getattr(robustness, name)
    if name in ("defocus_blur", "zoom_blur"):
        assert corruption(IMAGES, 1, generator=None).shape == IMAGES.shape, "nothing is random here"
        return
    with pytest.raises(ValueError, match=r"generator is None, expected torch\.Generator"):
        corruption(IMAGES, 1, generator=None)


@pytest.mark.parametrize("name", robustness.SEVERITIES)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 2), (96, 96), (40, 131)])
def test_a_corruption_takes_pictures_of_any_size(name, size):
    images = pictures(2, size=size)

    for severity in (1, 5):
        result = getattr(robustness, name)(images, severity, generator=seed())
        assert result.shape == images.shape
        assert bool(((result >= 0) & (result <= 1)).all())


FORMATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
# torch.poisson draws half-precision numbers on some processors only.
NAMED_FORMATS = [(n, f) for n in robustness.SEVERITIES for f in FORMATS if (n, f) != ("shot_noise", torch.float16)]


@pytest.mark.parametrize(("name", "dtype"), NAMED_FORMATS)
def test_a_corruption_keeps_the_number_format(name, dtype):
    assert getattr(robustness, name)(IMAGES.to(dtype), 3, generator=seed()).dtype == dtype


def errors(**changes):
    given = {"model": seeded(SmallConvNet()), "images": IMAGES, "labels": LABELS, "generator": seed(), **changes}
    return robustness.corruption_errors(given.pop("model"), given.pop("images"), given.pop("labels"), **given)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"corruptions": []}, "corruptions is empty"),
        ({"corruptions": "gaussian_noise"}, "expected a list of corruptions"),
        ({"corruptions": robustness.gaussian_noise}, r"expected a list of corruptions: \[gaussian_noise\]"),
        ({"corruptions": ["gaussian_noise"]}, "contains 'gaussian_noise', expected functions"),
        ({"corruptions": [robustness.zoom_blur], "generator": None}, "generator is None"),
        ({"corruptions": [robustness.zoom_blur], "labels": LABELS[:2]}, "expected one label an image"),
        ({"corruptions": [robustness.zoom_blur], "labels": LABELS + 3}, "label 7 is out of range"),
    ],
)
def test_corruption_errors_refuses(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        errors(**changes)


@pytest.mark.parametrize(
    ("mine", "baseline", "sentence"),
    [
        (TABLE, torch.tensor([[0.1, 0.2], [0.0, 0.0]]), "baseline makes no error under corruption 1: leave that row"),
        (TABLE, TABLE[:1], r"baseline has shape \(1, 2\), expected errors' \(2, 2\)"),
        (TABLE[0], TABLE[0], r"errors has shape \(2,\), expected \(C, S\)"),
        (100 * TABLE, TABLE, "errors has values from 10 to 40, expected 0 to 1"),
        (TABLE.log().log(), TABLE, "errors has values from nan to nan"),
        ((TABLE * 10).long(), TABLE, "errors is torch.int64"),
        (TABLE, [[0.1, 0.2]], "baseline is a list, expected a torch tensor"),
    ],
)
def test_mean_corruption_error_refuses(mine, baseline, sentence):
    with pytest.raises(ValueError, match=sentence):
        robustness.mean_corruption_error(mine, baseline)


@pytest.mark.parametrize(
    ("clean", "baseline_clean", "sentence"),
    [
        (0.1, 0.35, "baseline makes no more errors than on clean images under corruption 1"),
        (1.1, 0.0, "clean is 1.1, expected an error rate from 0 to 1"),
        (0.1, float("nan"), "baseline_clean is nan"),
        (
            torch.zeros(2),
            0.0,
            r"clean is \(2,\) torch.float32, expected an error rate from 0 to 1: a float or a 0-d tensor",
        ),
    ],
)
def test_relative_mean_corruption_error_refuses(clean, baseline_clean, sentence):
    with pytest.raises(ValueError, match=sentence):
        robustness.relative_mean_corruption_error(TABLE.double(), clean, TABLE.double(), baseline_clean)


@pytest.mark.parametrize(
    ("content", "texture", "transfer", "sentence"),
    [
        (IMAGES, IMAGES[:2], max, r"texture has shape \(2, 3, 9, 13\), expected one texture a content: \(3, 3, h, w\)"),
        (IMAGES, IMAGES.float(), max, "texture is torch.float32, content torch.float64: use texture.to"),
        (IMAGES[0], IMAGES, max, r"content has shape \(3, 9, 13\), expected \(N, 3, H, W\)"),
        (IMAGES, IMAGES[0], max, r"texture has shape \(3, 9, 13\)"),
        (IMAGES, IMAGES, "style", "transfer is a str"),
    ],
)
def test_cue_conflict_refuses(content, texture, transfer, sentence):
    with pytest.raises(ValueError, match=sentence):
        robustness.cue_conflict(content, texture, transfer)


@pytest.mark.parametrize(
    ("predictions", "shapes", "textures", "sentence"),
    [
        (LABELS, LABELS[:2], LABELS, r"shapes has shape \(2,\), expected one class a trial: \(3,\)"),
        (LABELS, LABELS, LABELS[:1], r"textures has shape \(1,\), expected one class a trial: \(3,\)"),
        (LABELS.double(), LABELS, LABELS, "predictions is torch.float64"),
        (LABELS[None], LABELS, LABELS, r"predictions has shape \(1, 3\)"),
        (LABELS, [4, 0, 2], LABELS, "shapes is a list, expected a tensor of torch.int64"),
    ],
)
def test_shape_bias_refuses(predictions, shapes, textures, sentence):
    with pytest.raises(ValueError, match=sentence):
        robustness.shape_bias(predictions, shapes, textures)
