"""A class of untrusted zips: everybody gets a line, nobody harms a neighbour, a killed run goes on, and scores do not depend on how."""

import csv
import dataclasses
import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from coursekit.checks.stored import KnownMistake
from coursekit.cli import main
from coursekit.errors import UsageError
from coursekit.grading.picture import Picture
from coursekit.grading.results import Grade, Verdict
from coursekit.parts import PARTS, ROOT
from coursekit.staff.classroom import job as jobs
from coursekit.staff.classroom import record as records
from coursekit.staff.classroom.extras import Extras
from coursekit.staff.classroom.gradebook import cell
from coursekit.staff.classroom.graded import Class
from coursekit.staff.classroom.job import Order, sum_up
from coursekit.staff.classroom.kept import pack, unpack
from coursekit.staff.classroom.names import read_name
from coursekit.staff.classroom.page import class_page, flags, histogram
from coursekit.staff.classroom.roster import read_roster
from coursekit.staff.classroom.run import grade_class
from coursekit.staff.isolated.sandbox import refused
from coursekit.staff.isolation import checks_of
from tests.staff.test_docs import sum_of_points
from tests.staff.zips import MODULE, encrypted, solution, zipped

ORDER = Order(parts=(1,), hidden=False)
CHECKS = checks_of(PARTS[:1])


def fake(work, order):
    """Pass as many checks as the module has lines; break, wait or time out where it says so."""
    source = work.files.get(MODULE, b"").decode()
    passed = source.count("\n")
    verdicts = tuple(Verdict(c, "passed" if i < passed else "failed", f"{c.id} {source}") for i, c in enumerate(CHECKS))
    if "sleep" in source:
        time.sleep(0.2)
    return sum_up(Grade(verdicts, 0.1, work.notes), "a fake")


def hand_in(folder, **submissions):
    folder.mkdir(exist_ok=True)
    for name, content in submissions.items():
        source = content if isinstance(content, bytes) else zipped((MODULE, content.encode()))
        (folder / f"{name}.zip").write_bytes(source)
    return folder


def lines_of(out):
    with (out / "gradebook.csv").open(encoding="utf-8", newline="") as stream:
        return {row["student"]: row for row in csv.DictReader(stream)}


def test_every_zip_gets_a_line_and_a_folder_whatever_it_is(tmp_path):
    zips = hand_in(tmp_path / "zips", alice="x = 1\n" * 3, bob=b"no zip", carol=encrypted(MODULE), dora="")
    (zips / "eve.zip").mkdir()
    (zips / "list.txt").write_text("not handed in")

    graded = grade_class(zips, tmp_path / "out", ORDER, job=fake)

    rows = lines_of(tmp_path / "out")
    assert list(rows) == ["alice", "bob", "carol", "dora", "eve"]
    assert rows["alice"]["score"] == str(sum(c.points for c in CHECKS[:3])).removesuffix(".0")
    assert {row["max_score"] for row in rows.values()} == {str(sum(c.points for c in CHECKS)).removesuffix(".0")}
    assert rows["bob"]["remarks"].startswith("bob.zip is not a zip")
    assert rows["carol"]["remarks"].startswith(f"{MODULE} is encrypted")
    report = (tmp_path / "out" / "students" / "carol" / "report.html").read_text()
    assert report.index("student: carol") < report.index(f"{MODULE} is encrypted") < report.index("<table>")
    assert rows["eve"]["remarks"] == "eve.zip is a folder, not a zip: zip it"
    assert graded.others == ("list.txt",)
    for name in rows:
        folder = tmp_path / "out" / "students" / name
        assert sorted(p.name for p in folder.iterdir()) == [
            "answers.html",
            "log.txt",
            "record.json",
            "report.html",
            "results.json",
            "verdicts.npz",
        ]
        tests = json.loads((folder / "results.json").read_text())["tests"]
        assert len(tests) == len(CHECKS), "the denominator is constant"


