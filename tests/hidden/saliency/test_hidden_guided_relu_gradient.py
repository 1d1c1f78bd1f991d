"""Hidden checks of guided_relu_gradient: fresh inputs. Staff only."""

import pytest

from assignment2 import saliency
from coursekit.checks.small_networks import pictures


@pytest.mark.points(1, "guided_relu_gradient")
def test_guided_rule_on_fresh_numbers(expect, formula):
    """The guided rule returns upstream where upstream and relu_input are > 0, else 0, on other numbers."""
    upstream, relu_input = pictures(2, seed=7) - 0.5, pictures(2, seed=8) - 0.5
    expect.reference(saliency.guided_relu_gradient(upstream, relu_input), "rule", formula)
