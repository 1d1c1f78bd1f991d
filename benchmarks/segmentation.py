"""Part 6: operators against torch's, scores against torchmetrics and segmentation-models-pytorch (smp), one pass against windows.

The scores agree to the last digits (tests/staff/test_segmentation_peers.py), all pooled over the batch. torchmetrics looks at
its arguments unless told not to, as ours do; smp does not. smp has no U-Net of Ronneberger's drawing: what can be compared is a
decoder of its kind on our encoder with the same widths and no norm. Its enlarges by copying pixels and convolves what comes out;
ours is the paper's 2 x 2 up-convolution: the multiplications of both stand in the row. There is no Dice loss in part 6, and so
none is compared.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
import torchmetrics.functional.classification as tm
from alternating import HEAD, compare
from segmentation_models_pytorch import metrics as smp
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder
from segmentation_models_pytorch.losses import SoftCrossEntropyLoss
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from assignment2 import segmentation, upsampling
from coursekit.vision import UNET_CLASSES, UNET_WIDTHS, load_model, make_scenes

CLASSES, IGNORED = UNET_CLASSES, 255


def main() -> None:
    """Print a row for each function."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(HEAD)
    with torch.no_grad():
        operators()
        scores()
        windows()
    losses()
    unets()


def operators() -> None:
    """Print the rows of the operators, on 64 x 64 x 16."""
    x, weight = torch.randn(1, 16, 64, 64), torch.randn(16, 16, 3, 3)
    pooled, indices = F.max_pool2d(x, 2, return_indices=True)
    compare(
        "`max_pool`, 2 x 2",
        lambda: upsampling.max_pool(x, 2, 2),
        "torch",
        lambda: F.max_pool2d(x, 2, return_indices=True),
    )
    compare(
        "`max_unpool`",
        lambda: upsampling.max_unpool(pooled, indices, (64, 64)),
        "torch",
        lambda: F.max_unpool2d(pooled, indices, 2),
    )
    for stride, padding in ((1, 0), (2, 1)):
        compare(
            f"`transposed_conv2d`, 3 x 3, stride {stride}",
            lambda: upsampling.transposed_conv2d(x, weight, stride=stride, padding=padding),  # noqa: B023
            "torch",
            lambda: F.conv_transpose2d(x, weight, stride=stride, padding=padding),  # noqa: B023
        )


def scores() -> None:
    """Print the rows of the scores: 8 masks of 256 x 256, of which a tenth of the pixels is ignored."""
    truth = torch.randint(CLASSES, (8, 256, 256))
    predictions = torch.where(torch.rand(truth.shape) < 0.3, torch.randint(CLASSES, truth.shape), truth)
    labels = torch.where(torch.rand(truth.shape) < 0.1, IGNORED, truth)
    given, task = (predictions, labels, CLASSES), {"ignore_index": IGNORED}
    for what, ours, theirs in (
        ("`confusion_matrix`", segmentation.confusion_matrix, tm.multiclass_confusion_matrix),
        ("`mean_iou`", segmentation.mean_iou, tm.multiclass_jaccard_index),
        ("`dice`", segmentation.dice, tm.multiclass_f1_score),
    ):
        for name, look in (("torchmetrics", True), ("torchmetrics, `validate_args=False`", False)):
            compare(
                what,
                lambda run=ours: run(*given, **task),
                name,
                lambda run=theirs, look=look: run(*given, **task, validate_args=look),
            )
    for what, ours, theirs in (
        ("`mean_iou`", segmentation.mean_iou, smp.iou_score),
        ("`dice`", segmentation.dice, smp.f1_score),
    ):
        compare(what, lambda run=ours: run(*given, **task), "smp", lambda run=theirs: pooled(run, predictions, labels))


def pooled(score: object, predictions: Tensor, labels: Tensor) -> Tensor:
    """Return a score of smp over all images together."""
    counts = smp.get_stats(predictions, labels, mode="multiclass", num_classes=CLASSES, ignore_index=IGNORED)
    return score(*(count.sum(dim=0, keepdim=True) for count in counts), reduction="macro")  # type: ignore[operator]


def windows() -> None:
    """Print the row of the classifier that slides."""
    model = load_model("tiny_vgg")
    slides, scene = segmentation.convolutionalize(model), make_scenes(1, seed=5, num_objects=4, size=(288, 384)).images
    parts = scene[0].unfold(1, 96, 16).unfold(2, 96, 16).permute(1, 2, 0, 3, 4).flatten(0, 1)
    compare(
        "`convolutionalize`d tiny_vgg, 288 x 384",
        lambda: slides(scene),
        f"{len(parts)} windows",
        lambda: [model(part) for part in parts.split(32)],
        5,
    )


def losses() -> None:
    """Print the rows of the loss with its slope: 4 x 128 x 128."""
    logits = torch.randn(4, CLASSES, 128, 128, requires_grad=True)
    labels = torch.where(torch.rand(4, 128, 128) < 0.1, IGNORED, torch.randint(CLASSES, (4, 128, 128)))
    soft = SoftCrossEntropyLoss(smooth_factor=0.0, ignore_index=IGNORED)
    for name, peer in (("torch", lambda x, y: F.cross_entropy(x, y, ignore_index=IGNORED)), ("smp", soft)):
        compare(
            "`pixel_cross_entropy` and its slope",
            lambda: torch.autograd.grad(segmentation.pixel_cross_entropy(logits, labels), logits),
            name,
            lambda peer=peer: torch.autograd.grad(peer(logits, labels), logits),
        )


class OtherDecoder(nn.Module):
    """Our encoder with smp's decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = segmentation.UNet(3, CLASSES, UNET_WIDTHS)
        del self.encoder.up, self.encoder.merge
        narrower = UNET_WIDTHS[-2::-1]
        self.decoder = UnetDecoder((3, *UNET_WIDTHS), narrower, len(narrower), use_norm=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K, H, W)."""
        maps = [images]
        x = images
        for block in self.encoder.down:
            maps.append(block(x))
            x = F.max_pool2d(maps[-1], 2)
        maps.append(self.encoder.bottom(x))
        return self.encoder.head(self.decoder(maps))


def unets() -> None:
    """Print the row of a step of training, without the optimiser."""
    ours, theirs, images = segmentation.UNet(3, CLASSES, UNET_WIDTHS), OtherDecoder(), torch.rand(4, 3, 96, 96)

    def step(network: nn.Module) -> None:
        torch.autograd.grad(network(images).sum(), list(network.parameters()))

    def multiplications(network: nn.Module) -> float:
        with FlopCounterMode(display=False) as counter:
            step(network)
        return counter.get_total_flops() / 2e9

    amounts = [f"{multiplications(network):.2f} G multiplications" for network in (ours, theirs)]
    name = f"`UNet` forward and backward, 4 x 96 x 96 ({amounts[0]})"
    compare(name, lambda: step(ours), f"smp's decoder ({amounts[1]})", lambda: step(theirs), 7)


if __name__ == "__main__":
    main()
