"""Who is who: the downloads of six platforms, attempts and copies, folders that were moved, renamed or split."""

import json
import os

import pytest

from coursekit.errors import UsageError
from coursekit.parts import PARTS
from coursekit.staff.classroom.attempt import Attempt, take_handed_in
from coursekit.staff.classroom.names import read_name
from coursekit.staff.classroom.roster import read_roster
from coursekit.staff.classroom.run import grade_class
from tests.staff.test_classroom import ORDER, fake, hand_in, lines_of
from tests.staff.test_intake import packed
from tests.staff.zips import MODULE, zipped

SALIENCY = b"x = 1\n"


@pytest.mark.parametrize(
    ("name", "student", "late"),
    [
        ("LATE_anon_k3x9z_56789_submission.zip", "anon_k3x9z", True),
        ("anon_k3x9z_56789_submission-2.zip", "anon_k3x9z", False),
        ("team_red_LATE_1234_56789_submission.zip", "team_red_1234", True),
        ("team_red_1234_56789_saliency.py", "team_red_1234", False),
        ("doejane_1234_56789_submission (1).zip", "doejane_1234", False),
        ("Jane Doe_4711_assignsubmission_file", "Jane Doe_4711", False),
        ("Jane Doe_4711_assignsubmission_onlinetext_", "Jane Doe_4711", False),
        ("Jane Doe_4711_assignsubmission_file_submission.zip", "Jane Doe_4711", False),
        ("397063-2557369 - Mary-Ann Smith - Sep 24, 2026 926 PM", "Mary-Ann Smith_397063", False),
        ("397063-2557369 - Mary-Ann Smith - Sep 24, 2026 1226 AM - submission.zip", "Mary-Ann Smith_397063", False),
        ("Assignment 2_s123456_attempt_2026-11-20-12-00-00_a_b.zip", "s123456", False),
        ("Assignment 2_s123456_attempt_2026-11-20-12-00-00.txt", "s123456", False),
        ("Doe_Jane_jdoe_4711", "Doe_Jane_jdoe_4711", False),
        ("jane_doe (1).zip", "jane_doe", False),
        ("(1).zip", "(1)", False),
    ],
)
def test_the_name_says_who_it_is(name, student, late):
    named = read_name(name)

    assert (named.student, named.late) == (student, late)


def test_the_time_of_an_attempt_sorts_as_time_does():
    times = [read_name(f"1-2 - A B - {text} - a.zip").when for text in ("Sep 24, 2026 926 PM", "Oct 1, 2026 1205 AM")]

    assert times == ["2026-09-24 21:26", "2026-10-01 00:05"]
    assert read_name("1-2 - A B - Okt 1, 2026 1205 AM - a.zip").student == "A B_1", "with months in another language"


