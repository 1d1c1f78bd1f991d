"""The marker grammar: what is cut, and that nothing which looks like a marker slips through."""

from __future__ import annotations

import ast
import json
import textwrap
from typing import Any

import pytest

from coursekit.grading.holes import PROMPT, defined_names, open_holes
from coursekit.staff.cut_notebooks import cut_notebook
from coursekit.staff.leaks import LeakError, refuse_leaks, solution_lines
from coursekit.staff.markers import CELL, MarkerError, cut, find_regions

PATH = "assignment2/toy.py"
NOTEBOOK = "notebooks/1_toy.ipynb"


def code(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def function(*lines: str) -> str:
    """Return a function whose body is these lines."""
    return "\n".join(["def f(x):", *(f"    {line}" for line in lines), ""])


def notebook(*cells: dict[str, Any], **changes: Any) -> str:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | changes)


def cell(source: str, kind: str = "code", **changes: Any) -> dict[str, Any]:
    made = {"cell_type": kind, "id": "a1", "metadata": {}, "source": source.splitlines(keepends=True)}
    if kind == "code":
        made |= {"execution_count": 3, "outputs": [{"output_type": "stream", "name": "stdout", "text": "42"}]}
    return made | changes


def test_a_region_becomes_one_hole_at_the_same_indent():
    staff = code('''
        def gram(features):
            """Correlate."""
            ### BEGIN SOLUTION
            flat = features.flatten(2)

            return flat @ flat.mT
            ### END SOLUTION


        def after():
            return 1
    ''')

    student = cut(staff, PATH)

    assert student == code('''
        def gram(features):
            """Correlate."""
            raise NotImplementedError("gram: your code here")


        def after():
            return 1
    ''')


def test_regions_are_found_with_their_markers_lines_and_their_function():
    (region,) = find_regions(function("### BEGIN SOLUTION", "return x", "### END SOLUTION"), PATH)

    assert (region.start_line, region.end_line, region.indent, region.function) == (2, 4, "    ", "f")


def test_the_name_of_a_hole_is_the_method_or_the_outermost_function():
    staff = code("""
        class UNet(Module):
            class Down(Module):
                def __init__(self):
                    ### BEGIN SOLUTION
                    self.depth = 1
                    ### END SOLUTION

            async def forward(self, x):
                if x:
                    ### BEGIN SOLUTION
                    x = 1
                    ### END SOLUTION
                return x


        def outer():
            class Local:
                def method(self):
                    ### BEGIN SOLUTION
                    return 1
                    ### END SOLUTION

            return Local
    """)

    assert [r.function for r in find_regions(staff, PATH)] == ["UNet.Down.__init__", "UNet.forward", "outer"]
    assert '            raise NotImplementedError("UNet.forward: your code here")\n        return x' in cut(staff, PATH)


@pytest.mark.parametrize(
    "block",
    [
        "try:\n    ### BEGIN SOLUTION\n    g()\n    ### END SOLUTION\nexcept E:\n    pass",
        "try:\n    g()\nexcept E:\n    ### BEGIN SOLUTION\n    h()\n    ### END SOLUTION",
        "try:\n    g()\nfinally:\n    ### BEGIN SOLUTION\n    h()\n    ### END SOLUTION",
        "if x:\n    pass\nelse:\n    ### BEGIN SOLUTION\n    h()\n    ### END SOLUTION",
        "match x:\n    case 1:\n        ### BEGIN SOLUTION\n        h()\n        ### END SOLUTION",
        "for i in x:\n    ### BEGIN SOLUTION\n    if i:\n        h()\n    else:\n        g()\n    ### END SOLUTION",
        "### BEGIN SOLUTION\nwith x:\n    y = (1 +\n2)\n### END SOLUTION",
        "### BEGIN SOLUTION\n@g\ndef h():\n    pass\n### END SOLUTION\nreturn h",
    ],
)
def test_a_region_may_stand_in_any_block_of_a_function(block: str):
    student = cut(function(*block.split("\n")), PATH)

    assert open_holes(ast.parse(student)) == ("f",)
    assert "SOLUTION" not in student


def test_the_markers_may_have_any_indent():
    staff = "def f():\n### BEGIN SOLUTION\n    return 1\n            ### END SOLUTION  \n"

    assert cut(staff, PATH) == 'def f():\n    raise NotImplementedError("f: your code here")\n'


@pytest.mark.parametrize(("name", "note"), [("saliency_map", ""), ("deconvnet", "  # extension: optional")])
def test_a_hole_says_whether_it_must_be_filled(name, note):
    staff = f"def {name}():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"

    assert cut(staff, PATH) == f'def {name}():\n    raise NotImplementedError("{name}: your code here"){note}\n'


