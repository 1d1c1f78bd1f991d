"""Hidden checks of attack_success: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.small_networks import numbers


@pytest.mark.points(1, "attack_success")
def test_success_on_fresh_logits(expect, formula):
    """All four goals are judged rightly on 40 other images."""
    logits, clean, labels = numbers(40, 4, seed=1), 2 * numbers(40, 4, seed=2), torch.arange(40) % 4
    for goal in ("confidence_reduction", "misclassification", "targeted", "source_to_target"):
        result = adversarial.attack_success(logits, labels, goal, target=2, source=1, clean_logits=clean)
        expect.reference(result, goal, formula)