def place(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


def only(zips, **options):
    (one,) = read_roster(zips, **options).students
    return one


def test_loose_modules_of_canvas_are_one_submission_and_the_last_of_each_name_counts(tmp_path):
    place(
        tmp_path, **{
            "doejane_LATE_1234_100_saliency__py": b"old = 1\n", "doejane_LATE_1234_102_saliency-1__py": SALIENCY,
            "doejane_LATE_1234_101_1_saliency__ipynb": b"{}", "doejane_LATE_1234_103_unet__safetensors": b"w",
        }
    )  # fmt: skip

    one = only(tmp_path)

    taken = take_handed_in(one)
    assert (one.student, one.late, one.number) == ("doejane_1234", True, "1234")
    assert taken.files == {MODULE: SALIENCY, "trained/unet.safetensors": b"w"}
    assert "handed in 1 files again" in one.note


def test_a_report_beside_the_zip_is_no_second_attempt(tmp_path):
    place(tmp_path, doejane_1_11_submission__zip=zipped((MODULE, SALIENCY)), doejane_1_12_report__pdf=b"%PDF")

    assert take_handed_in(only(tmp_path)).files == {MODULE: SALIENCY}


def test_a_text_typed_into_moodle_stands_beside_the_file_and_takes_nobodys_place(tmp_path):
    place(tmp_path / "Ann_1_assignsubmission_file_", a__zip=zipped((MODULE, SALIENCY)))
    place(tmp_path / "Ann_1_assignsubmission_onlinetext_", onlinetext__html=b"<p>Hello")
    place(tmp_path / "Ben_2_assignsubmission_onlinetext_", onlinetext__html=b"<p>Hello")

    ann, ben = read_roster(tmp_path).students

    assert (ann.student, ann.path.name, ann.problem) == ("Ann_1", "a.zip", "")
    assert "there is also a text typed into Moodle" in ann.note
    assert (ben.student, ben.problem) == ("Ben_2", "typed a text into Moodle and handed in no file")


def blackboard(when, content):
    return {f"A2_s1_attempt_{when}_x__zip": zipped((MODULE, content)), f"A2_s1_attempt_{when}__txt": b"Name: S (s1)"}


def test_of_several_attempts_the_last_by_the_platforms_time_counts_if_staff_say_so(tmp_path):
    for when, content in {"2026-11-09-12-00-00": b"a\n", "2026-11-20-12-00-00": b"b\n" * 2}.items():
        place(tmp_path / "zips", **blackboard(when, content))
    os.utime(tmp_path / "zips" / "A2_s1_attempt_2026-11-20-12-00-00_x.zip", (1, 1))

    grade_class(tmp_path / "zips", tmp_path / "out", ORDER, job=fake)
    before = lines_of(tmp_path / "out")["s1"]
    grade_class(tmp_path / "zips", tmp_path / "out", ORDER, job=fake, latest=True)
    after = lines_of(tmp_path / "out")["s1"]

    assert before["status"] == "no submission"
    assert "handed in 2 times" in before["remarks"]
    assert after["file"] == "A2_s1_attempt_2026-11-20-12-00-00_x.zip"
    assert "the last of 2 attempts (2026-11-20-12-00-00)" in after["remarks"]
    assert after["score"] != "0"


def test_without_times_latest_decides_nothing_and_equal_copies_are_one(tmp_path):
    place(tmp_path / "a", ann__zip=zipped((MODULE, b"1")), **{"ann (1)__zip": zipped((MODULE, b"2"))})
    same = zipped((MODULE, b"1"))
    place(tmp_path / "b", ann__zip=same, **{"ann (1)__zip": same})

    assert "handed in 2 times" in only(tmp_path / "a", latest=True).problem
    assert "--latest finds no time in their names" in only(tmp_path / "a", latest=True).problem
    assert only(tmp_path / "b").path


def test_the_attempts_of_d2l_and_ilias_have_times(tmp_path):
    for day, content in (("Sep 9", b"1"), ("Sep 24", b"2")):
        place(tmp_path / "d2l" / f"39-25 - A B - {day}, 2026 926 PM", a__zip=zipped((MODULE, content)))
    place(
        tmp_path / "ilias" / "Doe_Jane_jdoe_4711", **{
            "20261120120000_a__zip": zipped((MODULE, b"1")), "20261119120000_b__zip": zipped((MODULE, b"2")),
        }
    )  # fmt: skip

    assert only(tmp_path / "d2l", latest=True).when == "2026-09-24 21:26"
    assert only(tmp_path / "ilias", latest=True).path.name == "20261120120000_a.zip"
    assert only(tmp_path / "ilias").problem


GRADESCOPE = """submission_1:
  :submitters:
  - :name: Pair One
    :sid: '200'
    :email: one@example.edu
  - :name: Pair Two
    :sid: '201'
    :email: two@example.edu
  :created_at: 2026-11-20 12:00:00.000000000 Z
submission_2:
  :submitters:
  - :name: Alone
    :email: alone@example.edu
../../etc:
  :submitters:
  - :name: Nobody
"""


def test_gradescopes_export_names_the_students_of_its_folders(tmp_path):
    place(tmp_path, submission_metadata__yml=GRADESCOPE.encode())
    for number in (1, 2):
        place(tmp_path / f"submission_{number}", saliency__py=SALIENCY, unet__safetensors=b"w")

    students = read_roster(tmp_path).students

    assert [one.student for one in students] == ["200", "201", "alone@example.edu"]
    assert students[0].path == students[1].path
    assert all(take_handed_in(one).files[MODULE] == SALIENCY for one in students)
    assert all(take_handed_in(one).files["trained/unet.safetensors"] == b"w" for one in students)
    (tmp_path / "submission_metadata.yml").write_text("- a list\n")
    with pytest.raises(UsageError, match="is not as Gradescope writes it"):
        read_roster(tmp_path)


def test_clones_of_github_classroom_are_their_users(tmp_path):
    for user in ("ada-lovelace", "alan"):
        place(tmp_path / f"assignment-2-{user}" / "assignment2", saliency__py=SALIENCY)
        place(tmp_path / f"assignment-2-{user}" / ".git" / "assignment2", saliency__py=b"no")

    students = read_roster(tmp_path).students

    assert [one.student for one in students] == ["ada-lovelace", "alan"]
    assert [take_handed_in(one).files for one in students] == [{MODULE: SALIENCY}] * 2


def test_a_download_in_several_parts_is_one_class(tmp_path):
    place(tmp_path / "part0", **{f"{name}__zip": zipped((MODULE, SALIENCY)) for name in ("ann", "ben")})
    place(tmp_path / "part1", doejane_1_11_x__zip=zipped((MODULE, SALIENCY)))

    assert [one.student for one in read_roster(tmp_path).students] == ["ann", "ben", "doejane_1"]


def test_a_student_cannot_hand_in_for_a_neighbour_by_the_name_of_a_zip(tmp_path):
    place(tmp_path / "roeric", a__zip=zipped((MODULE, SALIENCY)))
    place(tmp_path / "eve", **{"A2_roeric_attempt_2026-11-20__zip": zipped((MODULE, b"y = 1\n"))})

    students = read_roster(tmp_path).students

    assert [(one.student, one.path.name) for one in students] == [
        ("eve", "A2_roeric_attempt_2026-11-20.zip"),
        ("roeric", "a.zip"),
    ]


def test_results_inside_the_folder_of_zips_are_no_student(tmp_path):
    zips = hand_in(tmp_path / "zips", ann="x\n")

    for _ in range(2):
        graded = grade_class(zips, zips / "results", ORDER, job=fake)

    assert [record.student for record in graded.records] == ["ann"]
    assert graded.newly == 0


def test_zips_that_were_moved_are_the_same_class(tmp_path):
    zips = hand_in(tmp_path / "zips", ann="x\n")
    grade_class(zips, tmp_path / "out", ORDER, job=fake)
    zips.rename(tmp_path / "moved")

    for _ in range(2):
        assert grade_class(tmp_path / "moved", tmp_path / "out", ORDER, job=fake).newly == 0
    assert json.loads((tmp_path / "out" / "run.json").read_text())["zips"] == str(tmp_path / "moved")
    with pytest.raises(UsageError, match=r"another run .zips"):
        grade_class(hand_in(tmp_path / "more", zoe="x\n"), tmp_path / "out", ORDER, job=fake)


def test_a_student_who_was_renamed_has_one_line_under_the_new_name(tmp_path):
    zips = hand_in(tmp_path / "zips", **{"Jane Doe_4711_assignsubmission_file_a": "x\n", "ben": "x\n"})
    grade_class(zips, tmp_path / "out", ORDER, job=fake)
    (zips / "Jane Doe_4711_assignsubmission_file_a.zip").rename(zips / "Jane Roe_4711_assignsubmission_file_a.zip")

    grade_class(zips, tmp_path / "out", ORDER, job=fake)

    assert list(lines_of(tmp_path / "out")) == ["ben", "Jane Roe_4711"]


def test_a_folder_that_is_a_link_is_not_followed(tmp_path):
    place(tmp_path / "secret", saliency__py=b"SECRET = 1\n")
    place(tmp_path / "zips")
    (tmp_path / "zips" / "eve").symlink_to(tmp_path / "secret")
    place(tmp_path / "zips" / "fay")
    (tmp_path / "zips" / "fay" / "saliency.py").symlink_to(tmp_path / "secret" / "saliency.py")

    eve, fay = read_roster(tmp_path / "zips").students

    assert "is a link to a folder" in eve.problem
    assert "is a link or a device" in take_handed_in(fay).problems[MODULE]


def test_remarks_are_about_the_notebooks_of_the_parts_that_are_graded(tmp_path):
    names = [part.notebook_path.as_posix() for part in PARTS[:2]]
    (tmp_path / "ann.zip").write_bytes(zipped((MODULE, SALIENCY), *((name, packed("", name)) for name in names)))

    said = []
    for parts in (PARTS, PARTS[:1], PARTS[2:3]):
        attempt = Attempt(only(tmp_path))
        attempt.open(parts)
        said.append([remark for remark in attempt.remarks if "without an answer" in remark])

    assert [len(remarks) for remarks in said] == [2, 1, 0]
    assert said[1][0].startswith(names[0])
