"""Run every benchmark that takes minutes, not hours, one after the other, and write their tables into one markdown document.

    bash benchmarks/all.sh [FILE [NAME ...]]     # without FILE to the terminal; makes the environment if need be

Each runs in its own process with one thread and with setup.sh's settings of the memory; the load before it stands under its
heading. A benchmark that fails, for instance because a peer is not installed, says so in its place, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO

import torch

from coursekit.memory import KEEP_MEMORY
from coursekit.parts import ROOT

NAMES = ("saliency", "adversarial", "robustness", "style", "segmentation", "scaling", "scenes", "checks", "watch")


def main() -> int:
    """Run them all; what is done stands in the document at once."""
    parser = argparse.ArgumentParser(prog="benchmarks/all.sh", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="the document; without it the tables go to the terminal")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which of {', '.join(NAMES)}; without a name all")
    told = parser.parse_args()
    for name in told.names:
        if name not in NAMES:
            parser.error(f"there is no benchmark {name!r}: choose from {', '.join(NAMES)}")
    with told.file.open("w", encoding="utf-8") if told.file else nullcontext(sys.stdout) as document:
        print(machine(), file=document, flush=True)
        return max([section(name, document) for name in told.names or NAMES])


def section(name: str, document: TextIO) -> int:
    """Write one benchmark's section; return its exit code."""
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    environment = {**KEEP_MEMORY, **os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, f"benchmarks/{name}.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines() or ["it said nothing"]
    said = f"Failed: {lines[-1]}\n" if done.returncode else done.stdout
    print(f"\n## {name}\n\nLoad {load}.\n\n{said}", end="", file=document, flush=True)
    return done.returncode


def machine() -> str:
    """Return a line with the day, the machine and the versions."""
    cpus = f"{os.cpu_count()} CPUs ({platform.processor() or platform.machine()})"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"On {time.strftime('%Y-%m-%d')}, {cpus}, {versions}."


if __name__ == "__main__":
    raise SystemExit(main())
