"""What a real kernel shows where an exercise is not written, where it is checked, and where a hint is asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jupyter_client.manager import run_kernel

from coursekit.grading.cell_results import COLOR
from coursekit.grading.holes import hole_line
from coursekit.parts import ROOT
from coursekit.staff.markers import cut_code, find_regions
from coursekit.staff.release import release

MODULE = Path("assignment2") / "saliency.py"
FIRST_CELL = """
%load_ext autoreload
%autoreload 2
import sys
sys.path.insert(0, "..")
import torch
from torch import nn
from assignment2 import saliency
from coursekit.grading.notebook import check, hint, needs
net = nn.Sequential(nn.Flatten(), nn.Linear(48, 3)).eval()
images, labels = torch.rand(2, 3, 4, 4), torch.tensor([0, 1])
"""


@dataclass
class Shown:
    """What a cell answered: ok or error, its cards, what it printed, its tracebacks."""

    status: str = ""
    html: str = ""
    text: str = ""
    tracebacks: list[str] = field(default_factory=list)
    lines: str = ""  # of the last traceback


@dataclass(frozen=True)
class Notebook:
    """A running kernel in the notebooks' folder of a student edition."""

    root: Path
    run: Callable[[str], Shown]

    def write(self, function: str = "", old: str = "", new: str = "") -> None:
        """Save the module with one function written, as the solution has it but for one change."""
        text = (ROOT / MODULE).read_text(encoding="utf-8")
        assert text.count(old) == 1 or not old, old
        text = text.replace(old, new) if old else text
        holes = [region for region in find_regions(text, MODULE) if region.function != function]
        self.save(cut_code(text, holes))

    def insert(self, before: str, text: str) -> int:
        """Write lines before a line of the module and save it; return the number that this line then has."""
        lines = (self.root / MODULE).read_text(encoding="utf-8").split("\n")
        place = next(i for i, line in enumerate(lines) if before in line)
        lines[place:place] = text.split("\n")
        self.save("\n".join(lines))
        return place + 2 + text.count("\n")

    def save(self, text: str) -> None:
        """Save the module."""
        draft = self.root / "draft~"
        draft.write_text(text, encoding="utf-8")
        os.utime(draft, ns=(self.later(),) * 2)
        draft.replace(self.root / MODULE)

    def later(self) -> int:
        """Return a time of change after that of the module, for file systems that count whole seconds."""
        return (self.root / MODULE).stat().st_mtime_ns + 2_000_000_000


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    root = tmp_path_factory.mktemp("student") / "edition"
    release(root)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with run_kernel(cwd=str(root / "notebooks"), env=environment) as client:

        def run(code: str) -> Shown:
            shown = Shown()

            def keep(message: dict) -> None:
                content = message["content"]
                shown.html += content.get("data", {}).get("text/html", "")
                shown.text += content.get("data", {}).get("text/plain", "") + content.get("text", "")
                if message["msg_type"] == "error":
                    shown.tracebacks.append(content["ename"])
                    shown.lines = COLOR.sub("", "\n".join(content["traceback"]))

            shown.status = client.execute_interactive(code, output_hook=keep, timeout=90)["content"]["status"]
            return shown

        assert run(FIRST_CELL) == Shown("ok")
        yield Notebook(root, run)


@pytest.fixture(autouse=True)
def nothing_is_written(notebook: Notebook) -> None:
    notebook.write()


def test_a_hole_is_one_amber_card_and_stops_run_all(notebook: Notebook):
    line = hole_line((notebook.root / MODULE).read_text(encoding="utf-8"), "saliency_map")

    shown = notebook.run("saliency.saliency_map(net, images, labels)")

    assert (shown.status, shown.tracebacks) == ("error", [])
    sentence = f"open assignment2/saliency.py at line {line}, save, run this cell again"
    assert shown.text == f"saliency_map is not written yet: {sentence}"
    assert shown.html.count('<div class="a2 card todo">') == 1
    assert 'href="../assignment2/saliency.py"' in shown.html


def test_a_cell_of_an_unwritten_extension_is_skipped_and_so_is_what_needs_it(notebook: Notebook):
    first = notebook.run('field = saliency.receptive_field(net, "0", (0, 0, 0), (4, 4))')
    second = notebook.run("top = field[0]")
    third = notebook.run('needs("deconvnet")\nprint("not reached")')
    fourth = notebook.run("print('the core goes on')")

    for shown, function in (first, "receptive_field"), (second, "receptive_field"), (third, "deconvnet"):
        assert (shown.status, shown.text) == ("ok", f"extension: skipped until you write {function}")
        assert '<div class="a2 card skipped">' in shown.html
    assert (fourth.status, fourth.text, fourth.html) == ("ok", "the core goes on\n", "")


def test_a_name_that_was_imported_skips_its_cell_as_well(notebook: Notebook):
    notebook.run("from assignment2.saliency import deconvnet")

    assert notebook.run("deconvnet(net, images, '0', 1)").text == "extension: skipped until you write deconvnet"


