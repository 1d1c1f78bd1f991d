"""The FCN: scores of several maps, enlarged and added from coarse to fine."""

from copy import deepcopy

import pytest
from torch import nn

from assignment2 import segmentation
from coursekit.checks.network_laws import assert_network_behaves, assert_parameters
from coursekit.checks.small_networks import pictures, seeded

CHANNELS = (4, 3, 5)


def small_trunk():
    """Three stages that halve the size, with numbers of their own."""
    stages, read = [], 3
    for channels in CHANNELS:
        stages.append(nn.Sequential(nn.Conv2d(read, channels, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)))
        read = channels
    return stages


def fcn(num_skips, num_classes=4):
    network = segmentation.FCN(small_trunk(), list(CHANNELS), num_classes, num_skips=num_skips)
    used = CHANNELS[len(CHANNELS) - 1 - num_skips :]
    shapes = {f"scores.{i}.weight": (num_classes, c, 1, 1) for i, c in enumerate(used)}
    shapes |= {f"scores.{i}.bias": (num_classes,) for i in range(len(used))}
    for i, (read, channels) in enumerate(zip((3, *CHANNELS), CHANNELS, strict=False)):
        shapes |= {f"stages.{i}.0.weight": (channels, read, 3, 3), f"stages.{i}.0.bias": (channels,)}
    assert_parameters(network, shapes)
    return seeded(network)


def stage_maps(network, images):
    maps = []
    for stage in network.stages:
        images = stage(images)
        maps.append(images)
    return maps


@pytest.mark.points(1, "FCN")
def test_fcn_without_skips_is_the_coarsest_score_enlarged(expect):
    """Without skips: the 1 x 1 score of the coarsest map, enlarged bilinearly to the images' size."""
    network = fcn(0)
    for images in (pictures(3, size=(17, 26)), pictures(1, size=(16, 24))):
        logits = network(images)

        score = network.scores[0](stage_maps(network, images)[-1])
        right = nn.Upsample(tuple(images.shape[-2:]), mode="bilinear")(score)
        expect(logits.detach(), right.detach(), "the 1 x 1 score of the last map, bilinear, to the images' size")


@pytest.mark.points(1, "FCN")
def test_each_score_of_an_fcn_contributes_what_it_says(expect):
    """Each score alone is enlarged from map to map, then to the images' size."""
    images = pictures(2, size=(19, 25))
    for num_skips in (1, 2):
        network = fcn(num_skips)
        maps = stage_maps(network, images)[-1 - num_skips :]
        for only in range(num_skips + 1):
            alone = deepcopy(network)
            for i, head in enumerate(alone.scores):
                if i != only:
                    nn.init.zeros_(head.weight)
                    nn.init.zeros_(head.bias)

            logits = alone(images)

            path = alone.scores[only](maps[only])
            for finer in (*(m.shape[-2:] for m in reversed(maps[:only])), images.shape[-2:]):
                path = nn.Upsample(tuple(finer), mode="bilinear")(path)
            expect(logits.detach(), path.detach(), f"score {only} alone, enlarged map by map (finest is 0)")


@pytest.mark.points(1, "FCN")
def test_fcn_adds_its_scores_from_coarse_to_fine(expect):
    """The logits are the sum of the scores, coarse to fine, for images of any size."""
    for num_skips in (0, 1, 2):
        for images in (pictures(3, size=(17, 26)), pictures(1, size=(8, 11))):
            network = fcn(num_skips)
            logits = network(images)
            expect.reference(
                logits.detach(),
                f"{num_skips} {len(images)}",
                "the sum of the scores, coarse to fine, for any image size",
            )


@pytest.mark.points(1, "FCN")
def test_fcn_uses_the_trunk_itself_and_scores_are_not_squashed(expect):
    """The trunk's stages are used themselves, and the result is logits, without softmax."""
    stages = small_trunk()
    network = segmentation.FCN(stages, list(CHANNELS), 4, num_skips=1)

    assert all(any(ours is stage for ours in network.modules()) for stage in stages), "keep the stages, not copies"
    network = seeded(network)
    for head in network.scores:
        nn.init.zeros_(head.weight)
    sums = sum(head.bias for head in network.scores).detach()
    right = sums[None, :, None, None].expand(2, 4, 9, 14)
    expect(network(pictures(2, size=(9, 14))).detach(), right, "constant scores add up to their sum everywhere: logits")


@pytest.mark.points(1, "FCN")
def test_fcn_behaves_as_a_module_does(expect):
    """The network can be called twice, copied, run in float32 and trained; it has no side effects."""
    assert_network_behaves(expect, fcn(2), pictures(2, size=(17, 26)))
