"""The bundle for Gradescope: what is in it and what is not, and what it writes, in a root like Gradescope's."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from coursekit.cli import main
from coursekit.errors import UsageError
from coursekit.grading.results import Grade, Verdict
from coursekit.parts import PARTS, ROOT
from coursekit.staff import gradescope
from coursekit.staff.classroom.job import sum_up
from coursekit.staff.gradescope.autograde import NotGraded, autograde
from coursekit.staff.gradescope.bundle import pack
from coursekit.staff.isolation import checks_of
from tests.staff.zips import MODULE, solution, zipped

SCHEMA = json.loads((Path(gradescope.__file__).parent / "results.schema.json").read_text())
ALL = checks_of(hidden=True)


def fake(work, order):
    return sum_up(Grade(tuple(Verdict(c, "passed") for c in checks_of(order.chosen, hidden=True)), 0.5), "a fake")


def valid(root):
    import jsonschema  # takes a second, in all processes that collect the tests

    results = json.loads((root / "results" / "results.json").read_text())
    jsonschema.validate(results, SCHEMA)
    return results


@pytest.fixture
def root(tmp_path):
    (tmp_path / "submission").mkdir()
    return tmp_path


def test_the_bundle_has_what_grading_needs_and_no_solution(tmp_path, capsys):
    bundle = tmp_path / "autograder.zip"

    assert main(["gradescope", str(bundle), "--parts", "1", "3"]) == 0

    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        executable = {i.filename for i in archive.infolist() if i.external_attr >> 16 & 0o100}
        texts = {n: archive.read(n) for n in names if n.endswith((".py", ".sh"))}
        settings = json.loads(archive.read("edition/gradescope.json"))
    assert settings["parts"] == [1, 3]
    assert set(settings["hashes"]) == {n.removeprefix("edition/") for n in names if n.startswith("edition/")} - {
        "gradescope.json"
    }
    assert executable == {"setup.sh", "run_autograder", "edition/setup.sh"}
    for needed in (
        "tests/manifest.json",
        "tests/hidden/manifest.json",
        "data/reference/saliency.npz",
        "coursekit/staff/isolation.py",
    ):
        assert f"edition/{needed}" in names
    assert not [n for n in names if n.startswith("edition/assignment2/") and n != "edition/assignment2/__init__.py"]
    assert not [n for n in names if "/staff/exercises/" in n or ".venv" in n or "tests/staff" in n]
    assert not [n for n, text in texts.items() if b"def saliency_map" in text]
    told = capsys.readouterr().out
    assert "parts 1, 3" in told
    assert f"Autograder Points: {sum(c.points for c in checks_of((PARTS[0], PARTS[2]), hidden=True)):g} " in told


def test_the_bundle_is_the_same_each_time_and_bad_names_are_refused(tmp_path):
    pack(tmp_path / "a.zip")
    pack(tmp_path / "b.zip")

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    for destination, sentence in [
        ("a.zip", "is there already"),
        ("a.tar", "is not a name for a zip"),
        ("x/a.zip", "is not a folder"),
    ]:
        with pytest.raises(UsageError, match=sentence):
            pack(tmp_path / destination)


def test_results_satisfy_the_schema_and_hidden_checks_stay_hidden(root):
    (root / "submission" / "saliency.py").write_bytes(solution())

    autograde(root, fake)

    results = valid(root)
    assert len(results["tests"]) == len(ALL)
    assert results["score"] == sum(c.points for c in ALL)
    shown = {test["extra_data"]["id"] for test in results["tests"] if test["visibility"] == "visible"}
    assert shown == {c.id for c in ALL if not c.id.startswith("tests/hidden/")}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.txt", b"", "Your submission holds none of the modules"),
        ("a.zip", b"PK", "Your submission is a damaged or truncated zip"),
        ("a.zip", zipped(("b.txt", b"")), "Your submission holds none of the modules"),
    ],
)
def test_a_submission_with_nothing_to_grade_gets_zero_and_the_reason(root, name, content, sentence):
    (root / "submission" / name).write_bytes(content)

    autograde(root, fake)

    results = valid(root)
    assert results["score"] == 0
    assert sentence in results["output"]
    assert len(results["tests"]) == len(ALL)


@pytest.mark.parametrize("error", [UsageError("no sandbox here"), RuntimeError("out of memory")])
def test_a_grader_that_fails_says_so_and_blames_nobody(root, error):
    (root / "submission" / "saliency.py").write_bytes(solution())

    def broken(work, order):
        raise error

    with pytest.raises(NotGraded, match=f"not graded, for no fault of the submission: .*{error}"):
        autograde(root, broken)
    assert not (root / "results" / "results.json").exists(), "a score of 0 with an apology would still be a score"


@pytest.fixture
def autograder():
    """A root like Gradescope's, which every user may enter, with the bundle for part 1 and a solved part 1."""
    place = Path(tempfile.mkdtemp(prefix="a2-autograder-"))
    place.chmod(0o755)
    pack(place / "bundle.zip", [1])
    with zipfile.ZipFile(place / "bundle.zip") as archive:
        archive.extractall(place / "source")
    (place / "submission").mkdir()
    (place / "submission" / "saliency.py").write_bytes(solution(MODULE))
    yield place
    shutil.rmtree(place)


