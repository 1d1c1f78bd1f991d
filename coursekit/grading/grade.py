"""`a2 grade`: run the checks in a child process, one verdict for each line of the manifest, whatever the code does."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coursekit.errors import UsageError
from coursekit.grading.results import CHECK_SECONDS, Check, Grade, Verdict
from coursekit.grading.store import KnownMistake
from coursekit.parts import ROOT, Part

START_SECONDS = 120  # the first start after an installation reads 5 GB from the disk
GRACE_SECONDS = 5  # what pytest-timeout gets to interrupt a check before the process is killed

Progress = Callable[[int], None]  # called with the number of checks done so far


def grade(checks: Sequence[Check], parts: Sequence[Part], *, root: Path = ROOT, progress: Progress | None = None) -> Grade:
    """Run checks on the modules in root/assignment2; every check gets a verdict."""
    started = time.monotonic()
    for part in parts:
        if not (root / part.tests_path).exists():
            raise UsageError(f"{part.tests_path} is missing: restore it from the assignment you were given")
    broken = {part.tests_path.as_posix(): problem for part in parts if (problem := syntax_problem(root, part.module_path))}
    verdicts = {c.id: Verdict(c, "not loaded", broken[_file(c)]) for c in checks if _file(c) in broken}
    waiting = [c for c in checks if c.id not in verdicts]
    while waiting:
        run = _Run(waiting, root)
        found = run.verdicts(lambda done: progress(len(verdicts) + done) if progress else None)
        verdicts.update(found)
        waiting = [c for c in waiting if c.id not in found]
    return Grade(tuple(verdicts[c.id] for c in checks), time.monotonic() - started)


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


def _file(check: Check) -> str:
    return check.id.split("::")[0]


class _Run:
    """One child process. It may stop early; then only the checks that it reached have a verdict."""

    def __init__(self, checks: Sequence[Check], root: Path) -> None:
        self.checks = {c.id: c for c in checks}
        self.root = root
        self.events: list[dict[str, Any]] = []

    def verdicts(self, progress: Progress) -> dict[str, Verdict]:
        with tempfile.TemporaryDirectory(prefix="a2-") as folder:
            results, log = Path(folder) / "results", Path(folder) / "log"
            results.touch()
            with log.open("w") as stream, subprocess.Popen(
                self._command(results), cwd=self.root, env=_environment(self.root), stdin=subprocess.DEVNULL,
                stdout=stream, stderr=subprocess.STDOUT,
            ) as child:  # fmt: skip
                killed = self._follow(child, results, progress)
            return self._judge(child.returncode, killed, log.read_text(encoding="utf-8", errors="replace"))

    def _command(self, results: Path) -> list[str]:
        files = dict.fromkeys(_file(c) for c in self.checks.values())
        chosen = self.root / "tests" / "manifest.json"
        whole = len(self.checks) == sum(_file(c) in files for c in _all_checks(chosen))
        options = ["-q", "-p", "no:cacheprovider", "-p", "pytest_timeout", f"--timeout={CHECK_SECONDS}"]
        return [sys.executable, "-m", "pytest", *options, f"--a2-results={results}", *(files if whole else self.checks)]

    def _follow(self, child: subprocess.Popen[bytes], results: Path, progress: Progress) -> bool:
        """Read what the child reports until it ends; kill it when it has been silent for too long."""
        limit, last = START_SECONDS, time.monotonic()
        with results.open(encoding="utf-8") as stream:
            while True:
                ended = child.poll() is not None
                fresh = [json.loads(line) for line in stream if line.endswith("\n")]
                if fresh:
                    self.events += fresh
                    limit, last = CHECK_SECONDS + GRACE_SECONDS, time.monotonic()
                    progress(sum("outcome" in event for event in self.events))
                if ended:
                    return False
                if time.monotonic() - last > limit:
                    child.kill()
                    return True
                time.sleep(0.03)

    def _judge(self, code: int, killed: bool, log: str) -> dict[str, Verdict]:
        found = {e["id"]: self._verdict(e) for e in self.events if e.get("id") in self.checks}
        unloaded = {e["file"]: _reason(e["message"]) for e in self.events if "file" in e}
        for check in self.checks.values():
            if _file(check) in unloaded:
                found[check.id] = Verdict(check, "not loaded", unloaded[_file(check)])
        unfinished = [e["start"] for e in self.events if "start" in e and e["start"] not in found]
        for name in unfinished[-1:]:
            found[name] = self._cut_short(self.checks[name], code, killed)
        if not unfinished and not unloaded:  # nothing more would come of another run
            reason = _why_missing(code, log)
            found.update({c.id: Verdict(c, *reason) for c in self.checks.values() if c.id not in found})
        if unloaded and not unfinished and not any(e.get("outcome") for e in self.events):
            found.update({c.id: Verdict(c, "missing", "the check did not run") for c in self.checks.values() if c.id not in found})
        return found

    def _verdict(self, event: dict[str, Any]) -> Verdict:
        recognised = tuple(KnownMistake(**known) for known in event["hints"])
        outcome = event["outcome"]
        if event["message"].startswith("stopped after"):
            outcome = "timeout"
        return Verdict(self.checks[event["id"]], outcome, event["message"], event["seconds"], recognised)

    def _cut_short(self, check: Check, code: int, killed: bool) -> Verdict:
        if killed:
            return Verdict(check, "timeout", f"stopped after {CHECK_SECONDS} seconds: is there an endless loop?")
        return Verdict(check, "crashed", f"Python itself ended during this check (exit code {code})")


def _all_checks(manifest: Path) -> list[Check]:
    return [Check(**entry) for entry in json.loads(manifest.read_text(encoding="utf-8"))]


def _environment(root: Path) -> dict[str, str]:
    quiet = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **quiet, "PYTHONPATH": str(root)}


def _reason(report: str) -> str:
    """Pick the sentence out of pytest's report on a file that could not be imported."""
    told = [line[1:].strip() for line in report.splitlines() if line.startswith("E ")]
    return told[-1] if told else report.strip().splitlines()[-1]


def _why_missing(code: int, log: str) -> tuple[str, str]:
    if code in (0, 1):
        return "missing", "the check is not in its file any more: restore the file that you were given"
    last = [line for line in log.splitlines() if line.strip()][-1:]
    return "crashed", f"pytest ended with exit code {code} before this check: {' '.join(last)}"
