"""How many submissions, notebooks or runs of checks fit on this machine at a time: cores and memory, as its kernel and its container allow."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Need(NamedTuple):
    """Bytes of memory, as docs/measured.md has them and some more."""

    once: float
    each: float


# The command itself, what runs the solution on the hidden numbers, and a room; the decider and the worker of a submission.
SUBMISSIONS = Need(1.5 * 2**30, 0.5 * 2**30)
KERNELS = Need(0.5 * 2**30, 1.5 * 2**30)
CHECKS = Need(0.5 * 2**30, 1.1 * 2**30)
UNLIMITED = 2**60  # cgroup v1 writes about 2**63 for no limit


PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def how_many_fit(need: Need, proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Return how many at a time this machine has cores and memory for, one at least."""
    return max(1, int(min(cores(proc, cgroups), (free_memory(proc, cgroups) - need.once) / need.each)))


def cores(proc: Path, cgroups: Path) -> float:
    """Return how many cores this process may use: by its affinity, and by the quotas of its cgroups."""
    mine: float = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in _folders(proc, cgroups, "cpu"):
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            mine = min(mine, int(quota) / int(period))  # "max" is no number: no limit
        with suppress(OSError, ValueError):
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            mine = min(mine, int(quota) / int(period)) if int(quota) > 0 else mine
    return mine


def free_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> float:
    """Return how many bytes may still be taken: by the kernel's own estimate, and by the limits of its cgroups."""
    free = math.inf
    with suppress(OSError, ValueError, IndexError):
        free = 1024 * int((proc / "meminfo").read_text().split("MemAvailable:")[1].split()[0])
    for folder in _folders(proc, cgroups, "memory"):
        for limit, usage, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            with suppress(OSError, ValueError):
                most = int((folder / limit).read_text())
                if most < UNLIMITED:
                    lines = (folder / "memory.stat").read_text().splitlines()
                    given_back = sum(int(line.split()[1]) for line in lines if line.split()[0] == cache)
                    free = min(free, most - int((folder / usage).read_text()) + given_back)
    return free


def _folders(proc: Path, cgroups: Path, controller: str) -> Iterator[Path]:
    """Name the folders of this process's cgroup and of those above it, in version 2 and in version 1."""
    with suppress(OSError):
        for line in (proc / "self" / "cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            # In a container the path may be the host's, and its own folder the root of what is mounted.
            below = [name for name in path.split("/") if name]
            mounted = (controller, controllers) if controllers else ("", "unified")
            for root in (cgroups / name for name in mounted):
                yield from (root.joinpath(*below[:depth]) for depth in range(len(below), -1, -1))
