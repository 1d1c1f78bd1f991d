"""Exceptions on the line: types by their names, looked up among Python's own, and text. Nothing of them is unpickled."""

from __future__ import annotations

import builtins
import traceback
from pathlib import Path
from typing import Any

from coursekit.checks.small_networks import Boom
from coursekit.staff.isolated.plain import identifier, text

LONGEST_MESSAGE = 4000  # characters
ERRORS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, UnicodeError)
    if name != "ExceptionGroup"  # these two take more than a text
} | {"Boom": Boom}


def student_error(names: Any, message: Any, place: Any) -> BaseException:
    """Return, in the decider, what the student's code raised: names of its type and of those above, text, place."""
    names = [identifier(name) for name in names[:20]] if isinstance(names, list) and names else ["Something"]
    known = next((kind for name in names if (kind := ERRORS.get(name))), Exception)
    error = (known if known.__name__ == names[0] else type(names[0], (known,), {}))(text(message)[:LONGEST_MESSAGE])
    error.student_place = text(place)[:300]
    return error


def describe_error(error: BaseException) -> list[Any]:
    """Return an error's types, its text, its place in the student's code, and its number if it is one of the decider's."""
    try:
        told = str(error)[:4000]
    except Exception:  # noqa: BLE001
        told = "an exception without words"
    own = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent.name == "assignment2"]
    place = f"at assignment2/{Path(own[-1].filename).name}, line {own[-1].lineno}: {own[-1].line}" if own else ""
    return [[kind.__name__ for kind in type(error).__mro__], told, place, getattr(error, "_a2_number", -1)]


def build_error(kinds: list[str], told: str, number: int) -> BaseException:
    """Return an exception of the decider's as one that student code may catch."""
    known = {"Boom": Boom, **vars(builtins)}
    base = next((known[kind] for kind in kinds if kind in known), Exception)
    error: BaseException = (base if base.__name__ == kinds[0] else type(kinds[0], (base,), {}))(told)
    error._a2_number = number  # type: ignore[attr-defined]
    return error
