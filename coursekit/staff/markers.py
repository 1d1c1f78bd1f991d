"""The one marker grammar: `### BEGIN SOLUTION` and `### END SOLUTION`, each alone on its line, at any indent.

In a module a region holds whole statements of one block inside a function; cutting it leaves the hole that raises
NotImplementedError. In markdown a region holds a written answer, its markers may also be HTML comments
(`<!-- ### BEGIN SOLUTION -->`, which a reader does not see), and cutting it leaves the prompt. Whatever looks like a marker
and is none is an error with its place: a typing mistake must never ship a solution.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.grading.holes import PROMPT, hole
from coursekit.parts import is_extension

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
OPTIONAL = "  # extension: optional"
CELL = "this cell"  # the name of a hole in a notebook cell that is in no function

MARKER = re.compile(r"### (BEGIN|END) SOLUTION")
HTML_MARKER = re.compile(r"<!-- ### (BEGIN|END) SOLUTION -->")
BARE = re.compile(r"[\W_]*(begin|end)[\W_]*solutions?[\W_]*", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+")
RULE = f"write {BEGIN!r} or {END!r}, exactly so and alone on the line"

WHOLE = "put the markers round whole statements"

OPENERS = ("begin", "end", "start", "stop")
INNOCENT = {"resolution", "resolutions", "evolution", "evolutions"}  # near 'solution', and common in this field

Place = Callable[[int], str]  # a line number -> the words that lead a person there


class MarkerError(UsageError):
    """A solution marker that nobody can be sure how to cut: says the file, the line and what to write."""


@dataclass(frozen=True)
class Region:
    """One solution: the lines of its two markers (from 1), the indent of its code, and the function it belongs to."""

    start_line: int
    end_line: int
    indent: str
    function: str

    def lines(self, text: str) -> list[str]:
        """Return the lines between the markers."""
        return text.split("\n")[self.start_line : self.end_line - 1]


def in_file(path: Path | str) -> Place:
    """Return the places of a text file: `assignment2/saliency.py:12`."""
    return lambda line: f"{path}:{line}"


def find_regions(text: str, path: Path | str) -> list[Region]:
    """Find every solution of a module; MarkerError if a marker is misspelt, nested, unbalanced, empty or misplaced."""
    return code_regions(text, in_file(path))


def cut(text: str, path: Path | str) -> str:
    """Replace every solution of a module by the hole that names its function."""
    return cut_code(text, find_regions(text, path))


def code_regions(code: str, place: Place, *, cell: bool = False) -> list[Region]:
    """Find every solution of Python code; with cell, code outside functions may be one as well."""
    tree = _parse(code, place)
    pairs = _pair(_markers_of_code(code, place), place)
    return [_locate(tree, code.split("\n"), start, end, place, cell) for start, end in pairs]


def cut_code(code: str, regions: Sequence[Region]) -> str:
    """Replace regions of code by holes; the result is Python."""
    lines = code.split("\n")
    for region in reversed(regions):
        note = OPTIONAL if is_extension(region.function.partition(".")[0]) else ""
        lines[region.start_line - 1 : region.end_line] = [region.indent + hole(region.function) + note]
    return "\n".join(lines)


def answer_regions(markdown: str, place: Place) -> list[Region]:
    """Find every written answer of a markdown text."""
    lines = markdown.split("\n")
    regions = []
    for start, end in _pair(_markers_of_markdown(lines, place), place):
        if not "".join(lines[start : end - 1]).strip():
            raise MarkerError(f"{place(start)}: the solution is empty; write the answer or remove both markers")
        regions.append(Region(start, end, "", "answer"))
    return regions


def cut_answers(markdown: str, regions: Sequence[Region]) -> str:
    """Replace every written answer by the prompt."""
    lines = markdown.split("\n")
    for region in reversed(regions):
        lines[region.start_line - 1 : region.end_line] = [PROMPT]
    return "\n".join(lines)


def refuse_markers(text: str, place: Place) -> None:
    """Raise a MarkerError if a text that is never cut has a marker, or something like one."""
    for number, line in enumerate(text.split("\n"), 1):
        comment = line[line.find("#") :] if "#" in line else ""
        if BARE.fullmatch(line) or _looks_like_a_marker(comment):
            raise MarkerError(f"{place(number)}: a solution marker where nothing is cut, {line.strip()!r}; remove it")


def _parse(code: str, place: Place) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(code)
    except SyntaxError as error:
        raise MarkerError(f"{place(error.lineno or 1)}: not Python ({error.msg}); fix it before cutting") from None


def _markers_of_code(code: str, place: Place) -> Iterator[tuple[int, str]]:
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    for number, line in enumerate(code.split("\n"), 1):
        comment = comments.get(number, "")
        marker = MARKER.fullmatch(line.strip())
        if marker and comment:
            yield number, marker[1]
        elif BARE.fullmatch(line) and not comment:
            raise MarkerError(f"{place(number)}: the marker {line.strip()!r} stands in a string; {RULE}")
        elif comment and _looks_like_a_marker(comment):
            raise MarkerError(f"{place(number)}: {line.strip()!r} looks like a solution marker and is none; {RULE}")


def _markers_of_markdown(lines: Sequence[str], place: Place) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        marker = MARKER.fullmatch(bare) or HTML_MARKER.fullmatch(bare)
        if marker:
            yield number, marker[1]
        elif BARE.fullmatch(bare) or _markdown_looks_like_a_marker(bare):
            raise MarkerError(
                f"{place(number)}: {bare!r} looks like a solution marker and is none; {RULE} (or '<!-- {BEGIN} -->')"
            )


def _markdown_looks_like_a_marker(line: str) -> bool:
    hidden = line.startswith("#") or "<!--" in line
    shouted = any(word.isupper() and _near_solution(word) for word in WORD.findall(line))
    return hidden and (shouted or _opens_a_solution(WORD.findall(line)))


def _looks_like_a_marker(comment: str) -> bool:
    """Say whether a comment is near a marker: too many false alarms (reword the comment) rather than one leak."""
    words = WORD.findall(comment)
    if not words:
        return False
    shouted = any(word.isupper() and _near_solution(word) for word in words)
    banner = comment.startswith("##") and (any(map(_near_solution, words)) or _near(words[0], OPENERS))
    return shouted or banner or _opens_a_solution(words)


def _opens_a_solution(words: Sequence[str]) -> bool:
    """Say whether a word like 'begin' stands at most one word away from one like 'solution', in any order, or is glued to it."""
    glued = any(_near(word, tuple(opener + "solution" for opener in OPENERS), 0.9) for word in words)
    openers = [i for i, word in enumerate(words) if _near(word, OPENERS)]
    solutions = [i for i, word in enumerate(words) if _near_solution(word)]
    return glued or any(0 < abs(i - j) <= 2 for i in openers for j in solutions)


def _near_solution(word: str) -> bool:
    return word.lower() not in INNOCENT and _near(word, ("solution", "soln"))


def _near(word: str, targets: Sequence[str], ratio: float = 0.78) -> bool:
    return any(SequenceMatcher(None, word.lower(), target).ratio() > ratio for target in targets)


def _pair(markers: Iterator[tuple[int, str]], place: Place) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    start: int | None = None
    for line, kind in markers:
        if kind == "BEGIN" and start is not None:
            raise MarkerError(
                f"{place(line)}: {BEGIN!r} inside the solution that begins on line {start}; end that first"
            )
        if kind == "END" and start is None:
            raise MarkerError(f"{place(line)}: {END!r} without {BEGIN!r}; add the beginning or remove this line")
        if kind == "BEGIN":
            start = line
        elif start is not None:
            pairs.append((start, line))
            start = None
    if start is not None:
        raise MarkerError(f"{place(start)}: {BEGIN!r} is never ended; add {END!r}")
    return pairs


@dataclass(frozen=True)
class _Block:
    """A list of statements, the statements it is nested in, and the names of the classes and functions round it."""

    statements: Sequence[ast.stmt]
    ancestors: tuple[ast.stmt, ...]
    names: tuple[str, ...]
    in_function: bool


def _blocks(node: ast.AST, outer: _Block) -> Iterator[_Block]:
    for _, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else []
        if children and isinstance(children[0], ast.stmt):
            block = _Block(children, outer.ancestors, outer.names, outer.in_function)
            yield block
            for child in block.statements:
                yield from _blocks(child, _inside(child, outer))
        else:
            for child in children:  # the handlers of a try, the cases of a match
                if isinstance(child, (ast.ExceptHandler, ast.match_case)):
                    yield from _blocks(child, outer)


def _inside(node: ast.stmt, outer: _Block) -> _Block:
    function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not outer.in_function
    names = (*outer.names, getattr(node, "name", "")) if named else outer.names
    return _Block((), (*outer.ancestors, node), names, outer.in_function or function)


def _locate(tree: ast.Module, lines: Sequence[str], start: int, end: int, place: Place, cell: bool) -> Region:
    blocks = list(_blocks(tree, _Block((), (), (), False)))
    held = [(block, [s for s in block.statements if start < _first(s) and _last(s) < end]) for block in blocks]
    block, inside = next(((b, s) for b, s in held if s), (None, []))
    if block is None:
        compound = [s for b in blocks for s in b.statements if hasattr(s, "body") or hasattr(s, "cases")]
        _refuse_split(blocks, compound, start, end, place)
        raise MarkerError(f"{place(start)}: the solution is empty; write it between the markers or remove both")
    _refuse_split(blocks, block.ancestors, start, end, place)
    for other, statements in held:
        if statements and other is not block and not set(other.ancestors) & set(inside):
            raise MarkerError(f"{place(start)}: the solution reaches over several blocks; keep it inside one")
    if not block.in_function and not (cell and not block.names):
        raise MarkerError(f"{place(start)}: a solution outside a function body; move the markers into a function")
    _refuse_torn(lines, inside, start, end, place)
    indent = lines[inside[0].lineno - 1][: inside[0].col_offset]
    return Region(start, end, indent, ".".join(block.names) or CELL)


def _refuse_split(blocks: Sequence[_Block], ancestors: Sequence[ast.stmt], start: int, end: int, place: Place) -> None:
    """Raise if a marker stands in the middle of a statement that the region does not lie in."""
    for statement in (s for block in blocks for s in block.statements):
        first, last = _first(statement), _last(statement)
        apart, within = last < start or first > end, start < first and last < end
        if not (apart or within or (statement in ancestors and first < start)):
            line = end if start < first else start
            raise MarkerError(
                f"{place(line)}: the marker cuts through a statement; put it before or after the statement"
            )


def _refuse_torn(lines: Sequence[str], inside: Sequence[ast.stmt], start: int, end: int, place: Place) -> None:
    """Raise if the region holds a line of a statement that it does not hold as a whole, such as `except ValueError:`."""
    held = {line for s in inside for line in range(_first(s), _last(s) + 1)}
    for number in range(start + 1, end):
        line = lines[number - 1].strip()
        loose = number not in held and line and not line.startswith("#")
        if loose or (number == inside[0].lineno and line.startswith("elif")):
            raise MarkerError(f"{place(number)}: the markers take {line!r} out of its statement; {WHOLE}")


def _first(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", ())
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno
