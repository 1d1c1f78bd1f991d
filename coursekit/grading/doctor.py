"""Examine what the assignment stands on: Python, torch, the shipped data, the notebooks' kernel, the disk."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from coursekit.grading.only_required import required
from coursekit.parts import ROOT

OLDEST, NEWEST = (3, 10), (3, 14)  # as setup.sh has them
FREE_MB = 500  # submissions, reports, and torchvision's smaller networks
HASHES = Path("data") / "SHA256SUMS"
REMAKE = "remove the folder .venv and run ./setup.sh"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; remedy is a sentence when it is not ok, else empty."""

    name: str
    ok: bool
    value: str
    remedy: str = ""


def examine(root: Path = ROOT) -> tuple[Finding, ...]:
    """Look at everything once, in the order in which one thing stands on another; never raises for what it finds."""
    torch_finding, torch = _torch()
    return (
        _python(),
        torch_finding,
        *((_threads(torch), _device(torch)) if torch else ()),
        _packages(root),
        _data(root),
        _kernel(),
        _disk(root),
        _writing(root),
    )


def write_hashes(root: Path = ROOT) -> None:
    """Write data/SHA256SUMS: a line for each file in data, sorted, as `sha256sum --check` reads it from root.

    Hidden files are left out (.DS_Store and the like belong to one machine), and texts for people, which no code reads.
    """
    files = (p.relative_to(root) for p in (root / "data").rglob("*") if p.is_file())
    shipped = [
        f.as_posix()
        for f in files
        if f != HASHES and f.suffix != ".md" and not any(part.startswith(".") for part in f.parts)
    ]
    lines = [f"{_sha256(root / file)}  {file}\n" for file in sorted(shipped)]
    (root / HASHES).write_text("".join(lines), encoding="utf-8", newline="\n")


