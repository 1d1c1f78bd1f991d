"""Who handed in what: a class's folder as a learning platform gives it, with one zip, one folder or some files for each student."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coursekit.errors import UsageError
from coursekit.staff.classroom.handed_in import HandedIn, is_folder
from coursekit.staff.classroom.names import ARCHIVES, STAMPED, Named, read_name
from coursekit.staff.classroom.platforms import METADATA, github_names, gradescope_export

TYPED = "typed a text into"
SPLIT = re.compile(r"part[ _-]?\d+", re.IGNORECASE)  # a folder of a download that came in several archives


@dataclass(frozen=True)
class Roster:
    """All that was handed in, in the order of the gradebook, and the files that are nobody's."""

    students: tuple[HandedIn, ...]
    others: tuple[str, ...]


def read_roster(folder: Path, out: Path | None = None, *, latest: bool = False) -> Roster:
    """Find what was handed in, in a folder and in its folders, but not in the folder of results; UsageError if there is nothing.

    With latest the last of several attempts counts, by the platform's own time; without, several are a problem.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: name the folder with the students' zips")
    try:
        export = gradescope_export(folder)
        known = {folder / METADATA, *(path for _, path in export)} if export else set()
        found, others = _sort([path for path in _inside(folder, out) if path not in known])
        found += [_named(named, path) for named, path in export]
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read ({error.strerror}): change its permissions") from None
    if not found:
        raise UsageError(f"no zips in {folder}: name the folder that holds one zip for each student")
    groups: dict[str, list[HandedIn]] = defaultdict(list)
    for one in found:
        groups[unicodedata.normalize("NFC", one.student).casefold()].append(one)
    students = [_one(_attempts(group), latest) for group in groups.values()]
    return Roster(tuple(sorted(students, key=lambda s: (s.student.casefold(), s.student))), tuple(others))


def _inside(folder: Path, out: Path | None) -> list[Path]:
    """Return what stands in a folder; of a download in several parts, what stands in the parts.

    All folders must be parts: else a student could name a zip after a neighbour, and be two.
    """
    here = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))
    here = [path for path in here if out is None or path.resolve() != out.resolve()]
    folders = [path for path in here if is_folder(path)]
    if not all(_is_split(path) for path in folders):
        return here
    return [path for path in here if path not in folders] + [one for path in folders for one in _inside(path, out)]


def _is_split(folder: Path) -> bool:
    """Return whether a folder holds students and is none."""
    if read_name(folder.name).platform or folder.is_symlink():
        return False
    try:
        inside = [path for path in folder.iterdir() if path.name[0] not in "._"]
    except OSError:
        return False
    named = [path for path in inside if read_name(path.name).platform]
    holds = [path for path in inside if path.suffix.casefold() in ARCHIVES or path.is_dir()]
    is_part = SPLIT.fullmatch(folder.name) is not None
    return bool(inside) and (len(named) == len(inside) or (is_part and len(holds) == len(inside)))


def _sort(paths: Sequence[Path]) -> tuple[list[HandedIn], list[str]]:
    found, others = [], []
    clones = github_names([path for path in paths if is_folder(path)])
    for path in paths:
        if is_folder(path):
            named = Named(clones[path.name], "GitHub") if path.name in clones else read_name(path.name)
            found += _from_folder(path, named)
            continue
        named = read_name(path.name)
        if path.suffix.casefold() in ARCHIVES:
            found.append(_named(named, path))
        elif named.text and named.platform == "Blackboard":
            continue  # its receipt
        elif named.text:
            found.append(_named(named, None))
        elif named.platform:
            found.append(replace(_named(named, None), loose=((named.rest or path.name, path),)))
        else:
            others.append(path.name)
    return found, others


def _named(named: Named, path: Path | None, problem: str = "") -> HandedIn:
    problem = problem or (f"{TYPED} {named.platform} and handed in no file" if named.text else "")
    return HandedIn(
        named.student, path, named.late, problem, platform=named.platform, number=named.number, when=named.when
    )  # fmt: skip


def _from_folder(folder: Path, named: Named) -> list[HandedIn]:
    if folder.is_symlink():
        return [_named(named, None, "is a link to a folder: put the folder itself there")]
    try:
        paths = sorted(path for path in folder.iterdir() if path.name[0] not in "._")
    except OSError as error:
        return [_named(named, None, f"the student's folder cannot be read ({error.strerror})")]
    if named.text:
        return [_named(named, None)]
    zips = [path for path in paths if path.suffix.casefold() in ARCHIVES]
    stamps = {path: match["when"] for path in zips if (match := STAMPED.fullmatch(path.name))}
    if len(zips) == 1 or (zips and len(stamps) == len(zips)):
        return [replace(_named(named, path), when=stamps.get(path, named.when)) for path in zips]
    if zips:
        return [_named(named, None, f"holds {len(zips)} zips ({_names(zips)}): keep one, then run again")]
    if paths:
        return [_named(named, folder)]
    return [_named(named, None, "nothing was handed in: the student's folder is empty")]


def _attempts(group: Sequence[HandedIn]) -> list[HandedIn]:
    """Put the loose files of an attempt together; Canvas numbers each file, and of equal names the last counts."""
    whole = [one for one in group if not one.loose]
    loose: dict[str, list[HandedIn]] = defaultdict(list)
    for one in sorted((one for one in group if one.loose), key=lambda one: one.when):
        loose["" if one.platform == "Canvas" else one.when].append(one)
    for ones in loose.values():
        files = {name: path for one in ones for name, path in one.loose}
        dropped = len(ones) - len(files)
        note = f"handed in {dropped} files again: the last of each name counts" if dropped else ""
        late = any(one.late for one in ones)
        if whole and not any(name.endswith(".py") for name in files):
            continue  # a report beside the zip
        whole.append(replace(ones[-1], loose=tuple(files.items()), note=note, late=late))
    return whole


def _one(group: Sequence[HandedIn], latest: bool) -> HandedIn:
    """Return what counts of a student's attempts, or the fact that nobody can tell."""
    typed = [one for one in group if one.problem.startswith(TYPED)]
    group = _different([one for one in group if one not in typed] or typed[:1])
    beside = f"there is also a text typed into {typed[0].platform}: read it by hand" if typed else ""
    first = group[0]
    if len(group) == 1:
        return replace(first, note="; ".join(filter(None, (first.note, "" if first.problem else beside))))
    names = _names([one.path or one.loose[0][1] for one in group if one.path or one.loose]) or "their folders"
    times = [one.when for one in group]
    if latest and all(times) and len(set(times)) == len(times):
        last = max(group, key=lambda one: one.when)
        return replace(last, note=f"the last of {len(group)} attempts ({last.when}) of {names}")
    why = ", and --latest finds no time in their names" if latest else ""
    return HandedIn(
        first.student, None, any(one.late for one in group), f"handed in {len(group)} times ({names}){why}: keep one, then run again",
        platform=first.platform, number=first.number,
    )  # fmt: skip


def _different(group: Sequence[HandedIn]) -> list[HandedIn]:
    """Return the attempts without those that are, byte for byte, another one."""
    if len(group) == 1 or not all(one.path and one.path.is_file() for one in group):
        return list(group)
    return list({one.digest() or one.file: one for one in sorted(group, key=lambda one: one.when)}.values())


def _names(paths: Iterable[Path]) -> str:
    paths = list(paths)
    return ", ".join(path.name for path in paths[:4]) + (", ..." if len(paths) > 4 else "")
