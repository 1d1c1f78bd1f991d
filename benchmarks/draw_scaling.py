"""Draw the table of `scaling.py`, as it stands in a document, on log axes: docs/scaling.png.

    python benchmarks/draw_scaling.py [DOCUMENT [PICTURE]]     # docs/measured.md and docs/scaling.png where nothing is said

It reads the document, so the picture shows the numbers that stand beside it.
"""

from __future__ import annotations

import re
import sys
from itertools import cycle
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

DOCS = Path(__file__).parents[1] / "docs"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| (\d[\d, ]*) \| (\d[\d., ]*) \| (-?[\d.]+) \|$", re.MULTILINE)
PANELS = {"side": "side of the picture, pixels", "batch": "pictures in the batch", "": "what the legend names"}
# Told apart by everybody.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c564b")
MARKS = "osv^DP*"  # one fewer than colours: a pair comes again after 56 lines


def main() -> None:
    """Draw one panel for sides, one for batches, one for the rest; the exponent of each line stands in its legend."""
    given = [Path(name) for name in sys.argv[1:3]]
    document, picture = (*given, *(DOCS / "measured.md", DOCS / "scaling.png")[len(given) :])
    rows = ROW.findall(document.read_text(encoding="utf-8"))
    figure, axes = plt.subplots(1, 3, figsize=(13, 7.5), layout="constrained")
    for ax, (panel, label) in zip(axes, PANELS.items(), strict=True):
        shown = [row for row in rows if panel == (row[1] if row[1] in PANELS else "")]
        for (name, what, sizes, times, slope), colour, mark in zip(shown, cycle(COLOURS), cycle(MARKS), strict=False):
            text = f"{name}{'' if panel else f', {what}'}: {slope}"
            ax.loglog(numbers(sizes), numbers(times), color=colour, marker=mark, markersize=5, label=text)
        slopes = sorted((row[-1] for row in shown), key=float)
        title = f"{panel or 'other sizes'}: exponents {slopes[0]} to {slopes[-1]}"
        ax.set(xlabel=label, ylabel="processor time, ms", title=title)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), fontsize=9, frameon=False)
        ax.grid(True, which="major", alpha=0.3)
    figure.savefig(picture, dpi=80)


def numbers(text: str) -> list[float]:
    """Return the numbers of a cell of the table."""
    return [float(number) for number in text.split(", ")]


if __name__ == "__main__":
    main()
