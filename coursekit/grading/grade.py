"""`a2 grade`: run the checks in child processes, one verdict for each line of the manifest, whatever the code does."""

from __future__ import annotations

import ast
import json
import math
import tempfile
import time
from collections.abc import Callable, Container, Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, TextIO

from coursekit.checks.stored import KnownMistake
from coursekit.errors import GraderFailed, UsageError
from coursekit.grading.launch import Child, Launch, fresh_process
from coursekit.grading.picture import load_picture
from coursekit.grading.results import CHECK_SECONDS, NOT_GRADED, Check, Grade, Verdict, not_run
from coursekit.grading.time_limit import by_the_clock, stopped_after
from coursekit.parts import ROOT, Part
from coursekit.width import CHECKS, how_many_fit

START_SECONDS = 300  # the first start after an installation reads 5 GB from the disk
LOAD_SECONDS = 60  # from pytest's start to the first check: the student's module is imported
GRACE_SECONDS = 5  # what pytest-timeout gets to interrupt a check before the process is killed

# Exit codes of the deciding process: the signal of a kernel without memory, and of one that could not open its log.
LIKELY = {-9: ": is there enough memory?", 70: ": is the disk full?"}

# More checks than this are run by two processes at a time. Half of the time of all goes into two modules, whose optimizers load
# torch's compiler.
MANY, SLOW = 120, ("adversarial", "style_transfer")

LONGEST_MESSAGE = 4000  # characters; a student's exception may carry a whole tensor
# The usual tracebacks parse the whole file, 0.1 s a failed check. Every assert has its message: to rewrite them all takes 0.7 s and
# adds nothing. The last plugin collects garbage when pytest ends: 0.3 s.
LEAN = ("--tb=native", "--assert=plain", "-pno:cacheprovider", "-pno:logging", "-pno:unraisableexception")
# A part that cannot be imported costs no other part.
OPTIONS = ("-q", "--continue-on-collection-errors", *LEAN)

# Called many times a second with the number of checks done so far; an exception that it raises stops the run.
Progress = Callable[[int], None]


def grade(
    checks: Sequence[Check],
    parts: Sequence[Part],
    *,
    root: Path = ROOT,
    progress: Progress = lambda done: None,
    launch: Launch = fresh_process,
    impatient: bool = False,
    submission: Path | None = None,
    seconds: int = CHECK_SECONDS,
    whole_seconds: float = math.inf,
) -> Grade:
    """Run checks on the modules in root/assignment2; every check gets a verdict.

    A check may use so many seconds of processor time, everything may take whole_seconds; with impatient, the other checks of its
    function are skipped if it does not end. With a submission the modules in that folder are meant; their code runs in a worker (see
    coursekit.staff.isolation). No student code runs where the verdicts are made then: if that process ends, or a check of ours is
    broken, the verdict is NOT_GRADED or the whole is GraderFailed.
    """
    started = time.monotonic()
    shared = [part.tests_path / "conftest.py" for part in parts]
    for path in dict.fromkeys((Path("tests/conftest.py"), *shared, *(Path(_file(check)) for check in checks))):
        if not (root / path).exists():
            raise UsageError(f"{path} is missing: restore it from the assignment you were given")
    options: tuple[str, ...] = ("--a2-impatient",) if impatient else ()
    problems = {} if submission else {part: syntax_problem(root, part.module_path) for part in parts}
    broken = {name: problem for part, problem in problems.items() if problem for name in part.functions}
    if submission:
        options += ("-p", "coursekit.staff.isolated.sandboxed_checks", f"--a2-submission={submission}")
    verdicts = {c.id: Verdict(c, "not loaded", broken[c.function]) for c in checks if c.function in broken}
    waiting = [c for c in checks if c.id not in verdicts]
    notes: dict[str, None] = {}  # each once, in order
    while waiting and time.monotonic() < started + whole_seconds:
        runs = [
            _Run(group, root, launch, options, seconds, started + whole_seconds, isolated=submission is not None)
            for group in ([waiting] if submission else _side_by_side(waiting))
        ]
        found = _finish(runs, progress, len(verdicts))
        if impatient:  # the plugin skips them too, but not where a check could only be ended with its process
            stopped = {verdict.check.function for verdict in found.values() if verdict.outcome == "timeout"}
            left = [c for c in waiting if c.function in stopped and c.id not in found]
            found |= {c.id: Verdict(c, "timeout", not_run(c.function)) for c in left}
        verdicts.update(found)
        notes.update((event["note"], None) for run in runs for event in run.events if "note" in event)
        waiting = [c for c in waiting if c.id not in found]
    late = f"not run: the {whole_seconds:g} seconds for all checks together were used up before it"
    verdicts.update({c.id: Verdict(c, "timeout", late) for c in waiting})
    return Grade(tuple(verdicts[c.id] for c in checks), time.monotonic() - started, tuple(notes))


