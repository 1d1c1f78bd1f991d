"""Hidden checks of motion_blur: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import robustness
from coursekit.checks.randomness import seed


@pytest.mark.points(1, "motion_blur")
def test_motion_blur_keeps_what_is_linear(expect, settings):
    """Away from the border, a linear ramp is unchanged; each image has its own angle."""
    settings("motion_blur", 3, 5, 7, 9, 11)
    y, x = torch.meshgrid(torch.arange(40).double() / 40, torch.arange(50).double() / 50, indexing="ij")
    ramps = torch.stack([y, x, (x + 2 * y) / 3]).expand(4, -1, -1, -1)
    for severity in range(1, 6):
        result = robustness.motion_blur(ramps, severity, generator=seed(severity))
        expect(result[:, :, 6:-6, 6:-6], ramps[:, :, 6:-6, 6:-6].clone(), "a centred mean keeps a ramp")
        assert not torch.allclose(result[0], result[1]), "each image has an angle of its own"
