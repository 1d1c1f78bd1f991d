"""What everything starts from: scenes a second, and how long the networks of the zoo take to load. By the clock, medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from coursekit.vision import load_model, make_scenes
from coursekit.vision.zoo import MODEL_NAMES

SCENES, REPEATS = 200, 7


def clock(run: Callable[[], object]) -> float:
    """Return the median seconds of a run, after a first one."""
    run()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Print scenes a second with one and two threads, and milliseconds for each network."""
    print("| what | result |\n|---|---|")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        seconds = clock(lambda: make_scenes(SCENES, seed=7))
        unit = "thread" if threads == 1 else "threads"
        print(f"| `make_scenes`, one object, 96 x 96, {threads} {unit} | {SCENES / seconds:.0f} a second |", flush=True)
    torch.set_num_threads(1)
    for name in MODEL_NAMES:
        print(f'| `load_model("{name}")` | {1000 * clock(lambda: load_model(name)):.1f} ms |', flush=True)  # noqa: B023


if __name__ == "__main__":
    main()
