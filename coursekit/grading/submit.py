"""`a2 submit`: check what is handed in, say what is still to do, and pack it: the files of the parts table, nothing else.

The zip is the same bytes for the same files. `manifest.json` in it names the tool and the SHA-256 of every file.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursekit import __version__
from coursekit.errors import UsageError
from coursekit.grading.answers import ANSWERS, answers_page
from coursekit.grading.archive import zip_bytes
from coursekit.grading.holes import defined_names, exercises_of, open_holes
from coursekit.grading.imported import refuse_side_effects
from coursekit.grading.versions import newer_syntax, versions
from coursekit.grading.written import Given, Written, given_notebooks, written
from coursekit.parts import PARTS, ROOT, Part

MANIFEST = "manifest.json"
MAX_BYTES = 20 * 2**20
MAX_TRAINED_BYTES = 4 * 2**20  # of one file of weights


@dataclass(frozen=True)
class Submission:
    """A zip as written, and what its author may want to know before handing it in."""

    path: Path
    size: int
    files: tuple[str, ...]
    todo: tuple[str, ...]  # exercises that still raise their NotImplementedError
    missing: tuple[str, ...]  # functions that are no longer defined
    books: Mapping[str, Written]  # notebook -> its written answers
    kept: Path | None  # where an older zip of this name was moved to
    untrained: tuple[str, ...] = ()  # weights that are not there
    unrun: tuple[str, ...] = ()  # notebooks without any output
    newer: tuple[str, ...] = ()  # modules with syntax that is newer than the staff's Python


def submit(root: Path = ROOT, destination: Path | None = None, *, parts: Sequence[Part] = PARTS) -> Submission:
    """Check the files to hand in and zip them to destination (root/submission.zip); UsageError if they cannot be graded."""
    destination = root / "submission.zip" if destination is None else destination
    _refuse_destination(destination)
    files = _read_all(root, parts)
    trees = {name: _parse(name, content) for name, content in files.items() if name.endswith(".py")}
    for name in (name for part in parts for name in part.trained if name in files):
        _refuse_weights(name, files[name])
    notebooks = {name: _read_notebook(name, content) for name, content in files.items() if name.endswith(".ipynb")}
    refuse_side_effects(root, {name: files[name] for name in trees})
    given = given_notebooks(root)
    books = {name: written(book, given.get(name, Given())) for name, book in notebooks.items()}
    answers = answers_page(books).encode("utf-8", "backslashreplace")
    packed = zip_bytes(files | {ANSWERS: answers, MANIFEST: _manifest(root, files, parts)})
    kept = _write(packed, destination)
    return Submission(
        path=destination,
        size=len(packed),
        files=(*files, ANSWERS, MANIFEST),
        todo=exercises_of(name for tree in trees.values() for name in open_holes(tree)),
        missing=_missing_functions(trees, parts),
        books=books,
        kept=kept,
        newer=tuple(filter(None, (newer_syntax(name, files[name], root) for name in trees))),
        untrained=tuple(name for part in parts for name in part.trained if name not in files),
        unrun=tuple(name for name, book in notebooks.items() if not any(cell.get("outputs") for cell in book["cells"])),
    )


def submitted_files(parts: Sequence[Part] = PARTS) -> tuple[str, ...]:
    """Return the names of everything that a submission holds besides manifest, page of answers and trained weights.

    assignment2/__init__.py is not among them: staff use their own.
    """
    paths = (path for part in parts for path in (part.module_path, part.notebook_path))
    return tuple(dict.fromkeys(path.as_posix() for path in paths))


def _refuse_destination(destination: Path) -> None:
    if destination.suffix != ".zip" or destination.is_dir():
        raise UsageError(f"{destination} is not a name for a zip file; choose one such as submission.zip")
    if not destination.absolute().parent.is_dir():
        raise UsageError(
            f"{destination.absolute().parent} is not a folder; make it or choose another place for the zip"
        )


def _read_all(root: Path, parts: Sequence[Part]) -> dict[str, bytes]:
    names = submitted_files(parts)
    trained = [name for part in parts for name in part.trained if (root / name).is_file()]
    absent = [name for name in names if not (root / name).is_file()]
    if absent:
        raise UsageError(f"{', '.join(absent)}: not there; take the file from the zip that you were given")
    names = (*names, *trained)
    outside = [name for name in names if root.resolve() not in (root / name).resolve().parents]
    if outside:
        raise UsageError(f"{outside[0]} is a link out of this folder; put the file itself there")
    sizes = {name: (root / name).stat().st_size for name in names}
    heavy = [name for name in trained if sizes[name] > MAX_TRAINED_BYTES]
    if heavy:
        size = sizes[heavy[0]] / 2**20
        raise UsageError(
            f"{heavy[0]} has {size:.1f} MB and 4 MB is the limit; save it in half precision, or make it smaller"
        )
    total, largest = sum(sizes.values()), max(sizes, key=lambda name: sizes[name])
    if total > MAX_BYTES:
        remedy = "clear its outputs in Jupyter" if largest.endswith(".ipynb") else "shorten it"
        raise UsageError(
            f"the files have {total / 2**20:.1f} MB and 20 MB is the limit; "
            f"{largest} alone has {sizes[largest] / 2**20:.1f} MB: {remedy}, save it, and submit again"
        )
    return {name: _read(root, name) for name in names}


def _read(root: Path, name: str) -> bytes:
    try:
        return (root / name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: cannot be read ({error.strerror}); change its permissions") from None


def _parse(name: str, content: bytes) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in a string is no reason to refuse
            tree = ast.parse(content)
            compile(content, name, "exec", dont_inherit=True)  # also finds `return` outside a function
            return tree
    except SyntaxError as error:
        raise UsageError(f"{name}, line {error.lineno or 1}: {error.msg}; fix this syntax error and save") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"{name}: cannot be parsed ({error or type(error).__name__}); save it as plain UTF-8 text"
        ) from None


def _read_notebook(name: str, content: bytes) -> dict[str, Any]:
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: not JSON ({error}); save it again from Jupyter") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise UsageError(f"{name}: not a notebook of format 4; save it again from Jupyter")
    _validate(name, content)
    return notebook


def _validate(name: str, content: bytes) -> None:
    from coursekit.grading.quick_nbformat import nbformat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nbformat.validate(json.loads(content))  # of its own: it changes what it is given
    except (nbformat.ValidationError, TypeError, KeyError, ValueError, AttributeError) as error:
        reason = (str(error).strip().splitlines() or ["malformed"])[0]
        raise UsageError(f"{name}: not a valid notebook ({reason[:120]}); save it again from Jupyter") from None


def _refuse_weights(name: str, content: bytes) -> None:
    from safetensors import SafetensorError, deserialize

    try:
        deserialize(content)
    except SafetensorError as error:
        raise UsageError(f"{name}: not a safetensors file ({error}); let its notebook save it again") from None


def _missing_functions(trees: Mapping[str, ast.Module], parts: Sequence[Part]) -> tuple[str, ...]:
    defined = {name: defined_names(tree) for name, tree in trees.items()}
    return tuple(f for part in parts for f in part.functions if f not in defined[part.module_path.as_posix()])


def _manifest(root: Path, files: Mapping[str, bytes], parts: Sequence[Part]) -> bytes:
    content = {
        "tool": f"a2 {__version__}",
        **versions(root),
        "parts": list(dict.fromkeys(part.number for part in parts)),
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
        },
    }
    return (json.dumps(content, indent=2) + "\n").encode()


def _write(packed: bytes, destination: Path) -> Path | None:
    """Put the zip in place in one step; return where an older, different one was moved to."""
    descriptor, name = tempfile.mkstemp(prefix=".a2-submit-", dir=destination.absolute().parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(packed)
        os.chmod(name, 0o644)
        kept = _keep_older(destination, packed)
        os.replace(name, destination)
    except OSError as error:
        raise UsageError(f"{destination}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        Path(name).unlink(missing_ok=True)
    return kept


def _keep_older(destination: Path, packed: bytes) -> Path | None:
    if not destination.exists() or destination.read_bytes() == packed:
        return None
    number = 1
    while (kept := destination.with_name(f"{destination.stem}-{number}.zip")).exists():
        number += 1
    return destination.rename(kept)
