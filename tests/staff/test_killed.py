"""Processes that are killed, limits that are too low, and the student's own doing: who pays for what, in the sandbox itself."""

import os
import re
import shutil
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from coursekit.errors import GraderFailed
from coursekit.parts import PARTS, ROOT
from coursekit.staff import canary, isolation
from coursekit.staff.isolation import grade_submission
from tests.staff.sandboxed import CHECKS, CHOSEN, SLOW, below, needs_sandbox, submission
from tests.staff.zips import MODULE, solution

NAMED = """
import ctypes, time
_right = saliency_map
def saliency_map(*args, **kwargs):
    ctypes.CDLL(None).prctl(15, b"killme", 0, 0, 0)
    time.sleep({seconds})
    return _right(*args, **kwargs)
"""


def killed(what, times, room, folder, **options):
    """Grade while somebody from outside kills the worker, or the process that decides, of a function that sleeps."""
    kills, over = [], threading.Event()

    def kill():
        while not over.is_set() and len(kills) < times:
            try:
                family = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in below(os.getpid())}
                worker = next((pid for pid, name in family.items() if name == "killme"), None)
                warm = [pid for pid in family if b"isolated.warm_room" in Path(f"/proc/{pid}/cmdline").read_bytes()]
                forks = [pid for pid in warm if set(below(pid)).isdisjoint(warm) and len(warm) > 1 and not below(pid)]
                victims = [worker] if what == "worker" else forks
                if worker and victims:
                    os.kill(victims[0], signal.SIGKILL)
                    kills.append(victims[0])
                    time.sleep(0.5)
            except (OSError, StopIteration):
                pass
            time.sleep(0.02)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        return grade_submission(folder, PARTS[:1], room=room, checks=CHOSEN, **options), kills
    finally:
        over.set()
        thread.join()


@pytest.mark.sampled(2)
@needs_sandbox
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", ["decider", "worker"])
def test_a_process_killed_from_outside_costs_no_point(room, tmp_path, what):
    folder = submission(tmp_path, NAMED.format(seconds=1.5))

    grade, kills = killed(what, 1, room, folder)

    assert len(kills) == 1
    assert grade.score == grade.max_score, [v.message for v in grade.verdicts if not v.score]


@needs_sandbox
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", ["worker", "decider"])
def test_killed_beside_others_it_is_no_verdict_and_killed_alone_twice_it_is_the_submissions_doing(room, tmp_path, what):
    folder = submission(tmp_path, NAMED.format(seconds=3))

    with pytest.raises(GraderFailed, match=f"{SLOW}: .*exit code -9"):
        killed(what, 100, room, folder, alone=False)
    grade, kills = killed(what, 100, room, folder)

    assert len(kills) == 2
    slow = next(v for v in grade.verdicts if v.check.id.endswith(SLOW))
    assert (slow.outcome, slow.score) == ("crashed", 0)
    assert "exit code -9" in slow.message
    assert all(v.outcome == "passed" for v in grade.verdicts if v != slow), "it costs its own check alone"


@needs_sandbox
def test_a_machine_that_kills_ours_too_is_to_blame(room, tmp_path, monkeypatch):
    folder = submission(tmp_path / "a", NAMED.format(seconds=3))
    ours = {MODULE: (solution().decode() + NAMED.format(seconds=3)).encode()}
    monkeypatch.setattr(canary, "files", lambda parts: ours)

    with pytest.raises(GraderFailed, match=SLOW):
        killed("worker", 100, room, folder)


@needs_sandbox
def test_a_machine_without_the_memory_that_a_submission_may_take_is_to_blame(room, tmp_path, monkeypatch):
    monkeypatch.setattr(isolation, "free_memory", lambda: 2**30)

    with pytest.raises(GraderFailed, match="1024 MB are free of the 2048 that a submission may take"):
        killed("worker", 100, room, submission(tmp_path, NAMED.format(seconds=3)))


@pytest.mark.sampled(3)
@needs_sandbox
@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            f"def {SLOW}",
            "def test_renamed",
            f"{SLOW} is listed in the manifest, but its file does not contain it: `a2 reference`",
        ),
        ("\ndef ", "\ndef (", r"cannot be loaded \(.*SyntaxError.*\): fix it"),
        (
            'points(2, "saliency_map")\ndef ' + SLOW,
            'points(9, "saliency_map")\ndef ' + SLOW,
            "worth 9 points in its file and 2",
        ),
    ],
)
def test_a_broken_check_of_ours_is_no_loss_of_the_students(small_edition, old, new, sentence):
    path = small_edition.root / CHECKS[0].id.split("::")[0]
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    shutil.copytree(ROOT / "coursekit" / "staff", small_edition.root / "coursekit" / "staff", dirs_exist_ok=True)
    shutil.copytree(ROOT / "data" / "weights", small_edition.root / "data" / "weights")
    program = (
        "from coursekit.staff.isolation import *; from coursekit.parts import *; from coursekit.errors import GraderFailed\n"
        f"checks = tuple(c for c in checks_of(PARTS[:1]) if c.id.endswith(('{SLOW}', 'through_active_units')))\n"
        "with Room(choose_level(False)) as room:\n"
        "    try: print(grade_submission(ROOT, PARTS[:1], room=room, checks=checks))\n"
        "    except GraderFailed as error: print('GraderFailed:', error)"
    )

    done = replace(small_edition, program=sys.executable).python("-c", program)  # the sandbox is told the real one

    assert re.search("GraderFailed: .*" + sentence, done.stdout), (done.stdout, done.stderr)


@needs_sandbox
@pytest.mark.timeout(300)
def test_the_submission_that_gives_no_solution_away_shows_what_a_machine_can_do(room, tmp_path, monkeypatch):
    monkeypatch.setattr(canary, "has_solution", lambda parts: False)
    with canary.innocent(CHOSEN) as folder:
        text = (folder / MODULE).read_text()
        grade = grade_submission(folder, PARTS[:1], room=room, checks=CHOSEN)
        (folder / MODULE).write_text(text.replace("torch.ones(64", "torch.ones(640"))
        small = grade_submission(folder, PARTS[:1], room=room, checks=CHOSEN)

    assert "SOLUTION" not in text
    assert "autograd" not in text
    assert {v.outcome for v in grade.verdicts} == {"failed"}
    assert "has shape (2, 3, 5, 7)" in grade.verdicts[0].message, "a tensor came back"
    assert not canary.shortfall(grade, PARTS[:1])
    assert "a submission that every machine can run loses" in canary.shortfall(small, PARTS[:1]), "memory is asked for"
