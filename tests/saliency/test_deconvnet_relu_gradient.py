"""The deconvnet rule for a ReLU: only positive gradients pass, whatever the ReLU's input was."""

import pytest

from assignment2 import saliency


@pytest.mark.points(2, "deconvnet_relu_gradient")
def test_deconvnet_rule_lets_positive_signals_through(check_rule):
    """The deconvnet rule returns upstream where upstream > 0, else 0."""
    check_rule(saliency.deconvnet_relu_gradient, "deconvnet", "upstream where upstream > 0, else 0")
