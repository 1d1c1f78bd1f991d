"""`a2 readme`: the pictures of docs/gallery.md, taken from the stored outputs of the notebooks."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from coursekit.errors import UsageError
from coursekit.parts import PARTS, ROOT, notebooks_of

FOLDER = Path("docs") / "gallery"
WIDTH, QUALITY = 1000, 70
FIGURES = {  # number of the notebook -> the cell whose last picture is shown
    1: "cell-18-photos",
    2: "p2-all-names",
    3: "cell-09",
    4: "cell-14-slide",
    5: "p5-gallery-figure",
    6: "cell-11-collage",
}


def gallery(root: Path = ROOT) -> dict[Path, bytes]:
    """Return the gallery's files (path from root -> JPEG).

    Raises:
        UsageError: a cell is gone, or stored without its picture.
    """
    files = {}
    for path in notebooks_of(PARTS):
        number = int(path.name.split("_", 1)[0])
        files[FOLDER / f"{number}.jpg"] = _smaller(_picture(root / path, FIGURES[number]))
    return files


def write_gallery(root: Path = ROOT) -> None:
    """Write the pictures of docs/gallery.md."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for path, content in gallery(root).items():
        (root / path).write_bytes(content)


def _picture(notebook: Path, cell_id: str) -> bytes:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs: list[dict[str, Any]] = next((cell.get("outputs", []) for cell in cells if cell["id"] == cell_id), [])
    pictures = [output["data"]["image/jpeg"] for output in outputs if "image/jpeg" in output.get("data", {})]
    if not pictures:
        raise UsageError(
            f"{notebook.name} stores no picture of the cell {cell_id}: run it, and save it with its outputs"
        )
    return base64.b64decode(pictures[-1])


def _smaller(content: bytes) -> bytes:
    picture = Image.open(io.BytesIO(content))
    picture.thumbnail((WIDTH, 10 * WIDTH))
    small = io.BytesIO()
    picture.save(small, "JPEG", quality=QUALITY, optimize=True)
    return small.getvalue()