@pytest.mark.parametrize(
    ("name", "student", "late"),
    [
        ("doejane_1234_56789_submission", "doejane_1234", False),
        ("doejane_LATE_1234_56789_submission-1", "doejane_1234", True),
        ("Jane Doe_4711_assignsubmission_file_submission", "Jane Doe_4711", False),
        ("Jane Doe_4711_assignsubmission_file_", "Jane Doe_4711", False),
        ("Assignment 2_s123456_attempt_2026-11-20-12-00-00_submission", "s123456", False),
        ("jane_doe", "jane_doe", False),
        ("s123456", "s123456", False),
        ("=cmd()", "=cmd()", False),
    ],
)
def test_the_names_of_learning_platforms_are_understood(name, student, late):
    named = read_name(f"{name}.zip")
    assert (named.student, named.late) == (student, late)


def test_two_zips_of_one_student_are_named_and_neither_is_graded(tmp_path):
    zips = hand_in(tmp_path / "zips", doejane_1_11_a="x\n", doejane_1_12_b="y\n", Doejane_1="z\n")

    grade_class(zips, tmp_path / "out", ORDER, job=fake)

    (row,) = lines_of(tmp_path / "out").values()
    assert row["score"] == "0"
    assert row["status"] == "no submission"
    assert (
        row["remarks"]
        == "handed in 3 times (Doejane_1.zip, doejane_1_11_a.zip, doejane_1_12_b.zip): keep one, then run again"
    )


def test_a_students_folder_with_one_zip_is_that_students(tmp_path):
    hand_in(tmp_path / "zips")
    for name, zips in {"ann": ["a"], "ben": [], "cem": ["a", "b"], "dan": []}.items():
        hand_in(tmp_path / "zips" / name, **dict.fromkeys(zips, "x\n"))
    for name in ("saliency.py", "1_saliency.ipynb", ".DS_Store"):
        (tmp_path / "zips" / "dan" / name).write_text("")

    roster = read_roster(tmp_path / "zips")

    assert [s.student for s in roster.students if s.path] == ["ann", "dan"]
    assert [s.problem.partition(":")[0] for s in roster.students[1:]] == [
        "nothing was handed in",
        "holds 2 zips (a.zip, b.zip)",
        "",
    ]


def test_folders_are_safe_and_different_for_different_students(tmp_path):
    names = ["a", "A", "../a", "..", "a/b".replace("/", "\u2215"), "x" * 240, "con\n", "é", "-rf"]
    zips = hand_in(tmp_path / "zips", **{name.replace("/", "_"): "x\n" for name in names})

    students = read_roster(zips).students

    taken = {s.folder: "x\n" for s in students if s.folder != s.student}
    other = read_roster(hand_in(tmp_path / "more", **taken)).students  # a name like another's folder
    folders = [s.folder.casefold() for s in (*students, *other) if s.path]
    assert len(set(folders)) == len(folders)
    assert all(f not in ("", ".", "..") and "/" not in f and "\n" not in f and len(f.encode()) < 120 for f in folders)


def test_names_that_are_no_text_and_folders_nobody_may_read_cost_no_neighbour(tmp_path, monkeypatch):
    zips = hand_in(tmp_path / "zips", fine="x\n")
    (zips / os.fsdecode(b"caf\xe9.zip")).write_bytes(zipped((MODULE, b"x\n")))
    (zips / "locked").mkdir()
    whole = type(zips).iterdir

    def locked(path):
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(type(zips), "iterdir", locked)
    grade_class(zips, tmp_path / "out", ORDER, job=fake)

    rows = lines_of(tmp_path / "out")
    assert {name: row["status"] for name, row in rows.items()} == {
        "caf\\udce9": "graded",
        "fine": "graded",
        "locked": "no submission",
    }
    assert rows["locked"]["remarks"] == "the student's folder cannot be read (Permission denied)"