def syntax_problem(root: Path, path: Path) -> str | None:
    """Return why a module cannot be parsed, with its line, or None."""
    try:
        ast.parse((root / path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return f"{path.as_posix()} is missing"
    except SyntaxError as error:
        return f"{path.as_posix()}, line {error.lineno}: {error.msg}"
    except (UnicodeDecodeError, ValueError) as error:
        return f"{path.as_posix()} is not text in UTF-8: {error}"
    return None


def _side_by_side(checks: Sequence[Check]) -> list[Sequence[Check]]:
    """Cut many checks in two that take about equally long, where there are cores and memory for two processes."""
    two: list[Sequence[Check]] = [
        [c for c in checks if (Path(_file(c)).parent.name in SLOW) is slow] for slow in (True, False)
    ]
    return two if all(two) and len(checks) > MANY and how_many_fit(CHECKS) > 1 else [checks]


def _finish(runs: Sequence[_Run], progress: Progress, before: int) -> dict[str, Verdict]:
    """Follow runs to their ends and return what they found; before them, so many checks were done. An exception ends them."""
    with ExitStack() as stack:
        steps = [stack.enter_context(closing(run.steps())) for run in runs]
        while sum(next(step, False) for step in steps):
            progress(before + sum(run.done for run in runs))
            time.sleep(0.005)
    progress(before + sum(run.done for run in runs))
    return {name: verdict for run in runs for name, verdict in run.found.items()}


def _file(check: Check) -> str:
    return check.id.split("::")[0]


class _Run:
    """One child process. It may stop early; then only the checks that it reached have a verdict."""

    def __init__(
        self, checks: Sequence[Check], root: Path, launch: Launch, options: Sequence[str], seconds: int,
        end: float = math.inf, isolated: bool = False,
    ) -> None:  # fmt: skip
        self.seconds, self.end, self.isolated = seconds, end, isolated
        self.checks = {c.id: c for c in checks}
        self.root, self.launch, self.options = root, launch, options
        self.events: list[dict[str, Any]] = []
        self.found: dict[str, Verdict] = {}
        self.done = 0
        self.folder = root

    def steps(self) -> Generator[bool, None, None]:
        """Run, and yield True whenever there is nothing to do but wait; when it stops, `found` holds the verdicts."""
        with tempfile.TemporaryDirectory(prefix="a2-") as folder:
            self.folder = Path(folder)
            results, log = self.folder / "results", self.folder / "log"
            results.touch()
            log.touch()
            with self.launch(self._arguments(results), self.root, log) as child:
                code = yield from self._follow(child, results)
            self.found = self._judge(code, log.read_text(encoding="utf-8", errors="replace"))

    def _arguments(self, results: Path) -> list[str]:
        files = dict.fromkeys(_file(c) for c in self.checks.values())
        chosen = self.folder / "checks"
        chosen.write_text("\n".join(self.checks), encoding="utf-8")
        told = [
            f"--timeout={by_the_clock(self.seconds)}",
            f"--a2-seconds={self.seconds}",
            *self.options,
            f"--a2-results={results}",
            f"--a2-checks={chosen}",
        ]
        # Pytest's usual folder in /tmp would stay: the run is killed before it cleans up.
        return [*OPTIONS, *told, f"--basetemp={self.folder / 'pytest-of-this-run'}", *files]

    def _follow(self, child: Child, results: Path) -> Generator[bool, None, int | None]:
        """Read what the child reports until it has told everything or ends; None when it was silent for too long."""
        limit, last = float(START_SECONDS), time.monotonic()
        with results.open(encoding="utf-8", errors="replace") as stream:
            while True:
                code = child.poll()
                fresh = _read_events(stream)
                if fresh:
                    self.events += fresh
                    for event in fresh:
                        if "refused" in event:  # a sandbox that does not start costs nobody a point
                            raise GraderFailed(event["refused"])
                    loading = not any("start" in event for event in self.events)
                    limit = LOAD_SECONDS if loading else by_the_clock(self.seconds) + GRACE_SECONDS
                    last = time.monotonic()
                    self.done = len({e["id"] for e in self.events if "outcome" in e and e.get("id") in self.checks})
                if self.done == len(self.checks):  # pytest's own farewell tells nothing new
                    return 0
                if code is not None:
                    return code
                if time.monotonic() - last > limit or time.monotonic() > self.end:
                    return None
                yield True

    def _judge(self, code: int | None, log: str) -> dict[str, Verdict]:
        found = {e["id"]: self._verdict(e) for e in self.events if e.get("id") in self.checks}
        unloaded = {e["file"]: _reason(e["message"]) for e in self.events if "file" in e}
        doubtful = {e["doubtful"] for e in self.events if "doubtful" in e}
        for check in self.checks.values():
            if _file(check) in unloaded:
                outcome = NOT_GRADED if _file(check) in doubtful else "not loaded"
                found[check.id] = Verdict(check, outcome, unloaded[_file(check)])
        unfinished = [e["start"] for e in self.events if e.get("start") in self.checks and e["start"] not in found]
        for name in unfinished[-1:]:
            found[name] = self._cut_short(self.checks[name], code)
        ran = any(e.get("outcome") for e in self.events)
        if not unfinished and not (unloaded and ran):  # nothing more would come of another run
            outcome, why = ("missing", "the check did not run") if unloaded else _why_missing(code, log)
            self._blame_nobody(outcome, why if unloaded or code not in LIKELY else _ended(code), found)
            found.update({c.id: Verdict(c, outcome, why) for c in self.checks.values() if c.id not in found})
        return found

    def _blame_nobody(self, outcome: str, why: str, found: Container[str]) -> None:
        """Raise GraderFailed for a check that did not even begin, if no student code could prevent it; time may just be up."""
        lost = next((name for name in self.checks if name not in found), "")
        if self.isolated and lost and time.monotonic() <= self.end:
            stale = "is listed in the manifest, but its file does not contain it: `a2 reference` makes a new manifest"
            raise GraderFailed(f"{lost} {stale if outcome == 'missing' else f'did not begin: {why}'}")

    def _verdict(self, event: dict[str, Any]) -> Verdict:
        recognised = tuple(KnownMistake(**known) for known in event["hints"])
        check, outcome = self.checks[event["id"]], event["outcome"]
        if self.isolated and event["max_score"] != check.points:
            told = f"{event['max_score']:g} points in its file and {check.points:g} in the manifest"
            raise GraderFailed(f"{check.id} is worth {told}: `a2 reference` makes the manifest again")
        message = event["message"]
        if len(message) > LONGEST_MESSAGE:
            message = message[:LONGEST_MESSAGE] + " ..."
        picture = load_picture(self.folder, event.get("picture", ""))
        return Verdict(check, outcome, message, event["seconds"], recognised, picture, event.get("printed", ""))

    def _cut_short(self, check: Check, code: int | None) -> Verdict:
        if self.isolated and (code is not None or time.monotonic() <= self.end):
            return Verdict(check, NOT_GRADED, f"{_ended(code)} during this check")
        if code is None:
            return Verdict(check, "timeout", stopped_after(by_the_clock(self.seconds)))
        return Verdict(check, "crashed", f"Python itself ended during this check (exit code {code})")


def _ended(code: int | None) -> str:
    """Say how the process in which the verdicts are made came to an end."""
    if code is None:
        return "the deciding process did not answer"
    return f"the deciding process ended (exit code {code}{LIKELY.get(code, '')})"


def _read_events(stream: TextIO) -> list[dict[str, Any]]:
    """Read the lines that are complete; the rest of a line that is still being written is read next time."""
    events: list[dict[str, Any]] = []
    while True:
        start = stream.tell()
        line = stream.readline()
        if not line.endswith("\n"):
            stream.seek(start)
            return events
        try:
            event = json.loads(line)
        except ValueError:  # cut off where the process died
            continue
        if isinstance(event, dict):
            events.append(event)


def _reason(report: str) -> str:
    """Pick the sentence out of pytest's report on a file that could not be imported."""
    told = [line[1:].strip() for line in report.splitlines() if line.startswith("E ")]
    return told[-1] if told else report.strip().splitlines()[-1]


def _why_missing(code: int | None, log: str) -> tuple[str, str]:
    if code is None:
        quiet = f"nothing happened for {LOAD_SECONDS} seconds"
        return "timeout", f"{quiet}: is there an endless loop outside the functions?"
    if code in (0, 1, 5):  # 5: not one of the chosen checks was there
        return "missing", "the check is not in its file any more: restore the file that you were given"
    last = [line for line in log.splitlines() if line.strip()][-1:]
    return "crashed", f"pytest ended with exit code {code} before this check: {' '.join(last)}"
