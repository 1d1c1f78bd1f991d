"""Bad input to part 3: refused before the student's code runs, with the value and the remedy."""

import pytest
import torch
from torch import nn

from assignment2 import adversarial
from coursekit.checks.small_networks import Linear, SmallConvNet, pictures, seeded

IMAGES, LABELS = pictures(3), torch.tensor([4, 0, 2])


def seed():
    return torch.Generator().manual_seed(0)


def fgsm(**changes):
    given = {"model": seeded(SmallConvNet()), "images": IMAGES, "labels": LABELS, "eps": 0.1, **changes}
    return adversarial.fgsm(**given)


def one_pixel(predict, **changes):
    given = {"image": IMAGES[0], "label": 2, "population": 4, "generations": 1, "generator": seed(), **changes}
    return adversarial.one_pixel_attack(predict, **given)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"eps": -0.1}, "eps is -0.1, expected 0 to 1"),
        ({"eps": 8}, "did you mean 8 / 255"),
        ({"labels": torch.tensor([5, 0, 1])}, "label 5 is out of range: the network has 5 classes"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "there is no picture in it"),
        ({"model": nn.Sequential(seeded(Linear()), nn.Softmax(1)).eval()}, "the network returns probabilities"),
        ({"model": seeded(SmallConvNet()).train()}, "is in train mode"),
    ],
)
def test_fgsm_refuses(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        fgsm(**changes)


def test_fooling_and_pgd_refuse_impossible_steps():
    model = seeded(SmallConvNet())

    with pytest.raises(ValueError, match="label 7 is out of range"):
        adversarial.fooling_image(model, IMAGES[0], 7, step_size=0.1, max_steps=2)
    with pytest.raises(ValueError, match="max_steps is -1"):
        adversarial.fooling_image(model, IMAGES[0], 1, step_size=0.1, max_steps=-1)
    with pytest.raises(ValueError, match="step_size is 0"):
        adversarial.pgd(model, IMAGES, LABELS, 0.1, step_size=0, num_steps=2)
    assert torch.equal(adversarial.fooling_image(model, IMAGES[0], 1, step_size=0.1, max_steps=0), IMAGES[0])


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda images: torch.full((len(images), 5), torch.nan), "NaN or infinite"),
        (lambda images: torch.ones(len(images), 5), "not probabilities"),
        (lambda images: torch.full((len(images), 2), 0.5), "label 2 is out of range: predict returns 2 classes"),
        (lambda images: torch.full((1, 5), 0.2), "one row per image"),
        (lambda images: [0.2] * 5, "returned list"),
    ],
)
def test_a_black_box_that_answers_nonsense_is_named(answer, sentence):
    with pytest.raises(ValueError, match=sentence):
        one_pixel(answer)


def test_a_search_needs_four_members():
    with pytest.raises(ValueError, match="population is 3, expected a whole number, 4 or more"):
        one_pixel(lambda images: torch.full((len(images), 5), 0.2), population=3)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: adversarial.flip_labels(LABELS, 0.5, 3, generator=seed()), "num_classes is 3, but labels contains 4"),
        (lambda: adversarial.flip_labels(LABELS, 1.5, 5, generator=seed()), "fraction is 1.5, expected 0 to 1"),
        (lambda: adversarial.flip_labels(LABELS[:0], 0.5, 5, generator=seed()), "there is no label in it"),
        (lambda: adversarial.reencode(IMAGES, levels=1), "levels is 1"),
        (lambda: adversarial.inject_samples(IMAGES, LABELS, IMAGES[:, :, :4], LABELS), "expected pictures like images"),
        (lambda: adversarial.inject_samples(IMAGES, LABELS, IMAGES[:2], LABELS), "expected one label an image"),
        (lambda: adversarial.attack_success(torch.rand(3, 5), LABELS, "targetted"), "expected one of confidence_reduc"),
        (lambda: adversarial.attack_success(torch.randn(3, 5), LABELS, "targeted"), "needs target: give it"),
        (lambda: adversarial.attack_success(torch.randn(3, 5), LABELS, "confidence_reduction"), "needs clean_logits"),
        (lambda: adversarial.corrupt_update(torch.ones(3)), "expected a list of tensors"),
        (lambda: adversarial.linear_shift(torch.ones(3, dtype=torch.int64), 0.1), "expected a floating-point tensor"),
    ],
)
def test_the_others_refuse(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_adversarial_loss_takes_a_network_in_any_mode():
    assert adversarial.adversarial_loss(seeded(SmallConvNet()).train(), IMAGES, LABELS, 0.1).requires_grad
