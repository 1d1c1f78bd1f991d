"""FGSM and PGD of part 3 against torchattacks and foolbox, in float64 on random-weight networks, to 1e-12."""

import foolbox
import pytest
import torch
import torchattacks
from foolbox.criteria import Misclassification, TargetedMisclassification

from assignment2 import adversarial
from coursekit.checks.small_networks import OneHidden, ReluEverywhere, SmallConvNet, pictures, seeded

IMAGES, LABELS = pictures(3), torch.tensor([4, 0, 2])
EPS, STEP_SIZE, NUM_STEPS = 0.06, 0.017, 7
EXACT = {"rtol": 0, "atol": 1e-12}


@pytest.fixture(params=[SmallConvNet, ReluEverywhere, OneHidden])
def model(request):
    return seeded(request.param(), seed=8)


def torchattacks_images(attack, *, target=None):
    attack.set_mode_default() if target is None else attack.set_mode_targeted_by_function(
        lambda _images, _labels: target
    )
    return attack(IMAGES.clone(), LABELS.clone()).detach()


def foolbox_images(attack, model, criterion):
    return attack.run(foolbox.PyTorchModel(model, bounds=(0, 1)), IMAGES.clone(), criterion, epsilon=EPS).detach()


def test_fgsm_is_torchattacks_and_foolboxs(model):
    ours = adversarial.fgsm(model, IMAGES, LABELS, EPS)

    torch.testing.assert_close(ours, torchattacks_images(torchattacks.FGSM(model, eps=EPS)), **EXACT)
    theirs = foolbox_images(
        foolbox.attacks.LinfFastGradientAttack(random_start=False), model, Misclassification(LABELS)
    )
    torch.testing.assert_close(ours, theirs, **EXACT)


def test_targeted_fgsm_is_torchattacks(model):
    ours = adversarial.fgsm(model, IMAGES, LABELS, EPS, targeted=True)

    torch.testing.assert_close(ours, torchattacks_images(torchattacks.FGSM(model, eps=EPS), target=LABELS), **EXACT)


def test_pgd_is_torchattacks_and_foolboxs(model):
    ours = adversarial.pgd(model, IMAGES, LABELS, EPS, step_size=STEP_SIZE, num_steps=NUM_STEPS)

    attack = torchattacks.PGD(model, eps=EPS, alpha=STEP_SIZE, steps=NUM_STEPS, random_start=False)
    torch.testing.assert_close(ours, torchattacks_images(attack), **EXACT)
    attack = foolbox.attacks.LinfPGD(abs_stepsize=STEP_SIZE, steps=NUM_STEPS, random_start=False)
    torch.testing.assert_close(ours, foolbox_images(attack, model, Misclassification(LABELS)), **EXACT)


def test_targeted_pgd_is_torchattacks_and_foolboxs(model):
    ours = adversarial.pgd(model, IMAGES, LABELS, EPS, step_size=STEP_SIZE, num_steps=NUM_STEPS, targeted=True)

    attack = torchattacks.PGD(model, eps=EPS, alpha=STEP_SIZE, steps=NUM_STEPS, random_start=False)
    torch.testing.assert_close(ours, torchattacks_images(attack, target=LABELS), **EXACT)
    attack = foolbox.attacks.LinfPGD(abs_stepsize=STEP_SIZE, steps=NUM_STEPS, random_start=False)
    torch.testing.assert_close(ours, foolbox_images(attack, model, TargetedMisclassification(LABELS)), **EXACT)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_value_leaves_the_box_or_the_ball(dtype):
    model, images = seeded(SmallConvNet(), seed=8).to(dtype), IMAGES.to(dtype)
    generator = torch.Generator().manual_seed(0)

    for eps in (1 / 255, 8 / 255, 0.3):
        for moved in (
            adversarial.fgsm(model, images, LABELS, eps),
            adversarial.pgd(model, images, LABELS, eps, step_size=eps / 3, num_steps=9, generator=generator),
        ):
            assert ((moved >= 0) & (moved <= 1)).all()
            assert ((moved >= images - eps) & (moved <= images + eps)).all()
