"""Fixtures for the checks of upsampling: the slide's numbers, in float64, positions as (row, column)."""

import pytest
import torch


@pytest.fixture
def slide():
    return torch.tensor([[120.0, 150.0, 120.0], [100.0, 50.0, 110.0], [25.0, 25.0, 10.0]], dtype=torch.float64)


@pytest.fixture
def slide_indices():
    """Where the 2 x 2 windows of stride 1 have their maxima."""
    return torch.tensor([[[[1, 1], [3, 5]]]])
