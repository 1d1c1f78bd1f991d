"""`a2 watch`: a verdict on each save, whatever is saved, until Ctrl-C."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from coursekit.grading import warm
from coursekit.grading import watch as watching
from coursekit.grading.edited import edited
from coursekit.grading.results import Check, Grade, Verdict
from coursekit.grading.warm import CAN_FORK
from coursekit.grading.watch import Turn, watch
from coursekit.parts import PARTS

START = 120  # seconds for the first verdict: torch is imported, on a machine that may be busy
RETURN = "return gradient.abs().sum(dim=1)  # (N, H, W)"
FULL = re.compile(r"score: (\d+) of \1 points")
needs_fork = pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork; --fresh is what it uses")


class Watched:
    """A running `a2 watch`, and the lines that it prints."""

    def __init__(self, edition, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "coursekit", "watch", "1", *options], cwd=edition.root, env=edition.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 (ignored below `command &`)
        )  # fmt: skip
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.put(line.rstrip())

    def turn(self, seconds: float = 30) -> str:
        """Return what is printed up to the end of the next turn."""
        seen, end = [], time.monotonic() + seconds
        while not seen or "Ctrl-C stops" not in seen[-1]:
            try:
                seen.append(self.lines.get(timeout=max(end - time.monotonic(), 0)))
            except queue.Empty:
                raise AssertionError(f"no verdict in {seconds} seconds:\n" + "\n".join(seen)) from None
        return "\n".join(seen)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@contextmanager
def watched(edition, *options: str) -> Iterator[Watched]:
    running = Watched(edition, *options)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def processes_in(folder: Path) -> list[str]:
    """Return the command lines of the processes that work in a folder (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@needs_fork
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_whatever_is_saved_the_watch_goes_on(small_edition):
    with watched(small_edition) as running:
        assert FULL.search(running.turn(START))

        small_edition.edit(RETURN, "return gradient.sum(dim=1)")
        turn = running.turn()
        assert "now fails: saliency_map: The saliency map of a linear model is |w_label|, summed over channels" in turn
        assert "values are wrong" in turn
        assert "hint: " in turn
        assert "report.html" in turn
        assert "data:image/png" in (small_edition.root / "report.html").read_text(encoding="utf-8")

        small_edition.edit(RETURN, "return gradient.abs(.sum(dim=1)")
        assert "assignment2/saliency.py, line " in running.turn()

        small_edition.edit(RETURN, "import sys; raise ValueError(f'bytecode in {sys.pycache_prefix}')")
        assert "bytecode in None" in running.turn(), "what a check loads is torch's, and is compiled already"

        small_edition.edit(RETURN, "import os; os._exit(3)")
        assert "Python itself ended during this check (exit code 3)" in running.turn()

        small_edition.edit(RETURN, "import os; os.kill(os.getppid(), 9)")  # it kills the warm process
        assert "score:" in running.turn(START)

        small_edition.edit(RETURN, "import ctypes; ctypes.string_at(0)")
        assert "Python itself ended during this check (exit code -11)" in running.turn(START)

        small_edition.module.unlink()
        assert "assignment2/saliency.py is missing" in running.turn()

        small_edition.save("")
        assert "saliency" in running.turn()

        small_edition.save(small_edition.solution)
        turn = running.turn()
        assert "now passes: saliency_map: The saliency map of a linear model is |w_label|, summed over channels" in turn
        assert FULL.search(turn)

        tests = small_edition.root / "tests" / "saliency" / "test_grad_cam.py"
        text = tests.read_text(encoding="utf-8")
        tests.unlink()
        assert "tests/saliency/test_grad_cam.py is missing" in running.turn()
        tests.write_text(text, encoding="utf-8")
        assert FULL.search(running.turn())

        assert running.interrupt() == 0
    assert processes_in(small_edition.root) == []


@needs_fork
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_endless_loop_is_stopped_and_a_save_does_not_wait_for_it(small_edition):
    with watched(small_edition) as running:
        running.turn(START)

        small_edition.edit(RETURN, "while True: pass")
        began = time.monotonic()
        turn = running.turn(60)
        assert "stopped after 10 seconds" in turn
        assert "now fails: saliency_map" in turn
        assert time.monotonic() - began < 45  # once, not for each of six checks

        small_edition.edit(RETURN, "while True: pass  # still")
        time.sleep(2)
        small_edition.save(small_edition.solution)
        assert FULL.search(running.turn(9))  # sooner than any limit of a check

        small_edition.save("while True: pass\n")  # where no check's limit holds
        time.sleep(2)
        small_edition.save(small_edition.solution)
        assert FULL.search(running.turn(9))
        assert running.interrupt() == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("options", [("--fresh",), ("--poll",)])
def test_it_works_without_fork_and_without_file_events(small_edition, options: tuple[str, ...]):
    with watched(small_edition, *options) as running:
        assert FULL.search(running.turn(START))

        small_edition.edit(RETURN, "return gradient.sum(dim=1)")
        assert "now fails: saliency_map" in running.turn(60)

        small_edition.save(small_edition.solution)
        assert FULL.search(running.turn(60))
        assert running.interrupt() == 0


@needs_fork
@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_warm_process_ends_when_the_watch_is_killed(small_edition):
    with watched(small_edition) as running:
        running.turn(START)
        assert any("coursekit.grading.warm" in command for command in processes_in(small_edition.root))

        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()

        end = time.monotonic() + 20
        while processes_in(small_edition.root) and time.monotonic() < end:
            time.sleep(0.1)
    assert processes_in(small_edition.root) == []


def test_what_a_run_had_to_load_is_loaded_once_for_those_after_it(monkeypatch):
    monkeypatch.setattr(warm, "LATE", ("tabnanny", "no_module_of_this_name"))
    monkeypatch.setattr(warm, "USED", bytearray(2))
    monkeypatch.setattr(warm, "prepare_for_forks", lambda: None)
    run = warm._Loaded()

    monkeypatch.delitem(sys.modules, "tabnanny", raising=False)
    run.pytest_runtest_logfinish()
    warm._load_used()
    assert "tabnanny" not in sys.modules, "no run has needed it"

    monkeypatch.setitem(sys.modules, "tabnanny", sys)
    run.pytest_runtest_logfinish()  # of a run that needed it
    monkeypatch.delitem(sys.modules, "tabnanny")
    run.pytest_runtest_logfinish()  # of a run that did not
    warm._load_used()
    assert "tabnanny" in sys.modules


def test_an_unknown_part_is_refused_in_one_line(small_edition):
    done = small_edition.python("-m", "coursekit", "watch", "99")

    assert done.returncode == 2
    assert done.stderr.startswith("a2 watch: no part is called '99'")
    assert done.stderr.count("\n") == 1


# without a process


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "assignment2").mkdir()
    (tmp_path / "tests" / "saliency").mkdir(parents=True)
    (tmp_path / "assignment2" / "saliency.py").write_text("x = 1\n")
    return tmp_path


