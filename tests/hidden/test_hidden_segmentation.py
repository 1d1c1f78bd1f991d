"""Part 6, hidden: other networks, fresh masks, and fresh scenes for the trained weights. Staff only."""

import pytest
import torch
from torch import nn

from assignment2 import segmentation
from coursekit.checks import small_networks
from coursekit.checks.iou import iou_on_scenes
from coursekit.checks.small_networks import numbers, pictures, seeded
from coursekit.parts import ROOT
from coursekit.vision import load_model
from coursekit.vision.segmenting import trunk

FORMULA = "the docstring's definition, on other numbers"
TRAINED = ROOT / "trained" / "unet.safetensors"
SCENES = 1_618_033_988_749_894_848  # make_scenes is public: a seed that could be guessed would give the masks away


def right_matrix(predictions, labels, num_classes, *, ignore_index=255):
    pairs = [(labels == true) & (predictions == told) for true in range(num_classes) for told in range(num_classes)]
    return torch.stack([(pair & (labels != ignore_index)).sum() for pair in pairs]).view(num_classes, num_classes)


def right_conv(linear, in_channels, size):
    size = (size, size) if isinstance(size, int) else tuple(size)
    conv = nn.Conv2d(in_channels, linear.out_features, size, dtype=linear.weight.dtype)
    conv.weight.data = linear.weight.detach().reshape(-1, in_channels, *size).clone()
    conv.bias.data = linear.bias.detach().clone()
    return conv


@pytest.fixture(autouse=True)
def right_siblings(request, monkeypatch):
    """Where one exercise is built from another, put a right one in its place, so that nobody pays twice."""
    function = request.node.get_closest_marker("points").args[1]
    if function in ("mean_iou", "dice", "frequency_weighted_iou"):
        monkeypatch.setattr(segmentation, "confusion_matrix", right_matrix)
    if function == "convolutionalize":
        monkeypatch.setattr(segmentation, "linear_to_conv", right_conv)


def masks(seed, num_images=3, num_classes=6):
    drawn = (numbers(2, num_images, 11, 7, seed=seed).abs() * 500).long()
    labels, predictions = drawn[0] % num_classes, drawn[1] % (num_classes - 1)
    predictions = predictions.where(drawn[1] % 3 == 0, labels)
    labels = labels.where(drawn[0] % 13 > 0, 255)
    return predictions, labels


def number(score):
    assert isinstance(score, torch.Tensor), f"the result is a {type(score).__name__}, expected a torch tensor"
    return score.detach().double()


@pytest.mark.points(1, "linear_to_conv")
def test_fresh_linear_layers(expect):
    linear = seeded(nn.Linear(5 * 4 * 2, 3), seed=4)
    conv = segmentation.linear_to_conv(linear, 5, (4, 2))
    expect.reference(conv(numbers(2, 5, 6, 5, seed=101)).detach(), "slides", FORMULA)


@pytest.mark.points(1, "convolutionalize")
def test_the_zoos_classifiers_slide(expect):
    for name in ("tiny_alexnet", "tiny_vgg"):
        model = load_model(name)
        images = pictures(1, seed=5, size=(96, 96)).float()
        sliding = segmentation.convolutionalize(model)
        right = model(images).detach()[:, :, None, None]
        expect(sliding(images).detach(), right, f"{name} on its own size", tolerance=1e-4)
    larger = sliding(pictures(1, seed=6, size=(112, 144)).float())
    assert tuple(larger.shape) == (1, 24, 2, 4), f"112 x 144 pixels give {tuple(larger.shape)}, expected (1, 24, 2, 4)"


@pytest.mark.points(2, "FCN")
def test_fcn_on_the_zoos_trunk(expect):
    stages, channels = trunk()
    for skips in (0, 2, 3):
        network = seeded(segmentation.FCN(stages, channels, 7, num_skips=skips), seed=7)
        expect.reference(network(pictures(2, seed=8, size=(35, 50))).detach(), f"{skips}", FORMULA)


@pytest.mark.points(1, "DeconvNet")
def test_a_deeper_deconvnet(expect):
    for tied in (False, True):
        network = seeded(segmentation.DeconvNet(2, [3, 4, 5, 6], 3, tied=tied), seed=9)
        expect.reference(network(numbers(2, 2, 19, 25, seed=102)).detach(), f"{tied}", FORMULA)


@pytest.mark.points(2, "UNet")
def test_a_deeper_unet(expect):
    for padding, size in ((1, (19, 29)), (0, (92, 97))):
        network = seeded(segmentation.UNet(2, 3, [2, 3, 4, 5], padding=padding), seed=10)
        expect.reference(network(numbers(1, 2, *size, seed=103)).detach(), f"{padding}", FORMULA)


@pytest.mark.points(1, "pixel_cross_entropy")
def test_the_loss_of_fresh_logits(expect):
    _, labels = masks(104)
    loss = segmentation.pixel_cross_entropy(numbers(3, 6, 11, 7, seed=105) * 30, labels)
    expect.reference(loss.detach(), "loss", FORMULA)


@pytest.mark.points(1, "confusion_matrix")
def test_the_matrix_of_fresh_masks(expect):
    expect.reference(segmentation.confusion_matrix(*masks(106), 6), "six", FORMULA)


@pytest.mark.points(1, "pixel_accuracy")
def test_the_accuracy_of_fresh_masks(expect):
    expect.reference(number(segmentation.pixel_accuracy(*masks(107))), "six", FORMULA)


@pytest.mark.points(1, "mean_iou")
def test_the_mean_iou_of_fresh_masks(expect):
    expect.reference(number(segmentation.mean_iou(*masks(108), 8)), "eight", FORMULA)


@pytest.mark.points(1, "dice")
def test_the_dice_of_fresh_masks(expect):
    expect.reference(number(segmentation.dice(*masks(109), 8)), "eight", FORMULA)


@pytest.mark.points(1, "frequency_weighted_iou")
def test_the_weighted_iou_of_fresh_masks(expect):
    expect.reference(number(segmentation.frequency_weighted_iou(*masks(110), 8)), "eight", FORMULA)


@pytest.mark.points(1, "instance_labels")
def test_the_regions_of_fresh_masks(expect):
    labels = masks(111, num_classes=3)[1]
    expect.reference(segmentation.instance_labels(labels), "three", FORMULA)
    expect.reference(segmentation.instance_labels(labels, background=2, ignore_index=1), "others", FORMULA)


def fresh_score():
    """The mean IoU of the submitted weights on 24 scenes that no student has seen; the same weights are measured once."""
    try:
        network = segmentation.trained_unet(TRAINED)
    except FileNotFoundError:
        pytest.fail("trained/unet.safetensors was not handed in", pytrace=False)
    assert TRAINED.stat().st_size <= 4 * 2**20, "trained/unet.safetensors has more than 4 MB"
    return iou_on_scenes(network, seed=SCENES + small_networks.FRESH)


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_060_on_fresh_scenes():
    score = fresh_score()
    assert score >= 0.60, f"mean IoU {score:.3f} on fresh scenes, 0.60 is wanted"


@pytest.mark.points(1, "trained_unet")
def test_the_trained_network_reaches_a_mean_iou_of_080_on_fresh_scenes():
    score = fresh_score()
    assert score >= 0.80, f"mean IoU {score:.3f} on fresh scenes, 0.80 is wanted"