def test_a_run_that_was_killed_before_its_first_record_goes_on(tmp_path):
    zips = hand_in(tmp_path / "zips", a="x\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".run.json.part").write_text("{ half")

    assert grade_class(zips, tmp_path / "out", ORDER, job=fake).newly == 1


def test_no_cell_of_the_gradebook_is_a_formula(tmp_path):
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' ⁄C calc'!A0", "\u202e=1", 'ok,"=1"', " =1"]
    zips = hand_in(tmp_path / "zips", **dict.fromkeys(hostile, "x\n"))

    grade_class(zips, tmp_path / "out", ORDER, job=fake)

    with (tmp_path / "out" / "gradebook.csv").open(encoding="utf-8", newline="") as stream:
        cells = [text for row in csv.reader(stream) for text in row]
    assert not [text for text in cells if text.lstrip()[:1] in ("=", "+", "-", "@", "\t", "|")]
    assert all(text.isprintable() for text in cells)
    assert cell("\r=1") == "'=1" or not cell("\r=1").startswith("=")


def test_a_stopped_run_goes_on_and_the_gradebook_is_the_same_to_the_byte(tmp_path):
    zips = hand_in(tmp_path / "zips", **{f"s{i}": "x\n" * i for i in range(12)}, bad=b"bad")
    order = dataclasses.replace(ORDER, seed=5)
    grade_class(zips, tmp_path / "whole", order, job=fake, workers=3)
    count, lock = [], threading.Lock()

    def stopping(work, order):
        with lock:
            count.append(1)
            if len(count) == 5:
                raise KeyboardInterrupt
        return fake(work, order)

    with pytest.raises(KeyboardInterrupt):
        grade_class(zips, tmp_path / "out", order, job=stopping, workers=1)
    assert "not graded" in {row["status"] for row in lines_of(tmp_path / "out").values()}
    (tmp_path / "out" / "students" / "s1" / "record.json").write_text("{ half")
    resumed = grade_class(zips, tmp_path / "out", order, job=fake, workers=2)

    assert 0 < resumed.newly < 13
    assert (tmp_path / "out" / "gradebook.csv").read_bytes() == (tmp_path / "whole" / "gradebook.csv").read_bytes()
    assert grade_class(zips, tmp_path / "out", order, job=fake).newly == 0


KILLED = """
import sys, tempfile, time
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.staff.test_classroom import ORDER, fake
from coursekit.staff.classroom.run import grade_class
def slow(work, order):
    tempfile.mkdtemp(prefix="a2-class-")
    time.sleep(0.15)
    return fake(work, order)
grade_class(Path({zips!r}), Path({out!r}), ORDER, job=slow, workers=2)
"""


@pytest.mark.timeout(180)
def test_a_run_that_is_killed_goes_on_and_nothing_is_half_written(tmp_path):
    zips = hand_in(tmp_path / "zips", **{f"s{i:02}": "x\n" * i for i in range(30)})
    out = tmp_path / "out"
    script = KILLED.format(root=str(ROOT), zips=str(zips), out=str(out))
    for wanted in (4, 12):
        child = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        while len(list(out.glob("students/*/record.json"))) < wanted and child.poll() is None:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        kept = len(list(out.glob("students/*/record.json")))
        assert wanted <= kept < 30
        assert list((out / ".scratch").iterdir()), "temporary files belong into the run's own folder"
    graded = grade_class(zips, out, ORDER, job=fake)

    assert graded.newly <= 30 - 12
    assert not (out / ".scratch").exists(), "what a killed run has left goes with the next one"
    grade_class(zips, tmp_path / "whole", ORDER, job=fake)
    assert (out / "gradebook.csv").read_bytes() == (tmp_path / "whole" / "gradebook.csv").read_bytes()


def test_two_runs_on_one_folder_are_refused(tmp_path):
    zips = hand_in(tmp_path / "zips", a="x\n")
    grade_class(zips, tmp_path / "out", ORDER, job=fake)

    with (tmp_path / "out" / ".lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another run is writing to"):
            grade_class(zips, tmp_path / "out", ORDER, job=fake)
    assert grade_class(zips, tmp_path / "out", ORDER, job=fake).newly == 0


def test_another_runs_folder_and_other_bad_input_are_one_line(tmp_path):
    zips = hand_in(tmp_path / "zips", a="x\n")
    out = tmp_path / "out"
    grade_class(zips, out, ORDER, job=fake)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    more = hand_in(tmp_path / "more", a="x\n")

    for folder, results, order, options, sentence in [
        (more, out, ORDER, {}, "another run .zips"),
        (
            zips,
            out,
            dataclasses.replace(ORDER, parts=(1, 2)),
            {},
            r"another run .parts \[1\], not \[1, 2\].: repeat --parts 1, or name a new folder",
        ),
        (
            zips,
            out,
            dataclasses.replace(ORDER, hidden=True),
            {},
            "another run .hidden False, not True.: name a new folder",
        ),
        (zips, tmp_path / "full", ORDER, {}, "holds other files"),
        (zips, tmp_path / "file", ORDER, {}, "is a file: name a folder"),
        (tmp_path / "empty", tmp_path / "new", ORDER, {}, "no zips in"),
        (tmp_path / "nowhere", tmp_path / "new", ORDER, {}, "is not a folder"),
        (zips, out, ORDER, {"regrade": ["zoe"]}, "--regrade zoe: no zip of that student"),
        (zips, out, ORDER, {"workers": 0}, "--workers 0: at least one"),
        (zips, out, dataclasses.replace(ORDER, seconds=0), {}, "--seconds 0: at least one"),
        (zips, tmp_path / "new", ORDER, {"scheduler": "nonsense://x"}, "nonsense://x is not an address"),
        (zips, tmp_path / "dask", ORDER, {"scheduler": "nonsense://x:1"}, "no dask scheduler answers at|needs dask"),
    ]:
        with pytest.raises(UsageError, match=sentence):
            grade_class(folder, results, order, job=fake, **options)
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_checks_that_have_changed_are_another_run(tmp_path, monkeypatch):
    zips = hand_in(tmp_path / "zips", a="x\n")
    grade_class(zips, tmp_path / "out", ORDER, job=fake)
    monkeypatch.setattr(jobs, "checks_digest", lambda parts, hidden: "other")

    with pytest.raises(UsageError, match="results of other checks than this edition's"):
        grade_class(zips, tmp_path / "out", ORDER, job=fake)


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    zips = hand_in(tmp_path / "zips", **{f"s{i}": "x\n" * i for i in range(6)})
    whole = os.fsync
    calls = []

    def full(number):
        calls.append(number)
        if len(calls) > 12:
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(number)

    monkeypatch.setattr(records.os, "fsync", full)
    with pytest.raises(UsageError, match=r"the disk of .* is full"):
        grade_class(zips, tmp_path / "out", ORDER, job=fake, workers=1)
    monkeypatch.undo()

    assert not list(tmp_path.rglob("*.part"))
    for path in (tmp_path / "out").rglob("*.json"):
        json.loads(path.read_text())
    grade_class(zips, tmp_path / "out", ORDER, job=fake)
    assert len(lines_of(tmp_path / "out")) == 6


def test_order_and_number_of_workers_change_nothing(tmp_path):
    order = dataclasses.replace(ORDER, seed=3)
    texts = []
    for workers in (1, 4):
        zips = hand_in(tmp_path / "zips", **{f"s{i}": "sleep\n" * i if i % 2 else "x\n" * i for i in range(8)})
        grade_class(zips, tmp_path / f"out{workers}", order, job=fake, workers=workers)
        texts.append((tmp_path / f"out{workers}" / "gradebook.csv").read_bytes())

    assert texts[0] == texts[1]


def test_a_job_that_breaks_is_tried_again_and_costs_no_neighbour(tmp_path):
    zips = hand_in(tmp_path / "zips", once="once\n", always="always\n", fine="x\n")
    tried = []

    def breaking(work, order):
        source = work.files[MODULE].decode()
        tried.append(source)
        if "always" in source or ("once" in source and tried.count(source) == 1):
            raise RuntimeError("a worker was killed")
        return fake(work, order)

    graded = grade_class(zips, tmp_path / "out", ORDER, job=breaking)

    rows = lines_of(tmp_path / "out")
    assert {name: row["status"] for name, row in rows.items()} == {
        "always": "not graded",
        "fine": "graded",
        "once": "graded",
    }
    assert rows["always"]["score"] == ""
    assert "a worker was killed" in rows["always"]["remarks"]
    assert [one.student for one in graded.waiting] == ["always"]
    assert grade_class(zips, tmp_path / "out", ORDER, job=fake).newly == 1


def test_regrading_and_a_new_zip_grade_only_that_student(tmp_path):
    zips = hand_in(tmp_path / "zips", a="x\n", b="x\n", c="x\n")
    grade_class(zips, tmp_path / "out", ORDER, job=fake)

    assert grade_class(zips, tmp_path / "out", ORDER, job=fake, regrade=["b"]).newly == 1
    hand_in(zips, c="x\n" * 5)
    assert grade_class(zips, tmp_path / "out", ORDER, job=fake).newly == 1
    os.utime(zips / "a.zip", (1, 1))
    assert grade_class(zips, tmp_path / "out", ORDER, job=fake).newly == 0, "the same bytes"
    assert lines_of(tmp_path / "out")["c"]["score"] > lines_of(tmp_path / "out")["a"]["score"]


def all_are(outcome, message=""):
    def job(work, order):
        checks = checks_of(order.chosen, hidden=order.hidden)
        return sum_up(Grade(tuple(Verdict(c, outcome, message) for c in checks), 1.0, work.notes), "a fake")

    return job


def test_one_part_is_graded_again_and_the_others_stay_what_they_were(tmp_path):
    zips = hand_in(tmp_path / "zips", ann="x\n", ben="x\n", bad=b"bad")
    order, asked = Order(parts=(1, 2)), []

    def job(work, order):
        asked.append(order.parts)
        if len(order.parts) == 2:
            return dataclasses.replace(all_are("failed", "as it was")(work, order), sandbox="a sandbox")
        return dataclasses.replace(all_are("passed")(work, order), sandbox=jobs.UNNEEDED)

    grade_class(zips, tmp_path / "out", order, job=job)
    assert grade_class(zips, tmp_path / "out", order, job=job, regrade_parts=[2]).newly == 3

    assert asked == [(1, 2), (1, 2), (2,), (2,)]
    row = lines_of(tmp_path / "out")["ann"]
    most = sum(check.points for check in checks_of([p for p in PARTS if p.number == 2], hidden=True))
    assert (row["part 1"], float(row["part 2"])) == ("0", most)
    assert "as it was" in (tmp_path / "out" / "students" / "ann" / "log.txt").read_text()
    assert row["sandbox"] == "a sandbox", "that of the parts that stay"
    assert lines_of(tmp_path / "out")["bad"]["status"] == "no submission"
    assert grade_class(zips, tmp_path / "out", order, job=job).newly == 0
    with pytest.raises(UsageError, match=r"--regrade-part 3: this run has the parts \[1, 2\]"):
        grade_class(zips, tmp_path / "out", order, regrade_parts=[3])


def test_checks_of_one_part_that_have_changed_are_graded_again_on_demand(tmp_path, monkeypatch):
    zips = hand_in(tmp_path / "zips", ann="x\n")
    order = Order(parts=(1, 2))
    grade_class(zips, tmp_path / "out", order, job=all_are("passed"))
    whole = jobs.checks_digest
    monkeypatch.setattr(
        jobs, "checks_digest", lambda parts, hidden: whole(parts, hidden) + "x" * (parts[-1].number == 2)
    )

    with pytest.raises(UsageError, match=r"other checks than this edition's \(part 2\): --regrade-part 2 grades"):
        grade_class(zips, tmp_path / "out", order, job=all_are("passed"))
    assert grade_class(zips, tmp_path / "out", order, job=all_are("passed"), regrade_parts=[2]).newly == 1
    assert grade_class(zips, tmp_path / "out", order, job=all_are("passed")).newly == 0


def test_a_kept_grade_is_the_grade(tmp_path):
    picture = Picture(np.zeros((2, 3)), np.ones((2, 3)))
    known = KnownMistake("saliency_map", "signed", "look at the sign", 3)
    verdicts = (Verdict(CHECKS[0], "failed", "wrong \u202e", 0.5, (known,), picture), Verdict(CHECKS[1], "passed"))
    grade = Grade(verdicts, 2.5, ("student: ann",))

    back = unpack(pack(grade))

    assert back == grade
    assert np.array_equal(back.verdicts[0].picture.expected, picture.expected)
    assert unpack(b"half") is None
    assert unpack(tmp_path / "nothing") is None


def test_a_file_that_could_not_be_taken_is_the_verdict_on_its_checks():
    order = dataclasses.replace(ORDER, checks=jobs.checks_digest(PARTS[:1], False))
    outcome = jobs.grade_work(jobs.Work({}, {MODULE: f"{MODULE} is encrypted"}), order)

    assert set(outcome.outcomes.values()) == {"not loaded"}
    assert f"{MODULE} is encrypted" in outcome.files["log.txt"].decode()
    with pytest.raises(UsageError, match="other checks than the run"):
        jobs.grade_work(jobs.Work(), ORDER)


def test_what_the_staffs_side_lacks_is_no_fault_of_a_submission(monkeypatch):
    order = dataclasses.replace(ORDER, checks=jobs.checks_digest(PARTS[:1], False))
    monkeypatch.setattr(jobs.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(UsageError, match="cloudpickle is missing here"):
        jobs.grade_work(jobs.Work({MODULE: b"x = 1\n"}), order)


def test_the_class_page_shows_what_to_look_at_and_nothing_hostile(tmp_path):
    copied = "def f():\n    return 1\n"
    zips = hand_in(
        tmp_path / "zips", ann=copied, ben="# mine\n" + copied, cem="x = 1\n", dan="x = 1\n", **{"<script>": "y\n"}
    )
    (zips / "solution.zip").write_bytes(zipped((MODULE, solution())))

    graded = grade_class(zips, tmp_path / "out", ORDER, job=fake)

    page = (tmp_path / "out" / "class.html").read_text(encoding="utf-8")
    found = {flag.students: flag.what for flag in flags(graded.records)}
    assert "apart from comments" in found[("ann", "ben")]
    assert "byte for byte" in found[("cem", "dan")]
    assert "the staff's own solution" in found[("solution",)]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "src=" not in page
    assert "ann, ben" in page


def test_equal_wrong_answers_and_answers_that_fit_only_public_checks_are_flagged():
    hidden = [
        c.id
        for c in checks_of(PARTS[:1], hidden=True)
        if c.id.startswith("tests/hidden/") and c.function == "saliency_map"
    ]
    public = [c.id for c in CHECKS if c.function == "saliency_map"]
    wrong = dict.fromkeys(public[:2], "hash")

    def record(student, outcomes, wrong):
        outcome = records.Outcome({}, outcomes, (), wrong, 1.0, "bubblewrap")
        return records.Record(student, student, "", False, "graded", (), "", 0, 0, {}, outcome)

    good = dict.fromkeys(public, "passed")
    same = "the result is None: is a return missing?"
    told = [f"{number} of 9 values are wrong; worst at (0, 0): yours 1, expected 2" for number in (8, 9)]
    lost = tuple(Verdict(c, "failed", m) for c, m in zip(CHECKS, [same, *told], strict=False))
    assert len(records.outcome_of(Grade(lost, 1.0), "", {}).wrong) == 2, "only answers can be copied"
    one, two = record("one", {}, wrong), record("two", {}, dict(wrong))
    odd = record("odd", good | dict.fromkeys(hidden, "failed"), {})
    fine = record("fine", good | dict.fromkeys(hidden, "passed"), {})

    found = {flag.students: flag.what for flag in flags([one, two, odd, fine])}

    assert set(found) == {("one", "two"), ("odd",)}
    assert "the same 2 wrong answers" in found[("one", "two")]
    assert found[("odd",)].startswith("saliency_map: right on the public checks")


def test_the_parts_of_the_gradebook_add_up_to_the_score(tmp_path):
    zips = hand_in(tmp_path / "zips", all="x\n")

    def perfect(work, order):
        return sum_up(Grade(tuple(Verdict(c, "passed") for c in checks_of(order.chosen, hidden=True)), 1.0), "a fake")

    grade_class(zips, tmp_path / "out", Order(), job=perfect)

    row = lines_of(tmp_path / "out")["all"]
    assert sum(float(points) for title, points in row.items() if title.startswith("part ")) == float(row["score"])
    assert row["score"] == row["max_score"]
    core = f"{sum_of_points(hidden=True):g}"
    assert row["core"] == row["max_core"] == core
    assert row["core_percent"] == row["percent"] == "100"
    page = (tmp_path / "out" / "class.html").read_text(encoding="utf-8")
    assert f"median {row['score']} of {row['max_score']} points, core {core} of {core}" in page
    assert Order().parts == tuple(sorted({part.number for part in PARTS}))


def test_the_written_answers_are_read_from_the_notebook_and_not_from_the_page_in_the_zip(tmp_path):
    texts = ("**1.** Why?", "Since *so* <script>alert(1)</script>")
    notebook = {"cells": [{"cell_type": "markdown", "source": text, "metadata": {}} for text in texts], "nbformat": 4}
    files = (MODULE, b"\xff\xff"), ("notebooks/1_saliency.ipynb", json.dumps(notebook)), ("answers.html", b"forged")
    zips = hand_in(tmp_path / "zips", anna=zipped(*files))

    grade_class(zips, tmp_path / "out", ORDER, job=jobs.grade_work, canary=False)

    page = (tmp_path / "out" / "students" / "anna" / "answers.html").read_text()
    assert "Since <em>so</em>" in page
    assert "<script" not in page
    assert "forged" not in page
    assert "<h1>Written answers of anna</h1>" in page
    assert "ignored" not in lines_of(tmp_path / "out")["anna"]["remarks"]


def test_time_that_ran_out_is_a_remark(tmp_path):
    zips = hand_in(tmp_path / "zips", slow="x\n")

    def late(work, order):
        return sum_up(Grade(tuple(Verdict(c, "timeout", "stopped after 20 seconds") for c in CHECKS), 300.0), "a fake")

    grade_class(zips, tmp_path / "out", ORDER, job=late)

    assert lines_of(tmp_path / "out")["slow"]["remarks"] == f"{len(CHECKS)} checks over their time limit"
    assert f"{len(CHECKS)} checks over their time limit" in (tmp_path / "out" / "class.html").read_text()


def test_the_histogram_counts_everybody_once(tmp_path):
    bars = histogram([0, 9.9, 10, 99, 100], 100)

    assert [bar.count for bar in bars] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert class_page(Class((), (), {}, (), ORDER, tmp_path), Extras())


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(bool(refused()), reason=refused())
def test_a_real_class_in_the_sandbox(tmp_path, capsys):
    good = solution().decode()
    wrong = good.replace(".abs()", "", 1)
    zips = hand_in(
        tmp_path / "zips", good=good, wrong=wrong, exits="import os\nos._exit(0)\n", broken=b"PK", syntax="def f(:\n"
    )

    code = main(["classroom", str(zips), "--out", str(tmp_path / "out"), "--parts", "1", "--workers", "2"])

    rows = lines_of(tmp_path / "out")
    assert code == 0, capsys.readouterr()
    assert rows["good"]["score"] == rows["good"]["max_score"]
    assert 0 < float(rows["wrong"]["score"]) < float(rows["good"]["score"])
    assert [rows[name]["score"] for name in ("exits", "broken", "syntax")] == ["0", "0", "0"]
    assert rows["good"]["sandbox"] == "bubblewrap"
    assert "line 1" in Path(tmp_path / "out" / "students" / "syntax" / "log.txt").read_text()
