"""The page of written answers: every question with what stands under it, nothing lost, and nothing that runs in a browser."""

import json
import re
import sys

import pytest

from coursekit.grading import answers
from coursekit.grading.answers import RENDERED, answers_page
from coursekit.grading.holes import PROMPT
from coursekit.grading.written import GIVEN, LONGEST, MOST, Given, Written, given_in, given_notebooks, which, written
from coursekit.parts import PARTS, ROOT, notebooks_of
from coursekit.staff.cut_notebooks import cut_notebook
from coursekit.staff.reference import given_text


def notebook_of(*cells):
    return {"cells": [{"cell_type": kind, "source": source} for kind, source in cells]}


def book(*cells):
    return written(notebook_of(*cells))


HANDED_OUT = (
    ("markdown", "# Title"),
    ("code", "import torch\nx = 1"),
    ("markdown", "## Questions\n\n**1.** Why?\nIn one line."),
    ("markdown", PROMPT),
    ("markdown", "**Question 2.** How?"),
    ("markdown", PROMPT),
    ("markdown", "## 7. Next\n\na story"),
    ("code", "print(x)"),
    ("markdown", "**3.** Where?"),
    ("markdown", PROMPT),
)
QUESTIONS = ("**1.** Why?\nIn one line.", "**Question 2.** How?", "**3.** Where?")


def given_of(*cells):
    stored = given_in(notebook_of(*cells))
    return Given(tuple(stored["questions"]), frozenset(stored["lines"]))


def read(*cells):
    return written(notebook_of(*cells), given_of(*HANDED_OUT))


def with_cells(place, *cells, instead=0):
    """The notebook with cells put before the place, and so many of its own taken out there."""
    return HANDED_OUT[:place], cells, HANDED_OUT[place + instead :]


def answers_of(place, *cells, instead=0):
    book = read(*(cell for group in with_cells(place, *cells, instead=instead) for cell in group))
    assert tuple(question for question, _ in book.answers) == QUESTIONS
    return [answer for _, answer in book.answers], book.elsewhere


@pytest.mark.parametrize("path", notebooks_of(PARTS), ids=lambda path: path.stem)
def test_every_notebook_asks_at_least_three_questions_and_the_staff_have_answered(path):
    notebook = json.loads((ROOT / path).read_text(encoding="utf-8"))

    found = written(notebook, given_notebooks()[path.as_posix()])

    assert len(found.answers) >= 3
    assert all(len(answer) > 100 for _, answer in found.answers)
    assert found.elsewhere == ""
    page = answers_page({path.name: found})
    assert "no answer" not in page
    assert "BEGIN SOLUTION" not in page


@pytest.mark.parametrize("path", notebooks_of(PARTS), ids=lambda path: path.stem)
def test_a_notebook_as_it_is_handed_out_has_no_answer_and_nothing_else(path):
    notebook = json.loads(cut_notebook((ROOT / path).read_text(encoding="utf-8"), path))

    found = written(notebook, given_notebooks()[path.as_posix()])

    assert found.unanswered == tuple(range(1, len(found.answers) + 1))
    assert len(found.answers) >= 3
    assert not found.says_anything
    assert which(notebook, given_notebooks()) == path.as_posix()


def test_what_is_stored_of_the_notebooks_is_what_they_are_handed_out_with():
    assert (ROOT / GIVEN).read_text(encoding="utf-8") == given_text(PARTS), "run ./setup.sh reference"


def test_each_question_has_what_stands_under_it():
    book = read(
        *HANDED_OUT[:3],
        ("markdown", "Because."),
        ("markdown", ["And ", "also."]),
        *HANDED_OUT[4:9],
        ("markdown", "Here."),
    )

    assert book == Written("Title", tuple(zip(QUESTIONS, ("Because.\n\nAnd also.", "", "Here."), strict=True)))
    page = answers_page({"n.ipynb": book})
    assert page.count("no answer") == 1
    assert "a story" not in page
    assert "<h2>Title <small>n.ipynb</small></h2>" in page


