"""Hidden checks of saliency_map: fresh inputs. Staff only."""

import pytest

from assignment2 import saliency


@pytest.mark.points(2, "saliency_map")
def test_saliency_on_fresh_pictures(expect, model, images, formula, labels):
    """The map is |d logit / d pixel|, summed over channels, on other images and another network."""
    expect.reference(saliency.saliency_map(model, images, labels), "four", formula)
    expect.reference(saliency.saliency_map(model, images[2:3], labels[2:3]), "one", formula)
