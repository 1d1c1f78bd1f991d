"""The page to play with: what each function shows, what is greyed, what a saved file does; the browser's part is in test_browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from assignment2 import adversarial, class_visualization, saliency, style_transfer
from coursekit.grading import play
from coursekit.parts import PLAY, ROOT
from coursekit.staff.markers import cut
from coursekit.vision.experiments import EXPERIMENTS, Frame

MODULES = (saliency, adversarial, class_visualization, style_transfer)


@pytest.fixture(scope="module")
def page() -> play.Page:
    made = play.Page(MODULES)
    made.network.value = "tiny_vgg"
    made.picture.value = "a scene: cat and dog"
    made.controls["steps"].value = 5
    return made


def frames_of(page: play.Page, function: str) -> list[str]:
    page.choose(function)
    return list(page.frames())


@pytest.mark.parametrize(
    ("function", "frames", "images", "answers"),
    [
        ("saliency_map", 1, 2, 0),
        ("guided_backprop", 1, 2, 0),
        ("grad_cam", 1, 2, 0),
        ("fgsm", 1, 3, 6),
        ("class_visualization", 4, 1, 3),  # after 1, 2, 4 and 5 steps
        ("style_transfer", 2, 3, 0),  # after 4 and 5 steps
    ],
)
def test_each_function_is_shown(page: play.Page, function: str, frames: int, images: int, answers: int):
    shown = frames_of(page, function)

    assert len(shown) == frames, shown[-1][-500:]
    assert shown[-1].count('<img src="data:image/png;base64,') == images
    assert shown[-1].count("<meter") == answers
    assert all("<progress" in one for one in shown[:-1])
    assert "<progress" not in shown[-1]
    controls = {name for name, control in page.controls.items() if control.layout.display != "none"}
    assert controls == set(next(e.controls for e in EXPERIMENTS if e.function == function))


def test_a_control_changes_the_picture(page: play.Page):
    (before,) = frames_of(page, "fgsm")

    page.controls["eps"].value = 32

    (after,) = page.frames()
    assert re.findall('src="([^"]+)', before)[0] == re.findall('src="([^"]+)', after)[0], "the picture itself stays"
    assert re.findall('src="([^"]+)', before)[2] != re.findall('src="([^"]+)', after)[2]


def test_the_network_s_own_answers_stand_first_and_every_class_is_there(page: play.Page):
    options = page.controls["target"].options

    assert [text.partition("%")[1] for text, _ in options[:3]] == ["%"] * 3
    assert len(options) == 3 + len(page.model.class_names)


@pytest.fixture
def edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An edition of which only saliency is written; the page looks at its files."""
    (tmp_path / "assignment2").mkdir()
    for module in MODULES:
        name = f"assignment2/{module.__name__.rpartition('.')[2]}.py"
        text = (ROOT / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text if module is saliency else cut(text, name), encoding="utf-8")
    monkeypatch.setattr(play, "ROOT", tmp_path)
    return tmp_path


def test_what_is_not_written_yet_is_greyed_with_its_name(page: play.Page, edition: Path):
    page.choose("saliency_map")

    disabled = {button.description for button in page.buttons.values() if button.disabled}
    assert disabled == {f"{name} (not written yet)" for name in ("fgsm", "class_visualization", "style_transfer")}
    (edition / "assignment2" / "adversarial.py").write_bytes((ROOT / "assignment2" / "adversarial.py").read_bytes())
    page.choose("saliency_map")
    assert not page.buttons["fgsm"].disabled


def test_a_saved_file_is_loaded_and_a_syntax_error_is_said(page: play.Page, edition: Path):
    loaded: list[str] = []
    page.saved = page._times()
    assert not page._reloaded()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(play.importlib, "reload", lambda module: loaded.append(module.__name__))
        (edition / "assignment2" / "saliency.py").write_text("x = (1\n")
        assert not page._reloaded()
        assert "assignment2/saliency.py, line 1: " in page.result.value
        (edition / "assignment2" / "saliency.py").write_bytes((ROOT / "assignment2" / "saliency.py").read_bytes())
        assert page._reloaded()
    assert loaded == ["assignment2.saliency"]


def test_what_a_function_raises_is_said_with_its_line(page: play.Page, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(saliency, "saliency_map", lambda *_: saliency.grad_cam(*_))

    (shown,) = frames_of(page, "saliency_map")

    assert "TypeError: " in shown
    hole = NotImplementedError("grad_cam: your code here")
    assert play.explain(hole).startswith("grad_cam is not written yet: open assignment2/saliency.py at line ")


def test_titles_are_text(page: play.Page):
    frame = Frame((("<script>", page.image),), (("<b>", [("<i>", 0.5)]),))

    assert not re.search("<script>|<b><b>|<i>", play.as_html(frame))


def test_the_notebook_is_stored_without_outputs():
    cells = json.loads((ROOT / PLAY).read_text(encoding="utf-8"))["cells"]

    assert [cell.get("outputs") for cell in cells if cell["cell_type"] == "code"] == [[]]
