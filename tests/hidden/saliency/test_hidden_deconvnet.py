"""Hidden checks of deconvnet: fresh inputs. Staff only."""

import pytest

from assignment2 import saliency


@pytest.fixture(autouse=True)
def right_sibling(monkeypatch):
    """Put a right rule in the module, so that a mistake loses points in one exercise only."""
    monkeypatch.setattr(saliency, "deconvnet_relu_gradient", lambda upstream, relu_input: upstream.clamp(min=0))


@pytest.mark.points(1, "deconvnet")
def test_deconvnet_on_fresh_pictures(expect, model, images, formula):
    """The projection of the strongest unit, on other images, layers and another network."""
    for layer, channel in ("mix", 1), ("left", 2):
        expect.reference(saliency.deconvnet(model, images, layer, channel), layer, formula)
