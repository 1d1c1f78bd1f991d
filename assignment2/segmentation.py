"""Part 6, second half. From a classifier to a network that names every pixel.

Long et al. 2015 (FCN), Noh et al. 2015 (DeconvNet), Ronneberger et al. 2015 (U-Net).

images are (N, C, H, W), logits (N, K, H, W), labels and predictions (N, H, W) int64, one class a pixel, all of any
strides; a pixel whose label is ignore_index counts nowhere. The networks take any height and width, odd ones too, and
are tested by their parameters: use the names and shapes that the docstrings give. Torch's layers, pooling and
`F.interpolate` may be used. Nothing given is modified; networks and losses pass gradients on. Bad arguments raise
ValueError before your code.
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
    """Write a linear layer as the convolution whose kernel has the size of the whole map.

    Args:
        linear: reads an (in_channels, h, w) map that torch.flatten made a row of.
        size: (h, w), or one number for both.

    Returns:
        A convolution of stride 1 without padding, whose parameters are copies in linear's dtype and on its device (a bias
        if linear has one): on a map of that size it returns (N, out_features, 1, 1), what the layer returned; on a larger
        one a map.

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
    """Turn a classifier into a network that slides over pictures of any size.

    Args:
        model: with `normalize`, `features` (convolutions, ReLUs, pools) and `classifier` (Flatten, Linear, then ReLU, Dropout
            and Linear), as the zoo's networks; the first Linear reads a square map. An adaptive pooling between the two
            (torchvision's) changes nothing on the training size and is left out. (`linear_head` gives this form to others.)

    Returns:
        A network with copies of the model's layers, dropout too, in its mode: (N, K, h, w), and on the training size
        (N, K, 1, 1), what the classifier returned.

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
    """Score every stage of a classifier's trunk that is wanted, and add the scores from coarse to fine.

    Score the coarsest map. For each skip: resize the running score to the next finer map and add that map's own score. At
    last resize to the images. Each resize is bilinear, align_corners=False.

    Args:
        stages: the trunk, each stage halving its input's size; it is used itself, neither copied nor frozen.
        channels: of each stage's output.
        num_skips: 0, 1 and 2 are the paper's 32s, 16s and 8s on a trunk of five stages.

    Parameters: `stages` (ModuleList), `scores` (ModuleList of num_skips + 1 Conv2d(c, num_classes, 1), finest first).
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
    """Encode by pooling, decode by unpooling with the encoder's own indices: a decoder that mirrors the encoder.

    Encoder: `stem`, ReLU; then at each level i a convolution, ReLU, 2 x 2 max pooling that keeps its indices. Decoder, from
    the coarsest level: unpool with the indices of level i to the size that was pooled there, transposed convolution, ReLU.

    widths: channels of the stem and of each level. tied: the decoder has no parameters, level i uses encoder[i].weight
    itself, without bias (no decoder learning).

    Parameters: `stem` Conv2d(in_channels, widths[0], 3, padding=1); `encoder` (ModuleList), encoder[i]
    Conv2d(widths[i], widths[i + 1], 3, padding=1); `decoder` (ModuleList, coarsest first; None if tied) of
    ConvTranspose2d(widths[i + 1], widths[i], 3, padding=1); `head` Conv2d(widths[0], num_classes, 1).
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
    """Given: U-Net's block, two 3 x 3 convolutions with a ReLU behind each."""
    first = nn.Conv2d(in_channels, channels, 3, padding=padding)
    second = nn.Conv2d(channels, channels, 3, padding=padding)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


