"""Part 6 against the field's libraries; each known disagreement is asserted with its reason."""

import pytest
import torch
import torch.nn.functional as F
import torchmetrics.functional.classification as tm
import torchmetrics.functional.segmentation as tms
from segmentation_models_pytorch import metrics as smp
from segmentation_models_pytorch.losses import SoftCrossEntropyLoss
from skimage.measure import label as regions
from sklearn.metrics import confusion_matrix as sklearn_matrix
from sklearn.metrics import f1_score, jaccard_score

from assignment2 import segmentation, upsampling
from coursekit.checks.small_networks import numbers

CLASSES = 5
EXACT = {"rtol": 1e-6, "atol": 1e-7}  # torchmetrics and smp count in float32


def masks(seed, num_images=3, *, ignored=True):
    drawn = (numbers(2, num_images, 13, 9, seed=seed).abs() * 500).long()
    labels = drawn[0] % CLASSES
    predictions = torch.where(drawn[1] % 3 == 0, drawn[1] // 3 % CLASSES, labels)
    return predictions, torch.where(drawn[0] % 11 == 0, 255, labels) if ignored else labels


@pytest.mark.parametrize(("k", "stride"), [(2, 2), (3, 2), (4, 3)])
def test_pooling_is_torchs(k, stride):
    x = numbers(2, 3, 11, 14, seed=1)

    ours = upsampling.max_pool(x, k, stride)

    for mine, theirs in zip(ours, F.max_pool2d(x, k, stride, return_indices=True), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)


def test_unpooling_is_torchs_where_windows_do_not_overlap():
    x = numbers(2, 3, 8, 12, seed=2)
    pooled, indices = F.max_pool2d(x, 2, return_indices=True)

    ours = upsampling.max_unpool(pooled, indices, (8, 12))

    torch.testing.assert_close(ours, F.max_unpool2d(pooled, indices, 2), rtol=0, atol=0)


def test_torch_overwrites_where_two_windows_chose_one_pixel_and_we_add():
    """A known disagreement: the lecture sums contributions, torch's result there is one of them."""
    values, indices = torch.tensor([[[[300.0, 450.0], [100.0, 250.0]]]]), torch.tensor([[[[1, 1], [3, 5]]]])

    ours = upsampling.max_unpool(values, indices, (3, 3))
    theirs = F.max_unpool2d(values, indices, 2, 1, output_size=(3, 3))

    assert ours[0, 0, 0, 1] == 750
    assert theirs[0, 0, 0, 1] in (300, 450)
    torch.testing.assert_close(ours.flatten()[2:], theirs.flatten()[2:])


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 2)])
def test_stamping_is_torchs_with_both_gradients(stride, padding):
    x, weight = numbers(2, 3, 5, 7, seed=3).requires_grad_(), numbers(3, 4, 5, 6, seed=4).requires_grad_()

    ours = upsampling.transposed_conv2d(x, weight, stride=stride, padding=padding)
    theirs = F.conv_transpose2d(x, weight, stride=stride, padding=padding)

    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    upstream = numbers(*ours.shape, seed=5)
    mine, other = (torch.autograd.grad(out, (x, weight), upstream) for out in (ours, theirs))
    torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-11)


def test_the_loss_is_torchs_and_smps_where_a_pixel_counts():
    logits, labels = numbers(3, CLASSES, 13, 9, seed=6), masks(7)[1]

    ours = segmentation.pixel_cross_entropy(logits, labels)

    torch.testing.assert_close(ours, F.cross_entropy(logits, labels, ignore_index=255), rtol=1e-12, atol=0)
    smp_mean = SoftCrossEntropyLoss(smooth_factor=0.0, ignore_index=255)(logits, labels)
    # A known disagreement: smp divides by all pixels, the ignored ones too.
    counted = (labels != 255).double().mean()
    torch.testing.assert_close(ours * counted, smp_mean, rtol=1e-10, atol=0)


def test_torch_gives_nan_where_every_pixel_is_ignored_and_we_give_zero():
    """A known disagreement: a batch without labels is to teach nothing, not to destroy the weights."""
    logits, labels = numbers(1, 3, 4, 5, seed=8), torch.full((1, 4, 5), 255)

    assert segmentation.pixel_cross_entropy(logits, labels) == 0
    assert F.cross_entropy(logits, labels, ignore_index=255).isnan()


@pytest.mark.parametrize("seed", range(3))
def test_the_matrix_is_sklearns_and_torchmetrics(seed):
    predictions, labels = masks(10 + seed)
    counted = labels != 255

    ours = segmentation.confusion_matrix(predictions, labels, CLASSES)

    theirs = sklearn_matrix(labels[counted], predictions[counted], labels=range(CLASSES))
    assert torch.equal(ours, torch.from_numpy(theirs))
    assert torch.equal(ours, tm.multiclass_confusion_matrix(predictions, labels, CLASSES, ignore_index=255))


