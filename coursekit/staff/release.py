"""`a2 release` and `a2 start`: cut the student edition out of this repository, to a folder or to a zip.

What ships is an allow-list derived from the table of parts; a file that is not on it never leaves, tracked by git or not.
The edition is put together in memory, checked (every hole is there, Python parses and lints, no line of a solution), written
beside the destination, and only then renamed: after an error nothing is left behind.
"""

from __future__ import annotations

import ast
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coursekit.errors import UsageError
from coursekit.grading.archive import zip_bytes
from coursekit.grading.doctor import write_hashes
from coursekit.grading.holes import exercises_of, open_holes
from coursekit.grading.results import read_manifest
from coursekit.parts import PARTS, PLAY, ROOT, Part
from coursekit.staff.cut_notebooks import cut_notebook
from coursekit.staff.leaks import SolutionLine, refuse_leaks, solution_lines
from coursekit.staff.markers import MarkerError, cut, in_file, refuse_markers

FOLDER = "assignment-2"  # what a zip unpacks to
EXECUTABLE = frozenset({"setup.sh"})
SINGLE = (
    "setup.sh",
    "requirements.txt",
    "coursekit/constraints.txt",
    "pyproject.toml",
    ".gitignore",
    "LICENSE",
    "assignment2/__init__.py",
    "tests/conftest.py",
    "tests/manifest.json",
    *(f"coursekit/{name}.py" for name in ("__init__", "__main__", "cli", "errors", "memory", "parts", "width")),
)
RENAMED = {name: f"docs/student/{name}" for name in ("CHANGELOG.md", "README.md")}
TREES = {  # folder -> the kinds of files in it that ship
    "coursekit/vision": {".py", ".json"},
    "coursekit/checks": {".py"},
    "coursekit/grading": {".py", ".json", ".html", ".css"},
    "data": {".png", ".jpg", ".safetensors", ".json", ".md", ".npz", ".txt", ".csv"},
}
STAFF_FOLDERS = {"staff", "hidden", "__pycache__"}  # at any depth
OWN_ROOMS = {
    "assignment2", "benchmarks", "coursekit", "data", "docs", "lecture", "notebooks", "tests", "trained", ".git", ".venv"
}  # fmt: skip

# A cut function no longer uses its imports and arguments: that is the exercise, not a fault.
STUDENT_LINT = '"assignment2/*.py" = ["F401", "F841", "RUF059", "RUF100", "B007"]  # the holes leave names unused\n'
LINT_TABLE = "[tool.ruff.lint.per-file-ignores]\n"


@dataclass(frozen=True)
class Release:
    """A student edition as written: where, which files, which exercises are to do, and whether ruff was there to lint it."""

    path: Path
    files: tuple[str, ...]
    holes: tuple[str, ...]
    linted: bool

    def lines(self) -> list[str]:
        """Say what was written."""
        unchecked = [] if self.linted else ["not linted: ruff is not installed here (`./setup.sh test` installs it)"]
        return [f"{self.path}: {len(self.files)} files, {len(exercises_of(self.holes))} exercises to do", *unchecked]


@dataclass(frozen=True)
class Start:
    """A student edition that is ready to work in, and whether it shares this repository's environment."""

    release: Release
    shares_environment: bool
    first: Part

    def lines(self) -> list[str]:
        """Say the first three steps."""
        setup = "it shares this environment" if self.shares_environment else "./setup.sh makes its environment first"
        function = self.first.core[0]
        return [
            f"The assignment is in {self.release.path} ({len(self.release.holes)} exercises; {setup}).",
            f"  1. cd {shlex.quote(str(self.release.path))}  and read README.md",
            f"  2. complete {function} in {self.first.module_path}, where it says `your code here`",
            f"  3. ./setup.sh grade {self.first.number}  shows your points and what to do next",
        ]