class UNet(Network):
    """Contract to the bottom, expand again, and at each level copy the encoder's map over to the decoder.

    Down: `conv_block` (whose output is the skip), then 2 x 2 max pooling; the bottom is one more block. Up, from the coarsest
    level: a 2 x 2 transposed convolution of stride 2, joined with the skip as cat([skip, up]), a block. widths: channels of
    each level, the bottom's last. padding 1 keeps the size: where pooling dropped a row or column, up is zero-padded below
    and on the right to the skip's size, and the logits have the images' size. 0 is the paper's: each block loses 4 pixels,
    the skip is cropped at its centre to the size of up, and the logits are smaller (572 pixels give 388).

    Parameters: `down` (ModuleList of conv_block, finest first), `bottom`; `up` (ModuleList, coarsest first) of
    ConvTranspose2d(widths[i + 1], widths[i], 2, stride=2), `merge` (likewise) of conv_block(2 * widths[i], widths[i]);
    `head` Conv2d(widths[0], num_classes, 1), which makes the logits.
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
    """Build the U-Net that the notebook trains, and load its weights.

    Args:
        path: a .safetensors file with one tensor for each parameter, by its name, in half precision.

    Returns:
        UNet of 3 input channels, UNET_CLASSES classes and UNET_WIDTHS, padding 1, float32, in eval mode. A parameter that is
        missing in the file, or has another shape there, is an error.

    Source: `coursekit.vision` gives UNET_CLASSES and UNET_WIDTHS, safetensors reads the file.
    """
    ### BEGIN SOLUTION
    network = UNet(3, UNET_CLASSES, UNET_WIDTHS)
    network.load_state_dict(load_file(path))  # widens to float32
    return network.eval()
    ### END SOLUTION


@checked
def pixel_cross_entropy(logits: LogitMaps, labels: LabelMaps, *, ignore_index: IgnoreIndex = 255) -> Tensor:
    """Average the cross-entropy over all pixels of the batch that are not ignored.

    Args:
        logits: (N, K, H, W), of any size, thousands too.
        labels: (N, H, W) in 0..K-1, or ignore_index.

    Returns:
        0-d, differentiable; 0 with zero gradient if every pixel is ignored.

    Source: Long et al. 2015, section 3.4 (there summed, not averaged).
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
    """Count the pixels of each true class that were taken for each class.

    Args:
        predictions, labels: (N, H, W) int64. A pixel whose label is ignore_index (which may be a class, or negative) counts
            nowhere, whatever is predicted there.

    Returns:
        (K, K) int64, entry [truth, prediction], over all images together.

    Source: Long et al. 2015, section 5 (there n_ij).
    """
    ### BEGIN SOLUTION
    counted = labels != ignore_index
    pairs = (labels * num_classes + predictions).masked_select(counted)
    return torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes)
    ### END SOLUTION


@checked
def pixel_accuracy(predictions: PredictedMaps, labels: LabelMaps, *, ignore_index: IgnoreIndex = 255) -> Tensor:
    """Return the share of pixels that are right.

    Args:
        predictions, labels: (N, H, W) int64; pixels whose label is ignore_index do not count.

    Returns:
        0-d floating point, over all images together; NaN if no pixel counts.

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
    """Average over the classes the intersection of prediction and truth, divided by their union.

    Args:
        predictions, labels: (N, H, W) int64; pixels whose label is ignore_index do not count.

    Returns:
        0-d floating point, all images pooled. A class that is neither there nor predicted is left out; one that is only
        predicted counts with 0. NaN if no pixel counts.

    Source: Long et al. 2015, section 5.
    """
    ### BEGIN SOLUTION
    counted = labels != ignore_index
    pairs = num_classes * labels[counted] + predictions[counted]
    matrix = pairs.bincount(minlength=num_classes**2).view(num_classes, num_classes).float()  # (truth, prediction)
    union = matrix.sum(dim=0) + matrix.sum(dim=1) - matrix.diagonal()  # (K,)
    return (matrix.diagonal() / union)[union > 0].mean()
    ### END SOLUTION


@checked
def dice(
    predictions: PredictedMaps, labels: LabelMaps, num_classes: NumClasses, *, ignore_index: IgnoreIndex = 255
) -> Tensor:
    """Average over the classes twice the intersection, divided by the sizes of prediction and truth together.

    Args:
        predictions, labels: (N, H, W) int64; pixels whose label is ignore_index do not count.

    Returns:
        0-d floating point, all images pooled; classes are left out or count with 0 as in `mean_iou`; NaN if no pixel counts.

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
    """Average the classes' intersection over union, each weighted by its share of the true pixels.

    Args:
        predictions, labels: (N, H, W) int64; pixels whose label is ignore_index do not count.

    Returns:
        0-d floating point, all images pooled; NaN if no pixel counts.

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
    """Number the connected regions of each picture: from a class for each pixel to an instance for each pixel.

    Args:
        labels: (N, H, W) int64. A region is of one class, and connected over the four sides of its pixels.
        background, ignore_index: pixels of these labels are in no region.

    Returns:
        (N, H, W) int64: 0 outside; the regions of each picture are 1, 2, ... in reading order of their first pixels.
        Touching objects of one class become one region: semantic labels cannot tell them apart.

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
