"""The pages that students work in, in headless Chromium on a running JupyterLab: the page to play with, and the cards of a notebook."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from coursekit.parts import PARTS, PLAY, ROOT
from coursekit.staff.classroom.extras import Extras
from coursekit.staff.classroom.graded import Class
from coursekit.staff.classroom.job import Order
from coursekit.staff.classroom.page import class_page
from coursekit.staff.classroom.record import Outcome, Record
from coursekit.staff.isolation import checks_of
from coursekit.staff.release import release

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright here; `./setup.sh test` installs it")
CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
PATIENCE = 240  # seconds for one thing to appear: torch is imported, on a machine that may be busy
TOKEN = "for-this-test"
HOLE = 'raise NotImplementedError("saliency_map: your code here")'

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: as root, ./setup.sh test"),
]


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab in a student edition, and a page of the browser."""

    root: Path
    port: int
    page: Any

    def open(self, path: Path) -> None:
        """Open a file in a fresh workspace."""
        self.page.goto(f"http://127.0.0.1:{self.port}/lab/tree/{path.as_posix()}?token={TOKEN}&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )

    def run(self, command: str) -> None:
        """Run one of JupyterLab's own commands, as its menus do."""
        self.page.evaluate("name => { jupyterapp.commands.execute(name) }", command)

    def run_all(self) -> None:
        self.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        self.run("notebook:run-all-cells")

    def solve(self, *modules: str) -> None:
        """Put the staff's solution of some modules in place."""
        for name in modules:
            shutil.copyfile(ROOT / "assignment2" / f"{name}.py", self.root / "assignment2" / f"{name}.py")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    root = release(tmp_path / "student").path
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    options = [f"--ServerApp.root_dir={root}", f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}"]
    options += ["--no-browser", "--allow-root", "--expose-app-in-browser", "--LabApp.news_url="]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options], cwd=root, env=os.environ | own | {"PYTHONPATH": str(root)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token={TOKEN}", server)
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1200, "height": 1000})
            page.set_default_timeout(1000 * PATIENCE)
            yield Lab(root, port, page)
            browser.close()
    finally:
        server.terminate()  # it ends its kernels
        server.wait(timeout=60)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert server.poll() is None, "JupyterLab ended"
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    raise AssertionError(f"JupyterLab did not answer in {PATIENCE} s")


def photograph(path: Path) -> Path:
    """Write a picture that no other is like."""
    pixels = np.zeros((120, 160, 3), dtype=np.uint8)
    pixels[30:90, 40:120] = (250, 120, 20)
    Image.fromarray(pixels).save(path)
    return path


def test_play_shows_an_uploaded_photograph_and_follows_a_slider(lab: Lab, tmp_path: Path):
    lab.solve("saliency", "adversarial")
    lab.open(PLAY)
    lab.run_all()
    pictures, change = lab.page.locator(".a2play img"), "src => document.querySelectorAll('.a2play img')[0].src !== src"
    before = pictures.nth(0).get_attribute("src")

    with lab.page.expect_file_chooser() as chooser:
        lab.page.locator("button.widget-upload").click()
    chooser.value.set_files(photograph(tmp_path / "orange.png"))

    lab.page.wait_for_function(change, arg=before)
    assert lab.page.locator(".widget-dropdown select").first.input_value() == "orange.png"

    lab.page.get_by_role("button", name="fgsm").click()
    lab.page.wait_for_function("() => document.querySelectorAll('.a2play img').length === 3")
    attacked = pictures.nth(2).get_attribute("src")
    lab.page.locator(".noUi-handle:visible").first.press("End")
    lab.page.wait_for_function("src => document.querySelectorAll('.a2play img')[2]?.src !== src", arg=attacked)

    assert "32" in lab.page.locator(".widget-readout:visible").first.inner_text()
    assert len(lab.page.locator(".a2play meter").all()) == 6, "three first answers before, three after"
    unwritten = lab.page.get_by_role("button", name="class_visualization (not written yet)")
    assert unwritten.is_disabled()


