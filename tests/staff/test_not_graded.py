"""The grader's own fault is never a score: what broke is tried again, then "not graded", and a student's own doing stays the student's."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from coursekit.errors import GraderFailed, UsageError
from coursekit.grading.results import Grade, Verdict
from coursekit.parts import PARTS, ROOT
from coursekit.staff import canary, isolation
from coursekit.staff.classroom.job import UNNEEDED, Order, sum_up
from coursekit.staff.classroom.run import grade_class
from coursekit.staff.gradescope import autograde as gradescope
from coursekit.staff.isolated import rooms, sandbox
from coursekit.staff.isolated.sandbox import refused
from coursekit.staff.isolation import Room, checks_of, choose_level, grade_submission
from coursekit.staff.width import WORKER_BYTES, cores, free_memory, workers_that_fit
from tests.staff.test_classroom import hand_in, lines_of
from tests.staff.zips import MODULE, solution

needs_sandbox = pytest.mark.skipif(bool(refused()), reason=refused())
ORDER = Order(parts=(1,), hidden=False)
CHECKS = checks_of(PARTS[:1])
SLOW = "test_saliency_of_a_linear_model_is_its_weights"
CHOSEN = tuple(c for c in CHECKS if c.id.endswith(SLOW) or c.function == "guided_relu_gradient")


def perfect(work, order):
    checks = checks_of(order.chosen, hidden=order.hidden)
    return sum_up(Grade(tuple(Verdict(c, "passed") for c in checks), 0.1, work.notes), UNNEEDED)


def is_ours(work):
    return "a submission of the staff's own" in work.notes


# before the first submission


def test_a_machine_on_which_the_solution_loses_a_point_grades_nobody(tmp_path):
    zips = hand_in(tmp_path / "zips", ann="x\n", ben="x\n")
    asked = []

    def job(work, order):
        asked.append(work.student)
        lost = (
            Verdict(CHECKS[0], "failed", "0.2 and not 0.1\nworst at 3"),
            *(Verdict(c, "passed") for c in CHECKS[1:]),
        )
        return sum_up(Grade(lost, 0.1, work.notes), UNNEEDED)

    with pytest.raises(
        UsageError, match=r"nothing was graded: the staff's own solution loses 2 of .*: 0.2 and not 0.1$"
    ):
        grade_class(zips, tmp_path / "out", ORDER, job=job, canary=True)
    assert not {"ann", "ben"} & set(asked)
    assert {row["status"] for row in lines_of(tmp_path / "out").values()} == {"not graded"}
    assert {row["score"] for row in lines_of(tmp_path / "out").values()} == {""}


def test_more_workers_than_this_machine_carries_are_made_fewer_before_anybody_is_graded(tmp_path):
    zips = hand_in(tmp_path / "zips", **{f"s{i}": "x\n" for i in range(6)})
    lock, active, seen = threading.Lock(), [], []

    def job(work, order):
        with lock:
            active.append(work.student)
            seen.append(len(active))
        time.sleep(0.2)
        with lock:
            many = max(seen[-3:]) > 2
            active.remove(work.student)
        if many:
            raise GraderFailed("the kernel has killed it")
        return perfect(work, order)

    graded = grade_class(zips, tmp_path / "out", ORDER, job=job, workers=4, canary=True)

    assert {row["score"] for row in lines_of(tmp_path / "out").values()} == {str(int(sum(c.points for c in CHECKS)))}
    assert not graded.waiting
    assert "4 at a time are too many for this machine (the kernel has killed it)" in graded.notes[0]
    with pytest.raises(UsageError, match="nothing was graded: always"):
        grade_class(
            zips, tmp_path / "none", ORDER, job=lambda *_: (_ for _ in ()).throw(GraderFailed("always")), canary=True
        )


@pytest.fixture
def edition(tmp_path, monkeypatch):
    """A copy of the checks and of the stored outputs that may be damaged."""
    for name in ("tests", "data/reference"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("staff", "__pycache__"))
    monkeypatch.setattr(canary, "ROOT", tmp_path)
    return tmp_path


def test_an_edition_that_is_damaged_is_said_in_one_line(edition, monkeypatch, tmp_path):
    assert not canary.edition_problem(CHECKS)
    tests, stored = edition / CHECKS[0].id.split("::")[0], edition / "data" / "reference" / "saliency.npz"
    text, arrays = tests.read_text(), stored.read_bytes()

    for path, content, sentence in [
        (tests, text.replace("\ndef ", "\ndef (", 1), ", line [0-9]+: .*; mend it"),
        (
            tests,
            text.replace(f"def {SLOW}", "def test_renamed"),
            f"{SLOW} is in the manifest and not in its file; `a2 ref",
        ),
        (tests, None, "cannot be read"),
        (
            stored,
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            "pointer of Git LFS .* git lfs pull",
        ),
        (stored, arrays[:1000], r"saliency.npz is damaged \(.*\); git checkout data/reference/saliency.npz"),
    ]:
        before = path.read_bytes()
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        problem = canary.edition_problem(CHECKS)
        path.write_bytes(before)

        assert re.search(sentence, problem), problem
    stored.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UsageError, match=r"nothing was graded, since this edition is damaged: data/reference/sal"):
        grade_class(hand_in(tmp_path / "zips", ann="x\n"), tmp_path / "out", ORDER, job=perfect, canary=True)


# what breaks on the way


def test_what_breaks_is_tried_with_fewer_workers_then_alone_and_is_never_a_number(tmp_path):
    zips = hand_in(tmp_path / "zips", always="always\n", beside="beside\n", **{f"s{i}": "x\n" for i in range(4)})
    tried = []

    def job(work, order):
        source = work.files[MODULE].decode()
        tried.append((source.strip(), order.alone))
        if source.startswith("always") or (source.startswith("beside") and not order.alone):
            raise GraderFailed("tests/test_saliency.py::a: the deciding process ended (exit code -9)")
        return perfect(work, order)

    graded = grade_class(zips, tmp_path / "out", ORDER, job=job, workers=4)

    rows = lines_of(tmp_path / "out")
    assert {name for name, row in rows.items() if row["status"] == "not graded"} == {"always"}
    assert {
        value for title, value in rows["always"].items() if "score" in title or "part" in title or "core" in title
    } == {""}
    assert "exit code -9" in rows["always"]["remarks"]
    assert graded.failures == {"always": "tests/test_saliency.py::a: the deciding process ended (exit code -9)"}
    assert [alone for source, alone in tried if source == "always"] == [False, False, True, True], (
        "at 4, at 2, alone, alone"
    )
    assert [alone for source, alone in tried if source == "beside"] == [False, False, True]
    assert not (tmp_path / "out" / "students" / "always").exists()
    assert grade_class(zips, tmp_path / "out", ORDER, job=perfect).newly == 1, "a second run tries it again"


@pytest.fixture(scope="module")
def room():
    with Room(choose_level(trust=False)) as room:
        yield room


def submission(folder, addition="", text=None):
    path = folder / MODULE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((text or solution().decode()) + addition)
    return folder


NAMED = """
import ctypes, time
_right = saliency_map
def saliency_map(*args, **kwargs):
    ctypes.CDLL(None).prctl(15, b"killme", 0, 0, 0)
    time.sleep({seconds})
    return _right(*args, **kwargs)
