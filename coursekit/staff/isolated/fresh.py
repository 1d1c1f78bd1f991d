"""Fresh numbers for the hidden checks: a seed of the term, and what the solution answers with it. Runs with staff code only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coursekit.checks import small_networks
from coursekit.errors import UsageError
from coursekit.grading.launch import environment
from coursekit.parts import PARTS, ROOT, Part, find_parts

STRIDE = 1_000_003  # so that two terms have no number in common
TRIES = 5


@dataclass(frozen=True)
class Fresh:
    """What is added to the seeds of the hidden checks, and the solution's outputs with it."""

    shift: int
    arrays: dict[str, np.ndarray]


def record(seed: int, folder: Path, parts: Sequence[Part] = PARTS) -> Path:
    """Run the solution on the hidden checks of a term and store it; a seed on which a check makes no sense is passed over."""
    path = folder / "fresh.npz"
    modules = [part.module for part in parts]
    command = [sys.executable, "-m", "coursekit.staff.isolated.fresh", str(seed), str(path), *modules]
    done = subprocess.run(command, cwd=ROOT, env=environment(ROOT), capture_output=True, text=True, check=False)
    if done.returncode or not path.exists():
        said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise UsageError(f"the hidden checks cannot be run with seed {seed} ({said}): choose another seed")
    return path


def load(path: Path) -> Fresh:
    """Read what was recorded."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return Fresh(int(arrays.pop("shift")), arrays)


def main() -> int:
    """Record the solution's outputs: seed, file and modules are the arguments."""
    from coursekit.staff.trials import run_trials

    seed, path = int(sys.argv[1]), Path(sys.argv[2])
    wanted = {part for name in sys.argv[3:] for part in find_parts(name)}
    parts = [part for part in PARTS if part in wanted and (ROOT / part.hidden_path).exists()]
    for attempt in range(TRIES):
        small_networks.FRESH = STRIDE * (seed * TRIES + attempt + 1)
        (right,) = run_trials([()], parts, hidden=True, recording=True).trials
        if all(outcome.outcome == "passed" for outcome in right.outcomes):
            np.savez(path, shift=small_networks.FRESH, **right.recorded)  # type: ignore[arg-type]
            return 0
    print("; ".join(f"{o.check}: {o.message}"[:200] for o in right.outcomes if o.outcome != "passed"), file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
