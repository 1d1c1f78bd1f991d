"""Hidden checks of blur: fresh inputs. Staff only."""

import pytest

from assignment2 import class_visualization as part2


@pytest.mark.points(1, "blur")
def test_blur_of_a_fresh_picture(expect, image, formula):
    """The blur is a Gaussian of standard deviation sigma, on another picture and with other sigmas."""
    expect.reference(part2.blur(image, 1.1), "1.1", formula, tolerance=0.02)
    expect.reference(part2.blur(image, 0.6), "0.6", formula, tolerance=0.02)
