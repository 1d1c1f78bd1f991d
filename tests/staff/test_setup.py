"""setup.sh with Pythons, pip and disks that are small scripts: nothing is installed and nothing is downloaded."""

from __future__ import annotations

import argparse
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coursekit.cli import build_parser

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "sh", "env", "dirname", "cat", "cksum", "sed", "grep", "df", "cut", "head", "tail", "tr", "mkdir", "chmod", "cp", "mv",
         "rm", "find", "sleep", "touch", "true", "ls")  # fmt: skip

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are POSIX scripts")

# Answers what setup.sh asks of a Python; writes every call, and what it would run, to $CALLS.
FAKE_PYTHON = """#!/bin/sh
printf '%s\\n' "$*" | head -n 1 >>"$CALLS"
if [ "$1" = -P ]; then shift; fi
case "$1 $2" in
    -c*ensurepip*) if [ -n '{wrong}' ]; then echo '{wrong}' >&2; exit 1; fi; printf %s "$0" ;;
    -c*platform*) echo '{version}' ;;
    '-m venv') mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && touch "$3/pyvenv.cfg" ;;
    '-m pip') exec sh -c "${{PIP_DOES:-true}}" ;;
    '-m coursekit' | '-m pytest') shift 1; printf '%s\\n' "runs=$*" "cwd=$PWD" "path=$PYTHONPATH" ;;
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
        return self.program(name, FAKE_PYTHON.format(version=version, wrong=wrong))

    def start(
        self, *arguments: str, cwd: Path | None = None, stderr: int = subprocess.PIPE, **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.folder / "setup.sh"), *arguments],
            cwd=cwd or self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
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
    (folder / "coursekit" / "constraints.txt").write_text("# Python 3.12\n# Made here.\ntorch==2.6.0\n")
    (folder / "requirements.txt").write_text("torch>=2.6  # the first\ntorchvision\nnumpy\n")
    shutil.copy(REPOSITORY / "setup.sh", folder)
    return Edition(folder, programs)


@pytest.fixture
def bare(tmp_path: Path) -> Edition:
    """An edition on a machine without any Python, in a folder whose name needs quoting."""
    programs, tools = tmp_path / "programs", tmp_path / "tools"
    programs.mkdir()
    tools.mkdir()  # links to the machine's own programs, so apart from the folder that tests write into
    for tool in (*TOOLS, "flock"):
        place = shutil.which(tool)
        assert place or tool == "flock", f"these tests need {tool}"
        if place:
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
    assert f"Making the environment in {edition.venv}" in result.stderr
    assert sorted(path.name for path in edition.venv.iterdir()) == ["a2-stamp", "bin", "pyvenv.cfg", "setup.log"]


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
    assert f"source '{edition.venv}/bin/activate'" in result.stdout
    assert "a2 doctor" in result.stdout


def test_help_lists_every_command_and_makes_no_environment(edition: Edition) -> None:
    (commands,) = (a.choices for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))

    result = edition.run("--help")

    students, staffs = result.stdout.partition("Commands:\n")[2].split("For staff: ")
    explained = set(re.findall(r"^  ([a-z]+)\b.* {2,}\S", students, re.MULTILINE))
    staff = set(re.findall(r"[a-z-]+", staffs.partition(".")[0]))
    assert explained | staff == set(commands)
    assert explained.isdisjoint(staff)
    assert all(f"  {variable}=" in result.stdout for variable in ("PYTHON", "A2_VENV", "A2_LATEST"))
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


def test_tests_run_without_the_slow_ones_unless_asked(edition: Edition, tmp_path: Path) -> None:
    usual = edition.run("test", "-x", cwd=tmp_path)
    slow = edition.run("test", "-m", "slow")

    assert "runs=pytest -rfEs -m not slow -x" in usual.stdout
    assert f"cwd={edition.folder}" in usual.stdout
    assert "runs=pytest -rfEs -m slow" in slow.stdout


def test_the_staff_edition_adds_its_own_packages_and_those_of_its_tests_when_they_are_run(edition: Edition) -> None:
    for folder in ("coursekit/staff", "tests/staff"):
        (edition.folder / folder).mkdir(parents=True)
        (edition.folder / folder / "requirements.txt").write_text(f"{folder[:4]}\n")

    edition.run("grade")
    edition.run("test")
    edition.run("grade")

    installed = [re.findall(r"copy/(\S*)requirements.txt", call) for call in edition.pip_calls()]
    assert installed == [["", "coursekit/staff/"], ["", "coursekit/staff/", "tests/staff/"]]


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
    edition.program("curl", "exit 0")

    edition.run()

    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in edition.pip_calls()[0]


def test_pypis_build_is_taken_where_there_is_an_nvidia_gpu(edition: Edition) -> None:
    edition.program("curl", "exit 0")
    edition.program("nvidia-smi", "echo 'GPU 0: NVIDIA'")

    edition.run()

    assert "index-url" not in edition.pip_calls()[0]


def test_the_tested_versions_are_installed_on_the_python_that_they_were_tested_with(bare: Edition) -> None:
    bare.python("python3.13", "3.13.0")
    bare.python("python3.12", "3.12.1")

    tested = bare.run("grade")

    assert f"-c {bare.folder}/coursekit/constraints.txt" in bare.pip_calls()[0]
    assert "newest" not in tested.stderr


def test_another_python_and_a2_latest_get_the_newest_versions_and_are_told(bare: Edition, tmp_path: Path) -> None:
    bare.python("python3.13", "3.13.0")
    bare.python("python3.12", "3.12.1")

    other = bare.run("grade", PYTHON="python3.13", A2_VENV=str(tmp_path / "other"))
    latest = bare.run("grade", A2_LATEST="1")

    assert not [call for call in bare.pip_calls() if "constraints.txt" in call]
    (told,) = [line for line in other.stderr.splitlines() if "newest" in line]
    assert "Python 3.13.0" in told
    assert "Python 3.12" in told
    assert "newest" in latest.stderr


def test_other_tested_versions_are_installed_into_the_environment_that_is_there(edition: Edition) -> None:
    edition.run()
    (edition.folder / "coursekit" / "constraints.txt").write_text("# Python 3.12\ntorch==2.7.0\n")

    edition.run("grade")
    edition.run("grade")

    assert len(edition.pip_calls()) == 2


def test_a_terminal_shows_what_is_being_installed(edition: Edition) -> None:
    pip = "echo 'Collecting numpy'; echo '  Downloading torch-2.6.0.whl (766.7 MB)'; sleep 1.5"
    terminal, end = pty.openpty()

    process = edition.start("grade", PIP_DOES=pip, stderr=end)
    process.communicate(timeout=15)

    assert re.search(r"\d:\d\d  Downloading torch-2.6.0.whl \(766.7 MB\)", os.read(terminal, 9999).decode())


# --- a2 ---


def test_a2_runs_the_edition_round_the_current_folder(edition: Edition, tmp_path: Path) -> None:
    edition.run()
    other = tmp_path / "other"
    (other / "notebooks" / "deep").mkdir(parents=True)
    shutil.copytree(edition.folder / "coursekit", other / "coursekit")
    for name in ("setup.sh", "requirements.txt"):
        shutil.copy(edition.folder / name, other)

    def a2(cwd: Path) -> str:
        command = [str(edition.venv / "bin" / "a2"), "grade", "two words"]
        return subprocess.run(
            command, cwd=cwd, env=edition.environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    assert f"path={other}\n" in a2(other / "notebooks" / "deep")
    assert "runs=coursekit grade two words\n" in a2(other)
    assert f"path={edition.folder}\n" in a2(tmp_path)
    assert len(edition.pip_calls()) == 1


def test_a_moved_environment_is_made_again(edition: Edition, tmp_path: Path) -> None:
    edition.run()
    moved = Edition(edition.folder.rename(tmp_path / "moved here"), edition.programs)

    result = moved.run("grade")

    assert f"path={moved.folder}" in result.stdout
    assert str(edition.folder) not in (moved.venv / "bin" / "a2").read_text()
    assert len(moved.pip_calls()) == 2


# --- what can be wrong ---


def test_no_python_at_all(bare: Edition) -> None:
    assert_one_line(bare.run("grade"), "none that runs", "python.org", "PYTHON=")


def test_no_suitable_python_names_those_that_were_found(bare: Edition) -> None:
    bare.python("python3", "3.9.18", "3.9.18")
    bare.python("python", "2.7.18", "2.7.18")

    assert_one_line(bare.run("grade"), "python3 is 3.9.18", "python is 2.7.18", "3.10 to 3.14")


def test_a_shim_that_fails_is_passed_over(bare: Edition) -> None:
    bare.program("python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    bare.python("python3", "3.11.7")

    result = bare.run("grade")

    assert result.returncode == 0
    assert "pyenv" not in result.stderr


def test_a_python_that_was_asked_for_is_not_replaced_by_another(edition: Edition) -> None:
    old = edition.python("old", "3.8.18", "3.8.18")

    assert_one_line(edition.run("grade", PYTHON=str(old)), str(old), "3.8.18")
    assert_one_line(edition.run("grade", PYTHON="/no/such/python"), "/no/such/python")


def test_python_names_the_one_to_use(edition: Edition) -> None:
    chosen = edition.python("chosen", "3.14.0")

    edition.run("grade", PYTHON=str(chosen))

    assert "python 3.14.0" in (edition.venv / "a2-stamp").read_text()


def test_debian_without_venv_is_told_the_package(bare: Edition) -> None:
    """By the probe itself, in a Python that has no ensurepip."""
    probe = re.search(r"^PROBE='(.*?)'$", (REPOSITORY / "setup.sh").read_text(), re.DOTALL | re.MULTILINE)
    assert probe
    without = f"import sys; sys.modules['ensurepip'] = None\n{probe[1]}"
    said = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=False).stderr
    bare.python("python3", "3.11.2", said.strip())

    assert_one_line(bare.run("grade"), "venv", f"apt install python3.{sys.version_info[1]}-venv")


def test_no_network_is_said_in_one_line_and_the_next_run_repairs_it(edition: Edition) -> None:
    offline = "echo 'WARNING: Retrying after NewConnectionError: Failed to establish a new connection'; exit 1"

    result = edition.run("grade", PIP_DOES=offline)

    assert_one_line(result, "no network", str(edition.venv / "setup.log"))
    assert "NewConnectionError" in (edition.venv / "setup.log").read_text()
    assert not (edition.venv / "a2-stamp").exists()
    assert edition.run("grade").returncode == 0


def test_another_failure_of_pip_shows_its_last_error(edition: Edition) -> None:
    result = edition.run("grade", PIP_DOES="echo 'ERROR: No matching distribution found for torch>=99'; exit 1")

    assert_one_line(result, "No matching distribution found for torch>=99", "A2_LATEST=1", "setup.log")


def test_where_no_newer_pip_can_be_had_the_old_one_installs(edition: Edition) -> None:
    tried = f"'{edition.programs}/tried'"

    result = edition.run("grade", PIP_DOES=f"[ -e {tried} ] || {{ touch {tried}; exit 1; }}")

    assert result.returncode == 0, result.stderr
    assert [("pip>=26" in call, "requirements.txt" in call) for call in edition.calls() if " pip " in call] == [
        (True, False),
        (False, True),
    ]


def test_a_failure_before_anything_is_unpacked_leaves_the_environment_as_it_was(edition: Edition) -> None:
    edition.run()
    (edition.venv / "kept").touch()
    before = (edition.folder / "requirements.txt").read_text()
    (edition.folder / "requirements.txt").write_text("no-such-package\n")

    failed = edition.run("grade", PIP_DOES="echo 'ERROR: No matching distribution'; exit 1")
    (edition.folder / "requirements.txt").write_text(before)
    result = edition.run("grade")

    assert_one_line(failed, "pip failed")
    assert result.stderr == ""
    assert (edition.venv / "kept").exists()


def test_a_failure_while_unpacking_makes_the_next_run_start_from_nothing(edition: Edition) -> None:
    edition.run()
    (edition.venv / "half").touch()
    (edition.folder / "requirements.txt").write_text("other\n")

    edition.run("grade", PIP_DOES="echo 'Installing collected packages: other'; exit 1")
    result = edition.run("grade")

    assert result.returncode == 0
    assert not (edition.venv / "half").exists()


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


def test_an_environment_whose_python_was_removed_is_made_again(edition: Edition) -> None:
    edition.run()
    (edition.venv / "bin" / "python").unlink()

    assert edition.run("grade").returncode == 0


def test_a_link_to_nowhere_is_named(edition: Edition, tmp_path: Path) -> None:
    edition.venv.symlink_to(tmp_path / "gone")

    assert_one_line(edition.run("grade"), f"cannot write to {edition.venv}")


def test_an_interrupted_install_is_made_from_nothing_by_the_next_run(edition: Edition) -> None:
    half = edition.venv / "half"
    process = edition.start("grade", PIP_DOES=f"touch '{edition.programs}/half'; sleep 30")
    edition.wait_for((edition.programs / "half").exists)
    half.touch()

    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)

    assert not (edition.venv / "a2-stamp").exists()
    result = edition.run("grade")
    assert result.returncode == 0
    assert "runs=coursekit grade" in result.stdout
    assert not half.exists()


@pytest.mark.skipif(not shutil.which("flock"), reason="without flock nothing is locked")
def test_two_runs_at_once_install_once(edition: Edition) -> None:
    slow_pip = f"touch '{edition.programs}/busy'; sleep 1"
    first = edition.start("grade", PIP_DOES=slow_pip)
    edition.wait_for((edition.programs / "busy").exists)

    second = edition.run("doctor", PIP_DOES=slow_pip)
    first.communicate(timeout=10)

    assert first.returncode == second.returncode == 0
    assert "waiting" in second.stderr
    assert len(edition.pip_calls()) == 1


@pytest.mark.skipif(not shutil.which("flock"), reason="without flock nothing is locked")
def test_without_setpriv_a_killed_setups_pip_is_waited_for(edition: Edition) -> None:
    process = edition.start(
        "grade", PIP_DOES=f"touch '{edition.programs}/busy'; sleep 1; touch '{edition.programs}/ended'"
    )
    edition.wait_for((edition.programs / "busy").exists)

    process.kill()
    process.wait()
    result = edition.run("grade", PIP_DOES=f"ls '{edition.programs}/ended'")
    process.communicate(timeout=10)

    assert result.returncode == 0
    assert "waiting" in result.stderr


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is of Linux")
def test_pip_dies_with_a_killed_setup_where_setpriv_is(edition: Edition) -> None:
    (edition.programs / "setpriv").symlink_to(str(shutil.which("setpriv")))
    process = edition.start("grade", PIP_DOES=f"touch '{edition.programs}/busy'; exec sleep 30")
    edition.wait_for((edition.programs / "busy").exists)

    process.kill()
    process.wait()
    result = edition.run("grade")
    process.communicate(timeout=10)

    assert result.returncode == 0
    assert "waiting" not in result.stderr


# --- .ci/run ---


@pytest.mark.parametrize("status", [0, 1, 5])
def test_ci_runs_every_test_and_ends_as_they_end(bare: Edition, status: int) -> None:
    (bare.folder / ".ci").mkdir()
    shutil.copy(REPOSITORY / ".ci" / "run", bare.folder / ".ci")
    (bare.folder / "setup.sh").write_text(f'#!/bin/sh\necho "$@"\nexit {status}\n')

    result = subprocess.run(
        ["bash", ".ci/run"], cwd=bare.folder, env=bare.environment, capture_output=True, text=True, check=False
    )

    assert result.returncode == status
    assert result.stdout.startswith("test ")
    assert "-m slow or not slow" in result.stdout
