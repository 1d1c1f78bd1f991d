"""Hidden checks of zoom_blur: fresh inputs. Staff only."""

import pytest

from assignment2 import robustness


@pytest.mark.points(1, "zoom_blur")
def test_zoom_blur_of_fresh_pictures(expect, settings, images, formula):
    """The result is the mean over the zooms, on other images and for five other settings."""
    settings("zoom_blur", (0.07, 4), (0.3, 2), (0.02, 9), (0.15, 6), (0.1, 1))
    for severity in range(1, 6):
        expect.reference(robustness.zoom_blur(images, severity), f"severity {severity}", formula)
