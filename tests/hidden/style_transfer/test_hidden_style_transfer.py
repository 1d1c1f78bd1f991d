"""Hidden checks of style_transfer: fresh inputs. Staff only."""

import pytest
import torch
from torch import nn

from assignment2 import style_transfer as part5
from coursekit.checks.small_networks import pictures, seeded


class Smooth(nn.Module):
    """A network without kinks, so that a descent is the same to the last digits on every machine."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 5, 3, padding=1)
        self.mix = nn.Conv2d(5, 4, 3, stride=2, padding=1)

    def forward(self, images):
        return torch.tanh(self.mix(torch.tanh(self.stem(images - 0.5))))


pytestmark = pytest.mark.usefixtures("right_losses")


@pytest.mark.points(3, "style_transfer")
def test_style_transfer_of_a_fresh_picture(expect, formula):
    """Five Adam steps on the whole loss, on other pictures and another network."""
    content, style = pictures(2, seed=72, size=(8, 11)), pictures(1, seed=73, size=(7, 5))
    settings = {"content_layers": ["mix"], "content_weights": [0.4], "style_layers": ["stem", "mix"]}
    model = seeded(Smooth(), seed=34)

    result = part5.style_transfer(
        model, content, style, style_weights=[30.0, 80.0], optimizer="adam", step_size=0.03, num_steps=5, **settings
    )

    expect.reference(result, "after five steps", formula)