"""


def below(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *below(int(child))]
    return found


def killed(what, times, room, folder, **options):
    """Grade while somebody from outside kills the worker, or the process that decides, of a function that sleeps."""
    kills, over = [], threading.Event()

    def kill():
        while not over.is_set() and len(kills) < times:
            try:
                family = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in below(os.getpid())}
                worker = next((pid for pid, name in family.items() if name == "killme"), None)
                warm = [pid for pid in family if b"isolated.warm" in Path(f"/proc/{pid}/cmdline").read_bytes()]
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


@needs_sandbox
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", ["worker", "decider"])
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


@needs_sandbox
@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (f"def {SLOW}", "def test_renamed", f"{SLOW} is in the manifest and not in its file: `a2 reference`"),
        ("\ndef ", "\ndef (", r"cannot be loaded \(.*SyntaxError.*\): mend it"),
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

    done = small_edition.python("-c", program)

    assert re.search("GraderFailed: .*" + sentence, done.stdout), (done.stdout, done.stderr)


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


@needs_sandbox
@pytest.mark.timeout(300)
def test_eight_threads_and_a_loader_with_four_workers_have_room(room, tmp_path):
    grade = grade_submission(submission(tmp_path, THREADS), PARTS[:1], room=room, checks=CHOSEN)

    assert grade.score == grade.max_score, [v.message for v in grade.verdicts if not v.score]


def tree(root, **files):
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_the_number_of_workers_goes_by_memory_and_by_the_quota_of_the_container(tmp_path):
    gigabytes = 2**30
    plenty = tree(tmp_path / "plenty", meminfo=f"MemAvailable: {64 * 2**20} kB\n", self__cgroup="0::/box/inner\n")
    little = tree(tmp_path / "little", meminfo=f"MemAvailable: {3 * 2**20} kB\n", self__cgroup="0::/\n")
    old = tree(
        tmp_path / "old", meminfo=f"MemAvailable: {64 * 2**20} kB\n", self__cgroup="5:memory:/job\n3:cpu,cpuacct:/job\n"
    )
    none = tree(tmp_path / "none", nothing="")
    two = tree(tmp_path / "two")
    tree(two / "box", **{"memory.max": str(5 * gigabytes), "memory.current": str(2 * gigabytes), "cpu.max": "150000 100000"},
         **{"memory.stat": f"anon 1\ninactive_file {gigabytes}\n"})  # fmt: skip
    tree(two / "box" / "inner", **{"memory.max": "max", "memory.current": "5", "cpu.max": "max 100000"})
    one = tree(tmp_path / "one")
    tree(one / "memory" / "job", **{"memory.limit_in_bytes": str(2500 * 2**20), "memory.usage_in_bytes": "0",
         "memory.stat": "total_inactive_file 0\n"})  # fmt: skip
    tree(one / "cpu,cpuacct" / "job", **{"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000"})

    assert free_memory(plenty, none) == 64 * gigabytes
    assert free_memory(plenty, two) == 4 * gigabytes, "a limit above counts, and what the cache gives back"
    assert cores(plenty, two) == min(1.5, len(os.sched_getaffinity(0)))
    assert free_memory(old, one) == 2500 * 2**20
    assert cores(old, one) == 0.5
    assert workers_that_fit(old, one) == 1, "where --workers 4 gave two of four perfect zips 0 points"
    assert workers_that_fit(little, none) == min(1, len(os.sched_getaffinity(0)))
    assert workers_that_fit(plenty, none) == len(os.sched_getaffinity(0))
    assert workers_that_fit(none, none) >= 1
    assert 2 * gigabytes > WORKER_BYTES


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
    program = f"from tests.staff.test_not_graded import *\nwith Room({level!r}) as room:\n" \
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


# Gradescope


def test_what_gradescope_cannot_grade_has_no_score_there(tmp_path, monkeypatch):
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "saliency.py").write_bytes(solution())
    results = tmp_path / "results" / "results.json"
    results.parent.mkdir()

    def kills_ours(work, order):
        raise GraderFailed("the deciding process ended (exit code -9)")

    def kills_theirs(work, order):
        return (
            kills_ours(work, order)
            if work.student or MODULE not in work.files or b"answer" not in work.files[MODULE]
            else perfect(work, order)
        )

    monkeypatch.setattr(canary, "has_solution", lambda parts: False)
    for job in (kills_ours, kills_theirs):
        results.write_text('{"score": 0}')
        with pytest.raises(gradescope.NotGraded, match=r"for no fault of the submission: .*exit code -9"):
            gradescope.autograde(tmp_path, job)
        assert not results.exists(), "without it Gradescope says that the autograder failed, and shows no score"
    gradescope.autograde(tmp_path, perfect)
    assert json.loads(results.read_text())["score"] > 0

    (tmp_path / "changed").write_text("a")
    monkeypatch.setattr(gradescope, "ROOT", tmp_path)
    (tmp_path / gradescope.SETTINGS).write_text(json.dumps({"parts": [1], "hashes": {"changed": "0" * 64}}))
    with pytest.raises(gradescope.NotGraded, match="changed is not as it was packed: upload the zip"):
        gradescope.autograde(tmp_path, perfect)


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


# everything together


@needs_sandbox
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_class_whose_processes_are_killed_at_random_has_right_verdicts_or_none(tmp_path):
    import random

    right = solution().decode()
    wrong = right.replace(".abs()", "", 1)
    zips = hand_in(tmp_path / "zips", **{f"s{i}": wrong if i % 3 == 0 else right for i in range(9)})
    order, over, kills = dataclasses.replace(ORDER, seed=5), threading.Event(), []
    grade_class(zips, tmp_path / "calm", order, workers=2)

    def kill():
        draw = random.Random(1)
        while not over.wait(draw.uniform(0.5, 4)):
            victims = [pid for pid in below(os.getpid()) if len(kills) < 12]
            if victims:
                kills.append(draw.choice(victims))
                try:
                    os.kill(kills[-1], signal.SIGKILL)
                except OSError:
                    kills.pop()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        graded = grade_class(zips, tmp_path / "out", order, workers=2)
    except UsageError:  # ours was killed twice, before the first submission
        graded = None
    finally:
        over.set()
        thread.join()

    calm, rows = lines_of(tmp_path / "calm"), lines_of(tmp_path / "out")
    assert kills
    assert {row["score"] for row in rows.values()} - {""} <= {row["score"] for row in calm.values()}
    for name, row in rows.items():
        assert row["status"] == "not graded" or row["score"] == calm[name]["score"], name
    again = grade_class(zips, tmp_path / "out", order, workers=2)
    assert not again.waiting
    assert graded is None or again.newly == len(graded.waiting)
    assert {n: r["score"] for n, r in lines_of(tmp_path / "out").items()} == {n: r["score"] for n, r in calm.items()}


def test_the_limits_of_a_worker_are_still_limits():
    assert sandbox.Limits().processes < 50
    assert sandbox.Limits().files * sandbox.Limits().file_size < 2**31
