"""`check("saliency_map")` in a notebook: the same checks, verdicts and pictures as `a2 grade`, for one function."""

from __future__ import annotations

import difflib

from coursekit.errors import UsageError
from coursekit.grading.grade import grade
from coursekit.grading.report import fragment
from coursekit.grading.results import FunctionGrade, printable, read_manifest
from coursekit.parts import ROOT, part_of


def check(function: str) -> None:
    """Run the checks of one function on its file as it is saved, and show what they found.

    Args:
        function: its name, for example "saliency_map".
    """
    checks = read_manifest(ROOT / "tests" / "manifest.json")
    known = dict.fromkeys(c.function for c in checks)
    if function not in known:
        near = difflib.get_close_matches(str(function), known, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        print(f"no function is called {function!r}: {advice}")
        return
    try:
        outcome = grade([c for c in checks if c.function == function], [part_of(function)])
    except UsageError as error:
        print(error)
        return
    _show(outcome.functions[0])


def _show(function: FunctionGrade) -> None:
    try:
        from IPython.core.getipython import get_ipython
        from IPython.display import display
    except ImportError:
        print(as_text(function))
        return
    if get_ipython() is None:
        print(as_text(function))
    else:
        display({"text/html": fragment(function), "text/plain": as_text(function)}, raw=True)


def as_text(function: FunctionGrade) -> str:
    """Return the verdicts on one function for where no HTML can be shown."""
    lines = [f"{function.function}: {function.score:g} of {function.max_score:g} points"]
    if function.untouched:
        return f"{lines[0]}, {function.next_step}"
    for verdict in function.lost:
        lines += [f"  failed: {verdict.check.sentence}"]
        lines += [f"    {line.strip()}" for line in printable(verdict.message).splitlines()]
    if function.lost:
        lines.append(f"  hint: {function.hint}" if function.hint else f"  more help: a2 hint {function.function}")
    return "\n".join(lines)
