"""Hidden checks of guided_backprop: fresh inputs. Staff only."""

import pytest

from assignment2 import saliency
from coursekit.checks.small_networks import ReluEverywhere, seeded


@pytest.fixture(autouse=True)
def right_sibling(monkeypatch):
    """Put a right rule in the module, so that a mistake loses points in one exercise only."""
    monkeypatch.setattr(
        saliency, "guided_relu_gradient", lambda upstream, relu_input: upstream.clamp(min=0) * (relu_input > 0)
    )


@pytest.mark.points(2, "guided_backprop")
def test_guided_backprop_on_fresh_pictures(expect, model, images, formula, labels):
    """The gradient with the guided rule at every ReLU, on other images and another network."""
    expect.reference(saliency.guided_backprop(model, images, labels), "wide", formula)
    other = seeded(ReluEverywhere(), seed=9)
    expect.reference(saliency.guided_backprop(other, images, labels), "every relu", formula)