def read_hashes(root: Path = ROOT) -> dict[str, str]:
    """Return path -> SHA-256 as data/SHA256SUMS has them, paths as posix text relative to root.

    Raises:
        OSError: the file is not there.
        ValueError: a line is not one of sha256sum's, or leads out of root.
    """
    hashes = {}
    for number, line in enumerate((root / HASHES).read_text(encoding="utf-8").splitlines(), start=1):
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](\S.*)", line)
        if not match or Path(match[2]).is_absolute() or ".." in Path(match[2]).parts:
            raise ValueError(f"{HASHES.as_posix()}, line {number}: no line of sha256sum")
        hashes[match[2]] = match[1]
    return hashes


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sentence(error: BaseException) -> str:
    """Return an exception as one line of a length that a table can hold."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "..."


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = OLDEST <= sys.version_info[:2] <= NEWEST
    remedy = "" if ok else f"install Python 3.{OLDEST[1]} to 3.{NEWEST[1]}, then {REMAKE}"
    return Finding("Python", ok, f"{version} ({sys.executable})", remedy)


def _torch() -> tuple[Finding, ModuleType | None]:
    """Import the pair: each release of torchvision fits one release of torch, and says so only when it is imported."""
    versions = []
    for package in ("torch", "torchvision"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} missing")
    value = ", ".join(versions)
    try:
        torch = importlib.import_module("torch")
        importlib.import_module("torchvision")
    except Exception as error:  # noqa: BLE001  libraries that do not load or fit raise anything from OSError to ValueError
        remedy = f"these two versions do not work together: {REMAKE}"
        return Finding("torch", False, f"{value}: {_sentence(error)}", remedy), None
    return Finding("torch", True, value), torch


def _threads(torch: ModuleType) -> Finding:
    used = torch.get_num_threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    value = f"{used} for {cores} core{'s' if cores > 1 else ''}"
    if used == 1 and cores > 1:
        cause = [name for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if os.environ.get(name)]
        remedy = f"unset {' and '.join(cause)}" if cause else f"call torch.set_num_threads({cores})"
        return Finding("threads", False, value, f"torch uses one core only: {remedy}")
    return Finding("threads", True, value)


def _device(torch: ModuleType) -> Finding:
    if torch.cuda.is_available():
        device, name = "cuda", str(torch.cuda.get_device_name())
    elif torch.backends.mps.is_available():
        device, name = "mps", "Apple GPU"
    else:
        return Finding("device", True, "cpu (a GPU is not needed)")
    try:
        torch.ones(1, device=device).add(1).item()
    except RuntimeError as error:  # a driver or a card that this build does not know
        remedy = "update the GPU's driver, or work on the CPU: set CUDA_VISIBLE_DEVICES to nothing"
        return Finding("device", False, f"{device} ({name}): {_sentence(error)}", remedy)
    return Finding("device", True, f"{device} ({name})")


def _packages(root: Path) -> Finding:
    """Compare requirements.txt with what is installed."""
    install = "run ./setup.sh, and start a2 from its environment"
    try:
        from packaging.requirements import Requirement  # comes with pytest: another thing that can be missing
    except ImportError as error:
        return Finding("packages", False, _sentence(error), install)
    try:
        wanted = [Requirement(line) for line in required((root / "requirements.txt").read_text(encoding="utf-8"))]
    except (OSError, ValueError) as error:
        again = "copy requirements.txt again from the zip that you were given"
        return Finding("packages", False, _sentence(error), again)
    wrong = []
    for requirement in wanted:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} is {version}, but {requirement.specifier} is needed")
    if wrong:
        return Finding("packages", False, "; ".join(wrong), install)
    return Finding("packages", True, f"{len(wanted)} of {len(wanted)}")


def _data(root: Path) -> Finding:
    restore = "copy the folder data again from the zip that you were given (in a clone: git checkout -- data)"
    try:
        hashes = read_hashes(root)
    except FileNotFoundError:
        return Finding("data", False, f"{HASHES.as_posix()} is missing", restore)
    except (OSError, ValueError) as error:
        return Finding("data", False, _sentence(error), restore)
    missing = [file for file in hashes if not (root / file).is_file()]
    changed = [file for file in hashes if file not in missing and _sha256(root / file) != hashes[file]]
    wrong = [*(f"{file} is missing" for file in missing), *(f"{file} has changed" for file in changed)]
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return Finding("data", False, "; ".join(wrong[:3]) + more, restore)
    return Finding("data", True, f"{len(hashes)} files as shipped")


def _kernel() -> Finding:
    """Ask Jupyter which Python its kernel python3 is: one installed for the user can hide this environment's."""
    try:
        kernelspec = importlib.import_module("jupyter_client.kernelspec")
        importlib.import_module("ipykernel")
        spec = kernelspec.KernelSpecManager().get_kernel_spec("python3")
    except (ImportError, OSError, KeyError, ValueError) as error:  # NoSuchKernel is a KeyError
        return Finding("Jupyter kernel", False, _sentence(error), REMAKE)
    program = str(spec.argv[0]) if spec.argv else "nothing"
    bare = re.fullmatch(r"python(3(\.\d+)?)?", program) is not None  # Jupyter puts its own interpreter in its place
    # Not the interpreter itself: in two environments of one Python it is a link to the same file.
    if bare or Path(program).parent.resolve() == Path(sys.executable).parent.resolve():
        return Finding("Jupyter kernel", True, f"python3 is {sys.executable}")
    remedy = f"another Python's kernel hides this one: remove the folder {spec.resource_dir}"
    return Finding("Jupyter kernel", False, f"python3 is {program}", remedy)


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free // 2**20
    ok = free >= FREE_MB
    return Finding("disk", ok, f"{free} MB free", "" if ok else f"free some space: {FREE_MB} MB are needed here")


def _writing(root: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=root):
            return Finding("folder", True, f"{root} can be written")
    except OSError as error:
        return Finding("folder", False, f"{root}: {_sentence(error)}", "copy the assignment to a folder of your own")
