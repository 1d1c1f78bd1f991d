"""The largest change of a linear score under a change of size eps in every entry."""

import pytest
import torch

from assignment2 import adversarial
from coursekit.checks.small_networks import SIZE, numbers


@pytest.mark.points(1, "linear_shift")
def test_linear_shift_is_what_the_worst_change_does_to_the_score(expect):
    """The result is the largest w . d over all d with |d| <= eps in every entry, 0-d."""
    weight = numbers(3, *SIZE, seed=4)

    result = adversarial.linear_shift(weight, 0.05)

    worst = torch.where(weight > 0, 0.05, -0.05).double()
    expect(result, (weight * worst).sum(), "the largest w . d over all d of size eps, a 0-d tensor")


@pytest.mark.points(1, "linear_shift")
def test_linear_shift_grows_with_the_number_of_pixels_and_with_eps(expect):
    """The result is proportional to eps, and six copies of the weights give six times as much."""
    weight = numbers(5, 7, seed=5).requires_grad_()

    with expect.unchanged(weight=weight):
        once = adversarial.linear_shift(weight, 0.5)

    expect(once, once.detach().clone(), "a detached 0-d tensor")
    expect(adversarial.linear_shift(weight.repeat(3, 2), 0.5), 6 * once, "six times the pixels, six times the shift")
    expect(adversarial.linear_shift(weight, 0.1), 0.2 * once, "a fifth of eps, a fifth of the shift")
    expect(adversarial.linear_shift(weight.mT, 0.5), once, "the same shift for weights of any strides")
    expect(
        adversarial.linear_shift(torch.tensor(-3.0).double(), 0.5), torch.tensor(1.5).double(), "eps |w| for one weight"
    )
