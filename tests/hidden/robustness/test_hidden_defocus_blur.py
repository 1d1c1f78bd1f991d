"""Hidden checks of defocus_blur: fresh inputs. Staff only."""

import pytest

from assignment2 import robustness


@pytest.mark.points(1, "defocus_blur")
def test_defocus_of_fresh_pictures(expect, settings, images, formula):
    """Each pixel is the mean over a disk, on other images and for five other radii."""
    settings("defocus_blur", 3.2, 1.5, 2, 1, 4)
    for severity in range(1, 6):
        expect.reference(robustness.defocus_blur(images, severity), f"severity {severity}", formula)
