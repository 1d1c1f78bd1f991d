"""Fixtures for the hidden checks of part 3: fresh images, another network, a correct FGSM. Staff only."""

import pytest
import torch
import torch.nn.functional as F

from coursekit.checks.small_networks import ReluEverywhere, pictures, seeded


@pytest.fixture
def formula():
    return "the docstring's definition, on other pictures and another network"


@pytest.fixture
def model():
    return seeded(ReluEverywhere(), seed=6)


@pytest.fixture
def images():
    return pictures(4, seed=77, size=(11, 14))


@pytest.fixture
def labels():
    return torch.tensor([1, 3, 0, 4])


@pytest.fixture
def right_fgsm(monkeypatch):
    """Put a right fgsm in the module, so that a mistake loses points in one exercise only."""

    def fgsm(model, images, labels, eps, *, targeted=False):
        images = images.detach().requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(model(images), labels, reduction="sum"), images)
        return (images.detach() + (-eps if targeted else eps) * slope.sign()).clamp(0, 1)

    from assignment2 import adversarial

    monkeypatch.setattr(adversarial, "fgsm", fgsm)
