"""What a failing check is recognised by: the same at home, in the staff's trials, and in every version of Python."""

import re

import pytest

from coursekit.grading.failures import LEFT_IN_TRAIN_MODE, OUT_OF_TIME, failure_of, message_of
from coursekit.parts import part_of
from coursekit.staff.edits import Edit
from coursekit.staff.trials import run_trials


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ZeroDivisionError("float division by zero"), ZeroDivisionError("division by zero")),
        (
            UnboundLocalError("local variable 'x' referenced before assignment"),
            UnboundLocalError("cannot access local variable 'x' where it is not associated with a value"),
        ),
        (TypeError("fgsm() got an unexpected 'a'"), TypeError("assignment2.fgsm() got an unexpected 'a'")),
    ],
)
def test_an_error_is_the_same_in_the_words_of_another_version(one, other):
    assert failure_of(one, 3) == failure_of(other, 3)


def test_errors_about_different_things_differ():
    words = "'NoneType' object has no attribute"

    assert failure_of(AttributeError(f"{words} 'abs'"), 0) != failure_of(AttributeError(f"{words} 'sum'"), 0)
    assert failure_of(IndexError("list index out of range"), 0) != failure_of(KeyError("list index out of range"), 0)


@pytest.mark.sampled(2)
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seconds", ["0.5", "1"])
def test_a_hanging_mistake_fails_in_the_trials_as_it_does_at_home(monkeypatch, seconds):
    monkeypatch.setenv("PYTEST_TIMEOUT", seconds)
    hanging = Edit("linear_shift", "hangs", body="while True:\n    pass")

    (trial,) = run_trials([(hanging,)], [part_of("linear_shift")]).trials

    assert {o.outcome for o in trial.outcomes} == {"timeout"}
    assert {o.message for o in trial.outcomes} == {
        f"stopped after {float(seconds):g} seconds: is there an endless loop?"
    }
    assert {o.failure.text for o in trial.outcomes} == {OUT_OF_TIME}


def test_a_network_that_an_earlier_call_left_in_train_mode_is_the_functions_fault():
    left = Edit("style_transfer", "left", replace=(("starts = content", "model.train()\n    starts = content"),))

    (trial,) = run_trials([(left,)], [part_of("style_transfer")]).trials

    failed = {o.check.split("::")[1]: o.message for o in trial.outcomes if o.outcome != "passed"}
    told = "the train/eval mode of model was switched"
    assert failed == {"test_style_transfer_leaves_no_trace_and_repeats": told}, "one mistake is said once"
    error = ValueError("model is in train mode (the network): call model.eval() first")
    assert message_of(error) == LEFT_IN_TRAIN_MODE


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("function", "body"),
    [
        ("pgd", "return images.detach().clone()"),
        ("noisy_predict", "return model(images).softmax(dim=1).detach()"),
        ("fooling_image", "model(image[None])\nreturn image.detach().clone()"),
        ("class_visualization", "return torch.full((3, *image_size), 0.5, dtype=torch.float64)"),
        ("style_transfer", "return content.detach().clone()"),
        ("estimate_gradient", "return torch.zeros_like(images)"),
    ],
)
def test_a_check_says_what_it_misses_where_the_network_is_not_asked(function, body):
    (trial,) = run_trials([(Edit(function, "asks nobody", body=body),)], [part_of(function)]).trials

    messages = [o.message for o in trial.outcomes if o.outcome != "passed"]
    assert messages
    assert not [message for message in messages if re.match(r"\w+Error", message)]
