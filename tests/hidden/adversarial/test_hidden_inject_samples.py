"""Hidden checks of inject_samples: fresh inputs. Staff only."""

import pytest

from assignment2 import adversarial


@pytest.mark.points(1, "inject_samples")
def test_injecting_fresh_samples(expect, images, labels):
    """The originals come first, then the new samples, for other images."""
    both, both_labels = adversarial.inject_samples(images[:1], labels[:1], images[1:], labels[1:])
    expect(both, images, "the originals first")
    expect(both_labels, labels, "the originals first")
