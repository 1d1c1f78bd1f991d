"""Part 3, hidden: fresh pictures and another network for the same functions. Staff only."""

import pytest
import torch
import torch.nn.functional as F

from assignment2 import adversarial
from coursekit.checks.recorder import Recorder
from coursekit.checks.small_networks import Linear, OneHidden, ReluEverywhere, numbers, pictures, seeded

SIZE = (11, 14)
LABELS = torch.tensor([1, 3, 0, 4])
FORMULA = "the docstring's definition, on other pictures and another network"


def right_fgsm(model, images, labels, eps, *, targeted=False):
    images = images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(F.cross_entropy(model(images), labels, reduction="sum"), images)
    return (images.detach() + (-eps if targeted else eps) * slope.sign()).clamp(0, 1)


@pytest.fixture(autouse=True)
def right_siblings(request, monkeypatch):
    """Where one exercise is built from another, put a right one in its place, so that nobody pays twice."""
    if request.node.get_closest_marker("points").args[1] in ("transfer_attack", "adversarial_loss"):
        monkeypatch.setattr(adversarial, "fgsm", right_fgsm)


@pytest.fixture
def model():
    return seeded(ReluEverywhere(), seed=6)


@pytest.fixture
def images():
    return pictures(4, seed=77, size=SIZE)


def seed(number=5):
    return torch.Generator().manual_seed(number)


def predict(images):
    with torch.no_grad():
        return seeded(Linear(SIZE), seed=3)(images).softmax(dim=1)


@pytest.mark.points(2, "fooling_image")
def test_fooling_on_a_fresh_picture(expect, model, images):
    target = int(model(images[:1]).argsort(dim=1)[0, -2])
    for max_steps in (1, 3):
        result = adversarial.fooling_image(model, images[0], target, step_size=0.02, max_steps=max_steps)
        expect.reference(result, f"{max_steps} steps", FORMULA)


@pytest.mark.points(2, "fgsm")
def test_fgsm_on_fresh_pictures(expect, model, images):
    expect.reference(adversarial.fgsm(model, images, LABELS, 0.2), "away", FORMULA)
    expect.reference(adversarial.fgsm(model, images[1:2], LABELS[1:2], 0.05, targeted=True), "towards", FORMULA)


@pytest.mark.points(2, "pgd")
def test_pgd_on_fresh_pictures(expect, model, images):
    result = adversarial.pgd(model, images, LABELS, 0.1, step_size=0.04, num_steps=5)
    expect.reference(result, "away", FORMULA)
    start = adversarial.pgd(model, images, LABELS, 0.1, step_size=0.04, num_steps=0, generator=seed())
    assert bool(((start - images).abs() <= 0.1 + 1e-12).all()), "the start lies in the ball"
    assert float((start - images).abs().max()) > 0.05, "the start is random"


@pytest.mark.points(1, "linear_shift")
def test_linear_shift_of_fresh_weights(expect):
    expect.reference(adversarial.linear_shift(numbers(4, 6, seed=9), 0.3), "shift", FORMULA)


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_attack_finds_a_fitter_pixel(expect, images):
    label = int(predict(images[:1]).argmax())
    result, queries = adversarial.one_pixel_attack(
        predict, images[0], label, population=10, generations=4, generator=seed()
    )
    differs = (result != images[0]).any(dim=0)
    expect(int(differs.sum()), 1, "one pixel is replaced")
    assert queries in (10, 20, 30, 40, 50), f"{queries} queries, expected a multiple of 10 up to 50"
    better = predict(result[None])[0, label] < predict(images[:1])[0, label]
    assert bool(better), "the label is less probable than before"


@pytest.mark.points(1, "estimate_gradient")
def test_estimates_approach_the_gradient_of_a_linear_score(expect):
    weight = numbers(3, 2, 3, seed=2)

    def scores(images):
        score = (images * weight).sum(dim=(1, 2, 3))
        return torch.stack([score, -2 * score], dim=1)

    images = pictures(2, seed=3, size=(2, 3))
    result = adversarial.estimate_gradient(
        scores, images, torch.tensor([0, 1]), sigma=0.1, num_samples=150, generator=seed()
    )
    error = (result - torch.stack([weight, -2 * weight])).flatten(1).norm(dim=1) / weight.norm()
    assert float(error.max()) < 0.9, "with many samples the estimate is the gradient"


@pytest.mark.points(1, "train_substitute")
def test_a_substitute_of_another_oracle(expect):
    images = pictures(6, seed=4)
    hidden = seeded(OneHidden(), seed=12)
    options = {"num_rounds": 2, "num_steps": 3, "learning_rate": 0.01, "step_size": 0.2}
    result = adversarial.train_substitute(
        lambda x: hidden(x).argmax(dim=1), seeded(Linear(), seed=2), images, **options
    )
    expect.reference(result(images).detach(), "logits", FORMULA)


@pytest.mark.points(1, "transfer_attack")
def test_transfer_attack_on_fresh_pictures(expect, model, images):
    expect.reference(adversarial.transfer_attack(model, images, LABELS, 0.07), "moved", FORMULA)


@pytest.mark.points(1, "attack_success")
def test_success_on_fresh_logits(expect):
    logits, clean, labels = numbers(40, 4, seed=1), 2 * numbers(40, 4, seed=2), torch.arange(40) % 4
    for goal in ("confidence_reduction", "misclassification", "targeted", "source_to_target"):
        result = adversarial.attack_success(logits, labels, goal, target=2, source=1, clean_logits=clean)
        expect.reference(result, goal, FORMULA)


@pytest.mark.points(1, "flip_labels")
def test_flipping_fresh_labels(expect):
    labels = torch.arange(90) % 9
    flipped = adversarial.flip_labels(labels, 0.4, 9, generator=seed())
    expect(int((flipped != labels).sum()), 36, "round(fraction * N) labels differ")
    assert bool(((flipped >= 0) & (flipped <= 8)).all()), "every label is a class"


@pytest.mark.points(1, "inject_samples")
def test_injecting_fresh_samples(expect, images):
    both, labels = adversarial.inject_samples(images[:1], LABELS[:1], images[1:], LABELS[1:])
    expect(both, images, "the originals first")
    expect(labels, LABELS, "the originals first")


@pytest.mark.points(1, "corrupt_update")
def test_corrupting_fresh_gradients(expect, images):
    for mine, image in zip(adversarial.corrupt_update(list(images), scale=0.25), images, strict=True):
        expect(mine, image / 4, "scale * gradient")


@pytest.mark.points(1, "adversarial_loss")
def test_adversarial_loss_of_a_fresh_network(expect, model, images):
    expect.reference(adversarial.adversarial_loss(model, images, LABELS, 0.06).detach(), "loss", FORMULA)


@pytest.mark.points(1, "reencode")
def test_reencoding_fresh_pictures(expect, images):
    for levels in (3, 10):
        expect.reference(adversarial.reencode(images, levels=levels), f"{levels} levels", FORMULA)


@pytest.mark.points(1, "noisy_predict")
def test_noisy_prediction_of_fresh_pictures(expect, model, images):
    recorder = Recorder(model)
    result = adversarial.noisy_predict(recorder, images[:1], sigma=0.1, num_samples=4, generator=seed())
    copies = torch.cat(recorder.distinct())
    expect(result[0], model(copies).softmax(dim=1).mean(dim=0).detach(), "mean probability over the copies")