def test_an_error_of_the_students_own_is_an_ordinary_traceback(notebook: Notebook):
    for code in 'raise NotImplementedError("later")', 'raise NotImplementedError("mine: your code here")':
        shown = notebook.run(code)

        assert (shown.status, shown.tracebacks, shown.html) == ("error", ["NotImplementedError"], "")
    assert notebook.run("1 / 0").tracebacks == ["ZeroDivisionError"]


def test_a_function_that_was_written_and_saved_runs_without_another_word(notebook: Notebook):
    assert notebook.run("saliency.saliency_map(net, images, labels)").status == "error"
    notebook.write("saliency_map")

    assert notebook.run("saliency.saliency_map(net, images, labels).shape").text == "torch.Size([2, 4, 4])"


@pytest.mark.timeout(300)
def test_check_of_an_unwritten_a_right_and_a_wrong_function(notebook: Notebook):
    unwritten = notebook.run('check("saliency_map")')
    notebook.write("saliency_map")
    right = notebook.run('check("saliency_map")')
    notebook.write("saliency_map", "gradient.abs().sum(dim=1)", "gradient.sum(dim=1)")
    wrong = notebook.run('check("saliency_map")')

    assert [shown.status for shown in (unwritten, right, wrong)] == ["ok"] * 3
    assert '<div class="a2 card todo">' in unwritten.html
    assert unwritten.text.startswith("saliency_map is not written yet: open assignment2/saliency.py at line ")
    assert '<div class="a2 card good">' in right.html
    assert right.text == "saliency_map: correct, 6 of 6 checks"
    assert '<div class="a2 card bad">' in wrong.html
    assert "data:image/png;base64," in wrong.html
    assert 'hint("saliency_map")' in wrong.html
    assert "failed: The saliency map of a linear model is |w_label|" in wrong.text


def test_each_call_of_hint_gives_one_more_and_reset_begins_again(notebook: Notebook):
    first, second = (notebook.run('hint("saliency_map")') for _ in range(2))
    again = notebook.run('hint("saliency_map", reset=True)')

    assert first.text.startswith("saliency_map: hint 1 of ")
    assert second.text.startswith(f"{first.text}\n2 of "), "those before it stay"
    assert again.text == first.text
    assert '<div class="a2 card hint">' in first.html


def test_check_says_of_an_unwritten_extension_that_it_is_optional(notebook: Notebook):
    shown = notebook.run('check("activation_gradient")')

    assert (shown.status, '<div class="a2 card skipped">' in shown.html) == ("ok", True)
    assert shown.text.startswith(
        "extension, not written yet: activation_gradient (optional; to write it, open assignment2/"
    )
    assert "is not written yet" not in shown.html


def test_an_unknown_function_is_answered_with_the_name_that_was_meant(notebook: Notebook):
    shown = notebook.run('check("saliencymap")')

    assert (shown.status, "did you mean 'saliency_map'?" in shown.text) == ("ok", True)


def test_a_traceback_names_the_line_of_the_file_after_lines_were_moved(notebook: Notebook):
    notebook.write("saliency_map", "gradient.abs().sum(dim=1)", "gradient.abs().sum(dim=7)")
    for moved in "# one more line", "# and\n# two others":
        line = notebook.insert("gradient.abs()", f"    {moved}".replace("\n", "\n    "))

        shown = notebook.run("saliency.saliency_map(net, images, labels)")

        assert shown.tracebacks == ["IndexError"]
        place = re.search(r"File (\S+):(\d+), in saliency_map", shown.lines)
        assert place, shown.lines
        assert (place[1].endswith("assignment2/saliency.py"), int(place[2])) == (True, line)
        assert re.search(rf"-> +{line} +return gradient.abs\(\).sum\(dim=7\)", shown.lines), shown.lines


def test_a_cell_that_uses_a_module_which_does_not_compile_is_not_run(notebook: Notebook):
    notebook.write("saliency_map")
    assert notebook.run("from assignment2.saliency import saliency_map\nmap_ = saliency_map").status == "ok"
    line = notebook.insert("gradient.abs()", "    gradient = (gradient") - 1

    cells = (
        "saliency.saliency_map",
        "print(map_)",
        "from assignment2 import saliency",
        "import assignment2.saliency as s",
    )
    for shown in map(notebook.run, cells):
        assert (shown.status, shown.tracebacks) == ("error", [])
        assert shown.text == f"assignment2/saliency.py, line {line}: '(' was never closed"
        assert shown.html.count('<div class="a2 card bad">') == 1
    assert notebook.run("print(images.shape)").text == "torch.Size([2, 3, 4, 4])\n"

    notebook.write("saliency_map")
    assert notebook.run("map_(net, images, labels).shape").text == "torch.Size([2, 4, 4])"
