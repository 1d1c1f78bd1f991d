"""The confusion matrix: true classes in rows, predicted classes in columns."""

import pytest
import torch

from assignment2 import segmentation
from coursekit.checks.laws import ANY_STRIDES, strided

MATRIX = torch.tensor([[4, 2, 0, 0], [0, 2, 1, 0], [1, 0, 2, 1], [0, 0, 0, 0]])  # class 3 is only predicted


@pytest.mark.points(1, "confusion_matrix")
def test_the_matrix_counts_truth_in_rows_and_predictions_in_columns(expect, truth, guess, maps):
    """Entry [true class, predicted class] counts the pixels of all images."""
    result = segmentation.confusion_matrix(guess, truth, 4)

    expect(result, MATRIX, "entry [truth, prediction], a pixel with label 255 in none")
    predictions, labels = maps(3, 5, seed=51)
    result = segmentation.confusion_matrix(predictions, labels, 5)
    expect.reference(
        result, "three", "the pixels of each true class that were taken for each class, all images together"
    )
    many = segmentation.confusion_matrix(guess.repeat(1, 120, 100), truth.repeat(1, 120, 100), 4)
    expect(many, 12_000 * MATRIX, "counts of tens of thousands are counts")
    one = segmentation.confusion_matrix(predictions[:1], labels[:1], 7)
    expect.reference(one, "one", "(K, K) also where some classes do not occur")


@pytest.mark.points(1, "confusion_matrix")
def test_a_pixel_is_ignored_by_its_label_alone(expect, truth, guess):
    """A pixel does not count if its label is ignore_index, whatever its prediction."""
    predictions, labels = guess.clone(), truth.clone()
    predictions[truth == 255] = 255

    expect(
        segmentation.confusion_matrix(predictions, labels, 4), MATRIX, "whatever is predicted where labels are ignored"
    )
    labels[truth == 255] = -1
    expect(segmentation.confusion_matrix(guess, labels, 4, ignore_index=-1), MATRIX, "a negative ignore_index")
    class_zero = segmentation.confusion_matrix(guess, truth.clamp(max=3), 4, ignore_index=0)
    right = torch.tensor([[0, 0, 0, 0], [0, 2, 1, 0], [1, 0, 2, 1], [1, 1, 0, 1]])
    expect(class_zero, right, "ignore_index may be a class: its pixels count nowhere, its column stays")
    nothing = segmentation.confusion_matrix(guess, torch.full_like(truth, 255), 4)
    expect(nothing, torch.zeros(4, 4, dtype=torch.int64), "every pixel ignored: zeros")


@pytest.mark.points(1, "confusion_matrix")
def test_counting_leaves_the_maps_alone(expect, truth, guess):
    """The predictions and the labels are unchanged, and a second call returns the same."""
    predictions, labels = guess.clone(), truth.clone()
    with expect.unchanged(predictions=predictions, labels=labels):
        result = segmentation.confusion_matrix(predictions, labels, 4)
    expect.new(result, predictions=predictions, labels=labels)
    expect(segmentation.confusion_matrix(predictions, labels, 4), result, "the same result at the second call")
    expect(segmentation.confusion_matrix(strided(predictions), strided(labels), 4), result, ANY_STRIDES)
    assert result.shape == (4, 4), f"the table has shape {tuple(result.shape)}, expected (4, 4)"
