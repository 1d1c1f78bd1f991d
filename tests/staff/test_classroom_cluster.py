"""The same jobs on a dask cluster: a worker that is killed while it grades costs nobody anything."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from coursekit.errors import UsageError
from coursekit.parts import ROOT
from coursekit.staff.classroom import pools
from coursekit.staff.classroom.run import grade_class
from coursekit.staff.classroom.scratch import scratch_of_worker
from tests.staff.test_classroom import ORDER, fake, hand_in

distributed = pytest.importorskip("distributed", reason="coursekit/staff/requirements.txt names it")


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


def start(command, tmp_path):
    """Run a line of the staff guide in this edition, with nothing of our own environment that would help it."""
    line = command.replace(".venv/bin/dask", str(Path(sys.executable).parent / "dask"))
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    options = f"--scheduler-file {tmp_path / 'scheduler.json'} --no-dashboard"
    log = (tmp_path / "log").open("ab")
    return subprocess.Popen(["bash", "-c", f"exec env {line} {options}"], cwd=ROOT, env=clean, stdout=log, stderr=log)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("with_path", [True, False])
def test_the_guides_scheduler_reads_what_is_sent_to_it(tmp_path, with_path):
    guide = (ROOT / "docs" / "staff.md").read_text(encoding="utf-8")
    line = re.search(r"^(.*dask scheduler) &$", guide, re.MULTILINE)[1]
    line = line if with_path else line.partition(" ")[2]
    zips = hand_in(tmp_path / "zips", ann="x\n", ben="y\n")
    running = [start(f"{line} --host 127.0.0.1 --port 0", tmp_path)]
    try:
        while not (tmp_path / "scheduler.json").exists() or not (tmp_path / "scheduler.json").read_text():
            time.sleep(0.2)
        running.append(start('PYTHONPATH="$PWD" .venv/bin/dask worker --nworkers 1 --nthreads 1', tmp_path))
        address = json.loads((tmp_path / "scheduler.json").read_text())["address"]
        if with_path:
            assert len(grade_class(zips, tmp_path / "out", ORDER, job=fake, scheduler=address).records) == 2
        else:
            with pytest.raises(UsageError, match="the scheduler cannot import coursekit"):
                grade_class(zips, tmp_path / "out", ORDER, job=fake, scheduler=address)
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()


def test_a_server_that_is_no_scheduler_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "CONNECT_SECONDS", 0.3)
    zips = hand_in(tmp_path / "zips", ann="x\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UsageError, match="is not a dask scheduler: name its own port"):
            grade_class(zips, tmp_path / "out", ORDER, job=fake, scheduler=address)
