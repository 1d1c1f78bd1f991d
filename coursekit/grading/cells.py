"""What a notebook shows where an exercise is not written yet: a card with its place, no traceback.

A core function that is a hole stops the notebook there. A cell that needs an unwritten extension is skipped, and so are the
cells that need what it would have computed: the core path runs from top to bottom. A cell that uses a module which does not
compile as it is saved is not run either: it would run what was saved before.
"""

from __future__ import annotations

import ast
import os
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from coursekit.grading.holes import HOLE_ENDING, hole_line, open_holes
from coursekit.grading.reloading import PACKAGE, problem_of, reload_whole
from coursekit.grading.report import card
from coursekit.memory import keep_memory
from coursekit.parts import PARTS, ROOT, is_extension, part_of

CELLS = f"__import__({__name__!r}, fromlist=['cells'])"  # this module, as a cell of any notebook can name it


@dataclass(frozen=True)
class Place:
    """Where an exercise is written."""

    function: str
    path: Path  # below the edition's root
    line: int

    @property
    def sentence(self) -> str:
        """What to do, in one sentence."""
        return f"open {self.path.as_posix()} at line {self.line}, save, run this cell again"

    @property
    def is_extension(self) -> bool:
        """Whether nobody has to write it."""
        return is_extension(self.function)

    @property
    def link(self) -> str:
        """The file as seen from the notebook: JupyterLab opens it beside the notebook."""
        return Path(os.path.relpath(ROOT / self.path, Path.cwd())).as_posix()


def place_of_hole(function: str) -> Place:
    """Return where the hole of a function stands in the file as it is saved."""
    path = part_of(function).module_path
    return Place(function, path, hole_line((ROOT / path).read_text(encoding="utf-8"), function))


def needs(*functions: str) -> None:
    """Say at the top of a cell which extensions it uses without naming them; unwritten ones skip the cell.

    Outside IPython nothing is skipped: the function itself says that it is not written.
    """


def _running_ipython() -> Any:
    """Return the IPython in which this code runs; None where there is none."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def show(html: str, text: str) -> None:
    """Display a card in a notebook, or print its text where there is none."""
    if _running_ipython() is None:
        print(text)
        return
    from IPython.display import display

    display({"text/html": html, "text/plain": text}, raw=True)


def use_cards() -> None:
    """Let the running IPython, if there is one, show cards and skip cells; calling it twice changes nothing."""
    shell = _running_ipython()
    if shell is None or any(isinstance(t, SkipExtensions) for t in shell.ast_transformers):
        return
    keep_memory()
    shell.set_custom_exc((NotImplementedError, DoesNotCompile), _show_card)
    reload_whole(shell)
    shell.ast_transformers.append(SkipExtensions(shell.user_ns))


class DoesNotCompile(Exception):
    """A cell uses a module that cannot be parsed as it is saved."""


def _show_card(shell: Any, kind: type[BaseException], error: BaseException, trace: Any, tb_offset: Any = None) -> Any:
    """Show a hole, or a module that does not compile, as a card. The cell has failed, so that Run All stops here."""
    if isinstance(error, DoesNotCompile):
        show(card("bad", str(error)), str(error))
        return []
    function = str(error).removesuffix(HOLE_ENDING)
    if not str(error).endswith(HOLE_ENDING) or function not in _functions():
        return shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    show_unwritten(function)
    return []


def show_unwritten(function: str) -> None:
    """Show where an exercise is to be written."""
    place = place_of_hole(function)
    if place.is_extension:
        text = f"extension, not written yet: {function} (optional; to write it, {place.sentence})"
    else:
        text = f"{function} is not written yet: {place.sentence}"
    show(card("skipped" if place.is_extension else "todo", text, place), text)


def show_skipped(function: str) -> None:
    """Say why a cell was not run."""
    text = f"extension: skipped until you write {function}"
    show(card("skipped", text), text)


class SkipExtensions(ast.NodeTransformer):
    """Replaces a cell that cannot run by a line that says so: it needs an unwritten extension, or a module does not compile."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.missing: dict[str, str] = {}  # a name that a skipped cell would have made -> the extension it waits for

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.Module):
            return node
        made, read = names_of(node)
        problem = next(filter(None, map(problem_of, sorted({*self._modules(node, read)}))), None)
        if problem is not None:
            return ast.parse(f"raise {CELLS}.DoesNotCompile({problem!r})")
        waits_for = next(self._unwritten(node, read), None)
        if waits_for is None:
            for name in made:
                self.missing.pop(name, None)
            return node
        self.missing.update(dict.fromkeys(made - self.namespace.keys(), waits_for))
        return ast.parse(f"{CELLS}.show_skipped({waits_for!r})")

    def _modules(self, cell: ast.Module, read: frozenset[str]) -> Iterator[str]:
        """Yield the modules of assignment2 that a cell imports or uses, by a name or through an object of a class of theirs."""
        for value in map(self.namespace.get, read):
            yield str(value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", ""))
        for node in ast.walk(cell):
            if isinstance(node, ast.ImportFrom):
                yield node.module or ""
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)

    def _unwritten(self, cell: ast.Module, read: frozenset[str]) -> Iterator[str]:
        """Yield the unwritten extensions that a cell needs."""
        yield from (self.missing[name] for name in sorted(read & self.missing.keys()))
        named = [name for name in sorted(read) if _is_of_an_exercise(self.namespace.get(name))]
        for node in ast.walk(cell):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner = self.namespace.get(node.value.id)
                if isinstance(owner, ModuleType) and owner.__name__.startswith(PACKAGE):
                    named.append(node.attr)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "needs":
                named += [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        yield from (name for name in named if is_unwritten(name))


def names_of(cell: ast.Module) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that a cell makes, and those that it reads and does not make itself."""
    whole = symtable.symtable(ast.unparse(cell), "cell", "exec")
    made = {s.get_name() for s in whole.get_symbols() if s.is_assigned() or s.is_imported()}
    read, tables = set(), [whole]
    for table in tables:  # it grows by the functions in it
        tables += table.get_children()
        read |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (table is whole or s.is_global())}
    return frozenset(made), frozenset(read - made)


def _is_of_an_exercise(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).startswith(PACKAGE)


def _functions() -> set[str]:
    return {name for part in PARTS for name in part.functions}


def is_unwritten(function: str) -> bool:
    """Say whether a function is an extension and still a hole in the file as it is saved."""
    if not is_extension(function):
        return False
    try:
        tree = ast.parse((ROOT / part_of(function).module_path).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return False  # importing the module says what is wrong with it
    return function in open_holes(tree)
