"""Part 6, first half. Upsampling by hand: how does a small map become a large one?

Zeiler & Fergus 2014, section 2.1 (unpooling), Dumoulin & Visin 2016, chapter 4 (transposed convolution), Long et al.
2015, section 3.3 (bilinear upsampling as a kernel).

In every function: x is (N, C, H, W), any strides (`view` may fail, `reshape` works). Positions are (row, column),
though one slide writes X(column, row). The arguments are not modified. Results are new tensors, and gradients reach x,
values and weight. Invalid arguments are checked for you: they raise ValueError before your code runs.

Do not call torch's own pooling and convolution. Other operations are allowed: sums, slices, indexing, `Tensor.unfold`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.vision import checked
from coursekit.vision.arguments import AtLeast1, Crop, Indices, Kernel, KernelSize, Maps, PlaneSize, Stride


@checked
def max_pool(x: Maps, kernel_size: KernelSize, stride: Stride) -> tuple[Tensor, Tensor]:
    """Return the largest value of each window, and its position in x.

    Args:
        x: (N, C, H, W).
        kernel_size: the side of the square windows. They lie inside x: no padding, h = (H - kernel_size) // stride + 1.
        stride: the distance from one window to the next. Windows overlap if it is smaller than kernel_size.

    Returns:
        values (N, C, h, w), and indices (N, C, h, w) int64: row * W + column in the H x W plane of x. If a window has
        several equal maxima, the index is that of the first in reading order. Only this one receives the gradient.

    Source: the lecture, "Max Unpooling": remember max elements in the encoder.
    """
    ### BEGIN SOLUTION
    width = x.shape[-1]
    windows = x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride).flatten(-2)  # (N, C, h, w, k * k)
    values, place = windows.max(dim=-1)  # (N, C, h, w), place in the window
    h, w = values.shape[-2:]
    rows = torch.arange(h, device=x.device)[:, None] * stride + place // kernel_size
    columns = torch.arange(w, device=x.device) * stride + place % kernel_size
    return values, rows * width + columns
    ### END SOLUTION


@checked
def max_unpool(values: Maps, indices: Indices, output_size: PlaneSize) -> Tensor:
    """Return a map with each value at the position that its index names, and zero everywhere else.

    Args:
        values: (N, C, h, w), the decoder's map.
        indices: (N, C, h, w) int64: row * W + column, as `max_pool` returns them.
        output_size: (H, W) of the plane that was pooled.

    Returns:
        (N, C, H, W). Values with the same index are added (torch's max_unpool2d keeps one of them).

    Source: the lecture, "Max Unpooling Example": contributions from multiple windows are summed.
    """
    ### BEGIN SOLUTION
    height, width = output_size
    plane = values.new_zeros(*values.shape[:2], height * width)
    plane = plane.scatter_add(2, indices.flatten(2), values.flatten(2))  # (N, C, H * W)
    return plane.unflatten(2, (height, width))  # (N, C, H, W)
    ### END SOLUTION


@checked
def transposed_conv2d(x: Maps, weight: Kernel, *, stride: Stride = 1, padding: Crop = 0) -> Tensor:
    """Return a map to which each input pixel adds one copy of the kernel, multiplied by the pixel's value.

    Args:
        x: (N, C_in, H, W).
        weight: (C_in, C_out, kh, kw), not rotated. weight[a, b] is the kernel from input channel a to output channel b.
        stride: the distance between two neighbouring copies on the output. Copies that overlap are added.
        padding: the number of rows and columns that are cropped from each of the four sides of the result.

    Returns (N, C_out, (H - 1) * stride + kh - 2 * padding, (W - 1) * stride + kw - 2 * padding).
    Source: the lecture, "Transposed Convolution Example"; Dumoulin & Visin 2016, chapter 4.
    """
    ### BEGIN SOLUTION
    n, _, height, width = x.shape
    _, channels, kh, kw = weight.shape
    out = x.new_zeros(n, channels, (height - 1) * stride + kh, (width - 1) * stride + kw)
    for i in range(kh):
        for j in range(kw):
            # One kernel entry of all stamps at once: they lie stride apart.
            rows = slice(i, i + (height - 1) * stride + 1, stride)
            columns = slice(j, j + (width - 1) * stride + 1, stride)
            out[:, :, rows, columns] += torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])
    bottom, right = out.shape[-2] - padding, out.shape[-1] - padding
    return out[:, :, padding:bottom, padding:right].contiguous()  # (N, C_out, H', W')
    ### END SOLUTION


@checked
def rotate_kernel(weight: Kernel) -> Tensor:
    """Return the kernel rotated by 180 degrees in the plane.

    Background, for a k x k kernel w and stride 1: transposed_conv2d(y, w, padding=p) equals
    F.conv2d(y, rotate_kernel(w).transpose(0, 1), padding=k - 1 - p). transposed_conv2d itself gets w, unrotated.

    Args:
        weight: (C_in, C_out, kh, kw).

    Returns:
        The same shape: both spatial axes reversed, the channel axes unchanged.
    Source: the lecture, "take the corresponding encoder kernel and rotate 180 degrees (no decoder learning)".
    """
    ### BEGIN SOLUTION
    return weight.flip(2, 3)
    ### END SOLUTION


@checked
def bilinear_kernel(channels: AtLeast1, factor: AtLeast1) -> Tensor:
    """Return the kernel with which a transposed convolution enlarges a map by bilinear interpolation.

    With stride factor and padding factor // 2, the result is that of F.interpolate (bilinear, align_corners=False),
    except at the border.

    Args:
        channels: the number of channels of the map. Each is enlarged separately.
        factor: how many times larger.
    Returns:
        (channels, channels, k, k) float32 with k = 2 * factor - factor % 2. Entry [c, c, i, j] is
        (1 - |i - m| / factor) (1 - |j - m| / factor) with m = (k - 1) / 2; zero between different channels.
    Source: Long et al. 2015, section 3.3.
    """
    ### BEGIN SOLUTION
    size = 2 * factor - factor % 2
    middle = (size - 1) / 2
    line = 1 - (torch.arange(size) - middle).abs() / factor  # (k,)
    between = torch.eye(channels)[:, :, None, None]
    return between * line[:, None] * line  # (channels, channels, k, k)
    ### END SOLUTION
