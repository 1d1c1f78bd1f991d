"""The warm deciding process of a room: it has imported torch and pytest, holds the sandbox, and forks for each submission."""

from __future__ import annotations

import importlib
import sys

from coursekit.grading import warm
from coursekit.staff.isolated import sandboxed_checks
from coursekit.staff.isolated.decider import ZygoteClient
from coursekit.vision import make_scenes

# What the checks import besides coursekit.grading.warm.NEEDED: a second for each submission otherwise.
CHECKS_NEED = ("safetensors.torch", "coursekit.vision.segmenting", "coursekit.checks.laws")


def main() -> int:
    """Take the sandbox's level, then serve as coursekit.grading.warm does."""
    zygote = sandboxed_checks.ZYGOTE = ZygoteClient(sys.argv[1])
    for name in CHECKS_NEED:
        importlib.import_module(name)
    make_scenes(1, seed=0, background="photo")  # reads the sprites and the photos: each submission would
    try:
        return warm.main(after=zygote.end_all)  # no process of a submission outlives its run
    finally:
        zygote.close()


if __name__ == "__main__":
    raise SystemExit(main())
