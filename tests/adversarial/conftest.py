"""Fixtures for the checks of part 3: three small float64 images with H != W, and the laws of every attack."""

import pytest
import torch

from coursekit.checks.small_networks import pictures


@pytest.fixture
def images():
    return pictures(3)


@pytest.fixture
def labels():
    return torch.tensor([4, 0, 2])


@pytest.fixture
def inner_images(images):
    """Pictures that are 0.3 or more away from black and white, so that no clamp acts."""
    return 0.3 + 0.4 * images


@pytest.fixture
def assert_inside():
    """Hold pictures to the box and the ball, to the last bit of the images' own number format."""

    def check(adv_images, images, eps, what="the result"):
        __tracebackhide__ = True
        assert adv_images.dtype == images.dtype, f"{what} has dtype {adv_images.dtype}, the images {images.dtype}"
        assert bool(((adv_images >= 0) & (adv_images <= 1)).all()), f"{what} leaves [0, 1]: no picture has such values"
        assert bool((adv_images <= images + eps).all()), f"{what} lies further than eps above the images"
        assert bool((adv_images >= images - eps).all()), f"{what} lies further than eps below the images"

    return check


@pytest.fixture
def slope_of_the_loss():
    """The cross-entropy's gradient in a linear network: the weights of each class times (probability - 1 if it is the label)."""

    def slope(model, images, labels):
        blame = model(images).detach().softmax(dim=1)
        blame[torch.arange(len(labels)), labels] -= 1
        return torch.einsum("nk,kchw->nchw", blame, model.weights())

    return slope


@pytest.fixture
def right_fgsm(expect, monkeypatch, images, labels):
    """Put a right answer in fgsm's place, what it gave for the three images when recorded; return that answer."""

    def put(network, allowed):
        from assignment2 import adversarial

        given, wanted = images.clone(), labels.clone()
        known = adversarial.fgsm(network, given, wanted, allowed) if expect.recording is not None else None
        known = expect.remember(known, "adversarial images")

        def fgsm(model, images, labels, budget=None, *, eps=allowed, targeted=False):
            assert not any(module.training for module in model.modules()), "the attack ran on a network in train mode"
            assert (eps if budget is None else budget) == allowed, "the attack gets the eps that you were given"
            assert not targeted, "the attack leads away from the labels: not targeted"
            model(images)
            rows = [
                [i for i in range(3) if torch.equal(x, given[i]) and k == wanted[i]]
                for x, k in zip(images, labels, strict=True)
            ]
            assert all(rows), "the attack gets the images and the labels that you were given"
            return known[[row[0] for row in rows]].clone()

        monkeypatch.setattr(adversarial, "fgsm", fgsm)
        return known

    return put
