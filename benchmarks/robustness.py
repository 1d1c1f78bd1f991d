"""Part 4 against imagecorruptions: the seven on one batch of 96 x 96, all severities, in turns, one thread, ratios of medians.

imagecorruptions 1.1.2 (benchmarks/requirements.txt) does not run on current packages: its import wants
pkg_resources, and its glass_blur a keyword that scikit-image has dropped. Both are put back here, so that it can be timed.
"""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from alternating import HEAD, compare, row
from skimage.filters import gaussian

from assignment2 import robustness
from coursekit.vision import evaluation_scenes

REPEATS, BATCH, SEVERITIES = 5, 16, 5
PEER_NAMES = {"frosted_glass_blur": "glass_blur"}


def main() -> None:
    """Print a row for each corruption, and one for the seven together."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    peer = load_peer()
    images = evaluation_scenes(BATCH).images
    arrays = [(255 * image).byte().permute(1, 2, 0).numpy() for image in images]
    generator = torch.Generator().manual_seed(0)
    totals = [0.0, 0.0]
    print(HEAD)
    for name in robustness.SEVERITIES:
        corruption, peer_name = getattr(robustness, name), PEER_NAMES.get(name, name)
        mine, theirs = compare(
            f"`{name}`, an image",
            partial(all_severities, lambda s, run=corruption: run(images, s, generator=generator)),
            "imagecorruptions",
            partial(
                all_severities, lambda s, name=peer_name: [peer(x, corruption_name=name, severity=s) for x in arrays]
            ),
            REPEATS,
            each=SEVERITIES * BATCH,
        )
        totals = [totals[0] + mine, totals[1] + theirs]
    row("the seven", totals[0], "imagecorruptions", totals[1])


def all_severities(corrupt: Callable[[int], object]) -> None:
    """Corrupt the batch at each severity."""
    for severity in range(1, SEVERITIES + 1):
        corrupt(severity)


def load_peer() -> Callable[..., np.ndarray]:
    """Import imagecorruptions with what has been taken from under it."""
    stub = types.ModuleType("pkg_resources")
    stub.resource_filename = lambda package, name: name  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = stub
    from imagecorruptions import corrupt, corruptions

    del sys.modules["pkg_resources"]  # others ask for what a stub has not

    corruptions.gaussian = lambda image, sigma, multichannel=True: gaussian(image, sigma=sigma, channel_axis=-1)
    return corrupt


if __name__ == "__main__":
    main()
