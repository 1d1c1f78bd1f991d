"""The pictures of docs/gallery.md are those that the notebooks store."""

import json
import re

import pytest

from coursekit.errors import UsageError
from coursekit.parts import ROOT
from coursekit.staff.gallery import FIGURES, FOLDER, gallery


def test_the_pictures_are_those_of_the_notebooks():
    for path, content in gallery().items():
        assert (ROOT / path).read_bytes() == content, f"{path} is older than its notebook: run a2 readme"


def test_the_gallery_shows_each_picture_once_with_two_sentences():
    text = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")

    sections = text.split("\n## ")[1:]

    assert [re.findall(r"\(gallery/(\d)\.jpg\)", section) for section in sections] == [[str(n)] for n in FIGURES]
    for section in sections:
        assert len(re.findall(r"[.?](?=\s)", section.split(".jpg)")[1])) == 2, section


def test_a_cell_without_its_picture_is_named(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for path in (ROOT / "notebooks").glob("[1-6]_*.ipynb"):
        book = json.loads(path.read_text(encoding="utf-8"))
        for cell in book["cells"]:
            cell["outputs"] = []
        (tmp_path / "notebooks" / path.name).write_text(json.dumps(book), encoding="utf-8")

    with pytest.raises(UsageError, match=r"1_saliency.ipynb stores no picture of the cell .*: run it"):
        gallery(tmp_path)


def test_the_pictures_stay_small():
    assert sum(path.stat().st_size for path in (ROOT / FOLDER).glob("*.jpg")) < 1_000_000