def wait_for(event: threading.Event) -> bool:
    return event.wait(10)


def test_where_events_do_not_arrive_it_goes_over_to_polling(room: Path, monkeypatch: pytest.MonkeyPatch):
    polls: list[bool | None] = []

    def deaf(*folders: Path, stop_event: threading.Event, force_polling: bool | None, **_: object) -> Iterator[set]:
        polls.append(force_polling)
        while not stop_event.wait(0.01):
            yield set()

    monkeypatch.setattr(watching.watchfiles, "watch", deaf)
    notes: list[str] = []
    with watching._changes(room, False, notes.append) as changed:
        for i in range(2):
            time.sleep(0.1)
            (room / "assignment2" / "saliency.py").write_text(f"{'x' * (i + 2)} = 1\n")
            assert wait_for(changed)
            changed.clear()
        time.sleep(0.2)

    assert polls == [None, True]
    assert notes == ["file events do not arrive here: looking at the files instead, five times a second"]


def test_a_system_without_watches_left_is_polled(room: Path, monkeypatch: pytest.MonkeyPatch):
    real, polls = watching.watchfiles.watch, []

    def full(*folders: Path, force_polling: bool | None, **options: object) -> Iterator[set]:
        polls.append(force_polling)
        if not force_polling:
            raise OSError("OS file watch limit reached")
        return real(*folders, force_polling=True, **options)

    monkeypatch.setattr(watching.watchfiles, "watch", full)
    with watching._changes(room, False, lambda text: None) as changed:
        time.sleep(2)
        (room / "assignment2" / "saliency.py").write_text("y = 2222\n")
        assert wait_for(changed)

    assert polls[:2] == [None, True]


@pytest.mark.parametrize("name", ["assignment2/saliency.py", "tests/saliency/test_grad_cam.py", "tests/manifest.json"])
def test_what_counts_as_a_change(room: Path, name: str):
    with watching._changes(room, False, lambda text: None) as changed:
        time.sleep(0.3)
        (room / "assignment2" / ".saliency.py.swp").write_text("an editor's own file")
        (room / "assignment2" / "notes.txt").write_text("notes")
        assert not changed.wait(0.5)

        (room / name).write_text("something else\n")

        assert wait_for(changed)


def outcome_of(*outcomes: str) -> Grade:
    names = ("saliency_map", "grad_cam", "deconvnet")
    checks = [Check(f"tests/saliency/test_{n}.py::test_{i}", n, 1.0) for i, n in enumerate(names)]
    return Grade(tuple(Verdict(c, outcome) for c, outcome in zip(checks, outcomes, strict=True)), 0.1)


