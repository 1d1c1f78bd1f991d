"""report.html: what it shows, that it needs nothing else, and that nothing a student writes becomes markup."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coursekit.checks.stored import KnownMistake
from coursekit.grading.draw import Drawing, draw
from coursekit.grading.picture import LARGEST, Picture, load_picture, save_picture
from coursekit.grading.report import HIDDEN, fragment, page, sums, write_report
from coursekit.grading.results import Check, Grade, Verdict, read_manifest
from coursekit.parts import PARTS, ROOT

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
HOSTILE = "<script>alert(1)</script> \x1b[31mred\x1b[0m \u202e {{ 7 * 7 }} <img src=x onerror=y> &amp; end"
MAP = np.linspace(0, 2, 12).reshape(1, 3, 4)


def verdict(name: str, outcome: str, message: str = "", function: str = "saliency_map", **more) -> Verdict:
    return Verdict(
        Check(f"tests/saliency/test_{function}.py::test_{name}", function, 2.0), outcome, message, 0.1, **more
    )


def grade_of(*verdicts: Verdict) -> Grade:
    return Grade(verdicts, 1.5)


def pixels(drawing: Drawing) -> np.ndarray:
    kind, data = drawing.source.split(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


class Links(HTMLParser):
    """Everything in a page that names something else, and every anchor."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "action", "data", "srcset", "style")]
        self.anchors += [v or "" for k, v in attrs if k == "id"]


