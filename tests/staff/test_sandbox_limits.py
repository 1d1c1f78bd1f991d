"""What a worker may use: as much as an honest submission needs, the same in a container, and named where there is less."""

import os
import subprocess
import sys

import pytest

from coursekit.parts import PARTS, ROOT
from coursekit.staff.isolated import rooms, sandbox
from coursekit.staff.isolation import grade_submission
from tests.staff.sandboxed import CHOSEN, needs_sandbox, submission
from tests.staff.test_classroom import hand_in, lines_of
from tests.staff.zips import solution


@pytest.mark.slow
@needs_sandbox
def test_a_limit_that_is_too_low_for_a_worker_is_named(tmp_path):
    zips = hand_in(tmp_path / "zips", ann=solution().decode())
    command = [sys.executable, "-m", "coursekit", "classroom", str(zips), "--out", str(tmp_path / "out"), "--parts", "1",
               "--no-hidden", "--workers", "1"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        ["prlimit", "--nofile=60:60", *command], env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip

    assert done.returncode == 2, done.stdout
    assert "ulimit -n allows 60, and a worker needs 80" in done.stderr
    assert lines_of(tmp_path / "out")["ann"]["score"] == ""


# as wide as an honest submission needs


THREADS = """
torch.set_num_threads(8)
torch.ones(300, 300) @ torch.ones(300, 300)
_right = saliency_map
def saliency_map(*args, **kwargs):
    from torch.utils.data import DataLoader, TensorDataset
    torch.set_num_threads(8)
    torch.ones(300, 300) @ torch.ones(300, 300)
    images, labels = torch.arange(96000.0).view(80, 3, 20, 20), torch.arange(80)
    loader = DataLoader(TensorDataset(images, labels), batch_size=4, num_workers=4, shuffle=True)
    assert sum(labels.sum() for _ in range(2) for images, labels in loader) == 6320
    return _right(*args, **kwargs)
"""


@pytest.mark.slow
@needs_sandbox
@pytest.mark.timeout(300)
def test_eight_threads_and_a_loader_with_four_workers_have_room(room, tmp_path):
    grade = grade_submission(submission(tmp_path, THREADS), PARTS[:1], room=room, checks=CHOSEN)

    assert grade.score == grade.max_score, [v.message for v in grade.verdicts if not v.score]


# a container with few users


def test_in_a_rootless_container_student_code_gets_a_user_that_is_there():
    assert rooms.spare_user(7, "         0          0 4294967295\n") == rooms.FIRST_USER + 7
    for serial in (0, 4_999, 123_456):
        assert 1_000 < rooms.spare_user(serial, "0 1000 1\n1 100000 65535\n") < 65_534
    with pytest.raises(OSError, match="too few users"):
        rooms.spare_user(0, "0 1000 1\n")


ROOTLESS = """
import ctypes, os, sys
ready, go = os.pipe(), os.pipe()
child = os.fork()
if not child:
    ctypes.CDLL(None).unshare(0x10000000)
    os.write(ready[1], b"x")
    os.read(go[0], 1)
    os.setresgid(0, 0, 0), os.setresuid(0, 0, 0)
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
os.read(ready[0], 1)
for name in ("uid_map", "gid_map"):
    open(f"/proc/{child}/{name}", "w").write("0 0 1\\n1 100001 65535")
os.write(go[1], b"x")
os.waitpid(child, 0)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write such a map")
@pytest.mark.parametrize("level", ["bare process with limits", pytest.param("bubblewrap", marks=needs_sandbox)])
def test_a_rootless_container_grades_as_any_other_machine(level):
    program = "from coursekit.parts import PARTS, ROOT\nfrom coursekit.staff.isolation import Room, grade_submission\n" \
        f"from tests.staff.sandboxed import CHOSEN\nwith Room({level!r}) as room:\n" \
        "    grade = grade_submission(ROOT, PARTS[:1], room=room, checks=CHOSEN)\n    print(grade.score, grade.max_score)"  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", ROOTLESS, program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    points = f"{sum(c.points for c in CHOSEN):g}"
    assert [f"{float(n):g}" for n in done.stdout.split()] == [points, points], done.stderr


def test_the_limits_of_a_worker_are_still_limits():
    assert sandbox.Limits().processes < 50
    assert sandbox.Limits().files * sandbox.Limits().file_size < 2**31