def run(place, path=os.environ["PATH"], **options):
    environment = {"A2_AUTOGRADER": str(place), "A2_VENV": sys.prefix, "PATH": path, "HOME": "/tmp"}
    return subprocess.run(
        [shutil.which("bash"), str(place / "source" / "run_autograder")], cwd=place, env=environment, capture_output=True, text=True,
        timeout=500, check=False, **options,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_run_autograder_as_it_is_called_there(autograder):
    done = run(autograder)

    assert done.returncode == 0, done.stderr
    results = valid(autograder)
    wanted = checks_of(PARTS[:1], hidden=True)
    assert results["score"] == sum(c.points for c in wanted), [t for t in results["tests"] if t["status"] != "passed"][
        :2
    ]
    assert "sandbox: " in results["output"]
    if os.geteuid() == 0:
        assert (autograder / "source" / "edition" / "tests").stat().st_mode & 0o077 == 0


def skip_if_closed(user):
    done = subprocess.run(["test", "-x", sys.executable], user=user, group=user, extra_groups=[], check=False)
    if done.returncode:
        pytest.skip(f"another user may not run {sys.executable}")


SPY = """
import os

def tried(name):
    try:
        return f"{name}: read {len(os.listdir(name) if os.path.isdir(name) else open(name, 'rb').read())}"
    except Exception as error:
        return f"{name}: {type(error).__name__}"

raise ValueError("; ".join(map(tried, NAMES)) + f"; user {os.getuid()}")
"""
CLOSED = (
    "source/edition/tests/hidden",
    "source/edition/data/reference",
    "results/results.json",
    "submission/saliency.py",
)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_where_namespaces_are_forbidden_root_gives_student_code_a_user_without_rights(autograder):
    skip_if_closed(2_000_000_000)
    tools = autograder / "bin"  # a path without bubblewrap
    tools.mkdir()
    for name in ("bash", "chmod"):
        (tools / name).symlink_to(shutil.which(name))
    names = [str(autograder / name) for name in CLOSED] + ["/etc/shadow", f"/proc/{os.getpid()}/environ"]
    spy = SPY.replace("NAMES", repr(names))

    run(autograder, path=str(tools))
    whole = valid(autograder)
    (autograder / "submission" / "saliency.py").write_text(spy)
    run(autograder, path=str(tools))

    assert "sandbox: bare process with limits" in whole["output"]
    assert whole["score"] == sum(c.points for c in checks_of(PARTS[:1], hidden=True))
    results = valid(autograder)
    assert results["score"] == 0
    told = results["tests"][0]["output"]
    assert told.count("PermissionError") == len(names), told
    assert "user 2000000000" in told


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_run_autograder_as_an_ordinary_user(autograder):
    user = pwd.getpwnam("nobody").pw_uid
    skip_if_closed(user)
    for path in [autograder, *autograder.rglob("*")]:
        os.chown(path, user, user)

    done = run(autograder, user=user, group=user, extra_groups=[])

    if done.returncode:
        assert "student code would run without a sandbox" in done.stdout, done.stderr
    else:
        assert valid(autograder)["score"] == sum(c.points for c in checks_of(PARTS[:1], hidden=True))


def test_the_scripts_are_shell_that_parses():
    for name in ("setup.sh", "run_autograder"):
        path = ROOT / "coursekit" / "staff" / "gradescope" / name
        assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
        assert os.access(path, os.X_OK)
