"""Two ways to do the same, measured in turns in one process, so that a busy moment meets both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

REPEATS = 15


def alternate(ours: Callable[[], object], peer: Callable[[], object], repeats: int = REPEATS) -> tuple[float, float]:
    """Return the medians of both in milliseconds, measured in turns."""
    times: dict[Callable[[], object], list[float]] = {ours: [], peer: []}
    for run in (ours, peer):
        run()
    for _ in range(repeats):
        for run, found in times.items():
            started = time.perf_counter()
            run()
            found.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[ours]), statistics.median(times[peer])
