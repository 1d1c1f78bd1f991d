"""The doctor on a healthy machine, and on machines where one thing is wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from coursekit.grading import doctor
from coursekit.grading.doctor import Finding, examine, read_hashes, write_hashes
from coursekit.parts import ROOT


@pytest.fixture
def edition(tmp_path: Path) -> Path:
    """A folder with two data files as they were shipped."""
    (tmp_path / "data" / "reference").mkdir(parents=True)
    (tmp_path / "data" / "sprites.png").write_bytes(b"\x89PNG")
    (tmp_path / "data" / "reference" / "saliency.npz").write_bytes(b"PK")
    (tmp_path / "requirements.txt").write_text("# what is needed\n\ntorch>=2.6  # autograd\npytest>=8\n")
    write_hashes(tmp_path)
    return tmp_path


def find(name: str, findings: tuple[Finding, ...]) -> Finding:
    (finding,) = [finding for finding in findings if finding.name == name]
    return finding


def assert_wrong(finding: Finding, *words: str) -> None:
    assert not finding.ok
    assert finding.remedy
    for word in words:
        assert word in finding.value


def test_a_healthy_machine_needs_nothing(edition: Path) -> None:
    findings = examine(edition)

    names = ["Python", "torch", "threads", "device", "packages", "data", "Jupyter kernel", "disk", "folder"]
    assert [finding.name for finding in findings] == names
    assert [finding for finding in findings if not finding.ok and finding.name != "threads"] == []
    assert all(finding.value and (not finding.remedy) == finding.ok for finding in findings)


def test_a_python_that_is_too_old_is_named(edition: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))

    assert_wrong(doctor._python(), "3.9.18")


@pytest.mark.parametrize(
    ("module", "statement", "sentence"),
    [
        ("torch", "raise OSError('libcudart.so.13: cannot open shared object file')", "libcudart.so.13"),
        ("torchvision", "raise RuntimeError('operator torchvision::nms does not exist')", "nms does not exist"),
    ],
)
def test_a_torch_that_does_not_load_is_a_finding_like_others(
    module: str, statement: str, sentence: str, edition: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = edition / "broken"
    broken.mkdir()
    (broken / f"{module}.py").write_text(statement)
    monkeypatch.syspath_prepend(str(broken))
    monkeypatch.delitem(sys.modules, module, raising=False)

    findings = examine(edition)

    assert_wrong(find("torch", findings), sentence)
    assert ".venv" in find("torch", findings).remedy
    assert "device" not in [finding.name for finding in findings]
    assert find("data", findings).ok


def test_the_doctor_itself_needs_no_package(edition: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path;"
        "from coursekit.grading.doctor import examine;"
        "print(*[f.name for f in examine(Path(sys.argv[2])) if not f.ok], sep=',')"
    )

    # -S: without site-packages, as when nothing was installed
    command = [sys.executable, "-S", "-c", program, str(ROOT), str(edition)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "torch,packages,Jupyter kernel"


def test_one_thread_on_many_cores_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch = SimpleNamespace(get_num_threads=lambda: 1)

    finding = doctor._threads(torch)  # type: ignore[arg-type]

    assert_wrong(finding, "1 for 4 cores")
    assert "unset OMP_NUM_THREADS" in finding.remedy


def test_a_gpu_that_fails_is_named() -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no kernel image is available")

    cuda = SimpleNamespace(is_available=lambda: True, get_device_name=lambda: "Tesla K80")

    finding = doctor._device(SimpleNamespace(cuda=cuda, ones=fails))  # type: ignore[arg-type]

    assert_wrong(finding, "Tesla K80", "no kernel image")


def test_missing_and_old_packages_are_named(edition: Path) -> None:
    (edition / "requirements.txt").write_text("pytest>=99\nno-such-package-here\n")

    assert_wrong(doctor._packages(edition), "pytest is", ">=99", "no-such-package-here is missing")


def test_a_changed_data_file_is_named(edition: Path) -> None:
    (edition / "data" / "sprites.png").write_bytes(b"painted over")

    assert_wrong(doctor._data(edition), "data/sprites.png has changed")


def test_a_missing_data_file_is_named(edition: Path) -> None:
    (edition / "data" / "reference" / "saliency.npz").unlink()

    assert_wrong(doctor._data(edition), "data/reference/saliency.npz is missing")


def test_many_wrong_files_are_counted(edition: Path) -> None:
    shutil.rmtree(edition / "data")
    (edition / "data").mkdir()
    lines = "".join(f"{'0' * 64}  data/{number}\n" for number in range(9))
    (edition / "data" / "SHA256SUMS").write_text(lines)

    assert_wrong(doctor._data(edition), "and 6 more")


@pytest.mark.parametrize("text", ["not a hash\n", f"{'0' * 64}  ../outside\n", f"{'0' * 64}  /etc/passwd\n"])
def test_a_list_of_hashes_that_is_none_is_said(text: str, edition: Path) -> None:
    (edition / "data" / "SHA256SUMS").write_text(text)

    assert_wrong(doctor._data(edition), "line 1")


def test_without_the_list_of_hashes_nothing_is_certain(edition: Path) -> None:
    (edition / "data" / "SHA256SUMS").unlink()

    assert_wrong(doctor._data(edition), "data/SHA256SUMS is missing")


def test_hashes_are_the_same_each_time_and_leave_themselves_out(edition: Path) -> None:
    first = (edition / "data" / "SHA256SUMS").read_bytes()
    (edition / "data" / ".DS_Store").touch()

    write_hashes(edition)

    assert (edition / "data" / "SHA256SUMS").read_bytes() == first
    assert list(read_hashes(edition)) == ["data/reference/saliency.npz", "data/sprites.png"]


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum")
def test_sha256sum_reads_the_hashes(edition: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", "data/SHA256SUMS"], cwd=edition, check=True)


@pytest.mark.parametrize(
    ("program", "ok"), [("/opt/other/bin/python", False), (sys.executable, True), ("python3", True)]
)
def test_the_kernel_has_to_be_this_python(
    program: str, ok: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {"argv": [program, "-m", "ipykernel_launcher"], "display_name": "Python", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    finding = doctor._kernel()

    assert finding.ok == ok
    assert ok or (program in finding.value and str(folder) in finding.remedy)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5 * 2**20))

    assert_wrong(doctor._disk(tmp_path), "5 MB")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    assert_wrong(doctor._writing(tmp_path / "not there"), "not there")
