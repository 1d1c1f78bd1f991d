"""How long all checks take, cold, in one process: the import of torch included, the slowest checks named."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from coursekit.grading.grade import grade
from coursekit.grading.results import read_manifest
from coursekit.parts import PARTS, ROOT

REPEATS = 5


def main() -> None:
    """Print medians over some runs."""
    checks = read_manifest(ROOT / "tests" / "manifest.json")
    seconds, slowest = [], []
    for _ in range(REPEATS):
        started = time.perf_counter()
        outcome = grade(checks, PARTS)
        seconds.append(time.perf_counter() - started)
        slowest.append(max(outcome.verdicts, key=lambda v: v.seconds))
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    torch_seconds = time.perf_counter() - started
    worst = max(slowest, key=lambda v: v.seconds)
    print("| what | result |\n|---|---|")
    print(f"| {len(checks)} checks, cold, one process (median of {REPEATS}) | {statistics.median(seconds):.1f} s |")
    print(f"| of which `import torch` alone | {torch_seconds:.1f} s |")
    print(f"| slowest check in any run | {worst.check.function}: {worst.check.sentence}, {worst.seconds:.2f} s |")


if __name__ == "__main__":
    main()
