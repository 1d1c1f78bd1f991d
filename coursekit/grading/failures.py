"""How a check failed, in words for the person who can fix it, and as what it is recognised by."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import pytest

from coursekit.checks.expect import CheckFailed
from coursekit.checks.stored import Failure
from coursekit.errors import CheckEnded
from coursekit.grading.time_limit import out_of_time, stopped_after

# What a check gives is in eval mode: where `checked` refuses it, an earlier call has switched it.
LEFT_IN_TRAIN_MODE = "an earlier call of your function left the network in train mode: put every module's mode back"
OUT_OF_TIME = "out of time"  # whatever the limit was
WORDED_BY_PYTHON = (ArithmeticError, AttributeError, LookupError, NameError, TypeError)  # differently in each version


def failure_of(error: BaseException, site: int) -> Failure:
    """Return what a failing check can be recognised by; site is the number of its last comparison."""
    if isinstance(error, CheckFailed):
        return error.failure
    return Failure(site, _text_of(error))


def _text_of(error: BaseException) -> str:
    """Return a text that is the same with every time limit, in every process and in every version of Python."""
    if out_of_time(error):
        return OUT_OF_TIME
    first_line = message_of(error).splitlines()[0]
    if isinstance(error, WORDED_BY_PYTHON):
        return " ".join([type(error).__name__, *re.findall(r"'[^']*'|\b\d+\b", first_line)])
    return re.sub(r"0x[0-9a-f]+", "0x", first_line)


def message_of(error: BaseException) -> str:
    """Return an error as a sentence for the person who can fix it."""
    text = str(error).strip()
    if isinstance(error, (CheckFailed, CheckEnded)):
        return text
    if isinstance(error, AssertionError):
        return text.split("\nassert ")[0] or "a condition does not hold"
    if out_of_time(error):
        seconds = re.search(r"[\d.]+", text)
        return stopped_after(float(seconds[0]) if seconds else 0)
    if isinstance(error, pytest.fail.Exception):
        return text
    if isinstance(error, ValueError) and "is in train mode" in text and not place_of(error):
        return LEFT_IN_TRAIN_MODE
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place_of(error: BaseException) -> str:
    """Return where in the student's code an error arose, on a line of its own; nothing for what a check itself found."""
    if isinstance(error, (CheckFailed, CheckEnded, pytest.fail.Exception)):
        return ""
    if hasattr(error, "student_place"):  # it was raised in a worker, which told where
        return f"\n  {error.student_place}" if error.student_place else ""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).parent.name == "assignment2"]
    if isinstance(error, AssertionError):
        own = own if own[-1:] == frames[-1:] else []  # further in, it is the check's, in a function that it handed over
    return f"\n  at assignment2/{Path(own[-1].filename).name}, line {own[-1].lineno}: {own[-1].line}" if own else ""