def test_what_a_student_wrote_is_shown_as_text():
    mistake = KnownMistake("saliency_map", "hostile", HOSTILE, 1)
    text = page(grade_of(verdict("a", "failed", HOSTILE, recognised=(mistake,)), verdict("b", "crashed", HOSTILE)))

    assert "<script" not in text
    assert "<img src=x" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt; \\x1b[31mred\\x1b[0m \\u202e {{ 7 * 7 }}") == 3
    assert Links(text).tags.isdisjoint({"script", "iframe", "object", "link"})


def test_the_page_names_nothing_outside_itself():
    broken = verdict("a", "failed", "wrong", picture=Picture(MAP, -MAP))

    text = page(grade_of(broken, verdict("b", "passed", function="grad_cam")))

    links = Links(text)
    assert len([link for link in links.links if link.startswith("data:image/png;base64,")]) == 3
    assert all(link.startswith(("data:image/png", "#", "background: linear-gradient(")) for link in links.links)
    assert {link[1:] for link in links.links if link.startswith("#")} <= set(links.anchors)
    for reference in ("http:", "https:", "file:", "url(", "@import"):
        assert reference not in text


def test_the_table_says_for_each_function_what_to_do_next():
    text = page(
        grade_of(
            verdict("a", "passed"),
            verdict("b", "failed", "3 of 12 values are wrong"),
            verdict("c", "passed", function="grad_cam"),
            verdict("d", "todo", "NotImplementedError: deconvnet: your code here", function="deconvnet"),
        )
    )

    rows = [re.sub(r"<[^>]+>|\s+", " ", row) for row in re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)]
    assert [" ".join(row.split()) for row in rows[1:]] == [
        "1 ✗ saliency_map 2 / 4 1 of 2 checks fails",
        "1 ✓ grad_cam 2 / 2 done",
        "1 ○ deconvnet 0 / 2 to do (extension)",
    ]
    assert "4 of 8 points (50 %)" in text
    assert "3 of 12 values are wrong" in text
    assert "your code here" not in text  # an exercise that was not begun is no failure to read about


def test_what_a_student_s_code_printed_is_shown_as_text_with_its_check():
    text = page(grade_of(verdict("a", "failed", "wrong", printed=HOSTILE)))

    assert "Your code printed:" in text
    assert "<script" not in text
    checks = re.findall(r'<section class="check">.*?</section>', text, re.DOTALL)
    assert len(checks) == 1, "a message, what was printed and its pictures stay together on paper"
    assert "&lt;script&gt;" in checks[0]


def test_the_points_at_home_and_in_the_class_are_said_of_whole_parts(tmp_path: Path):
    stored, names = tmp_path / "hidden.json", PARTS[0].functions
    stored.write_text(json.dumps(dict.fromkeys(names, 1.5)))
    home = grade_of(*(verdict("a", "todo", function=name) for name in names))
    check = Check("tests/hidden/saliency/test_hidden_saliency_map.py::test_h", "saliency_map", 15.0)

    assert sums(home, stored) == f"part 1 has {2 * len(names):g} points here and {3.5 * len(names):g} with them"
    assert sums(grade_of(*home.verdicts, Verdict(check, "failed")), stored) == sums(home, stored)
    assert sums(grade_of(home.verdicts[0]), stored) == "", "one function of a part"
    assert sums(home, tmp_path / "missing.json") == ""
    assert sums(home) in page(home)


def test_the_stored_points_are_those_of_the_hidden_manifest():
    hidden = read_manifest(ROOT / "tests" / "hidden" / "manifest.json")

    stored = json.loads(HIDDEN.read_text(encoding="utf-8"))

    assert stored == {f: sum(c.points for c in hidden if c.function == f) for part in PARTS for f in part.functions}


def test_maps_are_drawn_from_zero_and_differences_about_zero():
    (row,) = draw(Picture(MAP, MAP[:, :, ::-1].copy()))

    yours, reference, difference = row.drawings
    assert [d.title for d in row.drawings] == ["yours", "reference", "yours − reference"]
    assert (yours.width, yours.height) == (4, 3)
    assert tuple(pixels(yours)[0, 0]) == (68, 1, 84)  # viridis begins at 0
    assert tuple(pixels(yours)[2, 3]) == (253, 231, 37)
    assert tuple(pixels(reference)[2, 0]) == (253, 231, 37)
    assert yours.scale == reference.scale == "violet 0, yellow 2"
    assert pixels(difference)[0, 0, 2] > pixels(difference)[0, 0, 0]  # blue: too low
    assert pixels(difference)[0, 3, 0] > pixels(difference)[0, 3, 2]  # red: too high
    assert difference.scale == "blue −0.545, white 0, red 0.545"


def test_entries_that_are_not_numbers_have_a_colour_of_their_own():
    wrong = MAP.copy()
    wrong[0, 1, 1:3] = np.nan, np.inf

    (row,) = draw(Picture(wrong, MAP))

    yours, _, difference = row.drawings
    assert (pixels(yours)[1, 1:3] == 255).all()
    assert (pixels(difference)[1, 1:3] == 0).all()
    assert yours.scale == "violet 0, yellow 2; 2 not finite, white"
    (nothing,) = draw(Picture(np.full_like(MAP, np.nan), MAP))
    assert "12 not finite" in nothing.drawings[0].scale


def test_a_result_of_another_magnitude_does_not_hide_the_reference():
    (row,) = draw(Picture(1000 * MAP, MAP))

    yours, reference, _ = row.drawings
    assert (yours.scale, reference.scale) == ("violet 0, yellow 2e+03", "violet 0, yellow 2")
    assert (pixels(yours) == pixels(reference)).all()


def test_pictures_in_colour_have_grey_zeros_and_the_difference_of_the_worst_channel():
    right = np.zeros((2, 3, 2, 2))
    wrong = right.copy()
    wrong[1, 2, 0, 1], wrong[1, 0, 0, 1] = -4, 1

    rows = draw(Picture(wrong, right))

    assert [row.name for row in rows] == ["index 0", "index 1"]
    yours, reference, difference = rows[1].drawings
    assert pixels(yours)[0, 1].tolist() == [159, 128, 0]
    assert (pixels(reference) == 128).all()
    assert tuple(pixels(difference)[0, 1]) == (5, 48, 97)
    assert difference.scale == "worst channel: blue −4, white 0, red 4"


def test_of_a_batch_the_worst_images_are_drawn():
    right = np.zeros((5, 3, 4))
    wrong = right.copy()
    wrong[1, 0, 0], wrong[3, 0, 0], wrong[4, 0, 0] = 1, 3, 2

    assert [row.name for row in draw(Picture(wrong, right))] == ["index 3", "index 4"]


@pytest.mark.parametrize(
    ("actual", "expected", "titles"),
    [
        ((3, 4), (3, 4), ["yours", "reference", "yours − reference"]),
        ((2, 5, 3, 4), (2, 5, 3, 4), ["yours", "reference", "yours − reference"]),
        ((2, 3, 4), (2, 3, 3, 4), ["yours", "reference"]),
        ((2, 3, 3, 4), (2, 3, 4), ["yours", "reference"]),
        ((7,), (2, 3, 4), ["reference"]),
        ((0, 3, 4), (2, 3, 4), ["reference"]),
    ],
)
def test_any_shape_is_drawn_as_far_as_it_can_be(actual: tuple, expected: tuple, titles: list[str]):
    rows = draw(Picture(np.ones(actual), np.zeros(expected)))

    assert [d.title for d in rows[0].drawings] == titles


def test_a_list_of_numbers_is_no_picture():
    assert draw(Picture(np.ones(5), np.zeros(5))) == ()


def test_arrays_come_through_their_file_and_large_ones_are_left_out(tmp_path: Path):
    name = save_picture(tmp_path, "a", MAP, MAP + 1)

    loaded = load_picture(tmp_path, name)
    assert loaded is not None
    assert (loaded.actual == MAP).all()
    assert (loaded.expected == MAP + 1).all()
    large = np.zeros((1, 1 + LARGEST // 8))
    assert save_picture(tmp_path, "b", large, large) == ""
    assert save_picture(tmp_path, "c", None, MAP) == ""


def test_a_file_that_is_something_else_is_no_picture(tmp_path: Path):
    (tmp_path / "garbage.npz").write_bytes(b"PK\x03\x04 not a zip")
    np.savez(tmp_path / "object.npz", actual=np.array([{}], dtype=object), expected=MAP)
    np.savez(tmp_path / "half.npz", actual=MAP)

    for name in ("garbage.npz", "object.npz", "half.npz", "missing.npz", "", "../edition/x.npz"):
        assert load_picture(tmp_path, name) is None


def test_the_part_about_one_function_stands_alone():
    text = fragment(grade_of(verdict("a", "failed", HOSTILE, picture=Picture(MAP, -MAP))).functions[0])

    assert "<style>" in text
    assert text.count("data:image/png") == 3
    assert "<script" not in text
    assert "correct, 1 of 1 check" in fragment(grade_of(verdict("a", "passed")).functions[0])


def test_a_graded_mistake_is_in_the_report_with_its_hint_and_pictures(small_edition):
    small_edition.edit("return gradient.abs().sum(dim=1)", "return gradient.sum(dim=1)")

    done = small_edition.python("-m", "coursekit", "grade", "saliency_map", "--report", "mine.html")

    assert done.returncode == 1, done.stderr
    assert "mine.html" in done.stdout.splitlines()[-1]
    text = (small_edition.root / "mine.html").read_text(encoding="utf-8")
    assert "The saliency map of a linear model is |w_label|" in text
    assert "<b>Hint:</b>" in text
    assert text.count("data:image/png") >= 6
    assert not list(small_edition.root.glob("*.part"))


@pytest.mark.sampled(2)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: as root, ./setup.sh test")
@pytest.mark.parametrize("width", [390, 1100])
def test_a_browser_shows_the_page_at_the_width_of_a_phone_and_of_a_desktop(tmp_path: Path, width: int):
    rng = np.random.default_rng(0)
    maps = Picture(rng.random((3, 9, 13)), rng.random((3, 9, 13)))
    colour = Picture(rng.normal(size=(2, 3, 9, 13)), rng.normal(size=(2, 3, 9, 13)))
    bad = [verdict("long_" * 30, "failed", HOSTILE + " x" * 50 + "y" * 200, picture=maps)]
    bad += [verdict("b", "failed", "wrong", function="guided_grad_cam", picture=colour)]
    report = write_report(grade_of(*bad, verdict("c", "todo", function="deconvnet_relu_gradient")), tmp_path / "r.html")
    shot = tmp_path / "shot.png"

    quiet = "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
    subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", *quiet.split(), "--disable-sync", "--hide-scrollbars",
         f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},2400", f"--screenshot={shot}", report.as_uri()],
        check=True, capture_output=True, timeout=100,
    )  # fmt: skip

    seen = np.asarray(Image.open(shot).convert("RGB")).astype(int)
    assert seen.shape[1] == width
    assert (seen[:, -6:] == 255).all(), "something is wider than the page"
    assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 200, "no pictures on the page"


def test_a_module_that_was_not_loaded_is_said_once_for_each_function():
    told = "assignment2/saliency.py was not handed in"

    text = page(grade_of(verdict("a", "not loaded", told), verdict("b", "not loaded", told)))

    assert text.count(told) == 1
    assert 'href="#saliency_map"' not in text
    assert told in fragment(grade_of(verdict("a", "not loaded", told)).functions[0])
