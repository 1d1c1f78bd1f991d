"""Max pooling that also returns the position of each maximum."""

import pytest
import torch
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.checks.laws import assert_pure, gradient_of
from coursekit.checks.small_networks import numbers


def pool(x, k, stride):
    result = upsampling.max_pool(x, k, stride)
    assert isinstance(result, tuple), f"the result is a {type(result).__name__}, expected the pair (values, indices)"
    assert len(result) == 2, f"the result has {len(result)} entries, expected the pair (values, indices)"
    return result


@pytest.mark.points(1, "max_pool")
def test_pooling_gives_the_slides_numbers_and_their_places(expect, slide, slide_indices):
    """The values and indices of the slide's 3 x 3 example: 150 is at index 0 * 3 + 1."""
    values, indices = pool(slide[None, None], 2, 1)

    right = torch.tensor([[[[150.0, 150.0], [100.0, 110.0]]]], dtype=torch.float64)
    expect(values, right, "the slide: [[150, 150], [100, 110]]")
    expect(indices, slide_indices, "row * W + column in the plane of x: 150 stands at 0 * 3 + 1, twice")


@pytest.mark.points(1, "max_pool")
def test_pooling_takes_the_largest_value_of_every_window_that_lies_inside(expect):
    """values holds the maximum of each window inside x; indices holds row * W + column of it."""
    for num_images, k, stride in ((1, 2, 2), (3, 3, 2), (1, 2, 1), (3, 2, 3), (1, 3, 3), (2, 5, 4)):
        x = 1e6 * (numbers(num_images, 2, 17, 19, seed=k * 10 + stride) - 2)  # mostly negative, and far from 0

        values, indices = pool(x, k, stride)

        right_values, right_indices = F.max_pool2d(x, k, stride, return_indices=True)
        expect(values, right_values, "max over rows y * stride + 0..k-1 and columns z * stride + 0..k-1")
        expect(indices, right_indices, "row * W + column, W = 19, of that maximum in its own plane")
    values, _ = pool(1e6 * x, 5, 4)
    expect(values, 1e6 * right_values, "the maximum, however far below 0 all values lie")


@pytest.mark.points(1, "max_pool")
def test_of_equal_maxima_the_first_counts_and_it_alone_receives_the_gradient(expect):
    """Of equal maxima the first in reading order is taken; it alone receives the gradient."""
    x = torch.tensor([[[[7.0, 7.0, 1.0], [7.0, 7.0, 1.0], [2.0, 7.0, 7.0]]]], dtype=torch.float64, requires_grad=True)

    values, indices = pool(x, 2, 1)

    expect(indices, torch.tensor([[[[0, 1], [3, 4]]]]), "the first of equal maxima in reading order")
    _, diagonal = pool(torch.tensor([[[[1.0, 7.0], [7.0, 1.0]]]]), 2, 2)
    expect(diagonal, torch.tensor([[[[1]]]]), "the first of equal maxima: reading order goes along a row first")
    _, empty = pool(torch.full_like(x, -torch.inf), 2, 1)
    expect(empty, torch.tensor([[[[0, 1], [3, 4]]]]), "of values that are all -inf, too, the first of each window")
    upstream = torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]]], dtype=torch.float64)
    gradient = gradient_of(values, x, upstream, "x")
    right = torch.tensor([[[[1.0, 10.0, 0.0], [100.0, 1000.0, 0.0], [0.0, 0.0, 0.0]]]], dtype=torch.float64)
    expect(gradient, right, "each window's gradient goes to the one place that its index names")


@pytest.mark.points(1, "max_pool")
def test_pooling_leaves_x_alone_and_repeats(expect):
    """x is unchanged, and a second call, under no_grad or in float32, returns the same."""
    assert_pure(expect, lambda x: upsampling.max_pool(x, 2, 2), numbers(2, 3, 5, 8, seed=3))
    assert_pure(expect, lambda x: upsampling.max_pool(x, 1, 1), numbers(2, 3, 5, 8, seed=3))
    result = upsampling.max_pool(numbers(2, 3, 5, 8, seed=3), 2, 2)
    assert isinstance(result, tuple), f"the result is a {type(result).__name__}, expected values and indices"
