"""The guided rule for a ReLU: only positive gradients pass, and only at active units."""

import pytest

from assignment2 import saliency


@pytest.mark.points(2, "guided_relu_gradient")
def test_guided_rule_lets_positive_signals_through_active_units(check_rule):
    """The guided rule returns upstream where upstream > 0 and relu_input > 0, else 0."""
    check_rule(saliency.guided_relu_gradient, "guided", "upstream where upstream > 0 and relu_input > 0, else 0")
