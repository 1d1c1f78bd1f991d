"""Unpooling: every value goes to the position of its index, and values at one position are added."""

import pytest
import torch
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.checks.laws import assert_pure, gradient_of
from coursekit.checks.small_networks import numbers

SLIDE_DECODED = torch.tensor([[[[300.0, 450.0], [100.0, 250.0]]]], dtype=torch.float64)


@pytest.mark.points(1, "max_unpool")
def test_unpooling_gives_the_slides_numbers_and_adds_where_two_windows_chose_one_pixel(expect, slide_indices):
    """The slide's example: 300 + 450 where two windows chose the same pixel, 0 where none did."""
    result = upsampling.max_unpool(SLIDE_DECODED, slide_indices, (3, 3))

    right = torch.tensor([[[[0.0, 750.0, 0.0], [100.0, 0.0, 250.0], [0.0, 0.0, 0.0]]]], dtype=torch.float64)
    expect(result, right, "the slide: 300 + 450 where two windows chose the same pixel, zero where none did")


@pytest.mark.points(1, "max_unpool")
def test_unpooling_is_the_adjoint_of_pooling(expect):
    """Unpooling is the transpose of max pooling: <pool(x), y> = <x, unpool(y)>."""
    for num_images, size in ((1, (7, 12)), (3, (9, 5)), (2, (17, 19))):
        x = numbers(num_images, 3, *size, seed=5).requires_grad_()
        pooled, indices = F.max_pool2d(x, 3, 2, return_indices=True)
        y = numbers(*pooled.shape, seed=6)

        result = upsampling.max_unpool(y, indices, size)

        transpose = gradient_of(pooled, x, y, "x")
        formula = "each value at its place in the plane of its own image and channel: <pool(x), y> = <x, unpool(y)>"
        expect(result, transpose, formula)


@pytest.mark.points(1, "max_unpool")
def test_unpooling_is_differentiable_and_leaves_values_and_indices_alone(expect):
    """The result is differentiable in values; values and indices are unchanged."""
    values = numbers(2, 3, 2, 4, seed=7).requires_grad_()
    indices = (numbers(2, 3, 2, 4, seed=8).abs() * 1000).long() % 35
    upstream = numbers(2, 3, 5, 7, seed=9)

    result = upsampling.max_unpool(values, indices, (5, 7))

    plane = torch.zeros(2, 3, 35, dtype=torch.float64, requires_grad=True)
    right = gradient_of(plane.gather(2, indices.flatten(2)), plane, values.detach().flatten(2), "plane")
    expect(result.detach(), right.view(2, 3, 5, 7), "out[row * 7 + column] is the sum of the values with that index")
    gradient = gradient_of(result, values, upstream, "values")
    expect(
        gradient,
        upstream.flatten(2).gather(2, indices.flatten(2)).view_as(values),
        "the gradient of a value is the upstream gradient at its position",
    )
    assert_pure(expect, lambda v, i: upsampling.max_unpool(v, i, (5, 7)), numbers(2, 3, 2, 4, seed=7), indices)
