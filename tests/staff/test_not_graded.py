"""The grader's own fault is never a score: the solution goes first, what breaks is tried again, then it is "not graded"."""

import json
import os
import re
import shutil
import threading
import time
from types import SimpleNamespace
from typing import ClassVar

import pytest

from coursekit.errors import GraderFailed, UsageError
from coursekit.grading.results import Grade, Verdict
from coursekit.parts import ROOT
from coursekit.staff import canary
from coursekit.staff.classroom.job import UNNEEDED, Order, sum_up
from coursekit.staff.classroom.run import grade_class
from coursekit.staff.gradescope import autograde as gradescope
from coursekit.staff.isolated import decider
from coursekit.staff.isolated.peer import Line
from coursekit.staff.isolated.wire import WorkerGone
from coursekit.staff.isolation import checks_of
from coursekit.width import KERNELS, SUBMISSIONS, cores, free_memory, how_many_fit
from tests.staff.sandboxed import CHECKS, SLOW
from tests.staff.test_classroom import hand_in, lines_of
from tests.staff.zips import MODULE, solution

ORDER = Order(parts=(1,), hidden=False)


def perfect(work, order):
    checks = checks_of(order.chosen, hidden=order.hidden)
    return sum_up(Grade(tuple(Verdict(c, "passed") for c in checks), 0.1, work.notes), UNNEEDED)


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
        (tests, text.replace("\ndef ", "\ndef (", 1), ", line [0-9]+: .*; fix it"),
        (
            tests,
            text.replace(f"def {SLOW}", "def test_renamed"),
            f"{SLOW} is listed in the manifest, but its file does not contain it; `a2 ref",
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
            raise GraderFailed("tests/saliency/test_saliency_map.py::a: the deciding process ended (exit code -9)")
        return perfect(work, order)

    graded = grade_class(zips, tmp_path / "out", ORDER, job=job, workers=4)

    rows = lines_of(tmp_path / "out")
    assert {name for name, row in rows.items() if row["status"] == "not graded"} == {"always"}
    assert {
        value for title, value in rows["always"].items() if "score" in title or "part" in title or "core" in title
    } == {""}
    assert "exit code -9" in rows["always"]["remarks"]
    assert graded.failures == {
        "always": "tests/saliency/test_saliency_map.py::a: the deciding process ended (exit code -9)"
    }
    assert [alone for source, alone in tried if source == "always"] == [False, False, True, True], (
        "at 4, at 2, alone, alone"
    )
    assert [alone for source, alone in tried if source == "beside"] == [False, False, True]
    assert not (tmp_path / "out" / "students" / "always").exists()
    assert grade_class(zips, tmp_path / "out", ORDER, job=perfect).newly == 1, "a second run tries it again"


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
    assert how_many_fit(SUBMISSIONS, old, one) == 1, "where --workers 4 gave two of four perfect zips 0 points"
    for need in SUBMISSIONS, KERNELS:
        assert how_many_fit(need, plenty, none) == len(os.sched_getaffinity(0))
        assert how_many_fit(need, none, none) >= 1
    assert how_many_fit(KERNELS, little, none) == 1
    assert how_many_fit(SUBMISSIONS, little, none) == min(3, len(os.sched_getaffinity(0)))


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


class ScriptedLine(Line):
    """A line to a worker that answers by a list."""

    script: ClassVar[list] = []

    def __init__(self, channel, folder):
        super().__init__(SimpleNamespace(close=lambda: None), folder)

    def request(self, what, *told):
        answer = self.script.pop(0) if what == "load" or isinstance(self.script[0], OSError) else ""
        if isinstance(answer, WorkerGone):
            self.gone = answer
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def session(monkeypatch, tmp_path):
    """A submission of one module whose workers the machine kills."""
    monkeypatch.setattr(decider, "Line", ScriptedLine)
    monkeypatch.setattr(decider, "Channel", lambda stream: None)
    zygote = SimpleNamespace(start=lambda: ("worker", None), end=lambda *_: (-9, ""))
    return decider.Session(zygote, tmp_path, {}, ["saliency"])


def test_a_worker_that_is_killed_at_another_import_costs_no_point(session):
    killed = "the worker ended"
    ScriptedLine.script = ["", WorkerGone(killed), "", "MemoryError: no room", ""]

    session.fresh()
    for _ in range(2):  # killed, and without room
        session._line.gone = WorkerGone(killed)
        with pytest.raises(WorkerGone) as caught:
            session.fresh()
        assert caught.value.outcome == "not graded"
        session.fresh()

    assert session.problems == {}, "its functions are never missing"
    assert session.line().gone is None
    assert ScriptedLine.script == []


def test_a_worker_without_room_for_the_files_is_no_empty_submission(session):
    ScriptedLine.script = [OSError(28, "No space left on device"), ""]

    with pytest.raises(GraderFailed, match="no worker got ready for the submission: OSError"):
        session.fresh()
    session.fresh()
    assert session.loaded == {"saliency"}
