"""Hidden checks of top_patches: fresh inputs. Staff only."""

import pytest

from assignment2 import saliency


@pytest.fixture(autouse=True)
def right_sibling(monkeypatch):
    """Put a right receptive_field in the module, so that a mistake loses points in one exercise only."""
    # The whole picture: only which images, and how strongly, is compared here.
    monkeypatch.setattr(saliency, "receptive_field", lambda model, layer, unit, image_size: (0, 0, *image_size))


@pytest.mark.points(1, "top_patches")
def test_top_patches_of_fresh_pictures(expect, model, images, formula):
    """The images and their strongest values are right, on other images and another network."""
    result = saliency.top_patches(model, images, "mix", 2, 3)

    expect.reference(result.indices, "indices", formula)
    expect.reference(result.values, "values", formula)