def test_text_without_markers_stays_as_it_is():
    text = '# A resolution of 96, from the beginning to the end.\nx = "### END"  # the end of the evolution\n'

    assert cut(text, PATH) == text


MISSPELT = [
    "### BEGIN SOLUTIONS",
    "## BEGIN SOLUTION",
    "# BEGIN SOLUTION",
    "#### BEGIN SOLUTION",
    "###BEGIN SOLUTION",
    "###  BEGIN SOLUTION",
    "### BEGIN  SOLUTION",
    "### Begin solution",
    "### begin solution",
    "### BEGIN SOLUTION here",
    "### BEGIN SOLUTION:",
    "### BEGIN SOLUTION ###",
    "### BEGIN THE SOLUTION",
    "### BEGIN_SOLUTION",
    "### BEGINSOLUTION",
    "### BEGIN SOLUTOIN",
    "### BEGIN SOLUION",
    "### BEGIN S\N{CYRILLIC CAPITAL LETTER O}LUTION",
    "### BEGIN\N{NO-BREAK SPACE}SOLUTION",
    "### BEIGN SOLUTION",
    "### SOLUTION BEGIN",
    "### SOLUTION",
    "### BEGIN SOLN",
    "### BEGIN",
    "### START SOLUTION",
    "# begin solution",
    "<!-- ### BEGIN SOLUTION -->",
]


@pytest.mark.parametrize("marker", MISSPELT)
@pytest.mark.parametrize("both", [False, True], ids=["begin", "begin and end"])
def test_a_misspelt_marker_is_an_error_with_its_line(marker: str, both: bool):
    if marker.startswith("<"):
        marker = "# " + marker
    end = marker.replace("BEGIN", "END").replace("Begin", "End").replace("begin", "end") if both else "### END SOLUTION"

    with pytest.raises(MarkerError, match=rf"^{PATH}:3: "):
        cut(function("y = 1", marker, "return x", end), PATH)


HEADINGS = ("### SOLUTION", "### BEGIN", "<!-- ### BEGIN SOLUTION -->")  # in markdown: two headings and a marker
IN_CELLS = [
    (m, kind) for m in MISSPELT for kind in ("code", "markdown", "raw") if kind != "markdown" or m not in HEADINGS
]


@pytest.mark.parametrize(("marker", "kind"), IN_CELLS)
def test_a_misspelt_marker_in_a_notebook_is_an_error_with_cell_and_line(marker: str, kind: str):
    if kind == "code" and marker.startswith("<"):
        marker = "# " + marker
    text = notebook(cell("x = 1"), cell(f"y = 1\n{marker}\nz = 3", kind))

    with pytest.raises(MarkerError, match=rf"^{NOTEBOOK}, cell 2, line 2: "):
        cut_notebook(text, NOTEBOOK)


