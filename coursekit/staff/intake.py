"""Take what can be graded out of a zip that may hold anything: known files, with caps, into memory; nothing else is read.

No entry is ever unpacked by its name: the known names are looked for, whatever leads to them. So `..`, absolute names, links and
devices have nowhere to go. Every way in which a file or the whole zip cannot be taken has its own sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from coursekit.grading.answers import ANSWERS
from coursekit.grading.submit import MANIFEST, submitted_files
from coursekit.grading.written import Written, given_notebooks
from coursekit.parts import PARTS, Part
from coursekit.staff.contents import Book, look_at_notebook, manifest_remarks, python_of, text_problem

CAPS = {".py": 2**19, ".ipynb": 20 * 2**20, ".safetensors": 20 * 2**20, ".json": 2**18}  # bytes of one file
WEIGHTS = re.compile(r"\w[\w.-]{0,60}\.safetensors", re.ASCII)
MOST_WEIGHTS = 8
MOST_NOTEBOOKS = 12  # read besides those of the known names
CHECKPOINTS = ".ipynb_checkpoints"  # Jupyter's own copies
TOTAL = 120 * 2**20
DEEPEST = 12  # folders round a file
NAMED = 3  # examples in a sentence


@dataclass(frozen=True)
class Entry:
    """A file of a submission: its name as written, what it claims to be, and how to read it with a cap."""

    name: str
    size: int
    read: Callable[[int], bytes]  # up to so many bytes; Unreadable with a sentence's ending
    trouble: str = ""  # why it must not be read
    mark: tuple[int, ...] = ()  # equal for equal content


Found = tuple[tuple[str, ...], Entry]


class Unreadable(Exception):
    """Ends the sentence `NAME ...`."""


@dataclass
class Taken:
    """What was found: files to grade, the known files that could not be taken and why, remarks that cost nothing."""

    files: dict[str, bytes] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)  # known name -> sentence
    remarks: list[str] = field(default_factory=list)
    written: dict[str, Written] = field(default_factory=dict)  # notebook -> its answers, for grading by hand
    books: dict[str, str] = field(default_factory=dict)  # notebook -> what there is to say about it, or nothing
    problem: str = ""  # why nothing at all could be taken
    inner: Entry | None = None  # nothing known was found but one zip
    python: str = ""  # the version that the manifest names, as 3.11

    def remarks_on(self, parts: Sequence[Part] = PARTS) -> list[str]:
        """Return all there is to say, of the notebooks only what concerns those of some parts."""
        names = {part.notebook_path.as_posix() for part in parts}
        return [*self.remarks, *_about({name: said for name, said in self.books.items() if name in names})]


def take(entries: Iterable[Entry]) -> Taken:
    """Take the known files out of entries."""
    taken, found = Taken(), []
    unsafe: list[str] = []
    for entry in entries:
        steps = _steps(entry.name)
        if steps is None:
            unsafe.append(entry.name)
        elif steps and not _is_junk(steps):
            found.append((steps, entry))
    if unsafe:
        taken.remarks.append(f"ignored {_count(unsafe, 'name')} that point outside the zip's folder: {_some(unsafe)}")
    known = _choose(found, taken)
    for name in sorted(known):
        _take_one(name, known[name], taken)
    unread = [name for name in taken.problems if name.endswith(".ipynb")]
    _look_inside(taken)
    chosen = {id(entry) for name, group in known.items() if name not in unread for entry in group}
    chosen |= _look_elsewhere([one for one in found if id(one[1]) not in chosen], taken)
    chosen |= {id(entry) for group in known.values() for entry in group}
    others = ["/".join(steps) for steps, entry in found if id(entry) not in chosen and steps[-1] != ANSWERS]
    if others and not taken.problem:
        taken.remarks.append(f"ignored {_count(others, 'other file')}: {_some(others)}")
    return taken


def _choose(found: Sequence[Found], taken: Taken) -> dict[str, list[Entry]]:
    """Return the known files of the one folder that holds the assignment; none, and a problem, if there is not one."""
    roots = _roots(found)
    if not roots:
        taken.problem, taken.inner = _nothing(found), _single_zip(found)
        return {}
    shallowest = min(map(len, roots))
    best = sorted(root for root in roots if len(root) == shallowest)
    modules = [name for root in best for name in roots[root] if name.endswith(".py")]
    if len(best) > 1 and len(modules) == len(set(modules)):  # a folder for each part
        names = dict.fromkeys(name for root in best for name in roots[root])
        return {name: [entry for root in best for entry in roots[root].get(name, [])] for name in names}
    if len(best) > 1:
        where = _some(["/".join(root) or "the top" for root in best])
        taken.problem = f"contains the assignment {len(best)} times ({where}): hand in one"
        return {}
    return roots[best[0]]


def _look_elsewhere(found: Sequence[Found], taken: Taken) -> set[int]:
    """Read the other notebooks, wherever they stand and whatever they are called: an answer in one of them is an answer.

    Of copies that differ each gets a section of its own. Returns the entries that were read and are the assignment's.
    """
    known, ours = given_notebooks(), set[int]()
    notebooks = [one for one in found if one[0][-1].casefold().endswith(".ipynb") and not one[1].trouble]
    notebooks.sort(key=lambda one: (CHECKPOINTS in one[0], len(one[0]), one[0]))
    for steps, entry in notebooks[:MOST_NOTEBOOKS]:
        with suppress(Unreadable):
            content = entry.read(CAPS[".ipynb"] + 1)
            book = look_at_notebook(content, known) if len(content) <= CAPS[".ipynb"] else Book()
            if book.written and not book.name:  # its questions are gone: by the name of the file
                named = [name for name in known if Path(name).stem.casefold() in steps[-1].casefold()]
                book = look_at_notebook(content, known, named[0]) if named else book
            if not book.written or not book.name:
                continue
            ours.add(id(entry))
            where = _some(["/".join(steps)])
            if book.name not in taken.written:
                taken.written[book.name] = book.written
                taken.remarks.append(f"{book.name} is {where} there{'; it ' * bool(book.remark)}{book.remark}")
            elif taken.written[book.name] != book.written and CHECKPOINTS not in steps and book.written.says_anything:
                taken.written[where if where not in taken.written else f"{where} ({len(ours)})"] = book.written
                taken.remarks.append(f"{where} is another copy of {book.name}: its answers are shown too")
    return ours


def _steps(name: str) -> tuple[str, ...] | None:
    """Split a name into folders and file; None if it could lead out of the folder it is unpacked to."""
    steps = unicodedata.normalize("NFC", name.replace("\\", "/")).split("/")
    if "\0" in name or steps[0] == "" or ":" in steps[0] or ".." in steps or len(name) > 4096:
        return None
    return tuple(step for step in steps if step not in ("", "."))[-DEEPEST - 1 :]  # too deep is deep enough


def _is_junk(steps: tuple[str, ...]) -> bool:
    """Return whether an operating system or Python left this by itself."""
    plain = {"__MACOSX", "__pycache__"}.isdisjoint(steps)
    return not plain or steps[-1].startswith("._") or steps[-1] in (".DS_Store", "Thumbs.db")


def _roots(found: Sequence[Found]) -> dict[tuple[str, ...], dict[str, list[Entry]]]:
    """Return the folders that hold modules of the assignment: folder -> known name -> entries of that name."""
    wanted = {tuple(name.casefold().split("/")): name for name in (*submitted_files(), MANIFEST)}
    wanted |= {(Path(name).name.casefold(),): name for part in PARTS for name in part.trained}
    roots = _group(found, wanted)
    if not roots:  # the bare files, without their folders
        paths = [path for part in PARTS for path in (part.module_path, part.notebook_path, *map(Path, part.trained))]
        roots = _group(found, {(path.name.casefold(),): path.as_posix() for path in paths})
    return roots


def _group(found: Sequence[Found], wanted: dict[tuple[str, ...], str]) -> dict[tuple[str, ...], dict[str, list[Entry]]]:
    roots: dict[tuple[str, ...], dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for steps, entry in found:
        folded = tuple(step.casefold() for step in steps)
        if len(steps) > DEEPEST:
            continue
        if folded[-2:-1] == ("trained",) and WEIGHTS.fullmatch(steps[-1]):
            roots[steps[:-2]][f"trained/{steps[-1]}"].append(entry)
        for length in (1, 2):
            if folded[-length:] in wanted:
                roots[steps[:-length]][wanted[folded[-length:]]].append(entry)
    return {root: known for root, known in roots.items() if any(name.endswith(".py") for name in known)}


def _nothing(found: Sequence[Found]) -> str:
    if not found:
        return "is empty: there is no file in it"
    names = [entry.name for _, entry in found]
    modules = _some([part.module_path.as_posix() for part in PARTS])
    return f"holds none of the modules ({modules}), but {_count(names, 'other file')}: {_some(names)}"


def _single_zip(found: Sequence[Found]) -> Entry | None:
    zips = [entry for steps, entry in found if steps[-1].casefold().endswith(".zip")]
    return zips[0] if len(zips) == 1 else None


def _take_one(name: str, entries: Sequence[Entry], taken: Taken) -> None:
    """Take one known file, or say why not."""
    exact = [e for e in entries if _ends_with(e.name, name)] or list(entries)
    if len(exact) < len(entries):
        taken.remarks.append(f"{name} is there in other spellings too, which are ignored")
    elif not _ends_with(exact[0].name, name):
        taken.remarks.append(f"{name} is called {exact[0].name!r} there")
    entry, cap = exact[0], CAPS[Path(name).suffix.casefold()]
    weights = [known for known in taken.files if known.startswith("trained/")]
    if len(exact) > 1 and len({(e.size, e.mark) for e in exact}) > 1:
        problem = f"is there {len(exact)} times with different content: hand in one"
    elif entry.trouble:
        problem = entry.trouble
    elif entry.size > cap:
        problem = too_large(entry.size, cap)
    elif name.startswith("trained/") and len(weights) == MOST_WEIGHTS:
        problem = f"is one file too many: at most {MOST_WEIGHTS} files of weights are taken"
    else:
        problem = _read(name, entry, min(cap, TOTAL - sum(map(len, taken.files.values()))), taken)
    if problem:
        taken.problems[name] = f"{name} {problem}"


def _read(name: str, entry: Entry, cap: int, taken: Taken) -> str:
    try:
        content = entry.read(cap + 1)
    except Unreadable as ending:
        return str(ending)
    if len(content) > cap:
        return too_large(None, cap)
    taken.files[name] = content
    return ""


def too_large(size: int | None, cap: int) -> str:
    """End a sentence about a file that is too large; its size may be a lie or unknown."""
    measured = "more than that" if size is None else f"{size / 2**20:,.1f} MB"
    return f"is too large: it has {measured}, and {cap / 2**20:g} MB is the limit"


def _ends_with(written: str, name: str) -> bool:
    """Return whether a name is spelt as it should be; of a module without its folder, the file alone."""
    steps = f"//{written}".replace("\\", "/").split("/")[-2:]
    folder, file = name.rsplit("/", 1) if "/" in name else ("", name)
    return steps[1] == file and (not folder or steps[0] == folder or steps[0].casefold() != folder)


def _look_inside(taken: Taken) -> None:
    """Hold what was taken to what it should be; notebooks and the manifest carry no points, so they only earn remarks."""
    for name in [name for name in taken.files if name.endswith(".py")]:
        problem = text_problem(taken.files[name])
        if problem:
            del taken.files[name]
            taken.problems[name] = f"{name} {problem}"
    for name in [name for name in taken.problems if not name.endswith(".py")]:
        taken.remarks.append(taken.problems[name])
    for name in [name for name in taken.files if name.endswith(".ipynb")]:
        book = look_at_notebook(taken.files.pop(name), given_notebooks(), name)
        taken.books[name] = book.remark
        if book.written:
            taken.written[name] = book.written
    if MANIFEST in taken.files:
        manifest = taken.files.pop(MANIFEST)
        taken.remarks += manifest_remarks(manifest, taken.files)
        taken.python = python_of(manifest)


def _about(books: Mapping[str, str]) -> list[str]:
    """Say what there is to say about notebooks, the same of several once."""
    said: dict[str, list[str]] = defaultdict(list)  # remark -> notebooks
    for name, remark in books.items():
        said[remark].append(name)
    others = {r: f" (and so {_count(names[1:], 'other notebook')})" * (len(names) > 1) for r, names in said.items()}
    return [f"{names[0]} {remark}{others[remark]}" for remark, names in said.items() if remark]


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things):,} {noun}{'s' * (len(things) != 1)}"


def _some(names: Sequence[str]) -> str:
    shown = [name if len(name) <= 60 else f"{name[:57]}..." for name in sorted(names)[:NAMED]]
    return ", ".join(shown) + (", ..." if len(names) > NAMED else "")
