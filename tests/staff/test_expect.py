"""The fixture that compares: what it refuses, and what it says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.checks.expect import CheckFailed, Expect
from coursekit.checks.laws import assert_same_however_called
from coursekit.checks.stored import Failure, KnownMistake, Store, array_failure, likeliest

RIGHT = torch.arange(12, dtype=torch.float64).view(3, 4)


@pytest.fixture
def compare(tmp_path):
    return Expect("tests/nothing/test_nothing.py::test_it", Store(tmp_path, "nothing"))


@pytest.mark.parametrize(
    ("actual", "sentence"),
    [
        (None, "the result is None: is a return missing?"),
        ([1.0], "the result is a list, expected a torch tensor"),
        (RIGHT.numpy(), "the result is a ndarray, expected a torch tensor"),
        (3.0, "the result is a float, expected a torch tensor"),
        (RIGHT[0], "the result has shape (4,), expected (3, 4)"),
        (RIGHT[None], "the result has shape (1, 3, 4), expected (3, 4)"),
        (torch.tensor(1.0, dtype=torch.float64), "the result has shape (), expected (3, 4)"),
        (RIGHT.float(), "the result has dtype torch.float32, expected torch.float64"),
        (RIGHT.clone().requires_grad_(), "the result is still joined to the autograd graph: detach it"),
        (RIGHT / 0, "the result contains nan at (0, 0), 12 of 12 entries"),
        (RIGHT.where(RIGHT != 5, torch.inf), "the result contains inf at (1, 1), 1 of 12 entries"),
        (RIGHT.where(RIGHT != 5, 5.001), "1 of 12 values are wrong; worst at (1, 1): yours 5.001, expected 5"),
    ],
)
def test_each_kind_of_wrong_result_has_its_own_sentence(compare, actual, sentence):
    with pytest.raises(CheckFailed) as failed:
        compare(actual, RIGHT, "the law")

    assert str(failed.value) == f"{sentence}\n  expected: the law"


def test_a_right_result_passes_and_the_last_digits_do_not_matter(compare):
    compare(RIGHT + 1e-9, RIGHT, "the law")
    compare(RIGHT.clone().requires_grad_(), RIGHT.clone().requires_grad_(), "a differentiable result may carry a graph")
    compare((1, 2), (1, 2), "a tuple")


@pytest.mark.parametrize(("actual", "expected"), [((1, 2), (1, 3)), ([1, 2], (1, 2)), (True, 1), (1, 1.0), ("a", "b")])
def test_numbers_and_tuples_are_compared_with_their_type(compare, actual, expected):
    with pytest.raises(CheckFailed):
        compare(actual, expected, "the law")


def test_an_object_that_equals_everything_is_not_a_tensor(compare):
    class Equal(torch.Tensor):
        def __eq__(self, other):
            return True

        __hash__ = None

    with pytest.raises(CheckFailed, match="expected a plain torch"):
        compare(RIGHT.as_subclass(Equal), RIGHT, "the law")


def test_a_fingerprint_recognises_the_same_array_and_no_other():
    known = array_failure(0, RIGHT.numpy())

    assert known.matches(array_failure(0, RIGHT.numpy() + 1e-12))
    assert not known.matches(array_failure(0, RIGHT.numpy() + 1e-3))
    assert not known.matches(array_failure(1, RIGHT.numpy())), "another comparison of the same check"
    assert not known.matches(array_failure(0, RIGHT.numpy().T)), "another shape"
    assert not known.matches(array_failure(0, RIGHT.numpy()[::-1])), "the same numbers in another order"
    assert not known.matches(Failure(0, "a sentence"))
    assert array_failure(0, np.full(3, np.nan)).matches(array_failure(0, np.full(3, np.nan)))


def test_the_likeliest_mistake_explains_most_and_fails_little_else():
    plain, hooks, other = (
        KnownMistake("f", "plain", "", 5),
        KnownMistake("f", "hooks", "", 2),
        KnownMistake("f", "other", "", 2),
    )

    assert likeliest([[plain], [plain, hooks]]).mistake == plain, "it explains two failed checks"
    assert likeliest([[plain, hooks]]).mistake == hooks, "it fails fewer other checks"
    assert likeliest([[plain], [hooks]]).mistake == plain, "it explains the first failed check"
    assert likeliest([[hooks, other]]).mistake == hooks, "of equals the first"
    assert likeliest([]) is None


def test_a_mistake_is_a_fact_if_it_explains_the_first_failed_check_and_more_agrees_with_it_than_does_not():
    known, single = KnownMistake("f", "known", "", 3), KnownMistake("f", "single", "", 1)

    assert likeliest([[known], [known], [known]]).certain
    assert likeliest([[known], [known], [known], []]).certain, "something else is wrong as well"
    assert not likeliest([[known], [known], []]).certain, "the third check fails otherwise than the mistake fails it"
    assert not likeliest([[known]]).certain, "the mistake fails two more checks"
    assert not likeliest([[], [known], [known], [known]]).certain, "not the first"
    assert not likeliest([[single], []]).certain, "half of them"
    assert likeliest([[], [single]]) is None, "one check alone, and the first that failed is not recognised"
    assert likeliest([[], [known], [known]]).mistake == known
    assert likeliest([[single], []]).mistake == single


def test_a_missing_reference_says_what_to_do(compare):
    with pytest.raises(RuntimeError, match="a2 reference"):
        compare.reference(RIGHT, "place", "the law")


def test_a_result_that_shares_memory_is_found(compare):
    with pytest.raises(AssertionError, match="shares memory with images"):
        compare.new(RIGHT[1:], images=RIGHT)
    compare.new(RIGHT.clone(), images=RIGHT)


def test_a_store_without_files_knows_nothing():
    assert Store(Path("/nowhere"), "x").recognise("a check", Failure(0, "text")) == ()


def test_a_second_result_that_differs_says_that_the_images_now_require_a_gradient(compare):
    def call(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        images.requires_grad_()
        network(images).sum().backward()  # adds to the gradient that the call before left there
        return images.grad.clone()

    images = torch.ones(2, 3, dtype=torch.float64)

    with pytest.raises(CheckFailed, match=r"the second call; images now requires grad: work on images\.detach\(\)"):
        assert_same_however_called(compare, call, nn.Linear(3, 1).double(), images)
