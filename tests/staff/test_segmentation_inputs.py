"""Bad input to part 6: refused before the student's code runs, with the value and the remedy."""

import pytest
import torch
from torch import nn

from assignment2 import segmentation, upsampling
from coursekit.checks.small_networks import numbers
from coursekit.vision import load_model
from coursekit.vision.segmenting import train_segmenter

X = numbers(2, 3, 6, 8, seed=1)
LABELS = torch.zeros(2, 6, 8, dtype=torch.int64)
INDICES = torch.zeros(2, 3, 6, 8, dtype=torch.int64)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: upsampling.max_pool(X[0], 2, 2),
            r"x has shape \(3, 6, 8\), expected a floating-point tensor \(N, C, H, W\)",
        ),
        (lambda: upsampling.max_pool(X, 7, 1), r"kernel_size is 7, but x has \(6, 8\) pixels"),
        (lambda: upsampling.max_pool(X, 2, 0), "stride is 0, expected a whole number, 1 or more"),
        (
            lambda: upsampling.max_unpool(X, INDICES[:, :2], (9, 9)),
            "indices has shape .* unpool with the indices of the",
        ),
        (lambda: upsampling.max_unpool(X, INDICES + 48, (6, 8)), "indices contains 48, outside a plane of 6 x 8"),
        (lambda: upsampling.max_unpool(X, INDICES - 1, (6, 8)), "indices contains -1, outside"),
        (
            lambda: upsampling.max_unpool(X, INDICES.int(), (6, 8)),
            "indices is torch.int32, expected a tensor of torch.int64",
        ),
        (lambda: upsampling.max_unpool(X, INDICES, 8), "output_size is 8, expected"),
        (lambda: upsampling.transposed_conv2d(X, X), r"expected \(3, C_out, kh, kw\) with x's channels first"),
        (
            lambda: upsampling.transposed_conv2d(X, torch.ones(3, 2, 2, 2)),
            r"weight is torch.float32, x torch.float64: use weight.to\(torch.float64\)",
        ),
        (lambda: upsampling.transposed_conv2d(X, X.transpose(0, 1), stride=0), "stride is 0"),
        (lambda: upsampling.transposed_conv2d(X, X.transpose(0, 1), padding=-1), "padding is -1"),
        (
            lambda: upsampling.transposed_conv2d(X, X.transpose(0, 1)[..., :1, :1], padding=3),
            "the result would have the size",
        ),
        (lambda: upsampling.rotate_kernel(X[0]), "weight has shape"),
        (lambda: upsampling.bilinear_kernel(0, 2), "channels is 0"),
        (lambda: upsampling.bilinear_kernel(2, 0), "factor is 0"),
    ],
)
def test_upsampling_refuses(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def headless():
    model = load_model("tiny_vgg")
    model.classifier = nn.Sequential(nn.Flatten(), nn.ReLU())
    return model


def unet(**changes):
    return segmentation.UNet(**{"in_channels": 3, "num_classes": 4, "widths": (4, 4, 4), **changes})


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: segmentation.linear_to_conv(nn.Linear(12, 4), 3, 3),
            "3 channels of 3 x 3 are 27 numbers, but the layer reads 12",
        ),
        (lambda: segmentation.linear_to_conv(nn.ReLU(), 3, 3), "linear is a ReLU, expected an nn.Linear"),
        (lambda: segmentation.convolutionalize(headless()), "model.classifier has no Linear"),
        (lambda: segmentation.convolutionalize(load_model("tiny_resnet")), "it has no classifier"),
        (lambda: unet(num_classes=1), "num_classes is 1, expected a whole number, 2 or more"),
        (lambda: unet(widths=(4,)), r"widths is \(4,\), expected channels for each level"),
        (lambda: unet(padding=2), "padding is 2, expected 1"),
        (lambda: unet()(torch.zeros(1, 1, 8, 8)), "images have 1 channels, but the network reads 3"),
        (lambda: unet()(torch.zeros(1, 3, 8, 3)), r"images of \(8, 3\) are smaller than the network's total stride, 4"),
        (lambda: unet(padding=0)(torch.zeros(1, 3, 39, 44)), "too small for 2 levels of valid convolutions"),
        (lambda: unet()(torch.zeros(3, 8, 8)), "images has shape"),
        (lambda: segmentation.FCN([nn.MaxPool2d(2)], [3], 4, num_skips=1), "num_skips is 1, but 1 stages have 0 finer"),
        (lambda: segmentation.FCN([nn.MaxPool2d(2)], [3, 4], 4, num_skips=0), "channels names 2 numbers for 1 stages"),
        (lambda: segmentation.FCN([], [], 4, num_skips=0), "stages is"),
        (lambda: segmentation.DeconvNet(3, [4, 4], 1), "num_classes is 1"),
        (
            lambda: segmentation.pixel_cross_entropy(X, LABELS + 3),
            "labels contains label 3, expected 0 to 2 or ignore_index",
        ),
        (lambda: segmentation.pixel_cross_entropy(X, LABELS - 1), "labels contains label -1"),
        (
            lambda: segmentation.pixel_cross_entropy(X, LABELS[:, :5]),
            r"labels has shape \(2, 5, 8\), expected \(2, 6, 8\)",
        ),
        (lambda: segmentation.pixel_cross_entropy(X, LABELS.float()), "of torch.int64"),
        (lambda: segmentation.confusion_matrix(LABELS, LABELS + 4, 4), "labels contains label 4, expected 0 to 3"),
        (lambda: segmentation.confusion_matrix(LABELS + 7, LABELS, 4), "predictions contains label 7"),
        (lambda: segmentation.mean_iou(LABELS, LABELS, 1), "num_classes is 1"),
        (lambda: segmentation.mean_iou(X, LABELS, 3), "predictions is"),
        (
            lambda: segmentation.instance_labels(LABELS[0]),
            r"labels has shape \(6, 8\), expected \(N, H, W\): one label a pixel",
        ),
        (lambda: segmentation.trained_unet(3), "path is 3, expected the path of a .safetensors file"),
        (lambda: train_segmenter(unet(), X[:0], LABELS[:0], None, num_steps=1), "give one label a pixel"),
    ],
)
def test_segmentation_refuses(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_the_largest_valid_picture_that_is_too_small_is_told_and_the_next_is_not():
    assert tuple(unet(padding=0)(torch.zeros(1, 3, 44, 44)).shape) == (1, 4, 4, 4)
    assert tuple(unet(padding=0)(torch.zeros(1, 3, 48, 45)).shape[2:]) == (8, 4)


def test_what_is_ignored_may_be_anything():
    labels = LABELS.clone()
    labels[:, 0] = -100

    assert segmentation.pixel_accuracy(LABELS, labels, ignore_index=-100) == 1
    assert segmentation.confusion_matrix(LABELS + 9 * (labels == -100), labels, 4, ignore_index=-100).sum() == 80
