"""Full at home is full at the staff's, or `a2 submit` says what is lost and why."""

import json
import shutil
import zipfile

import pytest

from coursekit.grading import terminal, versions
from coursekit.grading.doctor import write_hashes
from coursekit.grading.rehearsal import rehearse
from coursekit.grading.results import Grade, Verdict
from coursekit.grading.submit import MANIFEST
from coursekit.grading.versions import newer_syntax, staff_python
from coursekit.parts import PARTS, ROOT
from coursekit.staff.classroom.job import Order, sum_up
from coursekit.staff.classroom.run import grade_class
from coursekit.staff.isolation import checks_of
from tests.staff.test_classroom import hand_in, lines_of
from tests.staff.test_submit import MODULE as TOY
from tests.staff.test_submit import PART, SOLVED, edition, submit  # noqa: F401 (a fixture)
from tests.staff.zips import MODULE, zipped

pytestmark = pytest.mark.usefixtures("warm_programs")
NAME = PARTS[0].module_path.as_posix()
LEANS = {  # function -> what it needs that is not handed in, and the sentence
    "receptive_field": ("import helper", "No module named 'helper'"),
    "top_patches": ("from assignment2 import helper", "cannot import name 'helper'"),
    "grad_cam": ("open('data/mine.txt')", "so the staff do not have it: 'data/mine.txt'"),
    "saliency_map": ("open({home!r} + '/data/mine.txt')", "this file is not handed in, so the staff do not have it"),
    "activation_gradient": ("open('data/sprites.png', 'rb')", "this file is not handed in"),
    "deconvnet_relu_gradient": ("import sortedcontainers", "'sortedcontainers': it is not in requirements.txt"),
}


def with_a_need(text, function, statement):
    head, name, tail = text.partition(f"def {function}(")
    signature, docstring, rest = tail.partition('"""')
    return head + name + signature + docstring + rest.replace('"""', f'"""\n    {statement}', 1)


@pytest.mark.timeout(300)
def test_what_works_at_home_alone_is_named_with_its_cause(small_edition):
    root = small_edition.root
    shutil.copyfile(ROOT / "requirements.txt", root / "requirements.txt")
    write_hashes(root)
    (root / "data" / "mine.txt").write_text("1")
    (root / "helper.py").write_text("x = 1\n")
    (root / "assignment2" / "helper.py").write_text("x = 1\n")
    text = small_edition.solution
    for function, (statement, _) in LEANS.items():
        text = with_a_need(text, function, statement.format(home=str(root)))
    small_edition.save(text)
    with zipfile.ZipFile(root / "submission.zip", "w") as archive:
        archive.write(root / NAME, NAME)

    alone = rehearse(root / "submission.zip", root, parts=PARTS[:1])

    told = {function: "\n".join(v.message for v in alone.lost if v.check.function == function) for function in LEANS}
    for function, (_, sentence) in LEANS.items():
        assert sentence in told[function], told
    assert alone.score < alone.max_score
    assert "would be LOST when the staff grade this zip" in alone.lines()[1]


@pytest.mark.timeout(300)
def test_the_solution_loses_nothing(tmp_path):
    with zipfile.ZipFile(tmp_path / "submission.zip", "w") as archive:
        archive.write(ROOT / NAME, NAME)

    alone = rehearse(tmp_path / "submission.zip", parts=PARTS[:1])

    assert alone.score == alone.max_score > 0
    assert alone.lines() == [f"graded from the zip alone: {alone.score:g} of {alone.score:g} points"]


def test_a_package_beyond_the_requirements_is_refused_where_it_is_imported(edition):  # noqa: F811
    (edition / TOY).write_text(f"import sklearn\n\n{SOLVED}")

    with pytest.raises(
        Exception, match=r"toy.py, line 1: .*'sklearn': it is not in requirements.txt.*; write the code without it"
    ):
        submit(edition, parts=(PART,))


def test_the_manifest_names_python_and_packages(edition):  # noqa: F811
    (edition / "requirements.txt").write_text("numpy>=1.26  # arrays\nno-such-package\n")

    made = submit(edition, parts=(PART,))

    with zipfile.ZipFile(made.path) as archive:
        manifest = json.loads(archive.read(MANIFEST))
    assert manifest["python"].startswith("3.")
    assert manifest["packages"]["numpy"][0].isdigit()
    assert manifest["packages"]["no-such-package"] == "missing"


def test_syntax_that_is_newer_than_the_staffs_python_is_named(edition, capsys):  # noqa: F811
    (edition / "coursekit").mkdir()
    (edition / "coursekit" / "constraints.txt").write_text("# Python 3.10\nnumpy==2\n")
    (edition / TOY).write_text(f"{SOLVED}\n\ndef h():\n    try:\n        pass\n    except* ValueError:\n        pass\n")

    made = submit(edition, parts=(PART,))

    assert staff_python(edition) == (3, 10)
    (told,) = made.newer
    assert told.startswith(f"{TOY}, line 1")
    assert "the staff's Python 3.10 does not" in told
    terminal.print_submission(made, 0, 1, made.newer)
    assert told.split(":")[0] in " ".join(capsys.readouterr().out.split())
    assert newer_syntax(TOY, SOLVED.encode(), edition) == ""
    assert newer_syntax(TOY, b"type X = int\n", ROOT) == "" or versions.sys.version_info >= (3, 12)
    assert staff_python(ROOT) == (3, 11)


def test_the_gradebook_names_the_cause(tmp_path):
    checks = checks_of(PARTS[:1])

    def job(work, order):
        messages = {0: ("failed", "ModuleNotFoundError: No module named 'helper'\n  at line 3"), 1: ("failed", "wrong")}
        found = [Verdict(c, *messages.get(i, ("passed", ""))) for i, c in enumerate(checks)]
        if b"type X" in work.files[MODULE]:
            found = [Verdict(c, "not loaded", f"{MODULE}, line 1: invalid syntax <b>=1") for c in checks]
        return sum_up(Grade(tuple(found), 1.0), "a fake")

    manifest = json.dumps({"files": {}, "python": "3.13.1"}).encode()
    zips = hand_in(
        tmp_path / "zips", ann="import helper\n", eve=zipped((MODULE, b"type X = int\n"), (MANIFEST, manifest))
    )
    grade_class(zips, tmp_path / "out", Order(parts=(1,), hidden=False), job=job)

    rows = lines_of(tmp_path / "out")
    assert rows["ann"]["remarks"] == "1 checks lost: ModuleNotFoundError: No module named 'helper'"
    assert rows["eve"]["remarks"].startswith(f"{MODULE} could not be imported: {MODULE}, line 1: invalid syntax <b>=1")
    assert "made with Python 3.13, graded with 3." in rows["eve"]["remarks"]
    assert "<b>" not in (tmp_path / "out" / "class.html").read_text()
