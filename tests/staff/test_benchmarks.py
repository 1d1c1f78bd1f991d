"""Every benchmark runs, against the peers that are installed; the numbers themselves belong to a quiet machine."""

import importlib.util
import re
import runpy
import sys

import pytest

from coursekit.parts import ROOT

FOLDER = ROOT / "benchmarks"


@pytest.fixture
def alternating(monkeypatch):
    """The shared timing, so that both sides run once."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import alternating

    monkeypatch.setattr(alternating, "alternate", lambda ours, peer, repeats=1: (timed(ours), timed(peer)))
    timed = alternating.spend
    yield alternating
    del sys.modules["alternating"]


@pytest.mark.parametrize(
    "name",
    [
        "style",
        "segmentation",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("saliency", "adversarial", "robustness")),
    ],
)
def test_a_comparison_prints_a_row_for_each_pair(alternating, capsys, name):
    # Not importorskip: only the benchmark makes it possible to import it.
    if name == "robustness" and not importlib.util.find_spec("imagecorruptions"):
        pytest.skip("imagecorruptions is not installed: `./setup.sh test` installs it")

    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")

    head, dashes, *rows = capsys.readouterr().out.splitlines()
    assert f"{head}\n{dashes}" == alternating.HEAD
    assert len(rows) >= 5
    for row in rows:
        assert re.fullmatch(r"\| .*`.* \| \d+\.\d\d \| .+ \| \d+\.\d\d \| \d+\.\d\d \|", row) or "the seven" in row, row


def test_what_grows_is_measured_at_four_sizes_and_runs_at_the_smallest(alternating):
    scaling = runpy.run_path(str(FOLDER / "scaling.py"))

    rows = list(scaling["rows"]())

    assert {"saliency_map", "pgd", "gram_matrix", "transposed_conv2d", "confusion_matrix"} <= {row[0] for row in rows}
    for _, _, sizes, make in rows:
        assert len(sizes) == 4
        make(sizes[0])()


def test_the_picture_of_the_exponents_has_a_line_for_each_row_of_the_document(monkeypatch, tmp_path):
    drawing = runpy.run_path(str(FOLDER / "draw_scaling.py"))
    plt = drawing["plt"]
    measured = (ROOT / "docs" / "measured.md").read_text(encoding="utf-8")
    cost = measured[measured.index("## Cost against size") :]
    table = cost[cost.index("|---") :].partition("\n\n")[0].splitlines()[1:]

    monkeypatch.setattr(
        sys, "argv", ["draw_scaling.py", str(ROOT / "docs" / "measured.md"), str(tmp_path / "drawn.png")]
    )
    drawing["main"]()

    axes = plt.gcf().axes
    plt.close("all")
    assert sum(len(ax.lines) for ax in axes) == len(table) > 20
    assert all(ax.get_xscale() == ax.get_yscale() == "log" for ax in axes)
    assert (tmp_path / "drawn.png").stat().st_size > 10_000


def test_only_the_document_named_the_picture_goes_to_its_own_place(monkeypatch, tmp_path):
    drawing = runpy.run_path(str(FOLDER / "draw_scaling.py"))
    monkeypatch.setitem(drawing["main"].__globals__, "DOCS", tmp_path)
    document = tmp_path / "measured.md"
    document.write_bytes((ROOT / "docs" / "measured.md").read_bytes())
    monkeypatch.setattr(sys, "argv", ["draw_scaling.py", str(document)])

    drawing["main"]()

    drawing["plt"].close("all")
    assert document.read_bytes() == (ROOT / "docs" / "measured.md").read_bytes()
    assert (tmp_path / "scaling.png").is_file()


def test_the_exponent_is_the_slope_on_log_axes(alternating):
    exponent = runpy.run_path(str(FOLDER / "scaling.py"))["exponent"]

    assert exponent((1, 2, 4, 8), [3, 12, 48, 192]) == pytest.approx(2)
    assert exponent((10, 20, 40, 80), [5, 5, 5, 5]) == pytest.approx(0)


def test_one_command_writes_them_all_and_goes_on_after_one_that_fails(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["all.py", str(tmp_path / "out.md")])
    everything = runpy.run_path(str(FOLDER / "all.py"))
    monkeypatch.setitem(everything["main"].__globals__, "NAMES", ("no_such_file", "alternating"))

    assert everything["main"]() != 0

    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert re.search(r"^## no_such_file\n\nLoad [\d., ]+\.\n\nFailed: .*no_such_file", text, re.MULTILINE)
    assert "## alternating" in text


def test_all_names_every_benchmark_but_those_that_take_hours():
    names = runpy.run_path(str(FOLDER / "all.py"))["NAMES"]

    there = {path.stem for path in FOLDER.glob("*.py")} - {"all", "alternating", "draw_scaling"}
    assert set(names) == there - {"classroom", "false_alarms", "versions", "segment_classes"}
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"benchmarks/{name}.py" in text for name in {*there, "draw_scaling"})
