"""When an attack counts as a success, for each of the four goals."""

import pytest
import torch

from assignment2 import adversarial

CLEAN = torch.tensor(
    [[4.0, 1, 0, 0], [0, 3, 1, 0], [0, 1, 5, 0], [3, 0, 0, 1], [2, 0, 1, 0], [0, 1, 0, 6], [1, 0, 4, 0]],
    dtype=torch.float64,
)


ATTACKED = torch.tensor(
    [[1.0, 4, 0, 0], [0, 2, -4, -4], [0, 6, 1, 1], [0, 6, 0, 1], [6, 5.9, 0, 0], [0, 1, 0, 6], [0, 0, 2, 2.5]],
    dtype=torch.float64,
)


TRUE = torch.tensor([0, 1, 2, 3, 0, 3, 2])  # the fourth is wrong on the clean picture already


def check_goal(expect, goal, plain, after_clean, formula, **options):
    logits, labels, clean = ATTACKED.clone(), TRUE.clone(), CLEAN.clone()
    with expect.unchanged(logits=logits, labels=labels, clean=clean):
        if plain is not None:
            result = adversarial.attack_success(logits, labels, goal, **options)
            expect(result, torch.tensor(plain).bool(), formula)
        result = adversarial.attack_success(logits, labels, goal, clean_logits=clean, **options)
    expect(result, torch.tensor(after_clean).bool(), f"{formula}; never where the clean picture was wrong already")
    one = adversarial.attack_success(logits[2:3], labels[2:3], goal, clean_logits=clean[2:3], **options)
    expect(one, torch.tensor(after_clean[2:3]).bool(), "one image gives (1,)")


@pytest.mark.points(1, "attack_success")
def test_misclassification_is_any_class_but_the_label(expect):
    """Goal "misclassification": the largest logit is not the label's."""
    check_goal(
        expect,
        "misclassification",
        [1, 0, 1, 1, 0, 0, 1],
        [1, 0, 1, 0, 0, 0, 1],
        "the largest logit is not the label's",
        target=1,  # of other goals
        source=0,
    )
    close = torch.tensor([[1.0, 1 + 1e-9, 0], [1 + 1e-9, 1, 0]], dtype=torch.float64)
    for goal, options in ("misclassification", {}), ("targeted", {"target": 1}):
        result = adversarial.attack_success(close, torch.tensor([0, 0]), goal, **options)
        expect(result, torch.tensor([True, False]), f"{goal}: the largest logit, by however little")


@pytest.mark.points(1, "attack_success")
def test_confidence_reduction_compares_probabilities_of_the_label(expect):
    # The second's logit falls but its probability rises, the fifth's the other way round; the sixth's stays.
    """Goal "confidence_reduction": the label's probability is lower than on the clean image."""
    formula = "the label's probability is lower than on the clean picture"
    check_goal(expect, "confidence_reduction", None, [1, 0, 1, 0, 1, 0, 1], formula, target=1)
    clean = torch.tensor([[2.0, 0], [2, 0]], dtype=torch.float64)
    less = clean - torch.tensor([[1e-9, 0], [-1e-9, 0]], dtype=torch.float64)
    result = adversarial.attack_success(less, torch.tensor([0, 0]), "confidence_reduction", clean_logits=clean)
    expect(result, torch.tensor([True, False]), f"{formula}, by however little")


@pytest.mark.points(1, "attack_success")
def test_a_targeted_attack_succeeds_where_another_class_became_the_target(expect):
    """Goal "targeted": the largest logit is the target's, and the target is not the label."""
    formula = "the largest logit is the target's, which is not the label"
    check_goal(expect, "targeted", [1, 0, 1, 1, 0, 0, 0], [1, 0, 1, 0, 0, 0, 0], formula, target=1)
    check_goal(expect, "targeted", [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 1], formula, target=3)
    two, first = torch.tensor([[2.0, 1], [1, 2]]).double(), torch.tensor([1, 1])
    result = adversarial.attack_success(two, first, "targeted", target=0)
    expect(result, torch.tensor([True, False]), f"{formula}; class 0 is a class like any other")


@pytest.mark.points(1, "attack_success")
def test_source_to_target_counts_pictures_of_the_source_alone(expect):
    """Goal "source_to_target": as "targeted", and only for images whose label is source."""
    formula = "the target's logit is the largest, the target is not the label, and the label is the source"
    check_goal(expect, "source_to_target", [0, 0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0], formula, source=2, target=1)
    check_goal(expect, "source_to_target", [0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0], formula, source=3, target=1)
    check_goal(expect, "source_to_target", [0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0], formula, source=3, target=3)
    check_goal(expect, "source_to_target", [1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0], formula, source=0, target=1)
    logits, clean = torch.tensor([[0.0, 0, 5]]).double(), torch.tensor([[0.0, 5, 0]]).double()
    options = {"source": 1, "target": 2, "clean_logits": clean}
    result = adversarial.attack_success(logits, torch.tensor([0]), "source_to_target", **options)
    expect(result, torch.tensor([False]), "source is compared with the label, not with the clean prediction")
