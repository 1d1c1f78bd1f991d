"""`check("saliency_map")` and `hint("saliency_map")` in a notebook: the checks, verdicts and pictures of `a2 grade`.

Importing this module in a notebook also shows unwritten exercises as cards (see `coursekit.grading.cells`).
"""

from __future__ import annotations

import difflib
import functools

from coursekit.errors import UsageError
from coursekit.grading.cells import needs, show, show_unwritten, use_cards
from coursekit.grading.grade import grade
from coursekit.grading.hint import next_hint, reset_hints
from coursekit.grading.launch import Launch, fresh_process
from coursekit.grading.report import card, fragment
from coursekit.grading.results import FunctionGrade, printable, read_manifest
from coursekit.grading.warm import CAN_FORK, Warm
from coursekit.parts import PARTS, ROOT, part_of

__all__ = ["check", "hint", "needs"]


def check(function: str) -> None:
    """Run the checks of one function on its file as it is saved, and show what they found.

    Args:
        function: its name, for example "saliency_map".
    """
    checks = read_manifest(ROOT / "tests" / "manifest.json")
    if not _known(function):
        return
    try:
        chosen = [c for c in checks if c.function == function]
        outcome = grade(chosen, [part_of(function)], launch=_launch(), impatient=True)
    except UsageError as error:
        show(card("bad", str(error)), str(error))
        return
    graded = outcome.functions[0]
    if graded.untouched:
        show_unwritten(function)
    else:
        show(fragment(graded), as_text(graded))


def hint(function: str, *, reset: bool = False) -> None:
    """Show one more hint for a function at each call, the last one a line of mathematics.

    Args:
        function: its name, for example "saliency_map".
        reset: begin again with the first hint.
    """
    if not _known(function):
        return
    if reset:
        reset_hints(function)
    text = next_hint(function).replace("--reset", "reset=True")
    show(card("hint", f"{function}: hint {text}"), f"{function}: hint {text}")


def _known(function: str) -> bool:
    """Say whether there is such a function; if not, show which name was meant."""
    names = [name for part in PARTS for name in part.functions]
    if function in names:
        return True
    near = difflib.get_close_matches(str(function), names, n=1)
    known = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
    text = f"no function is called {function!r}: {known}"
    show(card("bad", text), text)
    return False


def as_text(function: FunctionGrade) -> str:
    """Return the verdicts on one function for where no HTML can be shown."""
    lines = [f"{function.function}: {function.headline}"]
    for verdict, *others in function.lost_alike:
        lines += [f"  failed: {verdict.check.sentence}"]
        lines += [f"    {line.strip()}" for line in printable(verdict.message).splitlines()]
        lines += [f"    printed: {line}" for line in printable(verdict.printed).splitlines()]
        lines += [f"    same message in: {'; '.join(v.check.sentence for v in others)}"] if others else []
    if function.lost:
        more = f'one more hint: hint("{function.function}")'
        lines.append(f"  hint: {function.hint}" if function.hint else f"  {more}")
    return "\n".join(lines)


@functools.cache
def _launch() -> Launch:
    """Keep one process with torch imported for all checks of this kernel; it ends with the kernel."""
    return Warm(ROOT).launch if CAN_FORK else fresh_process


use_cards()
