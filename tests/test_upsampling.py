"""Part 6. Each check is a sentence about a function of assignment2/upsampling.py, in float64, H unlike W, stamps unlike rotated ones."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from assignment2 import upsampling
from coursekit.grading.networks import numbers

SLIDE = torch.tensor([[120.0, 150.0, 120.0], [100.0, 50.0, 110.0], [25.0, 25.0, 10.0]], dtype=torch.float64)
SLIDE_INDICES = torch.tensor([[[[1, 1], [3, 5]]]])  # where the 2 x 2 windows of stride 1 have their maxima
SLIDE_DECODED = torch.tensor([[[[300.0, 450.0], [100.0, 250.0]]]], dtype=torch.float64)


def in_float32(values):
    return values.float() if values.is_floating_point() else values


def assert_pure(expect, call, *tensors):
    """Hold call(*tensors) to leaving its arguments alone, to a new result, the same again, under no_grad and in float32."""
    __tracebackhide__ = True
    tensors = [tensor.detach().clone() for tensor in tensors]
    names = {f"argument {i + 1}": tensor for i, tensor in enumerate(tensors)}
    with expect.unchanged(**names):
        results = call(*tensors)
    results = results if isinstance(results, tuple) else (results,)
    for result in results:
        expect.new(result, **names)
    with torch.no_grad():
        again = call(*tensors)
    for first, second in zip(results, again if isinstance(again, tuple) else (again,), strict=True):
        expect(second, first, "the same result at the second call, under the caller's no_grad")
    single = call(*map(in_float32, tensors))
    for first, second in zip(results, single if isinstance(single, tuple) else (single,), strict=True):
        expect(second, in_float32(first), "float32 in, float32 out", tolerance=1e-5)


def gradient_of(result, tensor, upstream, what):
    """Differentiate <result, upstream> with respect to a tensor; a sentence if the result is not joined to it."""
    __tracebackhide__ = True
    assert isinstance(result, torch.Tensor), f"the result is a {type(result).__name__}, expected a torch tensor"
    assert result.requires_grad, f"the result is cut off from {what}: it must be differentiable"
    (gradient,) = torch.autograd.grad((result * upstream).sum(), tensor, materialize_grads=True)
    return gradient


# max_pool


def pool(x, k, stride):
    result = upsampling.max_pool(x, k, stride)
    assert isinstance(result, tuple), f"the result is a {type(result).__name__}, expected the pair (values, indices)"
    assert len(result) == 2, f"the result has {len(result)} entries, expected the pair (values, indices)"
    return result


@pytest.mark.points(1, "max_pool")
def test_pooling_gives_the_slides_numbers_and_their_places(expect):
    values, indices = pool(SLIDE[None, None], 2, 1)

    right = torch.tensor([[[[150.0, 150.0], [100.0, 110.0]]]], dtype=torch.float64)
    expect(values, right, "the slide: [[150, 150], [100, 110]]")
    expect(indices, SLIDE_INDICES, "row * W + column in the plane of x: 150 stands at 0 * 3 + 1, twice")


@pytest.mark.points(1, "max_pool")
def test_pooling_takes_the_largest_value_of_every_window_that_lies_inside(expect):
    for num_images, k, stride in ((1, 2, 2), (3, 3, 2), (1, 2, 1), (3, 2, 3), (1, 3, 3)):
        x = numbers(num_images, 2, 7, 11, seed=k * 10 + stride) - 2  # mostly negative

        values, indices = pool(x, k, stride)

        right_values, right_indices = F.max_pool2d(x, k, stride, return_indices=True)
        expect(values, right_values, "max over rows y * stride + 0..k-1 and columns z * stride + 0..k-1")
        expect(indices, right_indices, "row * W + column, W = 11, of that maximum in its own plane")


@pytest.mark.points(1, "max_pool")
def test_of_equal_maxima_the_first_counts_and_it_alone_receives_the_gradient(expect):
    x = torch.tensor([[[[7.0, 7.0, 1.0], [7.0, 7.0, 1.0], [2.0, 7.0, 7.0]]]], dtype=torch.float64, requires_grad=True)

    values, indices = pool(x, 2, 1)

    expect(indices, torch.tensor([[[[0, 1], [3, 4]]]]), "the first of equal maxima in reading order")
    upstream = torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]]], dtype=torch.float64)
    gradient = gradient_of(values, x, upstream, "x")
    right = torch.tensor([[[[1.0, 10.0, 0.0], [100.0, 1000.0, 0.0], [0.0, 0.0, 0.0]]]], dtype=torch.float64)
    expect(gradient, right, "each window's gradient goes to the one place that its index names")


@pytest.mark.points(1, "max_pool")
def test_pooling_leaves_x_alone_and_repeats(expect):
    assert_pure(expect, lambda x: upsampling.max_pool(x, 2, 2), numbers(2, 3, 5, 8, seed=3))
    assert_pure(expect, lambda x: upsampling.max_pool(x, 1, 1), numbers(2, 3, 5, 8, seed=3))
    result = upsampling.max_pool(numbers(2, 3, 5, 8, seed=3), 2, 2)
    assert isinstance(result, tuple), f"the result is a {type(result).__name__}, expected values and indices"


# max_unpool


@pytest.mark.points(1, "max_unpool")
def test_unpooling_gives_the_slides_numbers_and_adds_where_two_windows_chose_one_pixel(expect):
    result = upsampling.max_unpool(SLIDE_DECODED, SLIDE_INDICES, (3, 3))

    right = torch.tensor([[[[0.0, 750.0, 0.0], [100.0, 0.0, 250.0], [0.0, 0.0, 0.0]]]], dtype=torch.float64)
    expect(result, right, "the slide: 300 + 450 where two windows chose the same pixel, zero where none did")


@pytest.mark.points(1, "max_unpool")
def test_unpooling_is_the_adjoint_of_pooling(expect):
    for num_images, size in ((1, (7, 12)), (3, (9, 5))):
        x = numbers(num_images, 3, *size, seed=5).requires_grad_()
        pooled, indices = F.max_pool2d(x, 3, 2, return_indices=True)
        y = numbers(*pooled.shape, seed=6)

        result = upsampling.max_unpool(y, indices, size)

        (transpose,) = torch.autograd.grad(pooled, x, y)
        formula = "each value at its place in the plane of its own image and channel: <pool(x), y> = <x, unpool(y)>"
        expect(result, transpose, formula)


@pytest.mark.points(1, "max_unpool")
def test_unpooling_is_differentiable_and_leaves_values_and_indices_alone(expect):
    values = numbers(2, 3, 2, 4, seed=7).requires_grad_()
    indices = (numbers(2, 3, 2, 4, seed=8).abs() * 1000).long() % 35
    upstream = numbers(2, 3, 5, 7, seed=9)

    result = upsampling.max_unpool(values, indices, (5, 7))

    plane = torch.zeros(2, 3, 35, dtype=torch.float64, requires_grad=True)
    (right,) = torch.autograd.grad(plane.gather(2, indices.flatten(2)), plane, values.detach().flatten(2))
    expect(result.detach(), right.view(2, 3, 5, 7), "out[row * 7 + column] is the sum of the values with that index")
    gradient = gradient_of(result, values, upstream, "values")
    expect(
        gradient, upstream.flatten(2).gather(2, indices.flatten(2)).view_as(values), "d out / d value: read its place"
    )
    assert_pure(expect, lambda v, i: upsampling.max_unpool(v, i, (5, 7)), numbers(2, 3, 2, 4, seed=7), indices)


# transposed_conv2d

STAMPS = [  # x, weight, stride, padding: C_in unlike C_out, kernels that are not square
    ((3, 2, 4, 5), (2, 3, 3, 2), 1, 0),
    ((1, 3, 3, 4), (3, 2, 2, 4), 2, 0),
    ((2, 2, 4, 3), (2, 4, 3, 5), 2, 1),
    ((3, 1, 2, 5), (1, 2, 2, 3), 3, 1),
    ((1, 4, 5, 1), (4, 1, 1, 3), 1, 0),
]


@pytest.mark.points(1, "transposed_conv2d")
def test_stamping_gives_the_slides_numbers(expect):
    kernel = torch.tensor([[[[1.0, -1.0], [2.0, -2.0]]]], dtype=torch.float64)

    one = upsampling.transposed_conv2d(SLIDE[None, None, :1, :1], kernel)
    row = upsampling.transposed_conv2d(SLIDE[None, None, :1, :2], kernel)

    expect(one, 120 * kernel, "one pixel: 120 times the kernel as it stands")
    right = torch.tensor([[[[120.0, 30.0, -150.0], [240.0, 60.0, -300.0]]]], dtype=torch.float64)
    expect(row, right, "120, -120 + 150, -150 and 240, -240 + 300, -300")


@pytest.mark.points(1, "transposed_conv2d")
def test_stamping_is_the_adjoint_of_the_convolution_with_the_same_weight(expect):
    for x_shape, weight_shape, stride, padding in STAMPS:
        y, weight = numbers(*x_shape, seed=11), numbers(*weight_shape, seed=12)
        right = F.conv_transpose2d(y, weight, stride=stride, padding=padding)
        z = numbers(*right.shape, seed=13)

        result = upsampling.transposed_conv2d(y, weight, stride=stride, padding=padding)

        expect(
            result,
            right,
            "each pixel times the kernel, from (row * stride, column * stride); crop padding at each side",
        )
        inner = (F.conv2d(z, weight, stride=stride, padding=padding) * y).sum()
        expect((z * result).sum(), inner, "<conv(z), y> = <z, transposed(y)>", tolerance=1e-10)


@pytest.mark.points(1, "transposed_conv2d")
def test_stamping_is_differentiable_in_x_and_in_the_weight(expect):
    for x_shape, weight_shape, stride, padding in STAMPS[:3]:
        x, weight = numbers(*x_shape, seed=14).requires_grad_(), numbers(*weight_shape, seed=15).requires_grad_()
        right = F.conv_transpose2d(x, weight, stride=stride, padding=padding)
        upstream = numbers(*right.shape, seed=16)

        result = upsampling.transposed_conv2d(x, weight, stride=stride, padding=padding)

        expect(result.detach(), right.detach(), "the sum of all stamps")
        for name, tensor in (("x", x), ("weight", weight)):
            (wanted,) = torch.autograd.grad((right * upstream).sum(), tensor, retain_graph=True)
            gradient = gradient_of(result.clone(), tensor, upstream, name)
            expect(gradient, wanted, f"the gradient with respect to {name}")
            result = upsampling.transposed_conv2d(x, weight, stride=stride, padding=padding)


@pytest.mark.points(1, "transposed_conv2d")
def test_stamping_leaves_x_and_weight_alone_and_repeats(expect):
    x, weight = numbers(2, 2, 4, 3, seed=17), numbers(2, 4, 3, 5, seed=18)

    assert_pure(expect, lambda x, w: upsampling.transposed_conv2d(x, w, stride=2, padding=1), x, weight)
    assert_pure(expect, lambda x, w: upsampling.transposed_conv2d(x, w), x[:, :, :1, :1], weight)
    size = tuple(upsampling.transposed_conv2d(x, weight, stride=2, padding=1).shape)
    assert size == (2, 4, 7, 7), f"the result has shape {size}, expected (2, 4, 7, 7)"


# rotate_kernel


@pytest.mark.points(1, "rotate_kernel")
def test_rotating_reverses_rows_and_columns_and_keeps_the_channels(expect):
    weight = torch.arange(36.0, dtype=torch.float64).view(2, 3, 3, 2)

    with expect.kept(weight=weight):
        result = upsampling.rotate_kernel(weight)

    right = torch.stack([torch.stack([k.flatten().flipud().view(3, 2) for k in row]) for row in weight])
    expect(result, right, "entry [a, b, i, j] <- [a, b, kh - 1 - i, kw - 1 - j]")


@pytest.mark.points(1, "rotate_kernel")
def test_stamping_is_the_convolution_with_the_rotated_kernel(expect):
    weight, y = numbers(3, 2, 3, 3, seed=21), numbers(2, 3, 4, 5, seed=22)

    rotated = upsampling.rotate_kernel(weight)
    assert isinstance(rotated, torch.Tensor), f"the result is a {type(rotated).__name__}, expected a torch tensor"
    assert rotated.shape == weight.shape, f"the result has shape {tuple(rotated.shape)}, expected {tuple(weight.shape)}"

    full = F.conv2d(y, rotated.transpose(0, 1), padding=2)
    expect(
        full, F.conv_transpose2d(y, weight), "conv2d(y, rotated, channels exchanged, padding k - 1) stamps the kernel"
    )
    assert_pure(expect, upsampling.rotate_kernel, weight)
    followed = weight.clone().requires_grad_()
    gradient = gradient_of(upsampling.rotate_kernel(followed), followed, weight, "weight")
    expect(gradient, weight.flatten(2).flip(2).view_as(weight), "each entry's gradient comes back to where it was")


# bilinear_kernel


@pytest.mark.points(1, "bilinear_kernel")
def test_the_bilinear_kernel_is_a_tent_for_each_channel_alone(expect):
    for channels, factor in ((2, 2), (3, 3), (1, 4), (2, 1)):
        size = factor * 2 - factor % 2
        middle = size / 2 - 0.5
        right = torch.zeros(channels, channels, size, size)
        for c, i, j in itertools.product(range(channels), range(size), range(size)):
            right[c, c, i, j] = (1 - abs(i - middle) / factor) * (1 - abs(j - middle) / factor)

        result = upsampling.bilinear_kernel(channels, factor)

        expect(
            result, right, f"(1 - |i - m| / {factor}) (1 - |j - m| / {factor}) with m = {middle:g}; 0 between channels"
        )


@pytest.mark.points(1, "bilinear_kernel")
def test_stamping_the_bilinear_kernel_is_interpolation_away_from_the_border(expect):
    x = numbers(2, 3, 5, 6, seed=23).float()
    for factor in (2, 3, 4):
        kernel = upsampling.bilinear_kernel(3, factor)

        assert isinstance(kernel, torch.Tensor), f"the result is a {type(kernel).__name__}, expected a torch tensor"
        size = factor * 2 - factor % 2
        assert kernel.shape == (3, 3, size, size), f"shape {tuple(kernel.shape)}, but k is 2 * factor - factor % 2"
        larger = F.conv_transpose2d(x, kernel.detach(), stride=factor, padding=factor // 2)
        wanted = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
        inner = slice(factor, -factor)
        expect(larger[:, :, inner, inner], wanted[:, :, inner, inner], "F.interpolate, bilinear", tolerance=1e-5)
    with expect.unchanged(x=x):
        upsampling.bilinear_kernel(3, 2)
