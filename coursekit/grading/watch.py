"""`a2 watch`: grade whenever a file is saved, until Ctrl-C. Whatever is saved, the watch goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import watchfiles
from watchfiles._rust_notify import WatchfilesRustInternalError

from coursekit.errors import UsageError
from coursekit.grading.edited import edited
from coursekit.grading.grade import Progress, grade
from coursekit.grading.launch import Launch
from coursekit.grading.results import Check, FunctionGrade, Grade, Verdict, read_manifest, select
from coursekit.parts import PARTS, Part

FOLDERS = (Path("assignment2"), Path("tests"), *(part.tests_path for part in PARTS))
STEP, DEBOUNCE = 10, 100  # ms: quiet for this long, or changing for this long, and it counts as saved
POLL_DELAY = 200  # ms between two looks, where polling
LOOK = 1000  # ms between two looks at the files themselves, in case an event was lost
HALF_SAVED = 0.3  # seconds that an empty file is given to be filled

Snapshot = dict[Path, tuple[int, int, int]]


@dataclass(frozen=True)
class Turn:
    """One run: the grade, and what is different from the run before; or why there could be none."""

    grade: Grade
    newly_passed: tuple[Verdict, ...] = ()
    newly_failed: tuple[Verdict, ...] = ()
    problem: str = ""

    @property
    def first(self) -> FunctionGrade | None:
        """The function to look at: one that has just broken, else the first that was begun and is not yet right."""
        broken = {v.check.function for v in self.newly_failed}
        begun = [f for f in self.grade.functions if f.lost and not f.untouched]
        return next((f for f in begun if f.function in broken), begun[0] if begun else None)


class Superseded(Exception):
    """The file was saved again while its checks ran."""


def watch(
    parts: Sequence[Part],
    names: Sequence[str],
    *,
    root: Path,
    launch: Launch,
    poll: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    note: Callable[[str], None] = lambda text: None,
) -> Iterator[Turn]:
    """Yield a turn at once, and one after each change to a file of assignment2 or tests; a save in between starts over.

    A turn runs the checks that failed before, and those of the functions that the save can have changed.
    """
    last, graded = Grade((), 0.0), NOTHING
    modules = [root / part.module_path for part in parts]
    with _changes(root, poll, note) as changed:
        while True:
            _await_rest(changed, modules)
            try:
                files = _read(root, modules)
                checks = select(read_manifest(root / "tests" / "manifest.json"), names)
                kept = _kept(last, graded, files)
                due = [check for check in checks if check not in kept]
                tick = _tick(changed, progress, len(due))
                current = grade(due, parts, root=root, launch=launch, impatient=True, progress=tick)
                if kept and any(v.outcome == "not loaded" for v in current.verdicts):
                    graded = NOTHING  # nothing else can be loaded either: run all
                    continue
            except Superseded:
                continue
            except (UsageError, OSError, ValueError) as error:  # a test or the manifest is missing or half saved
                yield Turn(last, problem=str(error))
            else:
                verdicts = kept | {v.check: v for v in current.verdicts}
                notes = current.notes if due else last.notes
                current = Grade(tuple(verdicts[check] for check in checks), current.seconds, notes)
                yield _compare(last, current)
                last, graded = current, files
            while not changed.wait(0.5):  # a wait without end cannot be interrupted on Windows
                pass


@dataclass(frozen=True)
class _Files:
    """What a turn graded: the watched modules' text, and the state of every other file."""

    others: Snapshot
    text: str


NOTHING = _Files({}, "")


def _read(root: Path, modules: Sequence[Path]) -> _Files:
    others = {path: state for path, state in _snapshot(root).items() if path not in modules}
    return _Files(
        others, "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in modules if path.exists())
    )


def _kept(last: Grade, graded: _Files, files: _Files) -> dict[Check, Verdict]:
    """Return the verdicts that a save cannot have changed; of failures the message may name another line now."""
    names = edited(graded.text, files.text) if graded.others == files.others else None
    if names is None:
        return {}
    return {v.check: v for v in last.verdicts if v.outcome == "passed" and v.check.function not in names}


def _tick(changed: threading.Event, progress: Callable[[int, int], None], total: int) -> Progress:
    shown = -1

    def tick(done: int) -> None:
        nonlocal shown
        if changed.is_set():
            raise Superseded
        if done != shown:  # asked 200 times a second, and a terminal takes a millisecond to draw it
            shown = done
            progress(done, total)

    return tick


def _await_rest(changed: threading.Event, modules: Sequence[Path]) -> None:
    """Let an editor that empties a file before it writes it do the second step."""
    changed.clear()
    if any(path.exists() and not path.stat().st_size for path in modules):
        changed.wait(HALF_SAVED)
        changed.clear()


def _compare(before: Grade, after: Grade) -> Turn:
    was = {v.check.id: v.outcome == "passed" for v in before.verdicts}
    passed = tuple(v for v in after.verdicts if v.outcome == "passed" and was.get(v.check.id) is False)
    failed = tuple(v for v in after.verdicts if v.outcome != "passed" and was.get(v.check.id) is True)
    return Turn(after, passed, failed)


@contextmanager
def _changes(root: Path, poll: bool, note: Callable[[str], None]) -> Iterator[threading.Event]:
    """Set an event at each change, from a thread."""
    changed, stop = threading.Event(), threading.Event()
    seen = _snapshot(root)  # before the first run reads the files: no change is missed
    thread = threading.Thread(target=_observe, args=(root, seen, poll, note, changed, stop), daemon=True)
    thread.start()
    try:
        yield changed
    finally:
        stop.set()
        thread.join(timeout=2)


def _observe(
    root: Path, seen: Snapshot, poll: bool, note: Callable[[str], None], changed: threading.Event, stop: threading.Event
) -> None:
    """Follow the file events; look at the files too, and go over to polling when changes come without events.

    Without events are: network drives, folders of a virtual machine or a container, and a system that has run out of
    watches. (For WSL and WATCHFILES_FORCE_POLLING watchfiles polls of its own accord.)
    """
    missed = 0
    while not stop.is_set():
        try:
            for events in watchfiles.watch(
                *_folders(root), watch_filter=None, recursive=False, step=STEP, debounce=DEBOUNCE,
                force_polling=poll or None, poll_delay_ms=POLL_DELAY, stop_event=stop, rust_timeout=LOOK,
                yield_on_timeout=True, raise_interrupt=False,
            ):  # fmt: skip
                now = _snapshot(root)
                if now == seen:  # a backup file of the editor, or nothing
                    continue
                seen = now
                changed.set()
                missed += not events
                if missed == 2 and not poll:  # once may be chance: the look came just before the event
                    poll = True
                    note("file events do not arrive here: looking at the files instead, five times a second")
                    break
        except (OSError, WatchfilesRustInternalError):  # no watches left, or the folder is not there just now
            poll = True
            stop.wait(LOOK / 1000)


def _folders(root: Path) -> list[Path]:
    """Return the folders that are followed: of the checks', those that are there."""
    return [root / folder for folder in FOLDERS if (root / folder).is_dir() or folder.name in ("assignment2", "tests")]


def _snapshot(root: Path) -> Snapshot:
    found: Snapshot = {}
    for folder in _folders(root):
        for path in folder.glob("*.*"):
            try:
                status = path.stat()
            except OSError:  # gone between the listing and the look
                continue
            if path.suffix in (".py", ".json"):
                found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found
