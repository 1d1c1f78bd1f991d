"""How a kernel with `%autoreload` takes in a saved module of assignment2: whole, so that a traceback shows the file's lines.

IPython 9 compiles a changed function alone, from its syntax tree: its lines count from 1, and its file is that of the wrapper.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from coursekit.grading.grade import syntax_problem
from coursekit.parts import PARTS, ROOT

PACKAGE = "assignment2."


def reload_whole(shell: Any) -> None:
    """Let the autoreload of a running IPython, if it is loaded, execute a saved module of assignment2 from top to bottom."""
    magics = shell.magics_manager.registry.get("AutoreloadMagics")
    single = getattr(getattr(magics, "_reloader", None), "deduper_reloader", None)  # IPython before 8.31 has none
    if single is not None:
        single.maybe_reload_module = _whole(single.maybe_reload_module)


def _whole(one_by_one: Callable[[ModuleType], bool]) -> Callable[[ModuleType], bool]:
    def taken_in(module: ModuleType) -> bool:
        """Say whether nothing is left to do: what does not compile is not loaded, the cells that use it say so."""
        if module.__name__.startswith(PACKAGE):
            return problem_of(module.__name__) is not None
        return one_by_one(module)

    return taken_in


def problem_of(module: str) -> str | None:
    """Return why a module of assignment2 cannot be parsed as it is saved, with its line; None for any other module."""
    paths = {PACKAGE + part.module: part.module_path for part in PARTS}
    return syntax_problem(ROOT, Path(paths[module])) if module in paths else None
