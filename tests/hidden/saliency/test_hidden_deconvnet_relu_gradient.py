"""Hidden checks of deconvnet_relu_gradient: fresh inputs. Staff only."""

import pytest

from assignment2 import saliency
from coursekit.checks.small_networks import pictures


@pytest.mark.points(1, "deconvnet_relu_gradient")
def test_deconvnet_rule_on_fresh_numbers(expect, formula):
    """The deconvnet rule returns upstream where upstream > 0, else 0, on other numbers."""
    upstream, relu_input = pictures(2, seed=5) - 0.5, pictures(2, seed=6) - 0.5
    expect.reference(saliency.deconvnet_relu_gradient(upstream, relu_input), "rule", formula)
