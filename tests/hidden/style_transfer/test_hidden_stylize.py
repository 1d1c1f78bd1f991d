"""Hidden checks of stylize: fresh inputs. Staff only."""

import pytest
import torch

from assignment2 import style_transfer as part5
from coursekit.checks.small_networks import pictures


@pytest.mark.points(1, "stylize")
def test_stylize_draws_from_the_generator():
    """Half of the images are repainted, chosen by the generator's seed; the labels stay."""
    images, labels = pictures(8, seed=74, size=(4, 5)), torch.arange(8)
    styles = [pictures(1, seed=s)[0] for s in range(4)]

    def make(seed):
        generator = torch.Generator().manual_seed(seed)
        return part5.stylize(images, labels, styles, lambda x, s: (x + s.mean()) / 2, fraction=0.5, generator=generator)

    assert torch.equal(make(1)[0], make(1)[0]), "the same seed gives other pictures"
    assert not torch.equal(make(1)[0], make(2)[0]), "another seed gives the same pictures"
    assert all(torch.equal(make(seed)[1], labels) for seed in range(3)), "the labels changed"
    assert all(int((make(s)[0] != images).flatten(1).any(1).sum()) == 4 for s in range(3)), "half of eight is four"
