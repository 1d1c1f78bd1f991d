"""What two programs share that the exercise does not force: fingerprints of tokens (winnowing, Schleimer et al. 2003), ours subtracted.

Comments, docstrings, layout and the names of variables do not count; called functions, attributes, numbers and operators do.
"""

from __future__ import annotations

import ast
import builtins
import functools
import io
import keyword
import tokenize
import warnings
import zlib
from collections.abc import Iterable

from coursekit.parts import ROOT, Part
from coursekit.staff.edits import Edit, split
from coursekit.staff.exercises import mistakes_of, variants_of
from coursekit.staff.markers import cut

GRAM = 10  # tokens
WINDOW = 4  # of so many neighbouring grams one is kept: what two share over 13 tokens is found
LARGEST = 2**16  # characters of a function
KEPT = {*keyword.kwlist, *dir(builtins), "torch", "nn", "F", "math", "np"}
SKIPPED = (tokenize.NL, tokenize.COMMENT, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NEWLINE)


def functions_in(source: bytes, names: Iterable[str]) -> dict[str, str]:
    """Return the text of each named function or class of a module, as Python would write it; nothing for what it cannot read."""
    wanted = set(names)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a stranger's invalid escapes
            body = ast.parse(source).body
        nodes = [n for n in body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name in wanted]
        return {node.name: ast.unparse(_bare(node))[:LARGEST] for node in nodes}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _bare(node: ast.FunctionDef | ast.ClassDef) -> ast.FunctionDef | ast.ClassDef:
    """Take the docstrings out, and the annotations, which are given."""
    for one in ast.walk(node):
        if isinstance(one, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(one) is not None:
            one.body = one.body[1:] or [ast.Pass()]
        elif isinstance(one, ast.arg):
            one.annotation = None
    return node


def grams(text: str) -> list[tuple[int, range]]:
    """Return a hash of every run of tokens, and the lines that it is on, counted from 0."""
    words: list[str] = []
    lines: list[int] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type not in SKIPPED:
                words.append(_word(token, words))
                lines.append(token.start[0] - 1)
    except (tokenize.TokenError, SyntaxError):
        return []
    runs = [(words[i : i + GRAM], range(lines[i], lines[i + GRAM - 1] + 1)) for i in range(len(words) - GRAM + 1)]
    return [(zlib.crc32("\0".join(run).encode("utf-8", "surrogatepass")), where) for run, where in runs]


def _word(token: tokenize.TokenInfo, before: list[str]) -> str:
    if token.type == tokenize.NAME:
        return token.string if token.string in KEPT or before[-1:] == ["."] else "name"
    if token.type in (tokenize.INDENT, tokenize.DEDENT):
        return tokenize.tok_name[token.type]
    return "text" if token.type == tokenize.STRING else token.string


def winnow(hashes: list[int]) -> set[int]:
    """Return the smallest of each window of neighbouring hashes."""
    return {min(hashes[i : i + WINDOW]) for i in range(max(1, len(hashes) - WINDOW + 1))} if hashes else set()


@functools.cache
def given(part: Part) -> frozenset[int]:
    """Return the grams of everything that is ours: the solutions, their right variants and known mistakes, the given code."""
    path = part.module_path
    text = (ROOT / path).read_text(encoding="utf-8")
    found: set[int] = set()
    for whole in (text, cut(text, path)):
        for function in functions_in(whole.encode(), part.functions).values():
            found.update(h for h, _ in grams(function))
    edit: Edit
    for edit in (*variants_of(part), *mistakes_of(part)):
        before, _, after = split(edit.function)
        for function in functions_in((before + edit.edited_solution() + after).encode(), [edit.function]).values():
            found.update(h for h, _ in grams(function))
    return frozenset(found)
