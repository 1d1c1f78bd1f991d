"""Hidden checks of bilinear_kernel: fresh inputs. Staff only."""

import pytest

from assignment2 import upsampling


@pytest.mark.points(1, "bilinear_kernel")
def test_other_bilinear_kernels(expect):
    for channels, factor in ((4, 5), (1, 8), (3, 1)):
        expect.reference(upsampling.bilinear_kernel(channels, factor), f"{channels} {factor}", "the docstring's tent")