BROKEN = {
    "nested": (["### BEGIN SOLUTION", "x = 1", "### BEGIN SOLUTION", "### END SOLUTION"], 4, "end that first"),
    "unended": (["### BEGIN SOLUTION", "x = 1"], 2, "never ended"),
    "unbegun": (["x = 1", "### END SOLUTION"], 3, "without"),
    "ended twice": (["### BEGIN SOLUTION", "x = 1", "### END SOLUTION", "### END SOLUTION"], 5, "without"),
    "empty": (["### BEGIN SOLUTION", "### END SOLUTION", "return x"], 2, "empty"),
    "only a comment": (["### BEGIN SOLUTION", "# x = 1", "", "### END SOLUTION", "return x"], 2, "empty"),
    "behind code": (["x = 1  ### BEGIN SOLUTION", "x = 2", "### END SOLUTION"], 2, "alone"),
    "in a string": (["x = '''", "### BEGIN SOLUTION", "### END SOLUTION", "'''"], 3, "string"),
    "through an expression": (["x = (", "### BEGIN SOLUTION", "1)", "y = 2", "### END SOLUTION"], 3, "cuts through"),
    "inside an expression": (["x = (", "### BEGIN SOLUTION", "1", "### END SOLUTION", ")"], 3, "cuts through"),
    "into a block": (["### BEGIN SOLUTION", "if x:", "    y = 1", "### END SOLUTION", "    z = 1"], 5, "cuts through"),
    "over else": (
        ["if x:", "    ### BEGIN SOLUTION", "    a()", "else:", "    b()", "    ### END SOLUTION"],
        3,
        "several",
    ),
    "over an except": (
        ["try:", "    ### BEGIN SOLUTION", "    a()", "except E:", "    b()", "    ### END SOLUTION"],
        3,
        "several",
    ),
    "an elif": (["if x:", "    a()", "### BEGIN SOLUTION", "elif y:", "    b()", "### END SOLUTION"], 5, "elif y"),
    "an except": (
        ["try:", "    a()", "### BEGIN SOLUTION", "except E:", "    b()", "### END SOLUTION", "finally:", "    c()"],
        5,
        "except E",
    ),
    "not Python": (["### BEGIN SOLUTION", "x = = 1", "### END SOLUTION"], 3, "not Python"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_region_is_an_error_with_its_line(name: str):
    lines, number, words = BROKEN[name]

    with pytest.raises(MarkerError, match=rf"^{PATH}:{number}: .*{words}"):
        cut(function("pass", *lines).replace("    pass\n", "", 1), PATH)


@pytest.mark.parametrize("text", ["### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n", "class A:\n    x = 0\n%s"])
def test_a_region_outside_a_function_is_an_error_for_its_hole_would_break_the_import(text: str):
    text = text.replace("%s", "    ### BEGIN SOLUTION\n    def f(self):\n        pass\n    ### END SOLUTION\n")

    with pytest.raises(MarkerError, match="outside a function"):
        cut(text, PATH)


def test_a_marker_never_passes_a_region_that_takes_two_functions_together():
    text = "def f():\n    ### BEGIN SOLUTION\n    pass\ndef g():\n    pass\n    ### END SOLUTION\n"

    with pytest.raises(MarkerError, match=rf"{PATH}:\d+: "):
        cut(text, PATH)


LAYERS = code("""
    import torch


    @torch.no_grad()
    def first(x, *, y=(
        1, 2)):
        \'\'\'Do.

        Much.
        \'\'\'
        for i in x:
            if i:
                a = (i +
                     1)
            elif y:
                b = 1
            else:
                c = 2
        try:
            with x as z, y:
                d = 3
        except ValueError:
            raise
        finally:
            e = 4
        return [
            x
            for x in y
        ]


    class Net(torch.nn.Module):
        size = 3

        def forward(self, x):
            def inner():
                return x
            match x:
                case 1:
                    return inner()
                case _:
                    pass
            return inner
""").replace("\\'", "'")


def test_wherever_a_pair_of_markers_stands_it_is_cut_cleanly_or_refused():
    lines = LAYERS.split("\n")
    cut_cleanly = 0
    for start in range(len(lines)):
        for end in range(start, len(lines)):
            solution = lines[start:end]
            staff = [*lines[:start], "### BEGIN SOLUTION", *solution, "### END SOLUTION", *lines[end:]]
            try:
                student = cut("\n".join(staff), PATH).split("\n")
            except MarkerError:
                continue
            cut_cleanly += 1
            assert student[:start] == lines[:start]
            assert student[start + 1 :] == lines[end:]
            assert len(open_holes(ast.parse("\n".join(student)))) <= 1
            assert 'Error("first: your' in student[start] or 'Error("Net.forward: your' in student[start]

    assert cut_cleanly > 30


def test_notebook_cells_are_cut_cleared_and_keep_their_ids():
    text = notebook(
        cell("%matplotlib inline\n!ls\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\nx\n", execution_count=7),
        cell("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n", id="b2"),
        cell("%%bash\necho 1"),
        cell("# A heading\nand text", "markdown", metadata={"tags": ["raises-exception"], "secret": 1}),
        metadata={"kernelspec": {"name": "mine", "display_name": "/home/me"}, "widgets": {}},
    )

    made = json.loads(cut_notebook(text, NOTEBOOK))

    sources = ["".join(c["source"]) for c in made["cells"]]
    assert sources[0] == f'%matplotlib inline\n!ls\nraise NotImplementedError("{CELL}: your code here")\nx\n'
    assert sources[1] == 'def f():\n    raise NotImplementedError("f: your code here")\n'
    assert sources[2:] == ["%%bash\necho 1", "# A heading\nand text"]
    assert [c["id"] for c in made["cells"]] == ["a1", "b2", "a1", "a1"]
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in made["cells"][:3])
    assert made["cells"][3]["metadata"] == {"tags": ["raises-exception"]}
    assert "/home/me" not in json.dumps(made)


@pytest.mark.parametrize("form", ["{}", "<!-- {} -->"])
def test_a_written_answer_becomes_the_prompt(form: str):
    begin, end = form.format("### BEGIN SOLUTION"), form.format("### END SOLUTION")
    text = notebook(cell(f"**Question.** Why?\n\n{begin}\nBecause.\n\nReally.\n{end}\n", "markdown"))

    made = json.loads(cut_notebook(text, NOTEBOOK))

    assert "".join(made["cells"][0]["source"]) == f"**Question.** Why?\n\n{PROMPT}\n"


def test_headings_and_prose_about_solutions_may_stay_in_markdown():
    prose = "# Begin\n## The solutions of an equation\nIn the end, every solution begins somewhere.\n### End\n"
    text = notebook(cell(prose, "markdown"))

    assert "".join(json.loads(cut_notebook(text, NOTEBOOK))["cells"][0]["source"]) == prose


@pytest.mark.parametrize(
    "source", ["<!-- ### BEGIN SOLUTION -->\n\n<!-- ### END SOLUTION -->", "### BEGIN SOLUTION\nyes"]
)
def test_an_empty_or_unended_answer_is_an_error(source: str):
    with pytest.raises(MarkerError, match=rf"^{NOTEBOOK}, cell 1, line 1: "):
        cut_notebook(notebook(cell(source, "markdown")), NOTEBOOK)


def test_a_picture_attached_to_an_answer_goes_with_it():
    picture = {"plot.png": {"image/png": "c2VjcmV0"}}
    answer = cell("### BEGIN SOLUTION\nSee ![](attachment:plot.png)\n### END SOLUTION", "markdown", attachments=picture)
    question = cell("![](attachment:plot.png)", "markdown", attachments=picture)

    cells = json.loads(cut_notebook(notebook(answer, question), NOTEBOOK))["cells"]

    assert [c.get("attachments") for c in cells] == [None, picture]


def test_a_cell_without_an_id_gets_the_same_one_each_time():
    without = cell("x = 1")
    del without["id"]
    text = notebook(without, nbformat_minor=4)

    assert json.loads(cut_notebook(text, NOTEBOOK))["cells"][0]["id"] == "cell-1"
    assert cut_notebook(text, NOTEBOOK) == cut_notebook(text, NOTEBOOK)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"nbformat": 3, "worksheets": []}'])
