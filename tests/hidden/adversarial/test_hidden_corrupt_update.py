"""Hidden checks of corrupt_update: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial


@pytest.mark.points(1, "corrupt_update")
def test_corrupting_fresh_gradients(expect, images):
    """Each result is scale * gradient, for other gradients."""
    for mine, image in zip(adversarial.corrupt_update(list(images), scale=0.25), images, strict=True):
        expect(mine, image / 4, "scale * gradient")
