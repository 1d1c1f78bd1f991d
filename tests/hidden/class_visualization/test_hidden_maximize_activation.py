"""Hidden checks of maximize_activation: fresh inputs. Staff only."""

import pytest

from assignment2 import class_visualization as part2

pytestmark = pytest.mark.usefixtures("right_siblings")


@pytest.mark.points(2, "maximize_activation")
def test_pictures_for_other_layers(expect, model, formula, size):
    """Three steps from grey for a map and for a flat layer of another network."""
    for layer, channel in ("mix", 5), ("head", 2):
        picture = part2.maximize_activation(
            model, layer, channel, num_steps=3, image_size=size, step_size=0.7, l2_weight=0.01
        )
        expect.reference(picture, layer, formula)
