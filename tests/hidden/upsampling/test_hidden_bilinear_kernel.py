"""Hidden checks of bilinear_kernel: fresh inputs. Staff only."""

import pytest

from assignment2 import upsampling


@pytest.mark.points(1, "bilinear_kernel")
def test_other_bilinear_kernels(expect):
    """Entry [c, c, i, j] is (1 - |i - m| / factor) (1 - |j - m| / factor), for other factors."""
    for channels, factor in ((4, 5), (1, 8), (3, 1)):
        expect.reference(
            upsampling.bilinear_kernel(channels, factor),
            f"{channels} {factor}",
            "(1 - |i - m| / factor) (1 - |j - m| / factor), 0 between two channels",
        )
