"""The total variation loss: squared differences of all vertical and horizontal neighbours."""

import pytest
import torch

from assignment2 import style_transfer as part5
from coursekit.checks.scalars import slope
from coursekit.checks.small_networks import numbers, pictures


@pytest.mark.points(1, "total_variation_loss")
def test_roughness_of_a_ramp_counts_every_pair_of_neighbours(expect):
    """For the ramp a y + b x, the loss is 3 N (a^2 (H - 1) W + b^2 H (W - 1)): nothing wraps around."""
    rows, columns = torch.meshgrid(torch.arange(5).double(), torch.arange(7).double(), indexing="ij")
    base, steepness = numbers(2, 3, 1, 1, seed=1), torch.tensor([1.0, 3.0]).double().view(2, 1, 1, 1)
    ramps = base + steepness * (0.2 * rows + 0.03 * columns)

    loss = part5.total_variation_loss(ramps)

    wanted = (1 + 9) * 3 * (0.2**2 * 4 * 7 + 0.03**2 * 5 * 6)
    formula = "3 * (a^2 (H - 1) W + b^2 H (W - 1)) for the ramp a y + b x, summed over two images: nothing wraps round"
    expect(loss, torch.tensor(wanted).double(), formula)
    for size, pairs in (((1, 7), 0.03**2 * 6), ((5, 1), 0.2**2 * 4), ((2, 1), 0.2**2), ((1, 1), 0.0)):
        narrow = ramps[:, :, : size[0], : size[1]]
        result = part5.total_variation_loss(narrow)
        expect(
            result,
            torch.tensor((1 + 9) * 3 * pairs).double(),
            "a single row or column has the other direction's pairs only",
        )


@pytest.mark.points(1, "total_variation_loss")
def test_roughness_pulls_every_pixel_towards_its_neighbours(expect):
    """The gradient is 2 * the difference of each pair, added to one pixel, subtracted from the other."""
    images = numbers(2, 3, 4, 6, seed=2).requires_grad_()

    loss = part5.total_variation_loss(images)
    found = slope(loss, images)

    wanted, total = torch.zeros(2, 3, 4, 6).double(), 0.0
    for y, x in torch.cartesian_prod(torch.arange(4), torch.arange(6)).tolist():
        for v, u in ((y + 1, x), (y, x + 1)):
            if v < 4 and u < 6:
                step = (images[:, :, v, u] - images[:, :, y, x]).detach()
                wanted[:, :, v, u] += 2 * step
                wanted[:, :, y, x] -= 2 * step
                total += (step * step).sum()
    expect(loss.detach(), total, "the sum over all pairs of neighbours of the squared difference")
    expect(found, wanted, "2 * the difference of each pair, with opposite signs at its two pixels")


@pytest.mark.points(1, "total_variation_loss")
def test_roughness_leaves_no_trace(expect):
    """The images are unchanged; no_grad and float32 give the same value."""
    images = pictures(3).requires_grad_()

    with expect.unchanged(images=images):
        loss = part5.total_variation_loss(images)
    with torch.no_grad():
        again = part5.total_variation_loss(images)

    whole = expect.remember(loss.detach(), "whole")
    expect(loss.detach(), whole, "summed over images, channels and pairs")
    expect(again.detach(), whole, "the same under the caller's torch.no_grad()")
    alone = sum(part5.total_variation_loss(image[None]).detach() for image in images)
    expect(alone, whole, "the sum over the images of what each gives alone")
    single = part5.total_variation_loss(images.detach().float())
    expect(single, whole.float(), "float32 pictures give a float32 loss", tolerance=1e-4)
