"""Two ways to do the same, measured in turns in one process, so that a busy moment meets both.

Time is the processor's, not the clock's: with one thread the two are equal on a quiet machine, and on a busy one the first
leaves out the waiting.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

REPEATS = 15
HEAD = "| what | ours, ms | peer | its, ms | its / ours |\n|---|---|---|---|---|"


def spend(run: Callable[[], object]) -> float:
    """Return how many milliseconds of the processor one run takes."""
    started = time.process_time()
    run()
    return 1000 * (time.process_time() - started)


def alternate(ours: Callable[[], object], peer: Callable[[], object], repeats: int = REPEATS) -> tuple[float, float]:
    """Return the medians of both in milliseconds, measured in turns after a first run of each."""
    ours(), peer()
    times = [(spend(ours), spend(peer)) for _ in range(repeats)]
    mine, theirs = zip(*times, strict=True)
    return statistics.median(mine), statistics.median(theirs)


def compare(
    what: str,
    ours: Callable[[], object],
    name: str,
    peer: Callable[[], object],
    repeats: int = REPEATS,
    *,
    each: int = 1,
) -> tuple[float, float]:
    """Measure both and print the row under HEAD; a run does the thing `each` times over. Return the two numbers."""
    mine, theirs = (t / each for t in alternate(ours, peer, repeats))
    row(what, mine, name, theirs)
    return mine, theirs


def row(what: str, mine: float, name: str, theirs: float) -> None:
    """Print a row under HEAD."""
    print(f"| {what} | {mine:.2f} | {name} | {theirs:.2f} | {theirs / mine:.2f} |", flush=True)
