"""Hidden checks of activation_gradient: fresh inputs. Staff only."""

import pytest

from assignment2 import saliency


@pytest.mark.points(1, "activation_gradient")
def test_activation_gradient_on_fresh_units(expect, model, images, formula):
    """The gradient is d unit / d pixel, for other units of another network."""
    for unit in (0, 2, 3), (3, 8, 1):
        expect.reference(saliency.activation_gradient(model, images, "mix", unit), f"mix {unit}", formula)
