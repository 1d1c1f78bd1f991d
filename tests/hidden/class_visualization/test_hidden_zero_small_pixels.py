"""Hidden checks of zero_small_pixels: fresh inputs. Staff only."""

import pytest

from assignment2 import class_visualization as part2


@pytest.mark.points(1, "zero_small_pixels")
def test_small_pixels_of_a_fresh_picture(expect, image, formula):
    """The pixels with the smallest norm become grey, on another picture, for three fractions."""
    for fraction in 0.27, 0.5, 0.73:
        expect.reference(part2.zero_small_pixels(image, fraction), f"{fraction}", formula)
