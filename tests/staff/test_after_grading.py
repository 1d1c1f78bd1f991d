"""What comes after the points: late days, marks, grades for a platform, feedback, points before and after, answers by question, similar code."""

import csv
import datetime
import io
import json
import re
import zipfile
from fnmatch import fnmatch

import pytest

from coursekit.cli import main
from coursekit.errors import UsageError
from coursekit.parts import PARTS, ROOT
from coursekit.staff.classroom.feedback import feedback
from coursekit.staff.classroom.gradebook import core_points
from coursekit.staff.classroom.late import read_policy
from coursekit.staff.classroom.marks import code_of, read_marks, template
from coursekit.staff.classroom.questions import questions
from coursekit.staff.classroom.run import grade_class
from coursekit.staff.classroom.settled import seed_of
from coursekit.staff.classroom.similar import pairs_of, similar
from tests.staff.test_classroom import CHECKS, ORDER, all_are, fake, hand_in, lines_of
from tests.staff.test_intake import packed
from tests.staff.zips import MODULE, solution, zipped

CORE = core_points(ORDER)
ALL = "x = 1\n" * len(CHECKS)  # passes everything, by the fake job
CANVAS = "doejane_LATE_1234_56789_submission"


def graded(tmp_path, **options):
    return grade_class(tmp_path / "zips", tmp_path / "out", ORDER, job=fake, **options)


def table(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))


def policy(tmp_path, text):
    (tmp_path / "late.toml").write_text(text)
    return read_policy(tmp_path / "late.toml")


def test_late_days_take_from_the_core_points_and_the_raw_points_stay(tmp_path):
    names = {f"A2_{s}_attempt_2026-11-{day}-12-00-00_x": ALL for s, day in (("a", 19), ("b", 21), ("c", 23), ("d", 23))}
    hand_in(tmp_path / "zips", **names, **{CANVAS: ALL})
    graded(tmp_path)
    (tmp_path / "out" / "late.toml").write_text(
        "free_days = 1\npenalty = 10\ndeadline = 2026-11-20T12:00:00\n[extensions]\nd = 1\nghost = 3\n"
    )

    said = graded(tmp_path)

    rows, most = lines_of(tmp_path / "out"), sum(CORE.values())
    assert said.newly == 0, "nothing is graded for it"
    assert {name: row["days_late"] for name, row in rows.items()} == {
        "a": "0", "b": "1", "c": "3", "d": "3", "doejane_1234": "?"
    }  # fmt: skip
    assert [float(rows[name]["core_after_late"]) for name in "abcd"] == [most, most, 0.8 * most, 0.9 * most]
    assert [rows[name]["grade"] for name in "abcd"] == ["100", "100", "80", "90"]
    assert {row["core"] for row in rows.values()} == {f"{most:g}"}
    assert "late by an unknown number of days" in rows["doejane_1234"]["remarks"]
    assert any("late.toml names ghost" in note for note in said.notes)
    assert [note for note in said.notes if "so nothing was deducted: doejane_1234" in note]


