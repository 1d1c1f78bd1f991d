"""The page of written answers: every question with what stands under it, and nothing that runs in a browser."""

import json

import pytest

from coursekit.grading import answers
from coursekit.grading.answers import LONGEST, MOST, RENDERED, Written, answers_page, written
from coursekit.grading.holes import PROMPT
from coursekit.parts import PARTS, ROOT, notebooks_of


def notebook_of(*cells):
    return {"cells": [{"cell_type": kind, "source": source} for kind, source in cells]}


def book(*cells):
    return written(notebook_of(*cells))


@pytest.mark.parametrize("path", notebooks_of(PARTS), ids=lambda path: path.stem)
def test_every_notebook_asks_three_questions_and_the_staff_have_answered(path):
    notebook = json.loads((ROOT / path).read_text(encoding="utf-8"))

    found = written(notebook)

    assert len(found.answers) == 3
    assert all(len(answer) > 100 for _, answer in found.answers)
    page = answers_page({path.name: found})
    assert "no answer" not in page
    assert "BEGIN SOLUTION" not in page


def test_an_answer_ends_at_the_next_question_heading_or_code():
    notebook = notebook_of(
        ("markdown", "# Title"),
        ("markdown", "## Questions\n\n**1.** Why?"),
        ("markdown", "Because."),
        ("markdown", ["And ", "also."]),
        ("markdown", "**Question 2.** How?"),
        ("markdown", PROMPT),
        ("code", "1 + 1"),
        ("markdown", "a story"),
        ("markdown", "**3.** Where?"),
        ("markdown", "Here."),
        ("markdown", "## 7. Next"),
    )

    assert written(notebook) == Written(
        "Title",
        (
            ("**1.** Why?", "Because.\n\nAnd also."),
            ("**Question 2.** How?", PROMPT),
            ("**3.** Where?", "Here."),
        ),
    )
    page = answers_page({"n.ipynb": written(notebook)})
    assert page.count("no answer") == 1
    assert "a story" not in page
    assert "<h2>Title <small>n.ipynb</small></h2>" in page


def test_emphasis_lists_tables_and_formulas_stay():
    page = answers_page({"n": book(("markdown", "**1.** ?"), ("markdown", "*so* $x^2$\n\n- a\n\n|a|b|\n|-|-|\n|1|2|"))})

    assert all(text in page for text in ("<em>so</em>", "$x^2$", "<li>a</li>", "<td>1</td>"))


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
    page = answers_page({"n": book(("markdown", "**1.** ?"), ("markdown", "x " * LONGEST))})

    assert "cut here: 40,000 characters, 20,000 are shown" in page
    assert len(page) < 2 * LONGEST


def test_hostile_texts_are_read_as_markdown_up_to_a_number_of_characters(monkeypatch):
    slow = "**1.** ?\n\na|b\n-|-\n" + "|\n" * 9000  # nbconvert takes 6 s for this
    read = []
    monkeypatch.setattr(answers, "_html", lambda text: read.append(len(text)))

    page = answers_page({f"{n}.ipynb": book(*[("markdown", slow)] * MOST) for n in range(6)})

    assert 0 < sum(read) <= RENDERED
    assert page.count("<pre>") > MOST


def test_a_million_questions_are_cut_too():
    found = book(*[("markdown", "**1.** ?")] * 1000)

    assert len(found.answers) == MOST
