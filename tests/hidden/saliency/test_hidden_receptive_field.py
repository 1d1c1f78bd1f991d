"""Hidden checks of receptive_field: fresh inputs. Staff only."""

import pytest

from assignment2 import saliency


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_in_another_network(expect, model, formula):
    """The boxes are right in another network, with strides, a dilation and branches."""
    for layer, unit, box in ("left", (1, 5, 3), (2, 0, 9, 13)), ("pool", (0, 1, 1), (0, 0, 9, 14)):
        expect(saliency.receptive_field(model, layer, unit, (11, 14)), box, formula)
