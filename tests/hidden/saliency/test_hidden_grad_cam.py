"""Hidden checks of grad_cam: fresh inputs. Staff only."""

import pytest

from assignment2 import saliency


@pytest.mark.points(2, "grad_cam")
def test_grad_cam_on_fresh_pictures(expect, model, images, formula, labels):
    """Grad-CAM = ReLU(sum over channels of w_c A_c), scaled to maximum 1, on other layers and images."""
    for layer in ("mix", "left", "stem.0"):
        expect.reference(saliency.grad_cam(model, images, labels, layer), layer, formula)