def test_what_is_no_notebook_is_an_error(text: str):
    with pytest.raises(MarkerError, match=f"^{NOTEBOOK}: not a notebook"):
        cut_notebook(text, NOTEBOOK)


def test_a_solution_line_is_found_wherever_it_is_copied():
    staff = function("### BEGIN SOLUTION", "y = x.abs().sum(dim=1)  # (N, H, W)", "return y", "### END SOLUTION")
    lines = list(solution_lines(PATH, staff))
    copied = {
        "tests/toy/test_f.py": b"def test():\n    want = 1\n    y=x.abs().sum( dim=1 )\n",
        "notebooks/1_toy.ipynb": notebook(cell("a\n\ny = x.abs().sum(dim=1)")).encode(),
        "data/toy.json": b'{"a": ["b\\ny = x.abs().sum(dim=1)"]}',
        "README.md": b"Write `y = x.abs().sum(dim=1)`.",
    }

    assert [line.text for line in lines] == ["y=x.abs().sum(dim=1)"]
    for name, content in copied.items():
        with pytest.raises(LeakError, match=rf"^{name}.*solution of f \({PATH}:3\)"):
            refuse_leaks({name: content}, lines)
    refuse_leaks({"a.py": b"return y", "b.png": b"\x89PNG\xff y = x.abs().sum(dim=1)"}, lines)


def test_comments_and_written_answers_count_as_solution_lines_too():
    staff = function("### BEGIN SOLUTION", "# Clamp last, the step may leave the box", "return x", "### END SOLUTION")
    answer = notebook(cell("### BEGIN SOLUTION\nThe gradient saturates there\n### END SOLUTION", "markdown"))
    lines = [*solution_lines(PATH, staff), *solution_lines(NOTEBOOK, answer)]

    with pytest.raises(LeakError, match="solution of f"):
        refuse_leaks({"a.py": b"# Clamp last, the step may leave the box"}, lines)
    with pytest.raises(LeakError, match=rf"solution of answer \({NOTEBOOK}, cell 1, line 2\)"):
        refuse_leaks({"README.md": b"Remember: the gradient. The gradient saturates there, always."}, lines)


def test_a_hole_that_nothing_reaches_is_done():
    raised = 'raise NotImplementedError("f: your code here")'

    assert open_holes(ast.parse(function(raised))) == ("f",)
    assert open_holes(ast.parse(function("return 1", raised))) == ()
    assert open_holes(ast.parse(function("if x:", "    return 1", raised))) == ("f",)
    assert open_holes(ast.parse(function('raise NotImplementedError("later")', "raise NotImplementedError"))) == ()


def test_names_defined_at_the_top_of_a_module_are_known():
    text = "import a.b as c\nfrom d import e\nx = y = 1\nz: int = 2\ndef f(): pass\nclass G: h = 1\n"

    assert defined_names(ast.parse(text)) == {"c", "e", "x", "y", "z", "f", "G"}
