"""setup.sh with Pythons, pip and disks that are small scripts: nothing is installed and nothing is downloaded."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = (
    "bash",
    "sh",
    "env",
    "uname",
    "dirname",
    "cat",
    "cksum",
    "sed",
    "grep",
    "awk",
    "df",
    "head",
    "tail",
    "tr",
    "mkdir",
    "chmod",
    "cp",
    "mv",
    "rm",
    "find",
    "readlink",
    "sleep",
    "touch",
    "ls",
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are POSIX scripts")

# Answers what setup.sh asks of a Python; writes every call, and what it would run, to $CALLS.
FAKE_PYTHON = """#!/bin/sh
printf '%s\\n' "$*" | head -n 1 >>"$CALLS"
if [ "$1" = -P ]; then shift; fi
case "$1 $2" in
    -c*ensurepip*) echo '{version}|{wrong}' ;;
    -c*platform*) echo '{version}' ;;
    '-m venv') mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && touch "$3/pyvenv.cfg" ;;
    '-m pip') [ "$3" = --version ] || sh -c "${{PIP_DOES:-true}}" ;;
    '-m coursekit' | '-m pytest') shift 1; printf '%s\\n' "runs=$*" "cwd=$PWD" "path=$PYTHONPATH" ;;
    '- '*) exec '{real}' "$@" ;;
esac
"""


class Edition:
    """An edition in a folder of its own, and the only PATH that its setup.sh sees."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs
        self.venv = folder / ".venv"
        self.calls_file = programs / "calls"
        self.calls_file.touch()
        path = f"{programs}:{programs.parent / 'tools'}"
        self.environment = {"PATH": path, "CALLS": str(self.calls_file), "HOME": str(programs)}

    def program(self, name: str, text: str) -> Path:
        path = self.programs / name
        path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def python(self, name: str, version: str, wrong: str = "") -> Path:
        return self.program(name, FAKE_PYTHON.format(version=version, wrong=wrong, real=sys.executable))

    def start(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.folder / "setup.sh"), *arguments],
            cwd=cwd or self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, cwd=cwd, **environment)
        out, err = process.communicate(timeout=15)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()

    def pip_calls(self) -> list[str]:
        return [call for call in self.calls() if call.startswith("-m pip install")]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "waited for 10 s in vain"
            time.sleep(0.02)


def copy_edition(folder: Path, programs: Path) -> Edition:
    (folder / "coursekit").mkdir(parents=True)
    (folder / "coursekit" / "parts.py").touch()
    (folder / "requirements.txt").write_text("torch>=2.6  # the first\ntorchvision\nnumpy\n")
    shutil.copy(REPOSITORY / "setup.sh", folder)
    return Edition(folder, programs)


@pytest.fixture
def bare(tmp_path: Path) -> Edition:
    """An edition on a machine without any Python, in a folder whose name needs quoting."""
    programs, tools = tmp_path / "programs", tmp_path / "tools"
    programs.mkdir()
    tools.mkdir()  # links to the machine's own programs, so apart from the folder that tests write into
    for tool in TOOLS:
        place = shutil.which(tool)
        assert place, f"these tests need {tool}"
        (tools / tool).symlink_to(place)
    return copy_edition(tmp_path / "the student's copy", programs)


@pytest.fixture
def edition(bare: Edition) -> Edition:
    """An edition on a machine with Python 3.12."""
    bare.python("python3.12", "3.12.1")
    return bare


