"""Hidden checks of gram_matrix: fresh inputs. Staff only."""

import pytest

from assignment2 import style_transfer as part5


@pytest.mark.points(2, "gram_matrix")
def test_gram_matrix_of_fresh_features(expect, features, formula):
    """The Gram matrices of other features, normalised and not normalised."""
    for i, maps in enumerate(features):
        expect.reference(part5.gram_matrix(maps).detach(), f"normalised {i}", formula)
        expect.reference(part5.gram_matrix(maps, normalize=False).detach(), f"summed {i}", formula)
