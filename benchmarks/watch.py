"""Measure `a2 watch`: from saving an edited function to the verdict, in a copy of this edition.

    .venv/bin/python benchmarks/watch.py [PART] [--saves N] [--fresh]

Prints each time as it comes, then a table with the median and the machine's load. The promise: under 0.5 s for one part on two cores.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from coursekit.parts import ROOT, find_parts

BEGIN = "### BEGIN SOLUTION"
NEEDED = ("assignment2", "coursekit", "tests", "data/reference", "pyproject.toml")


def copy_edition(folder: Path) -> None:
    """Copy what grading needs."""
    for name in NEEDED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, folder / name)


def measure(folder: Path, part: str, saves: int, options: list[str]) -> list[float]:
    """Edit one function of the part's module after another; return the seconds from each save to the verdict."""
    module = folder / find_parts(part)[0].module_path
    pieces = module.read_text(encoding="utf-8").split(BEGIN)
    with subprocess.Popen(
        [sys.executable, "-m", "coursekit", "watch", part, *options], cwd=folder, text=True, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(folder)},
    ) as watching:  # fmt: skip
        await_verdict(watching)
        times = []
        for i in range(saves):
            time.sleep(0.5)
            place = i % (len(pieces) - 1) + 1  # in the body of each function in turn
            module.write_text(f"{BEGIN.join(pieces[:place])}_ = {i}\n    {BEGIN}{BEGIN.join(pieces[place:])}", "utf-8")
            saved = time.perf_counter()
            await_verdict(watching)
            times.append(time.perf_counter() - saved)
            print(f"{times[-1]:.3f} s", file=sys.stderr, flush=True)
        watching.send_signal(signal.SIGINT)
    return times


def await_verdict(watching: subprocess.Popen[str]) -> None:
    for line in watching.stdout or ():
        if "score:" in line:
            return
    raise SystemExit("a2 watch ended before its verdict")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="1")
    parser.add_argument("--saves", type=int, default=20)
    parser.add_argument("--fresh", action="store_true", help="a new Python for each run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy_edition(Path(folder))
        times = measure(Path(folder), arguments.part, arguments.saves, ["--fresh"] if arguments.fresh else [])
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    kind = ", a new Python each time" if arguments.fresh else ""
    print("| what | result |\n|---|---|")
    print(
        f"| save to verdict, part {arguments.part}, one function edited{kind}, median of {len(times)} | {statistics.median(times):.2f} s |"
    )
    print(f"| the longest of them, at load {load} | {max(times):.2f} s |")
