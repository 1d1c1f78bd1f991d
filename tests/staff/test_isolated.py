"""Grading in a sandbox: the levels, what is said where there is none, hidden checks, time limits, who is to blame."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coursekit.checks import small_networks
from coursekit.errors import UsageError
from coursekit.parts import PARTS, ROOT
from coursekit.staff.classroom.settled import LARGEST_SEED
from coursekit.staff.isolated import sandbox
from coursekit.staff.isolated.fresh import STRIDE, TRIES
from coursekit.staff.isolated.sandbox import choose_level
from coursekit.staff.isolation import Room, checks_of, grade_submission, record
from coursekit.vision import make_scenes
from tests.hidden.segmentation.test_hidden_trained_unet import SCENES
from tests.staff.sandboxed import below, needs_sandbox

QUICK = tuple(c for c in checks_of(PARTS) if c.function in ("guided_relu_gradient", "zero_small_pixels"))
BARE = "bare process with limits"


def grade(room, folder=ROOT, **options):
    return grade_submission(folder, PARTS, room=room, checks=options.pop("checks", QUICK), **options)


@needs_sandbox
def test_a_room_grades_one_submission_after_another_and_leaves_nothing(tmp_path):
    others = below(os.getpid())
    with Room(choose_level(trust=False)) as room:
        first = grade(room)
        empty = grade(room, tmp_path)
        again = grade(room)
        ours = [pid for pid in below(os.getpid()) if pid not in others]

    assert len(ours) > 2
    assert first.score == first.max_score == again.score > 0
    assert first.notes == ("sandbox: bubblewrap",)
    assert empty.score == 0
    assert {v.message for v in empty.verdicts} == {
        "assignment2/saliency.py is missing", "assignment2/class_visualization.py is missing"
    }  # fmt: skip
    patience = time.monotonic() + 20
    while time.monotonic() < patience and any(Path(f"/proc/{pid}").exists() for pid in ours):
        time.sleep(0.1)
    assert not [pid for pid in ours if Path(f"/proc/{pid}").exists()]


@needs_sandbox
def test_submissions_that_are_graded_at_a_time_in_one_room_keep_apart(room, tmp_path):
    solution = (ROOT / PARTS[0].module_path).read_text()
    bodies = {
        "right": "",
        "wrong": "return upstream",
        "dies": "import os; os._exit(3)",
        "hangs": "while True: pass",
    }
    for name, body in bodies.items():
        module = tmp_path / name / PARTS[0].module_path
        module.parent.mkdir(parents=True)
        module.write_text(f"{solution}\n\ndef guided_relu_gradient(x, upstream):\n    {body}\n" if body else solution)
    checks = [c for c in QUICK if c.function == "guided_relu_gradient"]
    with ThreadPoolExecutor(len(bodies)) as pool:
        grades = pool.map(lambda name: grade(room, tmp_path / name, checks=checks, seconds=3), bodies)

    outcomes = {name: {v.outcome for v in found.verdicts} for name, found in zip(bodies, grades, strict=True)}
    assert outcomes.pop("wrong") >= {"failed"}
    assert outcomes == {"right": {"passed"}, "dies": {"crashed"}, "hangs": {"timeout"}}


def test_without_bubblewrap_it_says_so_and_goes_on_only_if_trusted(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UsageError, match=r"bubblewrap is not installed .* give --trust"):
        choose_level(trust=False)
    assert choose_level(trust=True) == BARE


def test_a_kernel_that_forbids_namespaces_is_told_with_what_to_do(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(UsageError, match=r"No permissions to create a new namespace\); allow them \(sysctl"):
        choose_level(trust=False)


@pytest.mark.slow
def test_a_trusted_room_has_limits_only_and_grades_the_same(tmp_path):
    with Room(BARE) as room:
        result = grade(room)
        text = (ROOT / PARTS[0].module_path).read_text(encoding="utf-8")
        text = text.replace("return upstream.clamp(min=0) * ", "__import__('os')._exit(3), ")
        path = tmp_path / PARTS[0].module_path
        path.parent.mkdir()
        path.write_text(text)
        crashed = grade(room, tmp_path)

    assert result.score == result.max_score
    assert result.notes == (f"sandbox: {BARE}",)
    assert "exit code 3" in crashed.verdicts[0].message


@needs_sandbox
@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="the ordinary user's way is the one that ran already")
def test_an_ordinary_user_has_the_same_sandbox():
    program = (
        "from tests.staff.test_isolated import *\nwith Room(choose_level(trust=False)) as room:\n    print(grade(room))"
    )
    command = [
        "bwrap",
        "--unshare-user",
        "--uid",
        "1000",
        "--gid",
        "1000",
        "--dev-bind",
        "/",
        "/",
        sys.executable,
        "-c",
        program,
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )

    assert "sandbox: bubblewrap" in done.stdout, done.stderr
    assert "failed" not in done.stdout


@needs_sandbox
def test_a_sandbox_that_dies_is_an_error_of_ours_and_no_zero():
    others = below(os.getpid())
    with Room(choose_level(trust=False)) as room:
        grade(room)
        ours = [pid for pid in below(os.getpid()) if pid not in others]
        sandboxes = [pid for pid in ours if Path(f"/proc/{pid}/comm").read_text() == "bwrap\n"]
        os.kill(sandboxes[0], signal.SIGKILL)

        with pytest.raises(UsageError, match="the sandbox does not start or does not answer"):
            grade(room)


def test_every_generator_takes_the_largest_seed_of_a_class(monkeypatch):
    monkeypatch.setattr(small_networks, "FRESH", STRIDE * (LARGEST_SEED + 1) * TRIES)

    small_networks.seed_global_generators()

    assert small_networks.numbers(2, seed=1).shape == (2,)
    assert make_scenes(1, seed=SCENES + small_networks.FRESH).images.shape == (1, 3, 96, 96)


@needs_sandbox
@pytest.mark.slow
def test_hidden_checks_draw_other_numbers_in_another_term(room, tmp_path):
    hidden = tuple(c for c in checks_of(PARTS[:1], hidden=True) if "hidden" in c.id)

    result = grade(room, checks=hidden, recorded=record(999_999, tmp_path))

    assert result.score == result.max_score > 0, [v.message for v in result.verdicts if not v.score]


@needs_sandbox
def test_a_check_that_waits_for_the_machine_is_not_stopped(room, tmp_path):
    path = tmp_path / PARTS[0].module_path
    path.parent.mkdir()
    text = (ROOT / PARTS[0].module_path).read_text()
    last = "    return upstream.clamp(min=0) *"
    wait = "    if 'waited' not in globals():\n        globals()['waited'] = __import__('time').sleep(1.5)\n"
    slow = text.replace(last, wait + last)
    assert slow != text
    path.write_text(slow)

    (verdict,) = grade(
        room, tmp_path, checks=[c for c in QUICK if c.function == "guided_relu_gradient"], seconds=1
    ).verdicts

    assert (verdict.outcome, verdict.message) == ("passed", "")
    assert verdict.seconds > 1.5


@needs_sandbox
def test_a_submission_has_a_time_limit_of_its_own(room, tmp_path):
    path = tmp_path / PARTS[0].module_path
    path.parent.mkdir()
    text = (ROOT / PARTS[0].module_path).read_text()
    path.write_text(text.replace("    ### BEGIN SOLUTION\n", "    __import__('time').sleep(100)\n"))
    checks = checks_of(PARTS[:1])

    grade(room)  # what follows is not the room's start
    started = time.monotonic()
    result = grade(room, tmp_path, checks=checks, whole_seconds=4)

    assert time.monotonic() - started < 15
    assert result.score == 0
    assert len(result.verdicts) == len(checks)
    assert result.verdicts[-1].message.startswith("not run: the 4 seconds for all checks together were used up")


def test_a_worker_is_shown_no_solution_and_no_check():
    command = " ".join(sandbox.bubblewrap(["-c", ""]))

    for secret in ("assignment2", "tests", "data/reference", "data/hints.json", "staff/exercises"):
        assert f"{ROOT}/{secret}" not in command
        assert f"coursekit/{secret} " not in command
    assert f"--ro-bind {ROOT} " not in command
    assert dataclasses.asdict(sandbox.Limits())["processes"] < 50