def test_the_days_of_somebody_may_be_written_down_and_the_penalty_has_an_end(tmp_path):
    hand_in(tmp_path / "zips", **{CANVAS: ALL})
    graded(tmp_path)
    (tmp_path / "out" / "late.toml").write_text('free_days = 0\npenalty = 40\nmost = 50\n[days]\n"doejane_1234" = 9\n')

    graded(tmp_path)

    row = lines_of(tmp_path / "out")["doejane_1234"]
    assert (row["days_late"], row["grade"]) == ("9", "50")
    assert "days" not in row["remarks"]
    report = (tmp_path / "out" / "students" / "doejane_1234" / "report.html").read_text()
    assert report.index("Grade: 50 of 100") < report.index("9 days late: 50 % of your core points deducted")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("free_days = -1\npenalty = 10", "free_days = -1 is not a number of days"),
        ("free_days = true\npenalty = 10", "free_days = True is not a number of days"),
        ("free_days = 1\npenalty = nan", "penalty = nan is not a percentage"),
        ("free_days = 1\npenalty = 110", "penalty = 110 is not a percentage"),
        ("free_days = 1\npenalty = 10\n[extensions]\nann = -2", "extensions, ann = -2 is not a number of days"),
        ("free_days = 1\npenalty = 10\n[days]\nann = 1.5", "days, ann = 1.5 is not a number of days"),
        ("free_days = 1\npenalty = 10\nextensions = 3", "extensions is a table"),
        ("free_days = 1\npenalty = 10\ndeadline = 2026-11-20", "is not a date with a time"),
        ("free_days = 1\npenalty = 10\nextension = 3", "extension is not a setting"),
        ("free_days = 1", "free_days and penalty are needed"),
        ("free_days = ", "cannot be read"),
        ("free_days = 1\npenalty = 10\n[days]\na = 1\na = 2", "cannot be read"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_one_line_before_anything_is_graded(tmp_path, text, sentence):
    hand_in(tmp_path / "zips", ann=ALL)
    graded(tmp_path)
    hand_in(tmp_path / "zips", ben=ALL)
    (tmp_path / "out" / "late.toml").write_text(text)

    with pytest.raises(UsageError, match=re.escape(sentence)):
        graded(tmp_path)
    assert list(lines_of(tmp_path / "out")) == ["ann"]


def test_a_deadline_with_an_offset_is_that_moment_where_the_platform_gives_utc(tmp_path):
    class One:
        student, late, platform, when = "ann", False, "Gradescope", "2026-11-20 23:30:00+00:00"

    aware = policy(tmp_path, "free_days = 0\npenalty = 10\ndeadline = 2026-11-21T00:59:59+01:00\n")
    naive = policy(tmp_path, "free_days = 0\npenalty = 10\ndeadline = 2026-11-21T00:59:59\n")

    assert aware.days_late(One) == 0
    assert aware.deadline.utcoffset() == datetime.timedelta(hours=1)
    with pytest.raises(UsageError, match="write the deadline with its offset"):
        naive.days_late(One)


def test_marks_are_in_the_gradebook_and_in_the_report_and_can_be_changed(tmp_path):
    hand_in(tmp_path / "zips", ann=ALL, **{"=eve": ALL})
    graded(tmp_path)
    marks = tmp_path / "out" / "written.csv"
    code = code_of("ann", seed_of(tmp_path / "out"))
    marks.write_bytes(
        f"\ufeffstudent;1.1;1.2;comment\r\nout of;3;2;\r\n{code};2,5;;<b>why?</b>\r\n'=eve;3;2;\r\n".encode()
    )

    graded(tmp_path)
    first = lines_of(tmp_path / "out")
    report = (tmp_path / "out" / "students" / "ann" / "report.html").read_text()
    marks.write_text("student,1.1,1.2\nout of,3,2\nann,3,2\n")
    graded(tmp_path)
    second = (tmp_path / "out" / "students" / "ann" / "report.html").read_text()
    marks.unlink()
    graded(tmp_path)

    assert (first["ann"]["written"], first["ann"]["max_written"]) == ("2.5", "5")
    most = sum(CORE.values())
    assert float(first["ann"]["grade"]) == pytest.approx(100 * (most + 2.5) / (most + 5), abs=0.01)
    assert first["'=eve"]["grade"] == "100"
    assert "written answers: 2.5 of 5 points (1.1: 2.5 of 3, 1.2: not marked yet)" in report
    assert "<b>why?</b>" not in report
    assert "&lt;b&gt;why?&lt;/b&gt;" in report
    assert report.index("student: ann") < report.index("Grade: ") < report.index("written answers: 2.5")
    assert report.count("Grade: ") == second.count("Grade: ") == 1
    assert "Grade: 100 of 100" in second
    assert "written answers: 5 of 5 points" in second
    assert "written answers" not in (tmp_path / "out" / "students" / "ann" / "report.html").read_text()
    assert "written" not in lines_of(tmp_path / "out")["ann"]


def test_each_question_without_a_mark_is_named_and_the_class_is_counted(tmp_path):
    hand_in(tmp_path / "zips", ann=ALL, ben=ALL, cem=ALL)
    graded(tmp_path)
    text = "student,1.1,1.2,1.3,comment\nout of,3,2,,\nann,3,2,,\nben,3,,,\n"
    (tmp_path / "out" / "written.csv").write_text(text)

    said = graded(tmp_path)

    rows = lines_of(tmp_path / "out")
    assert {name: row["remarks"].partition(", which")[0] for name, row in rows.items()} == {
        "ann": "", "ben": "not marked yet: 1.2", "cem": "not marked yet: 1.1, 1.2"
    }  # fmt: skip
    page = (tmp_path / "out" / "class.html").read_text()
    assert all(f">{float(row['grade']):g}</td>" in page for row in rows.values())
    assert "not marked yet: 1.1, 1.2, which" in page
    assert [note for note in said.notes if "2 of 3 students have answers without a mark" in note] == [*said.notes]


def test_marks_of_other_parts_than_those_graded_neither_count_nor_are_missed(tmp_path):
    hand_in(tmp_path / "zips", ann=ALL)
    graded(tmp_path)
    (tmp_path / "out" / "written.csv").write_text("student,1.1,2.1,style\nout of,3,4,1\nann,3,,1\n")

    graded(tmp_path)

    row = lines_of(tmp_path / "out")["ann"]
    assert (row["written"], row["max_written"], row["grade"], row["remarks"]) == ("4", "4", "100", "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("student,1.1\nout of,3\nzoe,1", "row 3 ('zoe'): no such student"),
        ("student,1.1\nout of,3\nann,4", "ann has 4 points for 1.1, but the most is 3"),
        ("student,1.1\nout of,3\nann,-1", "'-1' is not a number of points"),
        ("student,1.1\nout of,3\nann,nan", "'nan' is not a number of points"),
        ("student,1.1\nout of,3\nann,=1+1", "'=1+1' is not a number of points"),
        ("student,1.1\nann,1", "the row 'out of' does not say what 1.1 is worth"),
        ("student,1.1\nout of,3\nann,1\nann,2", "ann has a row already"),
        ("student,1.1\nout of,3\nann,1,1", "has 3 cells"),
        ("student,1.1,1.1\nout of,3,3", "must begin with the line"),
        ("name,1.1\n", "must begin with the line"),
        ("", "must begin with the line"),
        ('student,1.1\n"ann', "is not a CSV file"),
    ],
)
def test_marks_that_cannot_be_meant_are_one_line_with_the_row(tmp_path, text, sentence):
    (tmp_path / "written.csv").write_text(text)

    with pytest.raises(UsageError, match=re.escape(sentence)):
        read_marks(tmp_path / "written.csv", ["ann"], 1)


