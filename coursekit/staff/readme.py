"""`a2 readme`: the README's table of parts, generated from the one table and held to it, and its picture."""

from __future__ import annotations

import base64

from coursekit.grading.notebooks import read_notebook
from coursekit.grading.results import read_manifest
from coursekit.parts import PARTS, ROOT

BEGIN, END = "<!-- parts: begin -->", "<!-- parts: end -->"


def parts_table() -> str:
    """Return the table of parts with their functions and points, as markdown."""
    points = {name: 0.0 for part in PARTS for name in part.functions}
    for check in read_manifest(ROOT / "tests" / "manifest.json"):
        points[check.function] += check.points
    lines = ["| part | what | module | core | extension |", "|---|---|---|---|---|"]
    for part in PARTS:
        core, extension = (
            f"{sum(points[n] for n in names):g}: " + ", ".join(f"`{n}` {points[n]:g}" for n in names) if names else ""
            for names in (part.core, part.extension)
        )
        lines.append(f"| {part.number} | {part.title} | `{part.module_path}` | {core} | {extension} |")
    return "\n".join(lines)


def table_problems() -> list[str]:
    """Say whether README.md shows another table."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if f"{BEGIN}\n{parts_table()}\n{END}" in text:
        return []
    return ["README.md shows another table of parts: run a2 readme, which writes it"]


def write_table() -> None:
    """Write the table between its marks in README.md."""
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    path.write_text(f"{before}{BEGIN}\n{parts_table()}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


def write_picture() -> None:
    """Write the last figure of notebook 1, as the notebook drew it, to docs/part1.png."""
    notebook = read_notebook(ROOT / PARTS[0].notebook_path)
    figures = [
        o["data"]["image/png"]
        for c in notebook["cells"]
        for o in c.get("outputs", ())
        if "image/png" in o.get("data", {})
    ]
    (ROOT / "docs" / "part1.png").write_bytes(base64.b64decode(figures[-1]))
