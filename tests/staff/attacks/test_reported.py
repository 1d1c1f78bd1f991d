"""Attacks on those who read the results: a page, a terminal, a file."""

import re

import pytest

TEXTS = {
    "a script": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "an end of everything": "</pre></div></body></html><iframe src='javascript:1'>",
    "a template": "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "a terminal's orders": "\x1b[2J\x1b]0;passed\x07\x1b[31mred\r\nscore: 100",
    "text from right to left": "\u202egnp.exe\u2066",
    "half a character": "\ud800",
    "null": "\x00",
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", TEXTS)
def test_a_message_is_text_wherever_it_is_shown(grader, name, capsys):
    from coursekit.grading.terminal import print_grade

    outcome = grader.attack(f"raise ValueError({TEXTS[name]!r})")
    print_grade(outcome.grade)
    shown = capsys.readouterr().out

    assert outcome.verdict().score == 0
    assert "ValueError" in outcome.verdict().message
    assert "<script>alert" not in outcome.page
    assert "<img src=x" not in outcome.page
    assert "<iframe" not in outcome.page
    assert "\x1b]" not in outcome.page + shown
    assert "\x1b[2J" not in shown
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown), "a terminal that writes backwards"


def test_a_name_is_text_too(grader):
    outcome = grader.attack("return type('<script>alert(1)</script>', (), {})()")

    assert "<script>alert" not in outcome.page
    assert "the result is a Something" in outcome.verdict().message