def test_grades_are_in_the_formats_of_canvas_moodle_and_gradescope(tmp_path):
    hand_in(
        tmp_path / "zips", **{
            CANVAS: ALL, "anon_ab1_77_x": ALL, "Jürgen Roß_4711_assignsubmission_file_x": ALL,
            "=Mal_4712_assignsubmission_file_x": "x\n", "plain": ALL,
        }
    )  # fmt: skip
    graded(tmp_path)

    out = tmp_path / "out"
    canvas = (out / "canvas.csv").read_text(encoding="utf-8")
    assert canvas.splitlines() == [
        "Student,ID,SIS User ID,SIS Login ID,Section,Assignment 2",
        "    Points Possible,,,,,100",
        "doejane,1234,,,,100",
    ]
    assert (out / "moodle.csv").read_bytes().startswith(b"\xef\xbb\xbfIdentifier,")
    by_id = {row["Identifier"]: row for row in table(out / "moodle.csv")}
    assert by_id["Participant 4711"] | {"Full name": "Jürgen Roß", "Grade": "100"} == by_id["Participant 4711"]
    assert by_id["Participant 4712"]["Full name"] == "'=Mal"
    assert float(by_id["Participant 4712"]["Grade"]) < 50
    assert not (out / "gradescope.csv").exists()


def test_gradescopes_table_has_a_line_for_each_member_of_a_group(tmp_path):
    (tmp_path / "zips" / "submission_1").mkdir(parents=True)
    (tmp_path / "zips" / "submission_1" / "saliency.py").write_text(ALL)
    people = "".join(f"  - :name: P{i}\n    :sid: '20{i}'\n    :email: p{i}@example.edu\n" for i in (0, 1))
    (tmp_path / "zips" / "submission_metadata.yml").write_text(f"submission_1:\n  :submitters:\n{people}")

    graded(tmp_path)

    rows = table(tmp_path / "out" / "gradescope.csv")
    assert [(row["SID"], row["Email"], row["Total Score"]) for row in rows] == [
        ("200", "p0@example.edu", "100"),
        ("201", "p1@example.edu", "100"),
    ]


