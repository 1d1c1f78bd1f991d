"""Part 6, second half. Segmentation: from a classifier to a network that predicts a class for every pixel.

Long et al. 2015 (FCN), Noh et al. 2015 (DeconvNet), Ronneberger et al. 2015 (U-Net).

images are (N, C, H, W), logits (N, K, H, W), labels and predictions (N, H, W) int64, one class per pixel, any strides
(`view` may fail, `reshape` works). A pixel whose label is ignore_index does not count, whatever its prediction is.
The arguments are not modified. Networks and losses are differentiable. Invalid arguments are checked for you: they
raise ValueError before your code runs.

The networks take any height and width, odd ones too. The checks read and set their parameters: use the names and shapes
of the docstrings. You may use torch's layers, pooling and `F.interpolate`.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from pathlib import Path  # noqa: F401 (the exercises may use it)

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from coursekit.vision import UNET_CLASSES, UNET_WIDTHS, Network, checked

from coursekit.vision.arguments import (  # isort: skip
    BlockPadding, Classifier, Flag, IgnoreIndex, InChannels, LabelMaps, LabelValue, Linear, LogitMaps, MapSize,
    NumClasses, NumSkips, PredictedMaps, StageChannels, Stages, WeightsFile, Widths
)  # fmt: skip


@checked
def linear_to_conv(linear: Linear, in_channels: InChannels, size: MapSize) -> nn.Conv2d:
    """Return the convolution that computes the same as a linear layer on a whole map.

    Args:
        linear: its input is an (in_channels, h, w) map, flattened by torch.flatten.
        size: (h, w), or one number for both. The kernel has this size.

    Returns:
        A convolution with copies of linear's parameters, stride 1, no padding; a bias only if linear has one; linear's
        dtype and device. A map of that size gives (N, out_features, 1, 1), equal to linear's output. A larger map
        gives a map.
    Source: Long et al. 2015, section 3.1.
    """
    ### BEGIN SOLUTION
    h, w = (size, size) if isinstance(size, int) else size
    weight = linear.weight
    options = {"bias": linear.bias is not None, "device": weight.device, "dtype": weight.dtype}
    conv = nn.Conv2d(in_channels, linear.out_features, (h, w), **options)
    with torch.no_grad():
        conv.weight.copy_(weight.unflatten(1, (in_channels, h, w)))  # (out, C, h, w)
        if linear.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv.train(linear.training)
    ### END SOLUTION


@checked
def convolutionalize(model: Classifier) -> nn.Module:
    """Return a classifier as a fully convolutional network, which takes images of any size.

    Args:
        model: runs three modules. `normalize` scales the pixels. `features` has convolutions, ReLUs and pools.
            `classifier` is Flatten, a Linear that reads a square map, then any number of ReLUs, Dropouts and Linears.
            Torchvision's networks also have an adaptive pooling before `classifier`: leave it out, since it changes
            nothing at the training size.
    Returns:
        A network in the model's mode, made of copies of its layers; keep the dropout. It returns (N, K, h, w); at the
        training size (N, K, 1, 1), equal to the classifier's logits.
    Source: Long et al. 2015, section 3.1.
    """
    ### BEGIN SOLUTION
    channels = [layer.out_channels for layer in model.features.modules() if isinstance(layer, nn.Conv2d)][-1]
    layers = [copy.deepcopy(model.normalize), *copy.deepcopy(list(model.features))]
    for layer in model.classifier:
        if isinstance(layer, nn.Linear):
            side = round((layer.in_features / channels) ** 0.5)
            layers.append(linear_to_conv(layer, channels, side))
            channels = layer.out_features
        elif not isinstance(layer, nn.Flatten):
            layers.append(copy.deepcopy(layer))
    return nn.Sequential(*layers).train(model.training)
    ### END SOLUTION


class FCN(Network):
    """Map images to logits per pixel: score the last maps of a classifier's trunk, and add the scores, coarse to fine.

    (1) Score the last, coarsest map.
    (2) For each skip: resize the sum so far to the size of the next finer map, and add the score of that map.
    (3) Resize the sum to the images' size. Each resize is bilinear, align_corners=False.
    Args:
        stages: the trunk; each stage halves its input's size. Use these modules themselves, not copies.
        channels: the number of output channels of each stage.
        num_skips: on a trunk of five stages, 0, 1 and 2 are the paper's FCN-32s, 16s and 8s.
    Parameters: `stages` (ModuleList); `scores` (ModuleList), one Conv2d(channels of the map, num_classes, 1) for each
    of the num_skips + 1 maps that are scored, finest map first, so scores[-1] scores the coarsest.
    Source: Long et al. 2015, figure 3.
    """

    def __init__(
        self, stages: Stages, channels: StageChannels, num_classes: NumClasses, *, num_skips: NumSkips = 2
    ) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.stages = nn.ModuleList(stages)
        self.scores = nn.ModuleList(nn.Conv2d(c, num_classes, 1) for c in channels[-1 - num_skips :])
        ### END SOLUTION

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K, H, W) of images (N, C, H, W)."""
        ### BEGIN SOLUTION
        maps = [images]
        for stage in self.stages:
            maps.append(stage(maps[-1]))  # half as high and wide
        score = self.scores[-1](maps.pop())
        for head in reversed(self.scores[:-1]):
            skip = maps.pop()
            score = F.interpolate(score, skip.shape[-2:], mode="bilinear", align_corners=False)
            score = score + head(skip)
        return F.interpolate(score, images.shape[-2:], mode="bilinear", align_corners=False)
        ### END SOLUTION


