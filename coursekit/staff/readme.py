"""`a2 readme`: the README's table of parts, generated from the one table and held to it, and its picture."""

from __future__ import annotations

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
    whole = sum(points[name] for part in PARTS for name in part.core)
    told = f"Core functions make up the {whole:g} points that everybody is graded on; extension functions come on top."
    return "\n".join([*lines, "", told])


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
    """Draw all parts with the functions of assignment2/, to docs/poster.jpg."""
    from coursekit.staff.poster import write_poster

    write_poster(ROOT / "docs" / "poster.jpg", ROOT / "trained" / "unet.safetensors")
