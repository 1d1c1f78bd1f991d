"""Hidden checks of ascent_step: fresh inputs. Staff only."""

import pytest

from assignment2 import class_visualization as part2


@pytest.mark.points(2, "ascent_step")
def test_step_on_a_fresh_picture(expect, model, image, formula):
    """The step is step_size * g / ||g||, with and without penalty, on another picture and network."""
    for target, l2_weight in (0, 0.0), (3, 0.02):
        step = part2.ascent_step(model, image, target, step_size=0.4, l2_weight=l2_weight)
        expect.reference(step, f"class {target}", formula)