def start(destination: Path, *, root: Path = ROOT, parts: Sequence[Part] = PARTS) -> Start:
    """Write the student edition to a folder and let it share this repository's environment, if links are possible."""
    if destination.suffix == ".zip":
        raise UsageError(f"{destination} is a zip, and nobody can work in one; name a folder, or use `a2 release`")
    made = release(destination, root=root, parts=parts)
    return Start(made, _link_environment(root, made.path / ".venv"), parts[0])


def release(destination: Path, *, root: Path = ROOT, parts: Sequence[Part] = PARTS) -> Release:
    """Cut the student edition to a folder, or to a zip if the name ends in .zip; the same bytes each time.

    Raises UsageError if the destination is taken, a file is missing, a marker is wrong, or a solution would leak.
    """
    destination = destination.expanduser().absolute()
    _refuse_destination(destination, root.resolve())
    edition = compose(root, parts)
    holes = _holes(edition, parts)
    read_manifest(root / "tests" / "manifest.json")  # refuses checks of a function that was taken out of the table
    _refuse_loose_markers(edition, parts)
    refuse_leaks(edition, _solutions(root, parts))
    with _beside(destination) as folder:
        _write(edition, folder)
        write_hashes(folder)
        linted = _lint(folder)
        files = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
        _deliver(folder, files, destination)
    return Release(destination, files, holes, linted)


def _refuse_destination(destination: Path, root: Path) -> None:
    real = destination.resolve()
    if destination.is_dir() and destination.suffix != ".zip" and not any(destination.iterdir()):
        pass  # an empty folder is filled
    elif destination.exists() or destination.is_symlink():
        raise UsageError(f"{destination} exists and is never overwritten; remove it or choose another name")
    if real == root or (root in real.parents and real.relative_to(root).parts[0] in OWN_ROOMS):
        raise UsageError(
            f"{destination} is a folder of this repository; choose one outside, such as ../my-assignment-2"
        )
    taken = next((parent for parent in real.parents if parent.exists() and not parent.is_dir()), None)
    if taken:
        raise UsageError(f"{destination} cannot be made: {taken} is a file; choose another name")


def compose(root: Path, parts: Sequence[Part]) -> dict[str, bytes]:
    """Return the edition, name -> content, in the order of the names."""
    checks = (path.as_posix() for part in parts for path in part.test_files)
    sources = {name: name for name in (*SINGLE, *checks)} | RENAMED
    edition = {name: _read(root, source) for name, source in sources.items()}
    for path in (path for folder, kinds in TREES.items() for path in _tree(root, folder, kinds)):
        edition[path.relative_to(root).as_posix()] = path.read_bytes()
    for path in (PLAY, *(path for part in parts for path in (part.module_path, part.notebook_path))):
        cutter = cut_notebook if path.suffix == ".ipynb" else cut
        edition[path.as_posix()] = cutter(_text(root, path.as_posix()), path.as_posix()).encode()
    edition["pyproject.toml"] = _student_settings(edition["pyproject.toml"].decode()).encode()
    return dict(sorted(edition.items()))


def _read(root: Path, name: str) -> bytes:
    try:
        return (root / name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}; the student edition needs it, restore it from git") from None


def _text(root: Path, name: str) -> str:
    try:
        return _read(root, name).decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _tree(root: Path, folder: str, kinds: set[str]) -> Iterator[Path]:
    for path in (root / folder).rglob("*"):
        inner = path.relative_to(root)
        hidden = any(name.startswith(".") or name in STAFF_FOLDERS for name in inner.parts)
        if path.suffix in kinds and path.is_file() and not hidden:
            yield path


def _student_settings(settings: str) -> str:
    """Let ruff accept in the exercises what cutting leaves unused."""
    if LINT_TABLE in settings:
        return settings.replace(LINT_TABLE, LINT_TABLE + STUDENT_LINT, 1)
    return f"{settings.rstrip()}\n\n{LINT_TABLE}{STUDENT_LINT}"