class DeconvNet(Network):
    """Map images to logits per pixel: an encoder with max pooling, and a decoder that unpools with its indices.

    Encoder: `stem`, ReLU; then per level i: encoder[i], ReLU, 2 x 2 max pooling with indices.
    Decoder, coarsest level first: unpool with the level's indices, to the size before its pooling; transposed
    convolution; ReLU. Then `head`.
    widths: the stem has widths[0] channels, level i has widths[i + 1].
    tied ("no decoder learning"): level i's transposed convolution uses encoder[i].weight itself, without bias.
    Parameters: `stem` Conv2d(in_channels, widths[0], 3, padding=1); `encoder`, `decoder` (ModuleLists). Level i has
    Conv2d(widths[i], widths[i + 1], 3, padding=1) in `encoder`, ConvTranspose2d(widths[i + 1], widths[i], 3, padding=1)
    in `decoder`. `decoder` has the coarsest level first; it is None if tied. `head` Conv2d(widths[0], num_classes, 1).
    Source: Noh et al. 2015, section 3; the lecture, "Symmetry in Encoder/Decoder".
    """

    def __init__(self, in_channels: InChannels, widths: Widths, num_classes: NumClasses, *, tied: Flag = False) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        levels = list(pairwise(widths))
        self.stem = nn.Conv2d(in_channels, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(nn.Conv2d(fine, coarse, 3, padding=1) for fine, coarse in levels)
        mirror = [nn.ConvTranspose2d(coarse, fine, 3, padding=1) for fine, coarse in reversed(levels)]
        self.decoder = None if tied else nn.ModuleList(mirror)
        self.head = nn.Conv2d(widths[0], num_classes, 1)
        ### END SOLUTION

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K, H, W) of images (N, C, H, W)."""
        ### BEGIN SOLUTION
        x, switches = self.stem(images).relu(), []
        for conv in self.encoder:
            x = conv(x).relu()
            size = x.shape[-2:]
            x, indices = F.max_pool2d(x, 2, return_indices=True)
            switches.append((indices, size))
        for j, conv in enumerate(reversed(self.encoder)):
            indices, size = switches.pop()
            x = F.max_unpool2d(x, indices, 2, output_size=size)
            # The weight of a convolution, as it stands, is that of its transpose.
            x = F.conv_transpose2d(x, conv.weight, padding=1) if self.decoder is None else self.decoder[j](x)
            x = x.relu()
        return self.head(x)
        ### END SOLUTION


def conv_block(in_channels: int, channels: int, padding: int) -> nn.Sequential:
    """Given: return U-Net's block, two 3 x 3 convolutions, each followed by a ReLU."""
    first = nn.Conv2d(in_channels, channels, 3, padding=padding)
    second = nn.Conv2d(channels, channels, 3, padding=padding)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