def assert_one_line(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """The last line of stderr is the error, and the only one that setup.sh signs."""
    signed = [line for line in result.stderr.splitlines() if line.startswith("setup.sh: ")]
    assert result.returncode == 2
    assert signed == result.stderr.splitlines()[-1:]
    for word in words:
        assert word in signed[0]


# --- what a run does ---


def test_the_first_run_makes_the_environment_and_runs_the_command(edition: Edition) -> None:
    result = edition.run("grade", "1")

    assert result.returncode == 0
    assert result.stdout.splitlines()[0] == "runs=coursekit grade 1"
    assert f"path={edition.folder}" in result.stdout
    assert "Making the environment in .venv" in result.stderr
    assert (edition.venv / "a2-stamp").is_file()
    assert not (edition.venv / "setup.lock").exists()
    assert not (edition.venv / "tmp").exists()


def test_the_second_run_starts_no_python_but_the_commands(edition: Edition) -> None:
    edition.run()
    edition.calls_file.write_text("")

    started = time.monotonic()
    result = edition.run("grade")
    took = time.monotonic() - started

    assert edition.calls() == ["-P -m coursekit grade"]
    assert result.stderr == ""
    assert took < 2, "0.03 s on an idle machine"


def test_alone_it_says_what_comes_next(edition: Edition) -> None:
    result = edition.run()

    assert result.returncode == 0
    assert "source .venv/bin/activate" in result.stdout
    assert "a2 doctor" in result.stdout


def test_help_makes_no_environment(edition: Edition) -> None:
    result = edition.run("--help")

    assert "./setup.sh COMMAND" in result.stdout
    assert not edition.venv.exists()


def test_the_current_folder_stays_the_callers(edition: Edition, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    result = edition.run("classroom", "zips/of class", cwd=elsewhere)

    assert "runs=coursekit classroom zips/of class" in result.stdout
    assert f"cwd={elsewhere}" in result.stdout
    assert f"path={edition.folder}" in result.stdout


def test_python_310_gets_no_option_that_it_does_not_know(bare: Edition) -> None:
    bare.python("python3.10", "3.10.13")

    bare.run("grade")

    assert bare.calls()[-1] == "-m coursekit grade"
    assert " -P " not in (bare.venv / "bin" / "a2").read_text()


def test_tests_run_without_the_slow_ones_unless_asked(edition: Edition, tmp_path: Path) -> None:
    staff = edition.folder / "tests" / "staff"
    staff.mkdir(parents=True)
    (staff / "requirements.txt").write_text("ruff\n")

    usual = edition.run("test", "-x", cwd=tmp_path)
    slow = edition.run("test", "-m", "slow")

    assert "runs=pytest -m not slow -x" in usual.stdout
    assert f"cwd={edition.folder}" in usual.stdout
    assert "runs=pytest -m slow" in slow.stdout
    assert [call.split("/")[-2:] for call in edition.pip_calls()][-1] == ["staff", "requirements.txt"]
    assert len(edition.pip_calls()) == 2


def test_a_student_edition_needs_no_staff_requirements(edition: Edition) -> None:
    result = edition.run("test")

    assert "runs=pytest" in result.stdout
    assert len(edition.pip_calls()) == 1


def test_new_requirements_are_installed_into_the_environment_that_is_there(edition: Edition) -> None:
    edition.run()
    (edition.venv / "kept").touch()
    (edition.folder / "requirements.txt").write_text("numpy\nrich\n")

    result = edition.run("grade")

    assert result.returncode == 0
    assert "Installing what is missing" in result.stderr
    assert (edition.venv / "kept").exists()
    assert len(edition.pip_calls()) == 2


def test_an_environment_of_another_edition_is_used_as_it_is(edition: Edition, tmp_path: Path) -> None:
    edition.run()
    student = copy_edition(tmp_path / "student", edition.programs)
    student.venv.symlink_to(edition.venv)
    edition.calls_file.write_text("")

    result = student.run("grade")

    assert edition.calls() == ["-P -m coursekit grade"]
    assert f"path={student.folder}" in result.stdout


def test_a2_venv_names_another_folder(edition: Edition, tmp_path: Path) -> None:
    result = edition.run("grade", cwd=tmp_path, A2_VENV="shared/environment")

    assert result.returncode == 0
    assert (tmp_path / "shared" / "environment" / "a2-stamp").is_file()
    assert not edition.venv.exists()


def test_the_processor_build_is_taken_where_its_index_answers(edition: Edition) -> None:
    edition.program("uname", "echo Linux")
    edition.program("curl", "exit 0")

    edition.run()

    first, second = edition.pip_calls()
    assert "--index-url https://download.pytorch.org/whl/cpu" in first
    assert "--index-url" not in second


def test_pypis_build_is_taken_where_there_is_an_nvidia_gpu(edition: Edition) -> None:
    edition.program("uname", "echo Linux")
    edition.program("curl", "exit 0")
    edition.program("nvidia-smi", "echo 'GPU 0: NVIDIA'")

    edition.run()

    assert len(edition.pip_calls()) == 1
    assert "--index-url" not in edition.pip_calls()[0]


# --- a2 ---


def test_a2_runs_the_edition_round_the_current_folder(edition: Edition, tmp_path: Path) -> None:
    edition.run()
    other = tmp_path / "other"
    (other / "notebooks" / "deep").mkdir(parents=True)
    (other / "coursekit").mkdir()
    (other / "coursekit" / "parts.py").touch()

    def a2(cwd: Path) -> str:
        command = [str(edition.venv / "bin" / "a2"), "grade", "two words"]
        return subprocess.run(
            command, cwd=cwd, env=edition.environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    assert f"path={other}\n" in a2(other / "notebooks" / "deep")
    assert "runs=coursekit grade two words\n" in a2(other)
    assert f"path={edition.folder}\n" in a2(tmp_path)


def test_a_moved_folder_works_on(edition: Edition, tmp_path: Path) -> None:
    edition.run()
    script = Path("bin", "jupyter")
    (edition.venv / script).write_text(f"#!{edition.venv}/bin/python\nimport jupyter\n")
    (edition.venv / script).chmod(0o755)
    moved = Edition(edition.folder.rename(tmp_path / "moved here"), edition.programs)

    result = moved.run("grade")
    subprocess.run([moved.venv / script, "lab"], env=moved.environment, check=True)

    assert f"path={moved.folder}" in result.stdout
    assert str(edition.folder) not in (moved.venv / "bin" / "a2").read_text()
    assert moved.calls()[-1] == f"{moved.venv / script} lab"
    assert (moved.venv / script).read_text().endswith("import jupyter\n")


# --- what can be wrong ---


def test_no_python_at_all(bare: Edition) -> None:
    assert_one_line(bare.run("grade"), "no Python at all", "python.org", "PYTHON=")


def test_no_suitable_python_names_those_that_were_found(bare: Edition) -> None:
    bare.python("python3", "3.9.18", "not 3.10 to 3.14")
    bare.python("python", "2.7.18", "not 3.10 to 3.14")

    assert_one_line(bare.run("grade"), "python3 is 3.9.18", "python is 2.7.18", "3.10 to 3.14")


def test_a_shim_that_fails_is_passed_over(bare: Edition) -> None:
    bare.program("python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    bare.python("python3", "3.11.7")

    result = bare.run("grade")

    assert result.returncode == 0
    assert "pyenv" not in result.stderr


def test_a_python_that_was_asked_for_is_not_replaced_by_another(edition: Edition) -> None:
    old = edition.python("old", "3.8.18", "not 3.10 to 3.14")

    assert_one_line(edition.run("grade", PYTHON=str(old)), str(old), "3.8.18")
    assert_one_line(edition.run("grade", PYTHON="/no/such/python"), "/no/such/python")


def test_python_names_the_one_to_use(edition: Edition) -> None:
    chosen = edition.python("chosen", "3.14.0")

    edition.run("grade", PYTHON=str(chosen))

    assert "python 3.14.0" in (edition.venv / "a2-stamp").read_text()


def test_debian_without_venv_is_told_the_package(bare: Edition) -> None:
    bare.python("python3", "3.11.2", "no venv")

    assert_one_line(bare.run("grade"), "venv", "apt install python3.11-venv")


def test_no_network_is_said_in_one_line_and_the_next_run_repairs_it(edition: Edition) -> None:
    offline = "echo 'WARNING: Retrying after NewConnectionError: Failed to establish a new connection'; exit 1"

    result = edition.run("grade", PIP_DOES=offline)

    assert_one_line(result, "no network", str(edition.venv / "setup.log"))
    assert "NewConnectionError" in (edition.venv / "setup.log").read_text()
    assert not (edition.venv / "a2-stamp").exists()
    assert edition.run("grade").returncode == 0


def test_another_failure_of_pip_shows_its_last_error(edition: Edition) -> None:
    result = edition.run("grade", PIP_DOES="echo 'ERROR: No matching distribution found for torch>=99'; exit 1")

    assert_one_line(result, "No matching distribution found for torch>=99", "setup.log")


def test_little_disk_is_said_before_anything_is_installed(edition: Edition) -> None:
    edition.program("df", "echo Filesystem; echo '/dev/my disk 100 50 1048576 50% /a place'")

    assert_one_line(edition.run("grade"), "only 1024 MB are free")
    assert edition.pip_calls() == []


def test_a_disk_that_fills_up_is_named(edition: Edition) -> None:
    result = edition.run("grade", PIP_DOES="echo 'OSError: [Errno 28] No space left on device'; exit 1")

    assert_one_line(result, "the disk is full")


def test_a_folder_with_other_things_in_it_is_left_alone(edition: Edition, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years of work")

    assert_one_line(edition.run("grade", A2_VENV=str(precious)), str(precious), "A2_VENV")
    assert [path.name for path in precious.iterdir()] == ["thesis.tex"]


def test_an_environment_made_by_hand_is_completed_and_never_emptied(edition: Edition) -> None:
    (edition.venv / "bin").mkdir(parents=True)
    shutil.copy(edition.programs / "python3.12", edition.venv / "bin" / "python")
    (edition.venv / "pyvenv.cfg").touch()

    failed = edition.run("grade", PIP_DOES="exit 1")
    result = edition.run("grade")

    assert_one_line(failed, "pip failed")
    assert result.returncode == 0
    assert not any(call.startswith("-m venv") for call in edition.calls())


def test_an_environment_whose_python_was_removed_is_made_again(edition: Edition) -> None:
    edition.run()
    (edition.venv / "bin" / "python").unlink()

    assert edition.run("grade").returncode == 0


def test_a_link_to_nowhere_is_named(edition: Edition, tmp_path: Path) -> None:
    edition.venv.symlink_to(tmp_path / "gone")

    assert_one_line(edition.run("grade"), str(tmp_path / "gone"))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_install_is_made_from_nothing_by_the_next_run(edition: Edition, how: signal.Signals) -> None:
    half = edition.venv / "half"
    process = edition.start("grade", PIP_DOES=f"touch '{edition.programs}/half'; sleep 30")
    edition.wait_for((edition.programs / "half").exists)
    half.touch()

    if how == signal.SIGKILL:
        os.killpg(process.pid, how)
    else:
        process.send_signal(how)
    process.communicate(timeout=10)

    assert not (edition.venv / "a2-stamp").exists()
    result = edition.run("grade")
    assert result.returncode == 0
    assert "runs=coursekit grade" in result.stdout
    assert not half.exists()


def test_two_runs_at_once_install_once(edition: Edition) -> None:
    slow_pip = f"touch '{edition.programs}/busy'; sleep 1"
    first = edition.start("grade", PIP_DOES=slow_pip)
    edition.wait_for((edition.programs / "busy").exists)

    second = edition.run("doctor", PIP_DOES=slow_pip)
    first.communicate(timeout=10)

    assert first.returncode == second.returncode == 0
    assert "waiting" in second.stderr
    assert len(edition.pip_calls()) == 1


# --- .ci/run ---


@pytest.mark.parametrize(
    ("usual", "slow", "status"),
    [(0, 0, 0), (0, 5, 0), (0, 1, 1), (1, 0, 1), (5, 0, 5)],
)
def test_ci_fails_when_a_pass_fails(bare: Edition, usual: int, slow: int, status: int) -> None:
    (bare.folder / ".ci").mkdir()
    (bare.folder / "tests").mkdir()
    (bare.folder / "tests" / "test_it.py").write_text(
        "@pytest.mark." + "slow\n"
    )  # apart: .ci/run looks for it in this file too
    shutil.copy(REPOSITORY / ".ci" / "run", bare.folder / ".ci")
    (bare.folder / "setup.sh").write_text(f'#!/bin/sh\n[ "$2" != -m ] && exit {usual}\nexit {slow}\n')

    result = subprocess.run(["bash", ".ci/run"], cwd=bare.folder, env=bare.environment, check=False)

    assert result.returncode == status