@pytest.mark.parametrize("seed", range(3))
def test_accuracy_iou_and_dice_are_sklearns_and_torchmetrics_where_every_class_is_there(seed):
    predictions, labels = masks(20 + seed)
    counted = labels != 255
    p, y = predictions[counted], labels[counted]

    accuracy = segmentation.pixel_accuracy(predictions, labels)
    iou = segmentation.mean_iou(predictions, labels, CLASSES)
    dice = segmentation.dice(predictions, labels, CLASSES)
    weighted = segmentation.frequency_weighted_iou(predictions, labels, CLASSES)

    theirs = tm.multiclass_accuracy(predictions, labels, CLASSES, average="micro", ignore_index=255)
    torch.testing.assert_close(accuracy.float(), theirs, **EXACT)
    torch.testing.assert_close(
        iou.float(), tm.multiclass_jaccard_index(predictions, labels, CLASSES, ignore_index=255), **EXACT
    )
    assert iou.item() == pytest.approx(jaccard_score(y, p, average="macro"), abs=1e-6)
    assert dice.item() == pytest.approx(f1_score(y, p, average="macro"), abs=1e-6)
    assert weighted.item() == pytest.approx(jaccard_score(y, p, average="weighted"), abs=1e-6)
    theirs = tm.multiclass_jaccard_index(predictions, labels, CLASSES, average="weighted", ignore_index=255)
    torch.testing.assert_close(weighted.float(), theirs, **EXACT)


def test_smp_agrees_on_the_pooled_scores():
    predictions, labels = masks(30, ignored=False)

    counts = smp.get_stats(predictions, labels, mode="multiclass", num_classes=CLASSES)
    counts = [c.sum(dim=0, keepdim=True) for c in counts]  # pooled over the images, as we do

    ours = segmentation.mean_iou(predictions, labels, CLASSES)
    torch.testing.assert_close(ours.float(), smp.iou_score(*counts, reduction="macro"), **EXACT)
    torch.testing.assert_close(
        segmentation.dice(predictions, labels, CLASSES).float(), smp.f1_score(*counts, reduction="macro"), **EXACT
    )


def test_smp_gives_a_class_that_nobody_has_seen_full_marks_and_we_leave_it_out():
    """A known disagreement: smp's zero_division is 1.0, so each class that is absent raises its mean."""
    predictions, labels = masks(31, ignored=False)
    counts = smp.get_stats(predictions, labels, mode="multiclass", num_classes=CLASSES + 3)
    counts = [c.sum(dim=0, keepdim=True) for c in counts]

    ours = segmentation.mean_iou(predictions, labels, CLASSES + 3).item()

    theirs = smp.iou_score(*counts, reduction="macro").item()
    assert theirs == pytest.approx((CLASSES * ours + 3) / (CLASSES + 3), abs=1e-6)


def test_torchmetrics_segmentation_averages_over_images_and_we_pool_them():
    """A known disagreement: its mean IoU is one score an image; ours is one for the whole set, as in the FCN paper."""
    predictions, labels = masks(32, ignored=False)

    theirs = tms.mean_iou(predictions, labels, CLASSES, input_format="index")

    ours = torch.stack([segmentation.mean_iou(predictions[i : i + 1], labels[i : i + 1], CLASSES) for i in range(3)])
    torch.testing.assert_close(ours.float(), theirs.flatten().float(), **EXACT)
    assert abs(theirs.mean() - segmentation.mean_iou(predictions, labels, CLASSES)) > 1e-4


def test_sklearn_counts_a_class_that_is_only_predicted_with_0_as_we_do():
    predictions = torch.tensor([[[0, 0, 1], [2, 1, 1]]])
    labels = torch.tensor([[[0, 0, 1], [1, 1, 1]]])

    ours = segmentation.mean_iou(predictions, labels, 4).item()

    assert ours == pytest.approx((1 + 3 / 4 + 0) / 3)
    assert ours == pytest.approx(jaccard_score(labels.flatten(), predictions.flatten(), average="macro"))


@pytest.mark.parametrize("seed", range(3))
def test_regions_are_scikit_images(seed):
    labels = (numbers(2, 40, 57, seed=40 + seed).abs() * 100).long() % 3

    ours = segmentation.instance_labels(labels)

    theirs = torch.stack([torch.from_numpy(regions(x.numpy(), background=0, connectivity=1)) for x in labels])
    assert torch.equal(ours, theirs.long())
