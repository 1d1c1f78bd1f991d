"""Hidden checks of instance_labels: fresh inputs. Staff only."""

import pytest

from assignment2 import segmentation


@pytest.mark.points(1, "instance_labels")
def test_the_regions_of_fresh_masks(expect, formula, masks):
    """Regions are numbered in reading order, on other maps and with another background."""
    labels = masks(111, num_classes=3)[1]
    expect.reference(segmentation.instance_labels(labels), "three", formula)
    expect.reference(segmentation.instance_labels(labels, background=2, ignore_index=1), "others", formula)
