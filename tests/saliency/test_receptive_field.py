"""The receptive field of a unit: kernel, stride, padding and dilation, clipped to the image."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from assignment2 import saliency
from coursekit.checks.laws import assert_lets_errors_through
from coursekit.checks.small_networks import SIZE, SmallConvNet, broken, seeded


def check_field(expect, model, layer, unit, image_size, box, formula):
    model = seeded(model)

    with expect.unchanged(model=model):
        result = saliency.receptive_field(model, layer, unit, image_size)

    expect(result, box, formula)
    assert all(type(side) is int for side in result), "four Python ints, not tensors: use .item()"


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_of_one_convolution_is_its_window(expect, images):
    """One convolution: dilation * (kernel - 1) + 1 rows from stride * y - padding; columns alike."""
    conv = nn.Conv2d(3, 2, (3, 5), stride=(2, 1), padding=(1, 0), dilation=(1, 2))
    model = nn.Sequential(conv, nn.Flatten(), nn.LazyLinear(4))
    model(torch.zeros(1, 3, 12, 17))

    formula = "rows from stride * y - padding, over dilation * (kernel - 1) + 1 of them; columns likewise"
    check_field(expect, model, "0", (1, 3, 6), (12, 17), (5, 6, 8, 15), formula)
    plain = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 10 * 15, 4))
    check_field(expect, plain, "0", (1, 3, 6), (12, 17), (3, 6, 6, 9), "the same question about another network")
    wide = nn.Sequential(nn.Conv2d(3, 2, 3, padding=(2, 0), dilation=(3, 1)), nn.Flatten(), nn.Linear(2 * 10 * 15, 4))
    check_field(expect, wide, "0", (1, 3, 6), (12, 17), (1, 6, 8, 9), formula)
    bad = broken(seeded(plain), "forward")
    call = lambda m, _: saliency.receptive_field(m, "0", (0, 1, 1), (12, 17))
    assert_lets_errors_through(expect, call, bad, images, "forward")


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_grows_through_a_stack_by_the_strides_behind_it(expect):
    """In a stack of layers, one unit further is the product of the strides in pixels further."""
    layers = [nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3, padding=1), nn.AvgPool2d(2)]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4))

    for layer, side in ("4", (9, 13, 19, 23)), ("3", (3, 5, 11, 13)), ("2", (5, 7, 9, 11)):
        check_field(
            expect, model, layer, (0, 3, 4), (40, 36), side, "a deeper unit steps by the product of the strides"
        )
    check_field(expect, model, "5", (0, 0, 0), (40, 36), (0, 0, 40, 36), "behind global pooling a unit sees every map")


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_is_clipped_to_the_image(expect):
    """The box is clipped to the image: 0 <= top, bottom <= H, 0 <= left, right <= W."""
    model = SmallConvNet()

    for unit, box in ((0, 0, 0), (0, 0, 6, 6)), ((4, 3, 5), (2, 6, 9, 13)), ((1, 0, 5), (0, 6, 6, 13)):
        check_field(
            expect, model, "features.6", unit, SIZE, box, "inside the image: 0 <= top, bottom <= H, likewise columns"
        )
    check_field(expect, model, "features.2", (0, 0, 12), SIZE, (0, 10, 3, 13), "inside the image, at its corner too")
    model = nn.Sequential(Crop(), nn.Conv2d(3, 2, 3, padding=1), nn.Flatten(), nn.Linear(2 * 6 * 9, 4))
    what = "behind a crop a unit sees nothing of what was cut off, "
    for unit, box in ((0, 0, 0), (2, 1, 4, 3)), ((0, 5, 8), (6, 8, 8, 10)):
        check_field(expect, model, "1", unit, SIZE, box, f"{what}at its border neither")
    check_field(expect, model, "3", (2,), SIZE, (2, 1, 8, 10), f"{what}in a flat layer neither")


@pytest.mark.points(1, "receptive_field")
def test_receptive_field_unites_branches_and_is_the_whole_image_behind_flatten(expect):
    """The box covers all branches; behind flatten or global pooling it is the whole image."""
    check_field(
        expect, Cross(), "joined", (1, 4, 6), SIZE, (2, 4, 7, 9), "the smallest box round what all branches see"
    )
    check_field(expect, SmallConvNet(), "classifier.1", (2,), SIZE, (0, 0, *SIZE), "a flat layer sees the whole image")
    check_field(expect, Cross(), "head", (3,), SIZE, (0, 0, *SIZE), "behind global pooling a unit sees the whole image")


class Crop(nn.Module):
    """Cut rows and columns off, on every side another number."""

    def forward(self, images):
        return images[:, :, 2:-1, 1:-3]


class Cross(nn.Module):
    """Three branches side by side: one that looks along the row, one along the column, one that looks less far."""

    def __init__(self):
        super().__init__()
        self.row = nn.Conv2d(3, 4, (1, 5), padding=(0, 2))
        self.column = nn.Conv2d(3, 4, (5, 1), padding=(2, 0))
        self.skip = nn.Conv2d(3, 4, 3, padding=1)
        self.joined = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 5)

    def forward(self, images):
        column = self.column(images)  # runs first, is added second
        joined = self.joined(F.relu(self.row(images) + column) + self.skip(images))
        return self.head(joined.mean((2, 3)))
