"""Connected regions of one class, numbered in reading order."""

import pytest
import torch

from assignment2 import segmentation
from coursekit.checks.laws import ANY_STRIDES, strided
from coursekit.checks.small_networks import numbers


def grid(*rows):
    return torch.tensor([[int(c) for c in row] for row in rows])


SCENE = grid("0110020", "1100222", "0001020", "3301100", "0303303")


REGIONS = grid("0110020", "1100222", "0003020", "4403300", "0405506")


@pytest.mark.points(1, "instance_labels")
def test_regions_are_numbered_in_reading_order_of_their_first_pixels(expect):
    """Regions are numbered 1, 2, ... per image, in reading order of their first pixels."""
    result = segmentation.instance_labels(SCENE[None])

    expect(result, REGIONS[None], "each region of one class its number; corners do not connect, other classes part")
    both = segmentation.instance_labels(torch.stack([SCENE.flip(0), SCENE, SCENE]))
    expect(both[1:], torch.stack([REGIONS, REGIONS]), "each image is numbered from 1")


@pytest.mark.points(1, "instance_labels")
def test_a_region_is_one_however_it_winds_and_touching_objects_are_one(expect):
    """A region of any shape has one number, and touching objects of one class are one region."""
    spiral = grid("1111111", "0000001", "1111101", "1000101", "1011101", "1000001", "1111111")
    snake = torch.zeros(61, 61, dtype=torch.int64)  # down on the left, then row by row up again to the first row
    snake[:, 0] = snake[60, 1] = snake[::2, 2:] = snake[3::4, 60] = snake[1::4, 2] = 1
    expect(segmentation.instance_labels(snake[None]), snake[None], "one region, however many pixels long it is")
    comb = grid("1010101", "1010101", "1111111", "0000000", "1111111", "1010101")
    expect(segmentation.instance_labels(spiral[None]), spiral[None], "one region, from its outer end to its inner")
    right = grid("1010101", "1010101", "1111111", "0000000", "2222222", "2020202")
    expect(segmentation.instance_labels(comb[None]), right[None], "teeth that meet further down are one region")
    touching = grid("1100", "1122", "0022")
    expect(
        segmentation.instance_labels((touching > 0).long()[None]),
        (touching > 0).long()[None],
        "two squares that touch: one",
    )


@pytest.mark.points(1, "instance_labels")
def test_background_and_ignored_pixels_are_in_no_region(expect):
    """Pixels whose label is background or ignore_index get 0."""
    labels = SCENE.clone()
    labels[labels == 2] = 255
    right = grid("0110000", "1100000", "0002000", "3302200", "0304405")
    expect(segmentation.instance_labels(labels[None]), right[None], "255 is in no region")
    chosen = segmentation.instance_labels(SCENE[None], ignore_index=2)
    expect(chosen, right[None], "ignore_index may be a class: its pixels are in no region")
    kept = segmentation.instance_labels(labels[None], ignore_index=-1)
    expect(kept, REGIONS[None], "255 is a class like the others where ignore_index is another")
    right = grid("1000000", "0000000", "0000000", "2200000", "0203304")
    filled = grid("1000000", "0000000", "0000000", "3300000", "0303303")
    result = segmentation.instance_labels(filled[None] + 4, background=4, ignore_index=-1)
    expect(result, right[None], "background may be another label")
    empty = segmentation.instance_labels(torch.zeros(2, 3, 4, dtype=torch.int64))
    expect(empty, torch.zeros(2, 3, 4, dtype=torch.int64), "only background: zeros")
    zero = segmentation.instance_labels(grid("0110", "0220")[None], background=1)
    expect(zero, grid("1002", "1332")[None], "class 0 is a class where background is another")


@pytest.mark.points(1, "instance_labels")
def test_regions_of_a_large_map_are_right_and_the_map_is_left_alone(expect):
    """Large maps with many regions are right; the labels are unchanged."""
    labels = (numbers(3, 20, 31, seed=61).abs() * 100).long() % 3
    with expect.unchanged(labels=labels):
        result = segmentation.instance_labels(labels)

    expect.new(result, labels=labels)
    expect.reference(result, "random", "the regions of each class, numbered in reading order")
    alone = torch.cat([segmentation.instance_labels(labels[i : i + 1]) for i in range(3)])
    expect(result, alone, "each image for itself")
    expect(segmentation.instance_labels(strided(labels)), result, ANY_STRIDES)
    chess = 1 + (torch.arange(24)[:, None] + torch.arange(25)) % 2
    places = torch.arange(1, 601).view(1, 24, 25)
    expect(segmentation.instance_labels(chess[None]), places, "600 regions of one pixel")
    solid = torch.ones(1, 50, 60, dtype=torch.int64)
    expect(segmentation.instance_labels(solid), solid, "one region of 3000 pixels")