def test_a_turn_tells_what_changed_and_where_to_look_first():
    turn = watching._compare(outcome_of("failed", "passed", "todo"), outcome_of("failed", "failed", "passed"))

    assert [v.check.function for v in turn.newly_passed] == ["deconvnet"]
    assert [v.check.function for v in turn.newly_failed] == ["grad_cam"]
    assert turn.first is not None
    assert turn.first.function == "grad_cam"  # just broken: before what was wrong already
    first = watching._compare(Grade((), 0), outcome_of("passed", "todo", "failed"))
    assert (first.newly_passed, first.newly_failed) == ((), ())
    assert first.first is not None
    assert first.first.function == "deconvnet"
    assert Turn(outcome_of("passed", "passed", "passed")).first is None


MODULE = """import torch
LIMIT = 3
def helper(x): return x
def saliency_map(x): return helper(x)
def grad_cam(x): return saliency_map(x)
class Block: scale = LIMIT
def deconvnet(x): return Block.scale * x
"""


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("x): return x", "x):  # a comment\n    return x", set()),
        ("def saliency_map(x): return helper(x)", "def saliency_map(x): return x", {"saliency_map", "grad_cam"}),
        ("helper(x): return x", "helper(x): return -x", {"helper", "saliency_map", "grad_cam"}),
        ("scale = LIMIT", "scale = 2", {"Block", "deconvnet"}),
        ("class Block: scale = LIMIT\n", "", {"Block", "deconvnet"}),
        ("LIMIT = 3", "LIMIT = 4", None),
        ("import torch", "import torch.nn", None),
        ("LIMIT = 3", "LIMIT = (", None),
    ],
)
def test_an_edit_concerns_what_it_changes_and_what_uses_it(old: str, new: str, names: set[str] | None):
    assert MODULE.count(old) == 1

    assert edited(MODULE, MODULE.replace(old, new)) == names


def test_a_turn_runs_what_failed_and_what_the_save_can_have_changed(room: Path, monkeypatch: pytest.MonkeyPatch):
    module, outcomes = (
        room / "assignment2" / "saliency.py",
        dict.fromkeys(("saliency_map", "grad_cam", "deconvnet"), "passed"),
    )
    everything = [v.check for v in outcome_of("todo", "todo", "todo").verdicts]
    runs: list[set[str]] = []

    def recording(checks: Sequence[Check], parts: object, **_: object) -> Grade:
        runs.append({check.function for check in checks})
        return Grade(tuple(Verdict(check, outcomes[check.function]) for check in checks), 0.1)

    monkeypatch.setattr(watching, "grade", recording)
    monkeypatch.setattr(watching, "read_manifest", lambda path: everything)
    monkeypatch.setattr(watching, "select", lambda checks, names: checks)
    module.write_text(MODULE)
    turns = watch(PARTS[:1], [PARTS[0].module], root=room, launch=watching.Launch)

    def save(text: str) -> Turn:
        module.write_text(text)
        return next(turns)

    next(turns)
    assert runs.pop() == {"saliency_map", "grad_cam", "deconvnet"}
    outcomes["deconvnet"] = "failed"
    turn = save(MODULE.replace("Block.scale * x", "x"))
    assert runs.pop() == {"deconvnet"}
    assert [v.outcome for v in turn.grade.verdicts] == ["passed", "passed", "failed"]
    save(
        MODULE.replace("Block.scale * x", "x").replace(
            "def grad_cam(x): return saliency_map(x)", "def grad_cam(x): return x"
        )
    )
    assert runs.pop() == {"grad_cam", "deconvnet"}
    save(MODULE.replace("LIMIT = 3", "LIMIT = 4"))
    assert runs.pop() == {"saliency_map", "grad_cam", "deconvnet"}
    (room / "tests" / "saliency" / "test_grad_cam.py").write_text("changed = True\n")
    next(turns)
    assert runs.pop() == {"saliency_map", "grad_cam", "deconvnet"}
    outcomes.update(dict.fromkeys(outcomes, "not loaded"))
    turn = save(MODULE.replace("LIMIT = 3", "LIMIT = 4").replace("def grad_cam(x)", "def grad_cam(x=1 / 0)"))
    assert runs[-1] == {"saliency_map", "grad_cam", "deconvnet"}, "a module that cannot be imported fails whole"
    assert {v.outcome for v in turn.grade.verdicts} == {"not loaded"}
    turns.close()


def test_a_save_during_a_run_starts_it_again(room: Path, monkeypatch: pytest.MonkeyPatch):
    (room / "tests" / "manifest.json").write_text("[]")
    runs: list[str] = []

    def slow(checks: Sequence[Check], parts: object, *, root: Path, progress, **_: object) -> Grade:
        runs.append((root / "assignment2" / "saliency.py").read_text())
        if len(runs) == 1:
            (root / "assignment2" / "saliency.py").write_text("saved = again\n")
            for _wait in range(1000):
                progress(0)
                time.sleep(0.01)
        return outcome_of("passed", "passed", "passed")

    monkeypatch.setattr(watching, "grade", slow)
    turns = watch(PARTS[:1], [PARTS[0].module], root=room, launch=watching.Launch)

    next(turns)
    turns.close()

    assert runs == ["x = 1\n", "saved = again\n"]
