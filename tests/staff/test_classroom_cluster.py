"""The same jobs on a dask cluster: a worker that is killed while it grades costs nobody anything."""

import os
import signal
import tempfile
import time

import pytest

from coursekit.staff.classroom.run import grade_class
from coursekit.staff.classroom.scratch import scratch_of_worker
from tests.staff.test_classroom import ORDER, fake, hand_in

distributed = pytest.importorskip("distributed", reason="tests/staff/requirements.txt names it")


def slow(work, order):
    time.sleep(0.4)
    return fake(work, order)


def deadly(work, order):
    """Kill the whole worker at the first submission that says so; the file remembers that it has happened."""
    source = next(iter(work.files.values())).decode()
    if source.startswith("# kill "):
        once = source.splitlines()[0].removeprefix("# kill ")
        if not os.path.exists(once):
            with open(once, "w"):
                pass
            os.kill(os.getpid(), signal.SIGKILL)
    return slow(work, order)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_worker_killed_while_grading_changes_nothing(tmp_path):
    mark = tmp_path / "killed"
    submissions = {f"s{i:02}": f"# kill {mark}\n" if i == 5 else "x\n" * i for i in range(14)}
    zips = hand_in(tmp_path / "zips", **submissions)
    grade_class(zips, tmp_path / "here", ORDER, job=fake)

    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        graded = grade_class(zips, tmp_path / "there", ORDER, job=deadly, scheduler=cluster.scheduler_address)

    assert mark.exists(), "no worker was killed"
    assert not graded.waiting
    assert (tmp_path / "there" / "gradebook.csv").read_bytes() == (tmp_path / "here" / "gradebook.csv").read_bytes()


def killed_in_its_scratch(work, order):
    """Leave a file as a grading worker would, and kill the worker once."""
    scratch_of_worker()
    with tempfile.NamedTemporaryFile(prefix="a2-left-", delete=False):
        pass
    return deadly(work, order)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_a_killed_worker_leaves_goes_when_dask_starts_another(tmp_path, monkeypatch):
    mark, place, elsewhere = tmp_path / "killed", tmp_path / "place", tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))  # where a worker would put them otherwise
    zips = hand_in(tmp_path / "zips", **{f"s{i}": f"# kill {mark}\n" if i == 2 else "x\n" for i in range(4)})
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None, "local_directory": str(place)}

    with distributed.LocalCluster(processes=True, **options) as cluster:
        grade_class(zips, tmp_path / "out", ORDER, job=killed_in_its_scratch, scheduler=cluster.scheduler_address)

    assert mark.exists(), "no worker was killed"
    assert not list(tmp_path.rglob("a2-left-*")), "something stays of a worker that was killed"
    assert os.environ["TMPDIR"] == str(elsewhere)