def test_students_get_their_own_pages_and_a_platform_its_own_layout(tmp_path):
    names = {CANVAS: ALL, "Ann O'N_4711_assignsubmission_file_x": ALL, "plain": ALL}
    zips = hand_in(tmp_path / "zips", **names)
    graded(tmp_path)
    first = feedback(tmp_path / "out")
    (zips / "plain.zip").rename(zips / "renamed.zip")
    graded(tmp_path)

    made = feedback(tmp_path / "out")

    out = tmp_path / "out"
    assert (
        made
        == first
        == [
            f"{out / 'feedback'}: 3 zips, one for each student",
            f"{out / 'feedback-canvas.zip'}: for Gradebook, the assignment's menu, Upload Submissions",
            f"{out / 'feedback-moodle.zip'}: for Submissions, Actions, Upload multiple feedback files in a zip",
        ]
    )
    assert sorted(path.name for path in (out / "feedback").iterdir()) == sorted(
        f"{record.folder}.zip" for record in graded(tmp_path).records
    )
    with zipfile.ZipFile(out / "feedback" / "renamed.zip") as archive:
        assert archive.namelist() == ["answers.html", "report.html"]
        assert "student: renamed" in archive.read("report.html").decode()
    with zipfile.ZipFile(out / "feedback-canvas.zip") as archive:
        assert archive.namelist() == ["doejane_LATE_1234_56789_answers.html", "doejane_LATE_1234_56789_report.html"]
    with zipfile.ZipFile(out / "feedback-moodle.zip") as archive:
        assert archive.namelist() == [
            f"Ann O'N_4711_assignsubmission_file_/{n}" for n in ("answers.html", "report.html")
        ]
    with pytest.raises(UsageError, match="holds no graded class"):
        feedback(tmp_path / "zips")


def test_after_a_regrade_the_points_stand_side_by_side(tmp_path):
    hand_in(tmp_path / "zips", ann=ALL, ben="x\n", cem="x\n")
    graded(tmp_path)

    def better(work, order):
        source = work.files[MODULE] + (b"x = 1\n" * 2 if b"ben" in "".join(work.notes).encode() else b"")
        return fake(type(work)({MODULE: source}, notes=work.notes), order)

    grade_class(tmp_path / "zips", tmp_path / "out", ORDER, job=better, regrade_parts=[1])

    (row,) = table(tmp_path / "out" / "regraded.csv")
    points = [sum(check.points for check in CHECKS[:count]) for count in (1, 3)]
    assert (row["student"], float(row["before"]), float(row["after"])) == ("ben", *points)
    assert row["checks won"].split() == [check.id for check in CHECKS[1:3]]
    assert (row["checks lost"], float(row["part 1 after"])) == ("", points[1])
    with pytest.raises(UsageError, match="no zip of that student"):
        graded(tmp_path, regrade=["zoe"])
    assert json.loads((tmp_path / "out" / "before.json").read_text())["ben"][CHECKS[1].id] == 0, "not forgotten"


def notebook_zip(answer):
    return zipped((MODULE, b"x\n"), ("notebooks/1_saliency.ipynb", packed(answer)))


def test_all_answers_to_a_question_are_on_one_page_without_names(tmp_path):
    hand_in(
        tmp_path / "zips", ann=notebook_zip("The *gradient* <script>alert(1)</script>"),
        ben=notebook_zip("x" * 50_000), cem=notebook_zip(""), dan="x\n",
    )  # fmt: skip
    graded(tmp_path)

    said = questions(tmp_path / "out")

    page = (tmp_path / "out" / "questions" / "1.1.html").read_text()
    seed = seed_of(tmp_path / "out")
    assert page.index("<em>gradient</em>")
    assert "<script" not in page
    assert not re.search(r"\b(ann|ben|cem|dan)\b", page)
    assert all(code_of(name, seed) in page for name in ("ann", "ben", "cem", "dan"))
    assert page.count('class="answer"') == 2
    assert "2 answers" in page
    folder = tmp_path / "out" / "questions"
    assert {path.name.partition(".")[0].partition("_")[0] for path in folder.iterdir()} == {"1", "index"}, "part 1"
    assert "<h1>Part 1. Looking into networks: question 1 of 4</h1>" in page
    assert 'href="1.2.html"' in page
    assert page.index("<details><summary>Our answer</summary>") < page.index('class="answer"')
    assert "SOLUTION" not in page
    assert 'href="1.1.html"' in (folder / "index.html").read_text()
    rows = table(tmp_path / "out" / "written.csv")
    assert {row["student"] for row in rows} == {"out of", *(code_of(n, seed) for n in ("ann", "ben", "cem", "dan"))}
    assert list(rows[0])[1:] == ["1.1", "1.2", "1.3", "1.4", "comment"]
    assert "type the marks here" in said[-1]
    assert "stays as it is" in questions(tmp_path / "out")[-1]
    before = {name: row["grade"] for name, row in lines_of(tmp_path / "out").items()}
    graded(tmp_path)
    assert {name: row["grade"] for name, row in lines_of(tmp_path / "out").items()} == before, (
        "an empty table counts nothing"
    )
    assert "written" not in lines_of(tmp_path / "out")["ann"]


