"""Import student modules in a process of their own and report, one JSON line each, what importing did besides defining.

Run as `python -m coursekit.grading.import_probe REPORT FOLDER LIBRARIES MODULE...`. FOLDER holds nothing but what is handed in, so
an import that leans on another file of the student fails here and not at the staff's. LIBRARIES (with commas) are loaded before
the clock starts and the watch begins.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import io
import json
import os
import pickle
import random
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from coursekit.grading.only_required import hide_packages
from coursekit.parts import ROOT

SECONDS = float(os.environ.get("A2_IMPORT_SECONDS", "10"))  # of processor time, for one module
PATIENCE = 6  # times as long by the clock, for a module that waits and where processor time has no timer (Windows)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ONLY_DEFINE = "importing must only define things: move that into a function or remove it"
ACTIONS = {
    "os.remove": "removes a file",
    "os.rename": "renames a file",
    "os.mkdir": "makes a folder",
    "os.rmdir": "removes a folder",
    "os.system": "starts a program",
    "os.fork": "starts a process",
    "os.posix_spawn": "starts a program",
    "subprocess.Popen": "starts a program",
    "socket.connect": "opens a network connection",
}


class ImportWatch(io.StringIO):
    """Standard output and an audit hook: keeps what student code itself prints, writes and starts while it is imported."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = str(folder)
        self.seen: list[tuple[str, int | None]] = []

    def write(self, text: str) -> int:
        if text.strip():
            self.seen.append((f"prints {text.strip()[:40]!r}", self._line(sys._getframe(1), through_imports=True)))
        return len(text)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES and arguments[0] != os.devnull:
            action = f"writes the file {str(arguments[0])!r}"
        elif event in ACTIONS:
            action = ACTIONS[event]
        else:
            return
        line = self._line(sys._getframe(1), through_imports=False)
        if line is not None:
            self.seen.append((action, line))

    def _line(self, frame: FrameType | None, *, through_imports: bool) -> int | None:
        """Return the student's line that led here; None if a library did it while it was being imported itself."""
        while frame is not None and not frame.f_code.co_filename.startswith(self.folder):
            if frame.f_code.co_name == "<module>" and not through_imports:
                return None
            frame = frame.f_back
        return None if frame is None else frame.f_lineno


def main(report: str, folder: str, libraries: str, *modules: str) -> None:
    """Import modules one after the other; a module that ends or stops the process is the last one in the report."""
    place = Path(folder)
    for library in filter(None, libraries.split(",")):
        with contextlib.suppress(Exception):
            importlib.import_module(library)
    here = Path(__file__).parents[2]
    sys.path[:] = [folder, *(entry for entry in sys.path if entry and Path(entry).resolve() not in (here, place))]
    with contextlib.suppress(OSError, ImportError):  # `a2 doctor` says what is missing
        hide_packages(place, (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    watch = ImportWatch(place)
    sys.addaudithook(watch.audit)
    with open(report, "w", encoding="utf-8", buffering=1) as stream:
        for module in modules:
            stream.write(json.dumps({"start": module}) + "\n")
            with _limit(SECONDS, stream):
                problem, line = _import(module, watch)
            stream.write(json.dumps({"done": module, "problem": problem, "line": line}) + "\n")


@contextlib.contextmanager
def _limit(seconds: float, stream: TextIO) -> Iterator[None]:
    """End this process when it has computed or waited too long, with the lines where it was in the stream."""
    timed = hasattr(signal, "setitimer")
    faulthandler.dump_traceback_later(PATIENCE * seconds, exit=True, file=stream)
    if timed:  # when the lines are written, the signal does what it always does: it ends the process
        faulthandler.register(signal.SIGPROF, file=stream, all_threads=False, chain=True)
        signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        if timed:
            signal.setitimer(signal.ITIMER_PROF, 0)


def _import(module: str, watch: ImportWatch) -> tuple[str, int | None]:
    """Return what importing a module does that it should not ('' for nothing), and the line that does it."""
    watch.seen.clear()
    before = settings()
    try:
        with contextlib.redirect_stdout(watch):
            importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 (SystemExit too; the next module is tried)
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(watch.folder)]
        text = f"raises {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return "ends Python (exit)" if isinstance(error, SystemExit) else text, lines[-1] if lines else None
    if watch.seen:
        return watch.seen[0]
    changed = changes(before)
    return (f"changes {changed[0]}" if changed else "", None)


def changes(before: dict[str, Any]) -> list[str]:
    """Return the names of the settings that are no longer what they were."""
    return [name for name, value in settings().items() if value != before.get(name, value)]


def settings() -> dict[str, Any]:
    """Return what holds for everybody in this process, name -> value; of libraries only once they are loaded."""
    found: dict[str, Any] = {
        "Python's random state": random.getstate(),
        "Python's warnings": [one for one in warnings.filters if one[0] == "error"],
    }
    if numpy := sys.modules.get("numpy"):
        found["numpy's random state"] = pickle.dumps(numpy.random.get_state())
        found["numpy's handling of errors"] = numpy.geterr()
    if torch := sys.modules.get("torch"):
        found["torch's default dtype"] = torch.get_default_dtype()
        found["torch's default device"] = torch.get_default_device()
        found["torch's gradient mode"] = torch.is_grad_enabled()
        found["torch's deterministic mode"] = torch.are_deterministic_algorithms_enabled()
        found["torch's random state"] = torch.get_rng_state().numpy().tobytes()
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