def test_a_hole_is_an_amber_card_and_a_saved_function_a_red_or_green_one(lab: Lab):
    lab.open(PARTS[0].notebook_path)

    lab.run_all()
    todo = lab.page.locator(".a2.card.todo").first
    assert re.search(
        r"saliency_map is not written yet: open assignment2/saliency.py\s+at line \d+", todo.text_content()
    )
    assert lab.page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0

    todo.locator("a").scroll_into_view_if_needed()
    todo.locator("a").click()
    lab.page.wait_for_function("() => jupyterapp.shell.currentWidget?.title.label === 'saliency.py'")
    saved = _solution()
    _save_in_the_editor(lab, saved.replace("gradient.abs().sum(dim=1)", "gradient.sum(dim=1)"))
    _check_again(lab)
    bad = lab.page.locator(".a2.card.bad").first
    assert "saliency_map: not right yet" in bad.text_content()
    assert "Hint:" in bad.text_content()

    lab.page.locator(".lm-TabBar-tab", has_text="saliency.py").first.click()
    _save_in_the_editor(lab, saved)
    _check_again(lab)
    good = lab.page.locator(".a2.card.good").first
    assert "saliency_map: correct" in good.text_content()
    assert good.locator("img").count() > 0, "a right function shows its picture"


def test_the_class_page_sorts_and_runs_no_other_script(tmp_path: Path):
    order = Order(parts=(1,), hidden=False)
    checks = checks_of(order.chosen)
    students = {"ann": 5, "<script>ben": 30, "cem": 17}
    class_records = []
    for name, right in students.items():
        points = {c.id: c.points if i < right else 0.0 for i, c in enumerate(checks)}
        outcome = Outcome(points, dict.fromkeys(points, "passed"), (), {}, 1.0, "a fake")
        class_records.append(Record(name, "folder", "", False, "graded", (), "", 0, 0, {}, outcome))
    path = tmp_path / "class.html"
    path.write_text(class_page(Class(tuple(class_records), (), {}, (), order, tmp_path), Extras()), encoding="utf-8")

    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 390, "height": 900})
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())

        def names() -> list[str]:
            return page.locator(".everybody tbody tr td:first-child a:first-child").all_inner_texts()

        page.get_by_role("button", name="part 1").click()
        assert names() == ["<script>ben", "cem", "ann"]
        page.get_by_role("button", name="part 1").click()
        assert names() == ["ann", "cem", "<script>ben"]
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        browser.close()
    assert complaints == []


def _solution() -> str:
    """Return the student's module with saliency_map alone filled."""
    from coursekit.staff.markers import cut

    path = PARTS[0].module_path
    text = (ROOT / path).read_text(encoding="utf-8")
    hole = cut(text, path)
    solved = text[text.index("def saliency_map(") : text.index("def activation_gradient(")]
    start, end = hole.index("def saliency_map("), hole.index("def activation_gradient(")
    return hole[:start] + solved + hole[end:]


def _save_in_the_editor(lab: Lab, text: str) -> None:
    """Replace the text of the file that is open, and save it as Ctrl-S does."""
    lab.page.wait_for_function("() => jupyterapp.shell.currentWidget?.context?.isReady")
    lab.page.evaluate("text => jupyterapp.shell.currentWidget.context.model.sharedModel.setSource(text)", text)
    lab.run("docmanager:save")
    path, end = lab.root / PARTS[0].module_path, time.monotonic() + PATIENCE
    while path.read_text(encoding="utf-8") != text:
        assert time.monotonic() < end, "JupyterLab did not save the file"
        time.sleep(0.2)


def _check_again(lab: Lab) -> None:
    lab.page.locator(".lm-TabBar-tab", has_text=PARTS[0].notebook).first.click()
    lab.run_all()
    lab.page.wait_for_function("() => document.querySelectorAll('.a2.card.bad, .a2.card.good').length === 1")