def test_an_empty_table_of_marks_leaves_open_what_a_question_is_worth():
    assert template(["1.1"], ["b", "a"]) == "student,1.1,comment\nout of,,\na,,\nb,,\n"


ODD = """
def saliency_map(model, images, labels):
    marked = images.detach().clone().requires_grad_()
    chosen = torch.zeros(())
    for row, wanted in enumerate(labels.tolist()):
        chosen = chosen + model(marked[row : row + 1]).flatten()[wanted] * {number}.0 / {number}
    back, = torch.autograd.grad(chosen, [marked], allow_unused=False)
    total = back[:, 0].abs() + back[:, 1].abs() + back[:, 2].abs()
    return torch.clamp_min(total, 0.0).reshape(len(images), *images.shape[-2:])
"""


def test_a_renamed_copy_of_odd_code_is_a_pair_and_our_own_solution_is_none(tmp_path):
    renamed = ODD.replace("marked", "inputs").replace("chosen", "score").replace("    total", "    # mine\n    total")
    hand_in(
        tmp_path / "zips", ann=ODD.format(number=3), ben=renamed.format(number=3), cem=solution(), dan=solution() + b"# x\n",
        eve="def saliency_map(:\n", **{"<b>": ODD.format(number=3)},
    )  # fmt: skip
    graded(tmp_path)

    similar(tmp_path / "out")

    page = (tmp_path / "out" / "similar.html").read_text()
    assert "ann and ben" in page
    assert "cem" not in page
    assert "dan" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert "3 pairs" in page
    assert "<script" not in page


def test_what_a_tenth_of_the_class_shares_is_what_the_lecture_said():
    few = {f"s{i}": {"saliency_map": ODD.format(number=3)} for i in range(3)}
    many = {f"s{i}": {"saliency_map": ODD.format(number=3)} for i in range(30)}

    assert len(pairs_of(few)) == 3
    assert pairs_of(many) == []
    assert PARTS[0].functions[0] == "saliency_map"


def test_the_commands_after_grading_say_what_they_wrote(tmp_path, capsys):
    hand_in(tmp_path / "zips", ann=notebook_zip("Yes"))
    graded(tmp_path)

    codes = [main([name, str(tmp_path / "out")]) for name in ("feedback", "questions", "similar")]

    assert codes == [0, 0, 0]
    said = capsys.readouterr().out
    assert "1 zip," in said
    assert "questions" in said
    assert "0 pairs of 1 student agree" in said
    assert "1 answer of 1 student" in said
    assert main(["similar", str(tmp_path)]) == 2


@pytest.mark.timeout(60)
def test_code_that_is_made_to_take_long_is_compared_in_seconds(tmp_path):
    long = "\n".join("    " + "".join("ab"[(i * j) % 7 % 2] for j in range(200)) + " = a + b" for i in range(900))
    hostile = [
        "(" * 5000,
        "x = " + "[" * 300_000,
        f"def saliency_map(a, b):\n{long}\n",
        "def saliency_map():\n  '\\q' + 9" + "9" * 99_999,
    ]
    zips = hand_in(tmp_path / "zips", **{f"s{i}": text for i, text in enumerate(hostile * 2)})
    grade_class(zips, tmp_path / "out", ORDER, job=all_are("passed"))

    assert "of 8 students" in similar(tmp_path / "out")[0]


def test_what_the_guide_puts_into_this_folder_is_nothing_to_commit():
    ignored = (ROOT / ".gitignore").read_text().split()
    guide = (ROOT / "docs" / "staff.md").read_text()
    written = [*re.findall(r"(?:--out|gradescope|-e [\w./-]+) ([\w-][\w./-]*)", guide), "submissions.zip"]

    assert {"results", "zips"} <= {*written}
    for name in {name.partition("/")[0] for name in written}:
        assert any(fnmatch(f"/{name}", line.rstrip("/")) for line in ignored), f"{name} is missing in .gitignore"
