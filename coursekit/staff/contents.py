"""What the files of a submission must be before anybody runs them: modules are text, notebooks are JSON, hashes are true."""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coursekit.grading.written import Given, Written, which, written

# A codec may do anything (zip, idna in quadratic time); these are only tables. By the names that codecs.lookup gives: utf8 is utf-8.
ENCODINGS = {"utf-8", "utf-8-sig", "ascii", "iso8859-1", "iso8859-15", "cp1252", "cp1251", "koi8-r",
             "gbk", "gb2312", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"}  # fmt: skip

COOKIE, BLANK = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)"), re.compile(rb"[ \t\f]*(#|\r?$)")
EDITORS = re.compile(r"(utf-8|latin-1|iso-8859-1|iso-latin-1)-.*", re.IGNORECASE)  # utf-8-unix is UTF-8 to Python


def text_problem(source: bytes) -> str:
    """Return why the bytes of a module are no text that Python reads, or nothing."""
    if b"\0" in source:
        return "is not text (it contains zero bytes; UTF-16?): save it as UTF-8"
    encoding = _encoding(source)
    if _codec(encoding) not in ENCODINGS:
        return f"declares the encoding {encoding!r}: save it as UTF-8"
    try:
        source.decode(encoding)
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        return f"is not text in {encoding.upper()}: byte 0x{source[error.start]:02x} in line {line}; save it as UTF-8"
    return ""


def _encoding(source: bytes) -> str:
    """Return the encoding that one of the first two lines declares (PEP 263), with nothing decoded by it.

    `tokenize.detect_encoding` decodes the line with it from Python 3.14 on: with any codec that a stranger names.
    """
    if source.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    for line in source.split(b"\n", 2)[:2]:
        if declared := COOKIE.match(line):
            name = declared[1][:40].decode("ascii")
            return EDITORS.sub(r"\1", name)
        if not BLANK.match(line):
            break
    return "utf-8"


def _codec(encoding: str) -> str:
    """Return the name that Python has for an encoding, or nothing where it knows none of that name."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return ""


@dataclass(frozen=True)
class Book:
    """A notebook of a submission: which of the assignment's it is, what was written in it, and what there is to say about it."""

    name: str = ""
    written: Written | None = None
    remark: str = ""


def look_at_notebook(content: bytes, known: Mapping[str, Given], name: str = "") -> Book:
    """Read a notebook, of the name that it has in the assignment, or else of the name by its questions."""
    try:
        notebook = json.loads(content)
        name = name or which(notebook, known)
        book = written(notebook, known.get(name, Given()))
    except (ValueError, RecursionError):
        return Book(name, None, "is not JSON: it cannot be opened in Jupyter")
    except (TypeError, KeyError, AttributeError):
        return Book(name, None, "is JSON, but no notebook")
    if not notebook["cells"]:
        return Book(name, None, "is a notebook without cells")
    count = len(book.unanswered)
    remark = f"has {count} question{'s' * (count > 1)} without an answer" if count else ""
    also = ", and other text outside the answers: see the end of its page" if count and book.elsewhere else ""
    return Book(name, book, remark + also)


def manifest_remarks(manifest: bytes, files: Mapping[str, bytes]) -> list[str]:
    """Say which files are no longer what `a2 submit` packed."""
    try:
        told: dict[str, Any] = json.loads(manifest)["files"]
        hashes = {name: told[name]["sha256"] for name in files if name in told}
    except (ValueError, KeyError, TypeError, RecursionError):
        return ["manifest.json is not the one that a2 submit writes"]
    changed = [name for name, hash in hashes.items() if hash != hashlib.sha256(files[name]).hexdigest()]
    return [f"changed after a2 submit: {', '.join(sorted(changed))}"] if changed else []


def python_of(manifest: bytes) -> str:
    """Return the version of Python that a manifest names, as 3.11, or nothing."""
    try:
        match = re.match(r"3\.\d{1,3}", str(json.loads(manifest)["python"]), re.ASCII)
    except (ValueError, KeyError, TypeError, RecursionError):
        match = None
    return match[0] if match else ""


def source_digest(source: bytes) -> str:
    """Return a hash of a module that comments, docstrings, blank lines and layout do not change; "" if it has no tokens."""
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)
    words: list[str] = []
    line: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type in skipped:
                continue
            if token.type == tokenize.ERRORTOKEN:  # Python 3.11 looks at such a line again and again
                raise tokenize.TokenError
            line.append(token)
            if token.type == tokenize.NEWLINE:
                words += _words(line)
                line = []
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, LookupError):
        return hashlib.sha256(source).hexdigest()
    return hashlib.sha256(" ".join(words).encode("utf-8", "surrogateescape")).hexdigest()


def _words(line: list[tokenize.TokenInfo]) -> list[str]:
    """Return the words of one statement, with its indent by name; none for a string that stands alone."""
    layout = {tokenize.INDENT: "<in>", tokenize.DEDENT: "<out>", tokenize.NEWLINE: "<end>"}
    marks = [layout[token.type] for token in line if token.type in (tokenize.INDENT, tokenize.DEDENT)]
    content = [token for token in line if token.type not in layout]
    if all(token.type == tokenize.STRING for token in content):
        return marks
    return [*marks, *(token.string for token in content), "<end>"]