class UNet(Network):
    """Map images to logits per pixel: an encoder, a decoder, and at each level a skip connection between them.

    Down, per level: `conv_block`, whose output is the skip; 2 x 2 max pooling. Bottom: `conv_block`.
    Up, coarsest level first: 2 x 2 transposed convolution, stride 2 (gives u); cat([skip, u]); `conv_block`.
    padding 1: before cat, add zeros below u and on its right, up to the skip's size. The logits have the images' size.
    padding 0 (the paper): crop the skip's centre (start at difference // 2). The logits are smaller (572 gives 388).
    widths: the channels of each level, finest first; the last is the bottom's.

    Parameters: `down` (ModuleList of blocks, finest first), `bottom` (a block), `up` and `merge` (ModuleLists, coarsest
    level first). Level i (0 is the finest) has ConvTranspose2d(widths[i + 1], widths[i], 2, stride=2) in `up` and
    conv_block(2 * widths[i], widths[i], padding) in `merge`. `head` is Conv2d(widths[0], num_classes, 1).
    Source: Ronneberger et al. 2015, figure 1.
    """

    def __init__(
        self, in_channels: InChannels, num_classes: NumClasses, widths: Widths, *, padding: BlockPadding = 1
    ) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.padding = padding
        levels = list(pairwise(widths))
        inputs = [in_channels, *widths]
        self.down = nn.ModuleList(conv_block(inputs[i], inputs[i + 1], padding) for i in range(len(levels)))
        self.bottom = conv_block(widths[-2], widths[-1], padding)
        self.up = nn.ModuleList(nn.ConvTranspose2d(low, high, 2, stride=2) for high, low in reversed(levels))
        self.merge = nn.ModuleList(conv_block(2 * high, high, padding) for high, _ in reversed(levels))
        self.head = nn.Conv2d(widths[0], num_classes, 1)
        ### END SOLUTION

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K, H, W) of images (N, C, H, W); with padding 0 they are smaller."""
        ### BEGIN SOLUTION
        x, skips = images, []
        for block in self.down:
            skips.append(block(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.bottom(x)
        for up, merge in zip(self.up, self.merge, strict=True):
            skip, x = skips.pop(), up(x)
            rows, columns = skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]
            if self.padding:
                x = F.pad(x, (0, columns, 0, rows))
            else:
                top, left = rows // 2, columns // 2
                skip = skip[:, :, top : top + x.shape[-2], left : left + x.shape[-1]]
            x = merge(torch.cat([skip, x], dim=1))
        return self.head(x)
        ### END SOLUTION


@checked
def trained_unet(path: WeightsFile) -> nn.Module:
    """Return the U-Net that the notebook trained, with its weights loaded from a file.

    Args:
        path: a .safetensors file with one half-precision tensor per parameter, under the parameter's name.

    Returns:
        A UNet with 3 input channels, UNET_CLASSES classes, UNET_WIDTHS and padding 1, float32, in eval mode. If the
        file lacks a parameter, or has another shape for it, raise an error (`load_state_dict` does).

    Source: `coursekit.vision` gives UNET_CLASSES and UNET_WIDTHS; safetensors reads the file.
    """
    ### BEGIN SOLUTION
    network = UNet(3, UNET_CLASSES, UNET_WIDTHS)
    network.load_state_dict(load_file(path))  # widens to float32
    return network.eval()
    ### END SOLUTION


@checked
def pixel_cross_entropy(logits: LogitMaps, labels: LabelMaps, *, ignore_index: IgnoreIndex = 255) -> Tensor:
    """Return the mean cross-entropy over all pixels of the batch that are not ignored.

    Args:
        logits: (N, K, H, W). The result must be right for logits of several thousand too (no overflow).
        labels: (N, H, W), each in 0..K-1 or equal to ignore_index.

    Returns:
        0-d, differentiable. If every pixel is ignored: 0 (not NaN), and its gradient is zero.

    Source: Long et al. 2015, section 3.4 (a sum there, not a mean).
    """
    ### BEGIN SOLUTION
    counted = labels != ignore_index
    chosen = labels.where(counted, 0)[:, None]  # (N, 1, H, W)
    losses = -logits.log_softmax(dim=1).gather(1, chosen)[:, 0]  # (N, H, W)
    return losses.where(counted, 0).sum() / counted.sum().clamp(min=1)
    ### END SOLUTION


@checked
def confusion_matrix(
    predictions: PredictedMaps, labels: LabelMaps, num_classes: NumClasses, *, ignore_index: IgnoreIndex = 255
) -> Tensor:
    """Return the number of pixels for each pair of true class and predicted class.

    Args:
        predictions, labels: (N, H, W) int64. A pixel whose label is ignore_index does not count, whatever its
            prediction is.
        ignore_index: any whole number: 255, a negative one, or one of the classes.

    Returns:
        (K, K) int64, entry [true class, predicted class], over all images together.

    Source: Long et al. 2015, section 5 (n_ij).
    """
    ### BEGIN SOLUTION
    counted = labels != ignore_index
    pairs = (labels * num_classes + predictions).masked_select(counted)
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)
    ### END SOLUTION


@checked
def pixel_accuracy(predictions: PredictedMaps, labels: LabelMaps, *, ignore_index: IgnoreIndex = 255) -> Tensor:
    """Return the fraction of pixels whose prediction equals the label.

    Args:
        predictions, labels: (N, H, W) int64. Pixels whose label is ignore_index do not count.

    Returns:
        0-d floating point, over all images together. NaN if no pixel counts.

    Source: Long et al. 2015, section 5.
    """
    ### BEGIN SOLUTION
    counted = labels != ignore_index
    return (predictions == labels)[counted].float().mean()
    ### END SOLUTION


@checked
def mean_iou(
    predictions: PredictedMaps, labels: LabelMaps, num_classes: NumClasses, *, ignore_index: IgnoreIndex = 255
) -> Tensor:
    """Return the mean over classes of intersection / union of the predicted and the true pixels.

    Args:
        predictions, labels: (N, H, W) int64. Pixels whose label is ignore_index do not count.

    Returns:
        0-d floating point, over all images together. A class that is neither true nor predicted anywhere is left out. A
        class that is only predicted counts with 0. NaN if no pixel counts.

    Source: Long et al. 2015, section 5.
    """
    ### BEGIN SOLUTION
    counted = labels != ignore_index
    pairs = (num_classes * labels + predictions).masked_select(counted)
    matrix = pairs.bincount(minlength=num_classes**2).view(num_classes, num_classes).float()  # (truth, prediction)
    union = matrix.sum(dim=0) + matrix.sum(dim=1) - matrix.diagonal()  # (K,)
    return (matrix.diagonal() / union)[union > 0].mean()
    ### END SOLUTION


@checked
def dice(
    predictions: PredictedMaps, labels: LabelMaps, num_classes: NumClasses, *, ignore_index: IgnoreIndex = 255
) -> Tensor:
    """Return the mean over classes of 2 * intersection / (predicted pixels + true pixels).

    Args:
        predictions, labels: (N, H, W) int64. Pixels whose label is ignore_index do not count.

    Returns:
        0-d floating point, over all images together. A class that is neither true nor predicted anywhere is left out. A
        class that is only predicted counts with 0. NaN if no pixel counts.

    Source: Dice 1945; Milletari et al. 2016, section 3.
    """
    ### BEGIN SOLUTION
    matrix = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).float()
    sizes = matrix.sum(dim=0) + matrix.sum(dim=1)  # (K,)
    return (2 * matrix.diagonal() / sizes)[sizes > 0].mean()
    ### END SOLUTION


@checked
def frequency_weighted_iou(
    predictions: PredictedMaps, labels: LabelMaps, num_classes: NumClasses, *, ignore_index: IgnoreIndex = 255
) -> Tensor:
    """Return the sum over classes of f_k * IoU_k: the class's fraction of the true pixels, times intersection / union.

    Args:
        predictions, labels: (N, H, W) int64. Pixels whose label is ignore_index do not count.

    Returns:
        0-d floating point, over all images together. A class without true pixels adds 0. NaN if no pixel counts.

    Source: Long et al. 2015, section 5.
    """
    ### BEGIN SOLUTION
    matrix = confusion_matrix(predictions, labels, num_classes, ignore_index=ignore_index).float()
    truth = matrix.sum(dim=1)  # (K,)
    union = matrix.sum(dim=0) + truth - matrix.diagonal()
    return (truth * matrix.diagonal() / union.clamp(min=1)).sum() / matrix.sum()
    ### END SOLUTION


@checked
def instance_labels(labels: LabelMaps, *, background: LabelValue = 0, ignore_index: IgnoreIndex = 255) -> Tensor:
    """Return an instance number for each pixel: the connected regions of one class, numbered per image.

    Args:
        labels: (N, H, W) int64. A pixel is connected to the pixels above, below, left and right that have its class;
            not over corners.
        background, ignore_index: pixels with these labels are in no region.

    Returns:
        (N, H, W) int64: 0 outside all regions, else 1, 2, ... in reading order of the regions' first pixels. Touching
        objects of one class become one region, because semantic labels cannot separate them.
    Source: the lecture, "Semantic Segmentation, Instance Segmentation"; Shiloach & Vishkin 1982.
    """
    ### BEGIN SOLUTION
    inside = (labels != background) & (labels != ignore_index)
    place = torch.arange(labels.numel(), device=labels.device).view_as(labels)  # reading order
    right = inside[:, :, 1:] & (labels[:, :, 1:] == labels[:, :, :-1])
    below = inside[:, 1:] & (labels[:, 1:] == labels[:, :-1])
    a = torch.cat([place[:, :, :-1][right], place[:, :-1][below]])  # (E,) neighbours a, b of one class
    b = torch.cat([place[:, :, 1:][right], place[:, 1:][below]])
    root, before = place.flatten(), None
    while before is None or not torch.equal(root, before):
        before, low = root, torch.minimum(root[a], root[b])
        root = root.scatter_reduce(0, torch.cat([root[a], root[b]]), low.repeat(2), "amin")
        root = root[root]  # shortcut: the way to the first pixel halves each time
    first = inside & (root.view_as(labels) == place)
    number = first.flatten(1).cumsum(dim=1).flatten()[root].view_as(labels)
    return number * inside
    ### END SOLUTION