PLACES = {
    "in the prompt's place": (3, [("markdown", "ANSWER")], 1),
    "with the prompt left above": (3, [("markdown", f"{PROMPT}\n\nANSWER")], 1),
    "after the prompt": (4, [("markdown", "ANSWER")], 0),
    "with a heading": (3, [("markdown", "# Answer\n\nANSWER")], 1),
    "with a heading in a cell of its own": (3, [("markdown", "## My view"), ("markdown", "ANSWER")], 1),
    "with a comment in a fenced block": (3, [("markdown", "```python\n# a comment\nx = 1\n```\n\nANSWER")], 1),
    "as a numbered list in bold": (3, [("markdown", "**1.** first\n\n**2.** second, ANSWER")], 1),
    "in a code cell": (3, [("code", "# ANSWER\n2 + 2")], 1),
    "in a raw cell": (3, [("raw", "ANSWER")], 1),
    "after a code cell": (3, [("code", "2 + 2"), ("markdown", "ANSWER")], 1),
    "after a copy of a given code cell": (3, [("code", "import torch\nx = 1"), ("markdown", "ANSWER")], 1),
    "in the question's cell": (2, [("markdown", f"{HANDED_OUT[2][1]}\n\nANSWER")], 1),
    "in a cell of no kind": (3, [(None, "ANSWER")], 1),
    "beside a cell without a text": (3, [("markdown", None), ("markdown", "ANSWER")], 1),
    "beside a cell whose text is a number": (3, [("markdown", 7), ("markdown", ["ANSWER", None])], 1),
    "in the cells of two questions, merged": (2, [("markdown", "\n\n".join([HANDED_OUT[2][1], "ANSWER", "**Question 2.** How?"]))], 3),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_an_answer_is_found_wherever_it_stands_below_its_question(place):
    at, cells, instead = PLACES[place]

    answers, elsewhere = answers_of(at, *cells, instead=instead)

    assert "ANSWER" in answers[0]
    assert answers[1:] == ["", ""]
    assert elsewhere == ""
    assert PROMPT not in answers[0]


ELSEWHERE = {
    "above the first question": (1, [("markdown", "ANSWER")], 0),
    "in a given cell above it": (1, [("code", "import torch\nx = 2  # ANSWER")], 1),
    "below the next given heading": (7, [("markdown", "ANSWER")], 0),
}


@pytest.mark.parametrize("place", ELSEWHERE)
def test_what_stands_under_no_question_is_shown_at_the_end(place):
    at, cells, instead = ELSEWHERE[place]

    answers, elsewhere = answers_of(at, *cells, instead=instead)

    assert answers == ["", "", ""]
    assert "ANSWER" in elsewhere
    page = answers_page({"n": read(*(cell for group in with_cells(at, *cells, instead=instead) for cell in group))})
    assert re.search(r"Outside the answers.*ANSWER", page, re.DOTALL)


def test_a_question_that_was_taken_out_is_named_and_what_stood_under_it_is_shown():
    book = read(*HANDED_OUT[:4], ("markdown", "ANSWER"), *HANDED_OUT[6:])

    assert "no longer in the notebook" in book.answers[1][0]
    assert book.answers[0][1] == "ANSWER"


def test_a_question_whose_wording_was_changed_is_known_by_its_number():
    book = read(*HANDED_OUT[:4], ("markdown", "**Question 2.** How, if at all?"), ("markdown", "So."), *HANDED_OUT[6:])

    assert book.answers[1] == (QUESTIONS[1], "So.")


@pytest.mark.parametrize("text", ["![drawing](attachment:a.png)", "<img src='x.png'>", "<!-- hidden -->"])
def test_an_answer_that_the_page_cannot_show_is_no_empty_one(text):
    page = answers_page({"n": book(("markdown", "**1.** ?"), ("markdown", text))})

    assert "no answer" not in page
    assert "see the notebook" in page


def test_emphasis_lists_tables_and_formulas_stay():
    page = answers_page({"n": book(("markdown", "**1.** ?"), ("markdown", "*so* $x^2$\n\n- a\n\n|a|b|\n|-|-|\n|1|2|"))})

    assert all(text in page for text in ("<em>so</em>", "<msup>", "<li>a</li>", "<td>1</td>"))


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe src='http://example.org'></iframe>",
    "<style>body{display:none}</style>",
    "<svg/onload=alert(1)>",
    "![p](http://example.org/seen.png)",
    "<form action='http://example.org'><input></form>",
    '<div style="background:url(http://example.org)">',
    "</div></div></body></html>",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_answer_can_run_or_fetch_or_leave_its_place(text):
    plain = answers_page({"n": book(("markdown", "**1.** ?"), ("markdown", "text"))})

    page = answers_page({"n": book(("markdown", f"**1.** ? {text}"), ("markdown", text))})

    bodies = [p.lower().split("<body>")[1] for p in (page, plain)]
    for tag in ("<script", "<img", "<iframe", "<style", "<svg", "<form", "<input", "href=", "src=", "style="):
        assert tag not in bodies[0]
    assert bodies[0].count("</div>") == bodies[1].count("</div>")
    assert page.lower().count("</body>") == 1
    assert "default-src 'none'" in page


def test_a_name_cannot_break_out_either():
    page = answers_page({"<script>": book(("markdown", "# <script>x</script>"))})

    assert "<script" not in page.lower()


def test_a_long_answer_is_cut_and_says_so():
    page = answers_page({"n": book(("markdown", "**1.** ?"), ("markdown", " x" * LONGEST))})

    assert "cut here: 40,000 characters, 20,000 are shown" in page
    assert len(page) < 2 * LONGEST


def test_hostile_texts_are_read_as_markdown_up_to_a_number_of_characters(monkeypatch):
    slow = "**1.** ?\n\na|b\n-|-\n" + "|\n" * 9000  # nbconvert takes 6 s for this
    read = []
    monkeypatch.setattr(answers, "_html", lambda text: read.append(len(text)))

    page = answers_page({f"{n}.ipynb": book(*[("markdown", slow)] * MOST) for n in range(6)})

    assert 0 < sum(read) <= RENDERED
    assert page.count("<pre>") > MOST


@pytest.mark.timeout(60)
@pytest.mark.parametrize("given", [Given(), given_of(*HANDED_OUT)], ids=["unknown", "known"])
def test_a_million_questions_take_no_time_and_are_cut(given):
    found = book(*[("markdown", "**1.** ?")] * 1000)
    many = written(notebook_of(("markdown", "**1.** Why?\n" * 300_000)), given)

    assert len(found.answers) == MOST
    assert len(many.answers) in (MOST, len(QUESTIONS))
    assert len(many.answers[0][1]) < 2 * LONGEST


def page_of(answer: str) -> str:
    return answers_page({"notebooks/1_toy.ipynb": Written("Toys", (("**1.** Why?", answer),))})


def test_formulas_are_drawn_as_mathml_and_dollars_in_code_and_prices_stay():
    page = page_of(
        "So $\\frac{a}{b}$, and\n\n$$\\sum_i x_i$$\n\nIt costs $5 or $6; `$x$` is code.\n\n| a |\n|---|\n| $|g|$ |"
    )

    assert page.count("<math") == 3
    assert "<mfrac><mi>a</mi>" in re.sub("</?mrow>", "", page)
    assert 'display="block"' in page
    assert "It costs $5 or $6" in page
    assert "<code>$x$</code>" in page


@pytest.mark.parametrize(
    "tex",
    [
        "\\text{<script>alert(1)</script>}",
        "\\text{<img src=x onerror=alert(1)>}",
        "\\href{javascript:alert(1)}{x}",
        '\\text{"><script>alert(1)</script>}',
        "\\style{background:url(http://a.b)}{x}",
        "{" * 400 + "x" + "}" * 400,
        "\\text{a2formula0a a2formula0a}",
    ],
)
def test_a_hostile_formula_is_text_or_drawn_but_no_other_markup(tex: str):
    page = page_of(f"${tex}$ [${tex}$](http://c.d/${tex}$ 'title ${tex}$')").partition("<body>")[2]

    tags = {tag.lower() for tag in re.findall(r"<([A-Za-z][^\s>/]*)", page)}
    assert tags.isdisjoint({"script", "img", "style", "iframe", "annotation-xml", "maction"}), tags
    assert not re.search(r"<[^>]*\s(?:on\w+|style)\s*=", page)
    assert all(link.startswith("http://c.d/") for link in re.findall(r'href="([^"]*)"', page))
    assert len(page) < 20_000


def test_without_the_library_the_tex_is_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)

    assert "$\\alpha$" in page_of("So $\\alpha$.")