def _holes(edition: Mapping[str, bytes], parts: Sequence[Part]) -> tuple[str, ...]:
    """Return every hole of the modules; MarkerError if a function of the table has none, for then it ships solved."""
    found: list[str] = []
    for part in parts:
        holes = open_holes(ast.parse(edition[part.module_path.as_posix()]))
        owners = {name.split(".")[0] for name in holes}
        solved = [name for name in part.functions if name not in owners]
        if solved:
            raise MarkerError(f"{part.module_path}: {solved[0]} has no solution markers; it would ship solved")
        found += holes
    return tuple(found)


def _refuse_loose_markers(edition: Mapping[str, bytes], parts: Sequence[Part]) -> None:
    cut_files = {path.as_posix() for part in parts for path in (part.module_path, part.notebook_path)}
    for name, content in edition.items():
        if name not in cut_files and PurePosixPath(name).suffix == ".py":
            refuse_markers(content.decode(), in_file(name))


def _solutions(root: Path, parts: Sequence[Part]) -> Iterator[SolutionLine]:
    for part in parts:
        for path in (part.module_path.as_posix(), part.notebook_path.as_posix()):
            yield from solution_lines(path, _text(root, path))


@contextmanager
def _beside(destination: Path) -> Iterator[Path]:
    """Lend a folder on the destination's disk; it is gone afterwards, whatever happens."""
    parent = next(parent for parent in destination.parents if parent.is_dir())
    try:
        room = Path(tempfile.mkdtemp(prefix=".a2-release-", dir=parent))
    except OSError as error:
        raise UsageError(f"{parent}: {error.strerror}; choose a folder that you may write to") from None
    try:
        (room / FOLDER).mkdir()
        yield room / FOLDER
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _write(edition: Mapping[str, bytes], folder: Path) -> None:
    for name, content in edition.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if name in EXECUTABLE else 0o644)


def _lint(folder: Path) -> bool:
    """Parse every file, and lint those that were cut with the student's settings; False if ruff is not installed.

    The other files are the staff edition's own, which its tests lint. Only this environment's ruff is asked: another version
    has other rules.
    """
    for path in sorted(folder.rglob("*.py")):
        _refuse_syntax_errors(path, path.relative_to(folder).as_posix())
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        return False
    options = ["--no-cache", "--no-respect-gitignore", "--output-format=concise", "--quiet", "--config=pyproject.toml"]
    command = [ruff, "check", *options, "assignment2"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        problem = (done.stdout or done.stderr).strip().splitlines()[0]
        raise UsageError(f"the student edition does not lint: {problem}; fix the staff edition or move the markers")
    return True


def _refuse_syntax_errors(path: Path, name: str) -> None:
    try:
        compile(path.read_bytes(), name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise UsageError(f"{name}:{error.lineno}: the student edition is not Python ({error.msg}); fix it") from None


def _deliver(folder: Path, files: Sequence[str], destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    if destination.suffix != ".zip":
        if destination.is_dir():
            destination.rmdir()  # it is empty; Windows does not rename over it
        folder.rename(destination)
        return
    content = {f"{FOLDER}/{name}": (folder / name).read_bytes() for name in files}
    packed = folder.parent / "edition.zip"
    packed.write_bytes(zip_bytes(content, frozenset(f"{FOLDER}/{name}" for name in EXECUTABLE)))
    packed.rename(destination)


def _link_environment(root: Path, link: Path) -> bool:
    made_elsewhere = Path(sys.prefix)  # A2_VENV names another folder; setup.sh's stamp says that it is made for this
    candidates = (root / ".venv", *([made_elsewhere] if (made_elsewhere / "a2-stamp").is_file() else []))
    environment = next((folder for folder in candidates if folder.is_dir()), None)
    if environment is None:
        return False
    try:
        link.symlink_to(environment.resolve(), target_is_directory=True)
    except OSError:  # Windows without developer mode, or a disk without links
        return False
    return True
