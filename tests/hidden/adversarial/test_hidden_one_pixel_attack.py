"""Hidden checks of one_pixel_attack: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.randomness import seed
from coursekit.checks.small_networks import Linear, seeded


def predict(images):
    with torch.no_grad():
        return seeded(Linear((11, 14)), seed=3)(images).softmax(dim=1)


@pytest.mark.points(1, "one_pixel_attack")
def test_one_pixel_attack_finds_a_fitter_pixel(expect, images):
    """The attack finds one pixel that makes the label less probable, on another image and network."""
    label = int(predict(images[:1]).argmax())
    result, queries = adversarial.one_pixel_attack(
        predict, images[0], label, population=10, generations=4, generator=seed(5)
    )
    differs = (result != images[0]).any(dim=0)
    expect(int(differs.sum()), 1, "one pixel is replaced")
    assert queries in (10, 20, 30, 40, 50), f"{queries} queries, expected a multiple of 10 up to 50"
    better = predict(result[None])[0, label] < predict(images[:1])[0, label]
    assert bool(better), "the label is less probable than before"
