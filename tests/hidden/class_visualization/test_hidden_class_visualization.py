"""Hidden checks of class_visualization: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import class_visualization as part2

pytestmark = pytest.mark.usefixtures("right_siblings")


@pytest.mark.points(3, "class_visualization")
def test_class_pictures_from_grey(expect, model, formula, size):
    """Four steps from grey: penalty, small pixels and small contributions, on another network."""
    for target, settings in (1, {"l2_weight": 0.01}), (2, {"pixel_fraction": 0.2, "contribution_fraction": 0.15}):
        picture = part2.class_visualization(model, target, num_steps=4, image_size=size, step_size=0.9, **settings)
        expect.reference(picture, f"class {target}", formula)


@pytest.mark.points(1, "class_visualization")
def test_jitter_and_noise_follow_the_generator(model, size):
    """The same seed gives the same picture, and another seed gives another picture."""

    def paint(seed):
        generator = torch.Generator().manual_seed(seed)
        return part2.class_visualization(model, 0, num_steps=3, image_size=size, jitter=2, generator=generator)

    assert torch.equal(paint(5), paint(5)), "the same seed gives another picture: draw from the generator alone"
    assert not torch.equal(paint(5), paint(6)), "another seed gives the same picture: draw from the generator"
